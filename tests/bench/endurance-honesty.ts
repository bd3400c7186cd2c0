// Whether a number was honest, and whether its absence was.
import type { Asked, Feed, Judged } from "./endurance-feed.ts";

/** What is older says nothing of whether a number could be given now. */
const FRESH_MS = 3_600_000;
/** A battery that has been giving for so long has a rate (the window of a battery's rule is 30 to 60 minutes). */
const GIVING_MS = 45 * 60_000;

/** Silent is who missed three intervals and two minutes; the engine of a bench hears by the half hour. */
const SILENT_INTERVALS = 3;
const SILENT_GRACE_MS = 32 * 60_000;

export type Honesty =
  | "number"
  /** Nothing that was heard bears it. */
  | "number-dishonest"
  /** Of a point that is long silent, and not marked as carried forward. */
  | "number-unmarked"
  | "none-honest"
  /** There was enough to give one. */
  | "none-withheld"
  | "none-wrong-reason";

/** Its set can give nothing more, or there is none: the battery is all there is. */
function isBatteryAll(feed: Feed, { heard }: Asked): boolean {
  const { battery, generator } = feed.view;
  if (battery === undefined) return false;
  return generator === undefined || heard.newest?.generator === "failed" || heard.newest?.generator === "none";
}

/** Beside a set with fuel that nobody has ever measured, the battery's hours are not the point's. */
function bearsNumber(feed: Feed, asked: Asked): boolean {
  const { heard } = asked;
  if (!feed.hasDevice || heard.newest === undefined) return false;
  if (feed.view.generator !== undefined && heard.levelMs !== undefined) return true;
  return isBatteryAll(feed, asked) && heard.chargeMs !== undefined && heard.gave;
}

function demandsNumber(feed: Feed, asked: Asked): boolean {
  const { heard, nowMs } = asked;
  const { newest, givingMs } = heard;
  if (!feed.hasDevice || newest === undefined) return false;
  const isFresh = (atMs: number | undefined) => atMs !== undefined && nowMs - atMs <= FRESH_MS && atMs === newest.atMs;
  if (isBatteryAll(feed, asked))
    return isFresh(heard.chargeMs) && givingMs !== undefined && nowMs - givingMs >= GIVING_MS;
  return feed.view.generator !== undefined && isFresh(heard.levelMs);
}

function isSilent(feed: Feed, { heard, nowMs }: Asked): boolean {
  const { newest } = heard;
  const afterMs = SILENT_INTERVALS * feed.intervalS * 1_000 + SILENT_GRACE_MS;
  return newest !== undefined && nowMs - newest.atMs > afterMs;
}

function isRightReason(reason: string, feed: Feed, { heard }: Asked): boolean {
  const isBad = typeof heard.newest?.levelPct === "string" && heard.newest.levelPct !== "absent";
  if (!feed.hasDevice) return reason === "no-device";
  if (heard.newest === undefined) return reason === "no-data";
  if (reason === "bad-sensor") return isBad;
  if (reason === "no-backup") return feed.view.generator === undefined && feed.view.battery === undefined;
  return reason === "too-early" || (reason === "no-data" && !isBad);
}

export function honestyOf(feed: Feed, asked: Asked): Honesty {
  const { endurance } = asked;
  if (endurance.kind === "estimate") {
    if (!bearsNumber(feed, asked)) return "number-dishonest";
    return isSilent(feed, asked) && !endurance.carriedForward ? "number-unmarked" : "number";
  }
  if (demandsNumber(feed, asked)) return "none-withheld";
  return isRightReason(endurance.reason, feed, asked) ? "none-honest" : "none-wrong-reason";
}

export interface HonestyCount {
  readonly asked: number;
  readonly byHonesty: Readonly<Record<Honesty, number>>;
  readonly byReason: ReadonlyMap<string, number>;
}

export function countHonesty(judged: readonly Judged[]): HonestyCount {
  const byHonesty: Record<Honesty, number> = {
    number: 0,
    "number-dishonest": 0,
    "number-unmarked": 0,
    "none-honest": 0,
    "none-withheld": 0,
    "none-wrong-reason": 0,
  };
  const byReason = new Map<string, number>();
  let count = 0;
  for (const { feed, asked } of judged) {
    for (const one of asked) {
      count++;
      byHonesty[honestyOf(feed, one)]++;
      if (one.endurance.kind === "none")
        byReason.set(one.endurance.reason, (byReason.get(one.endurance.reason) ?? 0) + 1);
    }
  }
  return { asked: count, byHonesty, byReason };
}
