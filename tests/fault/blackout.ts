// An outage of up to 72 hours. Goal: every sample that a device has written to its flash is in the gateway's journal afterwards, once and
// byte for byte, or was left out by the rule of thinning and counted. Method: the firmware itself on virtual boards, the gateway's own
// code over its journal, virtual links between them; power, links, clocks and the gateway fail by the seed.
import { programBytesMax } from "../../firmware/build/image.ts";
import { findProfile } from "../../firmware/build/profiles.ts";
import { wholeFlag } from "../command.ts";
import { tableOf } from "../engine/program.ts";
import { type BlackoutCase, type CaseResult, playCase } from "./blackout-case.ts";
import { CONTROL_CASE, casesOf } from "./blackout-cases.ts";
import { CONTROLS } from "./blackout-controls.ts";
import { buildProgram, type Program } from "./devicepowercut-board.ts";
import { isShortForm, type Proof, type ProofContext } from "./proof.ts";

const LONG_SEEDS = 8;
/** A control that shows nothing at one seed may at the next: what it does wrong has to meet a failure. */
const CONTROL_SEEDS_MAX = 5;

const programs = new Map<string, Promise<Program>>();

function programOf({ board, profile }: BlackoutCase): Promise<Program> {
  const entry = findProfile(board, profile)?.entry;
  if (entry === undefined) throw new Error(`there is no profile ${profile} for ${board}`);
  const program = programs.get(entry) ?? buildProgram(entry, false);
  programs.set(entry, program);
  return program;
}

interface Campaign {
  readonly results: readonly CaseResult[];
  /** Profiles whose program is too long for its slot, with its bytes. */
  readonly skipped: readonly string[];
}

async function campaign(context: ProofContext, cases: readonly BlackoutCase[], seeds: number): Promise<Campaign> {
  const results: CaseResult[] = [];
  const skipped = new Set<string>();
  for (const one of cases) {
    const program = await programOf(one);
    const bytesMax = programBytesMax(tableOf(one.board));
    if (program.bytes.length > bytesMax) {
      skipped.add(`${one.board} ${one.profile}: ${program.bytes.length} bytes, a slot holds ${bytesMax}`);
      continue;
    }
    for (let seed = context.seed; seed < context.seed + seeds; seed++) {
      const result = await playCase(one, { seed, program });
      results.push(result);
      const { samples, thinned, boots, lost, twice, changed, misplaced, drainedH } = result;
      const faults = lost + twice + changed + misplaced;
      context.log(
        `${one.name}, seed ${seed}: ${samples} samples, ${thinned} thinned, ${boots} boots, drained in ${drainedH} h` +
          (faults > 0 ? `: ${lost} lost, ${twice} twice, ${changed} changed, ${misplaced} misplaced` : ""),
      );
      for (const example of faults > 0 ? result.examples : []) context.log(`  ${example}`);
    }
  }
  for (const why of skipped) context.log(`skipped: ${why}`);
  return { results, skipped: [...skipped] };
}

async function runControls(context: ProofContext) {
  const program = await programOf(CONTROL_CASE);
  const found: { readonly name: string; readonly caught: boolean; readonly lost: number; readonly twice: number }[] =
    [];
  for (const { name, shows, part } of CONTROLS) {
    const sum = { lost: 0, twice: 0 };
    for (let i = 0; i < CONTROL_SEEDS_MAX && sum[shows] === 0; i++) {
      const { lost, twice } = await playCase(CONTROL_CASE, { seed: context.seed + i, program, ...part });
      sum.lost += lost;
      sum.twice += twice;
    }
    found.push({ name, caught: sum[shows] > 0, ...sum });
    context.log(`control "${name}": ${sum.lost} lost, ${sum.twice} twice`);
  }
  return found;
}

/** Worst of the seeds of one case. */
function figuresOf(results: readonly CaseResult[]) {
  const names = [...new Set(results.map((one) => one.name))];
  return names.map((name) => {
    const mine = results.filter((one) => one.name === name);
    const sum = (pick: (one: CaseResult) => number) => mine.reduce((total, one) => total + pick(one), 0);
    const most = (pick: (one: CaseResult) => number) => Math.max(...mine.map(pick));
    return {
      case: name,
      seeds: mine.length,
      samples: sum((one) => one.samples),
      events: sum((one) => one.events),
      thinned: sum((one) => one.thinned),
      unsynced: sum((one) => one.unsynced),
      boots: sum((one) => one.boots),
      gatewayRestarts: sum((one) => one.restarts),
      frames: sum((one) => one.frames),
      airtimeS: sum((one) => one.airtimeS),
      drainedHMax: most((one) => one.drainedH ?? Number.POSITIVE_INFINITY),
      presentOffMinMax: Math.round(most((one) => one.presentOffMin) * 100) / 100,
      earlierOffMinMax: Math.round(most((one) => one.earlierOffMin)),
    };
  });
}

export const proof: Proof = {
  name: "blackout",
  summary: "outages of up to 72 h with power cuts, wrong clocks and gateway restarts: every sample stored once",
  flags: {
    form: "short: some of the cases, one seed; full: all of them (full)",
    seeds: `seeds of each case (${LONG_SEEDS}; short: 1)`,
  },
  async run(context) {
    const isShort = isShortForm(context.flags);
    const seeds = wholeFlag(context.flags, "seeds", isShort ? 1 : LONG_SEEDS);
    const { results, skipped } = await campaign(context, casesOf(isShort), seeds);
    const controls = await runControls(context);
    const sum = (pick: (one: CaseResult) => number) => results.reduce((total, one) => total + pick(one), 0);
    const undrained = results.filter((one) => one.drainedH === undefined).length;
    const exceptions = sum((one) => one.exceptions.length);
    return {
      name: "blackout",
      seed: context.seed,
      seeds,
      acknowledged: sum((one) => one.acknowledged),
      // What has other bytes or another time is not what the device has sampled.
      lost: sum((one) => one.lost + one.changed + one.misplaced) + undrained + exceptions,
      twice: sum((one) => one.twice),
      changed: sum((one) => one.changed),
      misplaced: sum((one) => one.misplaced),
      undrained,
      exceptions,
      // A board on which nothing was tried has passed nothing.
      missed: skipped,
      cases: figuresOf(results),
      controls,
      control: { name: CONTROLS.map((one) => one.name).join("; "), caught: controls.every((one) => one.caught) },
    };
  },
};
