// The process that compacts the journal into history is killed at every step. Goal: each sample that was acknowledged is in
// history once. Method: real processes, kill −9 before, during and after the commit and after the cursor; then all is read.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createRandom, type Random } from "../../firmware/simulator/random.ts";
import { openHistoryReader } from "../../gateway/history/file.ts";
import { createHistoryReader } from "../../gateway/history/query.ts";
import { wholeFlag } from "../command.ts";
import { NOON_MS } from "../fixtures.ts";
import type { Proof, ProofContext } from "./proof.ts";
import { proofFolder } from "./record/endings.ts";
import { ended } from "./record/processes.ts";

const CHILD = fileURLToPath(new URL("./compaction-child.ts", import.meta.url));
const STEPS = ["before", "during", "between", "after"] as const;
const DEVICES = 4;
const CYCLE_MS_MAX = 60_000;

interface Told {
  readonly sent: number;
  readonly acked: number;
}

async function run(dir: string, flags: readonly string[]): Promise<Told> {
  const child = ended(
    spawn(process.execPath, [CHILD, "--dir", dir, ...flags], { stdio: ["ignore", "pipe", "inherit"] }),
  );
  let output = "";
  child.stdout.on("data", (data) => {
    output += String(data);
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), CYCLE_MS_MAX);
  await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  const last = (word: string) =>
    Math.max(0, ...[...output.matchAll(new RegExp(`^${word} (\\d+)$`, "gm"))].map((match) => Number(match[1])));
  return { sent: last("sent"), acked: last("acked") };
}

function count(dir: string, acked: ReadonlySet<number>): { lost: number; twice: number; stored: number } {
  const db = openHistoryReader(dir);
  const reader = createHistoryReader(db, () => 0);
  const found = { lost: 0, twice: 0, stored: 0 };
  for (let d = 0; d < DEVICES; d++) {
    const source = { deviceId: `dev-${d}`, fromMs: NOON_MS, toMs: Number.MAX_SAFE_INTEGER, tail: [] };
    const { rows } = reader.samples({ kind: "samples", source, limit: 1_000_000 });
    const times = new Map<number, number>();
    for (const row of rows) times.set(row.sequence % 65_536, (times.get(row.sequence % 65_536) ?? 0) + 1);
    found.stored += times.size;
    found.lost += [...acked].filter((sequence) => !times.has(sequence)).length;
    found.twice += [...times.values()].filter((one) => one > 1).length;
  }
  db.close();
  return found;
}

async function campaign(context: ProofContext, cycles: number, flags: readonly string[]) {
  const folder = proofFolder();
  const random: Random = createRandom(context.seed);
  const acked = new Set<number>();
  let next = 1;
  try {
    for (let cycle = 0; cycle < cycles; cycle++) {
      const die = STEPS[cycle % STEPS.length] as string;
      const rounds = String(1 + Math.floor(random.between(0, 3)));
      const afterMs = String(Math.floor(random.between(0, 12)));
      const told = await run(folder.path, [
        ...["--from", String(next), "--rounds", rounds, "--die", die, "--after-ms", afterMs],
        ...flags,
      ]);
      for (let sequence = next; sequence <= told.acked; sequence++) acked.add(sequence);
      next = Math.max(next, told.sent + 1);
      if ((cycle + 1) % 10 === 0) context.log(`compaction: ${cycle + 1} of ${cycles} kills`);
    }
    await run(folder.path, ["--rounds", "1", ...flags]);
    return { acknowledged: acked.size * DEVICES, ...count(folder.path, acked) };
  } finally {
    folder.remove();
  }
}

export const proof: Proof = {
  name: "compaction",
  summary: "kill −9 of the compaction at every step: each sample is in history, once",
  flags: { cycles: "how often it is killed (40)" },
  async run(context) {
    const cycles = wholeFlag(context.flags, "cycles", 40);
    const real = await campaign(context, cycles, []);
    const control = await campaign(context, Math.min(cycles, STEPS.length), ["--cursor-first"]);
    return {
      name: "compaction",
      seed: context.seed,
      ...real,
      cycles,
      control: { name: "moves the cursor first", caught: control.lost > 0, lost: control.lost },
    };
  },
};
