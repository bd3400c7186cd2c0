// LoRaWAN from the board to the journal. Goal: every sample that a device has written to its flash is in the journal once and byte for
// byte, whatever air, modem, base station and gateway do, and nobody is on the air longer than the band allows. Method: the firmware's
// bundle on virtual boards, a class A device, an air and base stations written for it, and the gateway's own base-station protocol, network
// server, application and journal, in one virtual time.
import { findProfile } from "../../firmware/build/profiles.ts";
import { buildProgram, type Program } from "./devicepowercut-board.ts";
import { type CaseOptions, type CaseResult, playCase } from "./lorawan-case.ts";
import { CONTROL_CASE, type Target, targetsOf } from "./lorawan-cases.ts";
import { isShortForm, type Proof, type ProofContext } from "./proof.ts";

/** A control that shows nothing at one seed may at the next: what it does wrong has to meet a death. */
const CONTROL_SEEDS_MAX = 4;

interface Control {
  readonly name: string;
  readonly broken: NonNullable<CaseOptions["broken"]>;
  /** What shows it. */
  shows(result: CaseResult): number;
}

const CONTROLS: readonly Control[] = [
  {
    name: "counters kept after the hand-on",
    broken: { savesLate: true },
    shows: ({ handedOnTwice }) => handedOnTwice,
  },
  {
    name: "acknowledged by LoRaWAN's confirmation alone",
    broken: { confirmsAtOnce: true },
    shows: ({ lost }) => lost,
  },
];

const programs = new Map<string, Promise<Program>>();

function programOf(board: string): Promise<Program> {
  const entry = findProfile(board, board === "mdbt42q" ? "door" : "point")?.entry;
  if (entry === undefined) throw new Error(`there is no profile for ${board}`);
  const program = programs.get(entry) ?? buildProgram(entry, false);
  programs.set(entry, program);
  return program;
}

function pct(share: number | undefined): string {
  return `${((share ?? 0) * 100).toFixed(2)} %`;
}

function tell(context: ProofContext, result: CaseResult, seconds: number): void {
  const {
    name,
    samples,
    events,
    uplinks,
    drainedMin,
    drainedMinHalf,
    drainedMinMost,
    busyMin,
    liveShare,
    liveShareMost,
    stationDuty,
    deviceDuty,
  } = result;
  const duty = (of: CaseResult["stationDuty"]) => `L ${pct(of.l)}, M ${pct(of.m)}, P ${pct(of.p)}`;
  context.log(
    `${name}: ${samples} samples and ${events} events in ${Math.round(uplinks)} uplinks; all stored after ${drainedMin} min ` +
      `(half of the devices ${drainedMinHalf}, nine in ten ${drainedMinMost}; history on the way for ${busyMin} at most); live in time ${pct(liveShare)} (${pct(liveShareMost)} until nine in ten); fullest hour: base station ${duty(stationDuty)}, ` +
      `device ${duty(deviceDuty)} (${seconds.toFixed(0)} s)`,
  );
  const { lost, twice, changed, misplaced, handedOnTwice } = result;
  if (lost + twice + changed + misplaced + handedOnTwice === 0) return;
  context.log(
    `  ${lost} lost, ${twice} twice, ${changed} changed, ${misplaced} misplaced, ${handedOnTwice} handed on twice`,
  );
  for (const example of result.examples) context.log(`  ${example}`);
}

async function campaign(context: ProofContext, targets: readonly Target[]) {
  const results: CaseResult[] = [];
  const missed: string[] = [];
  for (const { one, missed: missedBy } of targets) {
    const program = await programOf(one.board);
    const began = performance.now();
    const result = await playCase(one, { seed: context.seed, program });
    results.push(result);
    missed.push(...missedBy(result));
    tell(context, result, (performance.now() - began) / 1000);
    for (const exception of result.exceptions) context.log(`  ${exception}`);
  }
  return { results, missed };
}

async function runControls(context: ProofContext) {
  const program = await programOf(CONTROL_CASE.board);
  const found: { readonly name: string; readonly caught: boolean; readonly shown: number }[] = [];
  for (const { name, broken, shows } of CONTROLS) {
    let shown = 0;
    for (let i = 0; i < CONTROL_SEEDS_MAX && shown === 0; i++)
      shown = shows(await playCase(CONTROL_CASE, { seed: context.seed + i, program, broken }));
    found.push({ name, caught: shown > 0, shown });
    context.log(`control "${name}": ${shown} seen`);
  }
  // The same case with nothing broken shows nothing.
  const sound = await playCase(CONTROL_CASE, { seed: context.seed, program });
  return { found, sound };
}

export const proof: Proof = {
  name: "lorawan",
  summary: "LoRaWAN from the board's flash to the journal: stored once, within the band's airtime, drained in time",
  flags: { form: "short: some of the cases, small; full: all of them (full)" },
  async run(context) {
    const { results, missed } = await campaign(context, targetsOf(isShortForm(context.flags)));
    const { found, sound } = await runControls(context);
    const all = [...results, sound];
    const sum = (pick: (one: CaseResult) => number) => all.reduce((total, one) => total + pick(one), 0);
    const exceptions = sum((one) => one.exceptions.length);
    return {
      name: "lorawan",
      seed: context.seed,
      acknowledged: sum((one) => one.acknowledged),
      // What has other bytes or another time is not what the device has sampled.
      lost: sum((one) => one.lost + one.changed + one.misplaced) + exceptions,
      twice: sum((one) => one.twice + one.handedOnTwice),
      exceptions,
      missed,
      cases: results,
      controls: found,
      control: { name: found.map((one) => one.name).join("; "), caught: found.every((one) => one.caught) },
    };
  },
};
