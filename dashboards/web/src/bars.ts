// The 72-hour bar of a point as shares of its width. One axis for all points, so that bars compare.
import type { GatewayState, PointState } from "../../../protocol/schema/index.ts";

const HOUR_MS = 3_600_000;
export const AXIS_HOURS = 72;

export interface Axis {
  readonly fromMs: number;
  readonly toMs: number;
  readonly nowMs: number;
  /** The end that points are measured against: 72 hours of outage, or of outlook. */
  readonly goalMs: number;
  readonly isOutage: boolean;
}

/** From the start of the outage to 72 hours after it; without one, 72 hours from now. An older outage keeps 24 hours ahead. */
export function axisOf(gateway: GatewayState, nowMs: number): Axis {
  const started = gateway.outage === undefined ? undefined : Date.parse(gateway.outage.startedAt);
  if (started === undefined) {
    const toMs = nowMs + AXIS_HOURS * HOUR_MS;
    return { fromMs: nowMs, toMs, nowMs, goalMs: toMs, isOutage: false };
  }
  const goalMs = started + AXIS_HOURS * HOUR_MS;
  const toMs = Math.max(goalMs, nowMs + 24 * HOUR_MS);
  return {
    fromMs: toMs - Math.max(AXIS_HOURS * HOUR_MS, Math.min(toMs - started, 96 * HOUR_MS)),
    toMs,
    nowMs,
    goalMs,
    isOutage: true,
  };
}

/** Percent of the axis, within it. */
export function percentAt(axis: Axis, ms: number): number {
  const share = (ms - axis.fromMs) / (axis.toMs - axis.fromMs);
  return Math.round(Math.min(1, Math.max(0, share)) * 10_000) / 100;
}

export interface Bar {
  readonly pastPct: number;
  readonly surePct: number;
  readonly mayPct: number;
  /** Where it is expected to be empty; undefined beyond the axis. */
  readonly emptyPct: number | undefined;
  /** From the end of what is possible to the goal; undefined when nothing is short. */
  readonly shortFromPct: number | undefined;
}

export function barOf(point: PointState, axis: Axis): Bar | undefined {
  const { endurance } = point;
  const pastPct = percentAt(axis, axis.nowMs);
  if (endurance.kind === "none") return undefined;
  const sureEnd = percentAt(axis, axis.nowMs + endurance.p10H * HOUR_MS);
  const mayEnd = percentAt(axis, axis.nowMs + endurance.p90H * HOUR_MS);
  const emptyMs = axis.nowMs + endurance.p50H * HOUR_MS;
  return {
    pastPct,
    surePct: Math.max(0, sureEnd - pastPct),
    mayPct: Math.max(0, mayEnd - sureEnd),
    emptyPct: emptyMs <= axis.toMs ? percentAt(axis, emptyMs) : undefined,
    shortFromPct: endurance.shortage !== undefined && mayEnd < percentAt(axis, axis.goalMs) ? mayEnd : undefined,
  };
}

/** Words need so much of the bar; where there is less they stand below the name. */
const WORDS_PCT = 40;

export function hasRoomForWords(bar: Bar | undefined, axis: Axis): boolean {
  return bar?.shortFromPct !== undefined && percentAt(axis, axis.goalMs) - bar.shortFromPct >= WORDS_PCT;
}

export interface Tick {
  readonly pct: number;
  readonly ms: number;
  readonly isMidnight: boolean;
}

/** The word 'now' takes so much of the axis to each side, with half a tick. */
const NOW_PCT = 6;
/** And '72 u' at its end, with half of a tick that names its day. */
const GOAL_PCT = 18;

/** A tick every six hours of local time, left out where the word 'now' or the goal stands. */
export function ticksOf(axis: Axis, hourOfDay: (ms: number) => string): Tick[] {
  const ticks: Tick[] = [];
  const nowPct = percentAt(axis, axis.nowMs);
  for (let ms = Math.ceil(axis.fromMs / HOUR_MS) * HOUR_MS; ms < axis.toMs; ms += HOUR_MS) {
    const hour = Number(hourOfDay(ms));
    if (hour % 6 !== 0) continue;
    const pct = percentAt(axis, ms);
    if (Math.abs(pct - nowPct) < NOW_PCT || pct > 100 - GOAL_PCT || pct < 1) continue;
    ticks.push({ pct, ms, isMidnight: hour === 0 });
  }
  return ticks;
}

/** Above so many hours left a bar is not critical, and no warning: where the rules of energy end (`endurance-critical`, `endurance-low`). */
const CRITICAL_H = 6;
const WARNING_H = 16;

/** The colour of a bar is that of its energy: a point can be pressing for another reason. */
export function barPriority({ endurance, priority }: PointState): PointState["priority"] {
  if (endurance.kind === "none" || priority === 0) return priority;
  const most = endurance.p50H < CRITICAL_H ? 1 : endurance.p50H < WARNING_H ? 2 : 3;
  return priority < most ? most : priority;
}
