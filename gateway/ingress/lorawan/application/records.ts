// The frames that a decoded uplink becomes: a report for what is so now, and backlog frames for what the device kept. Pure.
import {
  BACKLOG_HEADER_BYTES,
  backlogRowOf,
  createBacklogEncoder,
  encodeReport,
  GROUPS,
  HEADER_BYTES,
  KIND_BACKLOG,
  type Report,
  VERSION,
} from "../../../../protocol/index.ts";
import { isPlausibleWallTime } from "../../../clock.ts";
import { AHEAD_MS_MAX } from "../../../domain/placing.ts";
import { flagBit } from "../../../domain/stamp.ts";
import { invariant } from "../../../errors.ts";
import type { LogEntry } from "../decoders/decoder.ts";
import type { Groups } from "./sensing.ts";

/** Kept readings in one backlog frame: whatever they are, they fit. */
export const LOG_PER_FRAME = 8;
/** Eight rows of the widest groups with every field written out. */
const FRAME_BYTES_MAX = 512;
/** Of what is kept, where nothing is known of its rhythm. */
const STEP_S = 600;

/** When it was, as a frame's header says it. */
export interface Moment {
  /** Unix seconds when synchronised; else by a clock that counts from somewhere. */
  readonly timeS: number;
  readonly clockSynced: boolean;
}

/** What the network said of the time, or our own clock; a time that cannot be is none. */
export function momentOf(atMs: number | undefined, receipt: { nowMs: number; clockTrusted: boolean }): Moment {
  const { nowMs, clockTrusted } = receipt;
  const isKnown = atMs !== undefined && isPlausibleWallTime(atMs) && !(clockTrusted && atMs > nowMs + AHEAD_MS_MAX);
  if (!isKnown && !clockTrusted) return { timeS: 0, clockSynced: false };
  return { timeS: Math.floor((isKnown ? atMs : nowMs) / 1000), clockSynced: true };
}

/** A clock that was never set says so by its year, and one that runs ahead of ours by more than ten minutes is wrong. */
export function isSetClock(
  { timeS }: Pick<LogEntry, "timeS">,
  receipt: { nowMs: number; clockTrusted: boolean },
): boolean {
  const ahead = receipt.clockTrusted && timeS * 1000 > receipt.nowMs + AHEAD_MS_MAX;
  return isPlausibleWallTime(timeS * 1000) && !ahead;
}

export interface Sample extends Moment {
  readonly sequence: number;
  readonly groups: Groups;
}

/** A report frame: without a phase, which no sensor knows. */
export function reportFrame({ sequence, timeS, clockSynced, groups }: Sample, ownPowerLow = false): Uint8Array {
  const report: Report = {
    sequence: sequence & 0xffff,
    time: timeS,
    flags: { clockSynced, ownPowerLow },
    phase: "absent",
    ...groups,
  };
  return encodeReport(report);
}

/** One backlog frame; its samples have the same groups, and are at most LOG_PER_FRAME. */
export function backlogFrame(sequence: number, now: Moment, samples: readonly Sample[]): Uint8Array {
  const first = samples[0];
  invariant(first !== undefined && samples.length <= LOG_PER_FRAME, "a backlog frame holds some samples, and not many");
  const groups = groupsByte(first.groups);
  const encoder = createBacklogEncoder(backlogRowOf(groups), FRAME_BYTES_MAX);
  encoder.start(headOf(sequence, now, groups), FRAME_BYTES_MAX, STEP_S);
  for (const sample of samples) invariant(encoder.add(reportFrame(sample)), "kept readings fit in their frame");
  return encoder.finish().slice();
}

export function groupsByte(groups: Groups): number {
  return GROUPS.reduce(
    (bits, { name }, i) => bits | ((groups as Record<string, unknown>)[name] === undefined ? 0 : 1 << i),
    0,
  );
}

function headOf(sequence: number, { timeS, clockSynced }: Moment, groups: number): Uint8Array {
  const head = new Uint8Array(BACKLOG_HEADER_BYTES);
  const view = new DataView(head.buffer);
  head[0] = (VERSION << 4) | KIND_BACKLOG;
  view.setUint16(1, sequence & 0xffff);
  view.setUint32(3, timeS);
  head[HEADER_BYTES - 1] = clockSynced ? flagBit("clockSynced") : 0;
  head[BACKLOG_HEADER_BYTES - 1] = groups;
  return head;
}
