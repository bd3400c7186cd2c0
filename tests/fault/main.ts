// `npm run proof -- NAME [--json] [--seed N]`: exit 1 when something was lost or doubled, or the control was not caught, and
// 77 when it could not run here.
import { callOf, exitCodeOf, wholeFlag } from "../command.ts";
import { EXIT_SKIPPED, holds, type Proof, type ProofContext, type ProofResult, Skipped } from "./proof.ts";

/** The result, or undefined after saying why there is none. */
async function resultOf(proof: Proof, context: ProofContext): Promise<ProofResult | undefined> {
  try {
    return await proof.run(context);
  } catch (error) {
    if (!(error instanceof Skipped)) throw error;
    process.stdout.write(`skipped: ${error.message}\n`);
    return undefined;
  }
}

async function main(): Promise<number> {
  const call = await callOf<Proof>(new URL("./", import.meta.url), "proof", process.argv.slice(2));
  if (call === undefined) return 2;
  const seed = wholeFlag(call.flags, "seed", 1);
  const log = (line: string) => void process.stderr.write(`${line}\n`);
  const result = await resultOf(call.entry, { seed, flags: call.flags, log });
  if (result === undefined) return EXIT_SKIPPED;
  if (call.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    const { name, acknowledged, lost, twice, control } = result;
    process.stdout.write(`${name}, seed ${seed}: ${acknowledged} acknowledged, ${lost} lost, ${twice} twice\n`);
    for (const target of result.missed ?? []) process.stdout.write(`not reached: ${target}\n`);
    process.stdout.write(`control "${control.name}": ${control.caught ? "caught" : "NOT caught"}\n`);
  }
  return holds(result) ? 0 : 1;
}

process.exit(await exitCodeOf(main));
