// When silence means something: how long a device may be quiet, and whether it is the device or the path to it. Pure.

export interface SilenceRule {
  /** Intervals that a device may be quiet, by its link. */
  readonly intervals: { readonly mqtt: number; readonly lorawan: number };
  readonly graceS: number;
}

/** Chance that a living device is called silent, each time it reports. */
const FALSE_CHANCE = 1e-6;
/** A path that loses more than this is as good as down; longer than so many intervals nobody waits. */
const LOSS_MAX = 0.4;
const INTERVALS_MAX = 12;
/** Before anything was heard: a loss of 3 %, as sure as after 30 reports. */
const FIRST: Loss = { lost: 0.9, reports: 30 };
/** What is older than about so many reports is forgotten. */
const REPORTS_MAX = 300;
/** A gap of more intervals is an outage and no loss of frames. */
const GAP_INTERVALS_MAX = 8;

/** Reports that should have come, and those of them that did not. */
export interface Loss {
  readonly lost: number;
  readonly reports: number;
}

/** After one more was heard, `gapMs` after the one before. */
export function lossAfter(before: Loss | undefined, gapMs: number, intervalS: number): Loss {
  const { lost, reports } = before ?? FIRST;
  const steps = Math.round(gapMs / (intervalS * 1000));
  if (steps < 1 || steps > GAP_INTERVALS_MAX) return { lost, reports };
  const keeps = Math.min(1, REPORTS_MAX / (reports + steps));
  return { lost: (lost + steps - 1) * keeps, reports: (reports + steps) * keeps };
}

/** The one of which more gets lost: a device of which little is known yet loses what others lose on its path. */
export function worseLoss(own: Loss | undefined, path: Loss | undefined): Loss | undefined {
  if (own === undefined || path === undefined) return own ?? path;
  return own.lost / own.reports >= path.lost / path.reports ? own : path;
}

/**
 * Milliseconds that a device may be quiet. Where frames get lost so many in a row get lost by chance as well: with a tenth lost, four
 * in a row once in a hundred days of a device that reports every quarter of an hour.
 */
export function quietMsMax(
  rule: SilenceRule,
  link: "mqtt" | "lorawan",
  intervalS: number,
  loss: Loss | undefined,
): number {
  const least = rule.intervals[link];
  // Over TCP nothing gets lost one by one.
  if (link === "mqtt") return (least * intervalS + rule.graceS) * 1000;
  const { lost, reports } = loss ?? FIRST;
  const byChance = Math.ceil(Math.log(FALSE_CHANCE) / Math.log(Math.min(LOSS_MAX, lost / reports)));
  const intervals = Math.max(least, Math.min(INTERVALS_MAX, byChance));
  return (intervals * intervalS + rule.graceS) * 1000;
}

/** A device that shares a path, and for how long it has been quiet; undefined when it was never heard. */
export interface PathDevice {
  readonly intervalS: number;
  readonly quietMs: number | undefined;
  /** It has been quiet for longer than it may. */
  readonly isSilent: boolean;
}

/** So few devices say nothing about what they share. */
const PATH_DEVICES_MIN = 3;
/** A device that still goes that way has been heard within this. */
const PATH_INTERVALS = 2;

/**
 * True when a path (base station, access point, broker) brings nobody any more: one of its devices is silent, and none was heard of
 * for two of its intervals. A path that died took all at once, so the first that counts as silent shows it.
 */
export function isPathDown(devices: readonly PathDevice[]): boolean {
  const heard = devices.filter((one) => one.quietMs !== undefined);
  if (heard.length < PATH_DEVICES_MIN) return false;
  const isQuiet = ({ quietMs = 0, intervalS }: PathDevice) => quietMs > PATH_INTERVALS * intervalS * 1000;
  return heard.some((one) => one.isSilent) && heard.every(isQuiet);
}
