// The one shape of a proof: it loses nothing and stores nothing twice, and its broken variant is caught.
import { wordFlag } from "../command.ts";

export interface ProofResult {
  readonly name: string;
  readonly seed: number;
  /** Records that somebody was told are stored. */
  readonly acknowledged: number;
  readonly lost: number;
  readonly twice: number;
  /** The deliberately broken variant, and whether the proof saw that it is. */
  readonly control: { readonly name: string; readonly caught: boolean };
  /** Targets beside loss that were not reached, each with its figure; none when left out. */
  readonly missed?: readonly string[];
  readonly [figure: string]: unknown;
}

export interface ProofContext {
  readonly seed: number;
  /** Flags by name, as given. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  log(line: string): void;
}

export interface Proof {
  readonly name: string;
  readonly summary: string;
  /** Flags beside --seed and --json, with what they mean. */
  readonly flags: Readonly<Record<string, string>>;
  run(context: ProofContext): Promise<ProofResult>;
}

/** Something that this machine lacks: the proof did not run, and its reason says how to have it. */
export class Skipped extends Error {}

/** The exit code of a proof that was skipped. */
export const EXIT_SKIPPED = 77;

/** A proof holds when nothing was lost or doubled, every target was reached, and its control was caught. */
export function holds(result: ProofResult): boolean {
  const { lost, twice, control, missed = [] } = result;
  return lost === 0 && twice === 0 && missed.length === 0 && control.caught;
}

/** Whether a broken variant does harm in one run can be chance: it is run again, so often at most. Gives the last run. */
export async function untilLost<Run extends { readonly lost: number }>(
  runsMax: number,
  again: (run: number) => Promise<Run>,
): Promise<Run> {
  for (let i = 1; ; i++) {
    const run = await again(i);
    if (run.lost > 0 || i >= runsMax) return run;
  }
}

/** Of `--form`: whether it is the short one. */
export function isShortForm(flags: ProofContext["flags"]): boolean {
  return wordFlag(flags, "form", ["short", "full"]) === "short";
}
