// Firmware on its boards: bytes, variables and time of each profile, and what its history costs on air beside peers.
import { type BuildProfile, PROFILES } from "../../firmware/build/profiles.ts";
import { encodeReport } from "../../protocol/index.ts";
import { wholeFlag, wordFlag } from "../command.ts";
import { findEspruino } from "../engine/find.ts";
import { type Bench, type BenchRow, medianOf, significant } from "./bench.ts";
import { countVariables, engineFor } from "./firmware-engine.ts";
import { historyRows } from "./firmware-history.ts";
import { type Measured, measuredOf } from "./firmware-image.ts";
import { withLimits } from "./firmware-limits.ts";
import { benchScenario, turnScenario } from "./firmware-scenarios.ts";
import { mainTrace } from "./firmware-traces.ts";
import { countBacklog, countTurns, hasValgrind, perMs, type Turn } from "./firmware-turns.ts";

type Log = (line: string) => void;

/** A whole point's frame of so many samples is what the facts have a time for. */
const BACKLOG_SAMPLES = 30;
/** Samples come quicker in the scenario that is counted: valgrind is slow. */
const SAMPLE_S = 60;
/** Of the scenario in which turns are counted to the one in which variables are: valgrind is slow. */
const COUNTED_SHARE = 1 / 12;
const TURNS_NAMED = 5;
/** Nothing speaks to a board before: its turns have a row of their own. */
const BOOT_MS = 1000;

function nameOf({ board, profile }: BuildProfile): string {
  return `${board} ${profile}`;
}

function sizeRows(measured: Measured, log: Log): BenchRow[] {
  const subject = nameOf(measured.profile);
  const { bytes, bytesMax } = measured;
  if (bytes > bytesMax)
    log(`firmware: ${subject}: ${bytes} bytes do not fit its slot; counted on one with a larger slot`);
  return [
    { case: "bundle-bytes", subject, value: bytes, unit: "B" },
    { case: "bundle-share-of-slot", subject, value: significant((bytes * 100) / bytesMax), unit: "%" },
    { case: "bundle-fits", subject, value: bytes <= bytesMax ? 1 : 0, unit: "yes" },
  ];
}

async function variableRows(measured: Measured, hours: number, log: Log): Promise<BenchRow[]> {
  const subject = nameOf(measured.profile);
  const scenario = benchScenario(measured.profile, hours, SAMPLE_S);
  if (scenario === undefined) return [];
  const found = await countVariables(measured, scenario);
  if (found.elsewhere) log(`firmware: ${subject}: no room on its own engine; counted on one of 14 bytes a variable`);
  const share = (value: number) => significant((value * 100) / measured.table.variables);
  return [
    { case: "jsvars-rest", subject, value: found.rest, unit: "vars" },
    { case: "jsvars-peak", subject, value: found.peak, unit: "vars" },
    { case: "jsvars-rest-share", subject, value: share(found.rest), unit: "%" },
    { case: "jsvars-peak-share", subject, value: share(found.peak), unit: "%" },
  ];
}

async function turnRows(measured: Measured, hours: number, log: Log): Promise<BenchRow[]> {
  const { profile } = measured;
  const subject = nameOf(profile);
  const scenario = turnScenario(profile, hours * COUNTED_SHARE);
  if (scenario === undefined) return [];
  const { turns, obeyed } = await countTurns(engineFor(measured), scenario);
  const ms = (turn: Turn) => turn.instructions / perMs(profile.board);
  const longest = turns.filter((one) => one.atMs > BOOT_MS).sort((a, b) => b.instructions - a.instructions);
  for (const one of longest.slice(0, TURNS_NAMED))
    log(
      `firmware: ${subject}: a turn of ${ms(one).toFixed(0)} ms, ${(one.atMs / 1000).toFixed(1)} s after boot: ${one.code}`,
    );
  const row = (name: string, value: number) => ({ case: name, subject, value: significant(value), unit: "ms" });
  const reports = turns.filter((one) => one.isReport).map(ms);
  return [
    { ...row("turn-longest", ms(longest[0] as Turn)), note: (longest[0] as Turn).code },
    row("turn-median", medianOf(turns.map(ms))),
    row("turn-longest-boot", Math.max(...turns.filter((one) => one.atMs <= BOOT_MS).map(ms))),
    { case: "turn-downlinks", subject, value: obeyed, unit: "obeyed" },
    ...(reports.length > 0 ? [row("time-report", medianOf(reports))] : []),
  ];
}

/** A frame of a whole point on the engine of the roomiest nRF board and on that of the ESP32. */
async function backlogRows(): Promise<BenchRow[]> {
  const trace = mainTrace();
  const middle = trace.reports.length >> 1;
  const samples = trace.reports.slice(middle, middle + BACKLOG_SAMPLES).map(encodeReport);
  const rows: BenchRow[] = [];
  for (const board of ["xiaoble", "esp32"]) {
    if (findEspruino(board) === undefined) continue;
    const turns = await countBacklog(board, samples, trace.intervalS);
    const subject = `${board} ${BACKLOG_SAMPLES} samples`;
    const sum = (counts: readonly number[]) => counts.reduce((total, one) => total + one, 0);
    const row = (name: string, instructions: number) => {
      rows.push({ case: name, subject, value: significant(instructions / perMs(board)), unit: "ms" });
    };
    row("time-backlog-frame", sum(turns.map(sum)));
    row("time-backlog-sample-longest", Math.max(...turns.map(sum)));
    row("time-backlog-turn-longest", Math.max(...turns.flat()));
  }
  return rows;
}

async function engineRows(profiles: readonly Measured[], hours: number, profile: boolean, log: Log) {
  const found = profiles.filter((one) => findEspruino(one.profile.board) !== undefined);
  if (found.length < profiles.length) log("firmware: variables and time skipped: no Espruino found");
  const rows: BenchRow[] = [];
  for (const one of found) rows.push(...(await variableRows(one, hours, log)));
  if (found.length === 0) return rows;
  if (!profile) log("firmware: time skipped: --profile no");
  else if (!hasValgrind()) log("firmware: time skipped: no valgrind");
  else {
    rows.push(...(await backlogRows()));
    for (const one of found) rows.push(...(await turnRows(one, hours, log)));
  }
  return rows;
}

export const bench: Bench = {
  name: "firmware",
  summary: "bytes, variables, time, and 72 hours of history on air beside peers",
  flags: {
    hours: "of the scenario in which variables are counted (2); turns are counted for a twelfth of it",
    profile: "no: without time and turns, for which valgrind counts instructions: some minutes a board",
    only: "this board alone, as in mdbt42q",
  },
  async run({ flags, log }) {
    const hours = wholeFlag(flags, "hours", 2);
    const only = wordFlag(
      flags,
      "only",
      PROFILES.map((one) => one.board),
    );
    const isTimed = wordFlag(flags, "profile", ["yes", "no"]) !== "no";
    const wanted = PROFILES.filter((one) => only === undefined || one.board === only);
    const measured: Measured[] = [];
    for (const one of wanted) measured.push(await measuredOf(one));
    const rows = [
      ...measured.flatMap((one) => sizeRows(one, log)),
      ...(await engineRows(measured, hours, isTimed, log)),
      ...historyRows(log),
    ];
    return withLimits(rows, log);
  },
};
