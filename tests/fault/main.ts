// `npm run proof -- NAME [--json] [--seed N]`: exit 1 when something was lost or doubled, or the control was not caught.
import { callOf, exitCodeOf, wholeFlag } from "../command.ts";
import { holds, type Proof } from "./proof.ts";

async function main(): Promise<number> {
  const call = await callOf<Proof>(new URL("./", import.meta.url), "proof", process.argv.slice(2));
  if (call === undefined) return 2;
  const seed = wholeFlag(call.flags, "seed", 1);
  const log = (line: string) => void process.stderr.write(`${line}\n`);
  const result = await call.entry.run({ seed, flags: call.flags, log });
  if (call.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    const { name, acknowledged, lost, twice, control } = result;
    process.stdout.write(`${name}, seed ${seed}: ${acknowledged} acknowledged, ${lost} lost, ${twice} twice\n`);
    process.stdout.write(`control "${control.name}": ${control.caught ? "caught" : "NOT caught"}\n`);
  }
  return holds(result) ? 0 : 1;
}

process.exit(await exitCodeOf(main));
