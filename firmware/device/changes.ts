// Events by exception: what changed between two samples that somebody should know at once.
import type { Report } from "../../protocol/wire.ts";

export interface Change {
  readonly event: string;
  readonly argument: number;
}

/** A rise of the level by this many percent between two samples is a delivery. */
const REFILL_PCT = 5;

/** Pure: the events between a sample and the one before it. */
export function changesBetween(before: Report | undefined, now: Report): Change[] {
  const found: Change[] = [];
  const was = before === undefined ? undefined : before.power;
  const is = now.power;
  if (was === undefined || is === undefined) return found;
  if (was.mains === "present" && is.mains === "lost") found.push({ event: "mains-lost", argument: 0 });
  if (was.mains === "lost" && is.mains === "present") found.push({ event: "mains-restored", argument: 0 });
  const ran = was.generator === "running" || was.generator === "cooling";
  if (was.generator !== "running" && is.generator === "running")
    found.push({ event: "generator-started", argument: 0 });
  if (ran && is.generator === "stopped") found.push({ event: "generator-stopped", argument: 0 });
  if (was.generator !== "failed" && is.generator === "failed") found.push({ event: "generator-failed", argument: 0 });
  if (typeof was.fuelLevelPct === "number" && typeof is.fuelLevelPct === "number") {
    const rise = is.fuelLevelPct - was.fuelLevelPct;
    if (rise > REFILL_PCT) found.push({ event: "refuelled", argument: Math.floor(rise * 10 + 0.5) });
  }
  return found;
}
