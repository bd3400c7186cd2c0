// Whether a state of charge can be believed. A shunt that lost its supply says 100 % until it is synchronised (SmartShunt
// 7.1.9: "battery starts synchronised"); the charge before it, and the current since, say better. Voltage is never asked
// for a state of charge: that of LFP is flat from 20 to 90 %.
import type { Battery } from "../point.ts";
import type { Entry } from "./series.ts";

/** More than the current can have charged between two samples. */
const JUMP_PCT = 8;
/** Over a longer gap nobody knows what was charged. */
const GAP_MS = 2 * 3_600_000;
const HOUR_MS = 3_600_000;
/** Full: at the charger's voltage, with a small current left (Victron's tail current: 4 % of the capacity). */
const FULL_PCT = 99;
const TAIL_SHARE = 0.04;
const CHARGING_V_SHARE = { lead: 1.12, lfp: 1.04 } as const;

/** What is believed instead of the shunt; undefined while the shunt is. */
export type Doubt = { readonly atMs: number; readonly believedPct: number } | undefined;

/** A series of [atMs, volts, amperes (minus = discharge), state of charge % or −1]. */
type Series = readonly Entry[];

function stepDoubt(battery: Battery, doubt: Doubt, before: Entry, entry: Entry): Doubt {
  const [beforeMs, , beforeA = 0, beforePct = -1] = before;
  const [atMs, volts = 0, amperes = 0, pct = -1] = entry;
  if (pct < 0) return doubt;
  const ratedAh = (battery.capacityKwh * 1000) / battery.nominalV;
  const passed = Math.min(atMs - beforeMs, GAP_MS) / HOUR_MS;
  const meanA = (amperes + beforeA) / 2;
  const gained = ((meanA > 0 ? (battery.chargeEfficiency ?? 0.95) : 1) * meanA * passed * 100) / ratedAh;
  if (doubt === undefined) {
    if (beforePct < 0 || atMs - beforeMs > GAP_MS) return undefined;
    const couldGain = (Math.max(amperes, beforeA, 0) * passed * 100) / ratedAh;
    if (pct - beforePct <= JUMP_PCT + couldGain) return undefined;
    return { atMs, believedPct: clamped(beforePct + gained) };
  }
  const isFull = pct >= FULL_PCT && volts >= CHARGING_V_SHARE[battery.chemistry] * battery.nominalV;
  if (isFull && amperes >= 0 && amperes <= TAIL_SHARE * ratedAh) return undefined;
  return { atMs, believedPct: clamped(doubt.believedPct + gained) };
}

const clamped = (pct: number) => Math.min(100, Math.max(0, pct));

/** The doubt at the end of a series, from the one at its beginning. */
export function doubtOf(battery: Battery, series: Series, atStart: Doubt): Doubt {
  let doubt = atStart;
  for (let i = 1; i < series.length; i++) doubt = stepDoubt(battery, doubt, series[i - 1] as Entry, series[i] as Entry);
  return doubt;
}

/** The doubt at the beginning of a series whose oldest entries have fallen off. */
export function doubtAfter(battery: Battery | undefined, before: Series, after: Series, atStart: Doubt): Doubt {
  const first = after[0];
  if (battery === undefined || first === undefined || before.length === 0) return atStart;
  let doubt = atStart;
  for (let i = 1; i < before.length && (before[i] as Entry)[0] <= first[0]; i++)
    doubt = stepDoubt(battery, doubt, before[i - 1] as Entry, before[i] as Entry);
  return doubt;
}
