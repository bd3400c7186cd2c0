// `npm run bench -- NAME [--json]`: figures beside those of peers in the same run.
import { cpus } from "node:os";
import { callOf, exitCodeOf } from "../command.ts";
import type { Bench, BenchResult } from "./bench.ts";

async function main(): Promise<number> {
  const call = await callOf<Bench>(new URL("./", import.meta.url), "bench", process.argv.slice(2));
  if (call === undefined) return 2;
  const rows = await call.entry.run({ flags: call.flags, log: (line) => void process.stderr.write(`${line}\n`) });
  const cores = cpus();
  const machine = `${cores.length} × ${cores[0]?.model.trim() ?? "unknown"}, Node ${process.versions.node}`;
  const result: BenchResult = { name: call.entry.name, machine, rows };
  if (call.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    process.stdout.write(`${result.name} on ${machine}\n`);
    for (const row of rows) {
      const ratio = row.ratio === undefined ? "" : `  ${row.ratio} ×`;
      const missed = row.missed === true ? "  MISSED" : "";
      const note = row.note === undefined ? "" : `  ${row.note}`;
      process.stdout.write(
        `${row.case.padEnd(22)} ${row.subject.padEnd(14)} ${String(row.value).padStart(10)} ${row.unit}${ratio}${missed}${note}\n`,
      );
    }
  }
  return rows.some((row) => row.missed) ? 1 : 0;
}

process.exit(await exitCodeOf(main));
