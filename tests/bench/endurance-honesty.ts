// Whether a number was honest, and whether its absence was.
import type { Asked, Feed, Judged } from "./endurance-feed.ts";

/** What is older says nothing of whether a number could be given now. */
const FRESH_MS = 3_600_000;
/** A battery that has been giving for so long has a rate (the window of a battery's rule is 30 to 60 minutes). */
const GIVING_MS = 45 * 60_000;

export type Honesty =
  | "number"
  /** Nothing that was heard bears it. */
  | "number-dishonest"
  | "none-honest"
  /** There was enough to give one. */
  | "none-withheld"
  | "none-wrong-reason";

function bearsNumber(feed: Feed, { heard }: Asked): boolean {
  if (!feed.hasDevice || heard.newest === undefined) return false;
  const fuel = feed.view.generator !== undefined && heard.levelMs !== undefined;
  const battery = feed.view.battery !== undefined && heard.chargeMs !== undefined && heard.givingMs !== undefined;
  return fuel || battery;
}

function demandsNumber(feed: Feed, { heard, nowMs }: Asked): boolean {
  const { newest } = heard;
  if (!feed.hasDevice || newest === undefined) return false;
  const isFresh = (atMs: number | undefined) => atMs !== undefined && nowMs - atMs <= FRESH_MS && atMs === newest.atMs;
  const canRun = newest.generator !== "failed" && newest.generator !== "none";
  if (feed.view.generator !== undefined && canRun && isFresh(heard.levelMs)) return true;
  const { givingMs } = heard;
  const gives = givingMs !== undefined && nowMs - givingMs >= GIVING_MS;
  return feed.view.battery !== undefined && gives && isFresh(heard.chargeMs);
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
  if (endurance.kind === "estimate") return bearsNumber(feed, asked) ? "number" : "number-dishonest";
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
