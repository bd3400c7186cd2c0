// Moments that lie ahead of now came from a clock that was wrong: what was told then is as true as before, and is taken to have
// been told now, so that it stands before nothing that comes.
import { lifecycleUntil } from "../lifecycle.ts";
import { mainsLostSince, mainsUntil } from "../mains.ts";
import { AHEAD_MS_MAX } from "../placing.ts";
import type { PointModel } from "../point-model.ts";
import type { ToldModel } from "./told.ts";

/** The model with nothing told ahead of now; the same one when there is none. */
export function withoutAhead(model: PointModel, nowMs: number): PointModel {
  const untilMs = nowMs + AHEAD_MS_MAX;
  const told = toldUntil(model.told, untilMs, nowMs);
  const lifecycle = lifecycleUntil(model.lifecycle, untilMs, nowMs);
  const { count } = model.people;
  const isCountAhead = count !== undefined && count.atMs > untilMs;
  const mains = mainsUntil(model.mains, untilMs);
  const isSame = told === model.told && lifecycle === model.lifecycle && mains === model.mains;
  if (isSame && !isCountAhead) return model;
  const people = isCountAhead ? { ...model.people, count: { ...count, atMs: nowMs } } : model.people;
  return { ...model, told, lifecycle, people, mains, mainsLostMs: mainsLostSince(mains) };
}

function toldUntil(told: ToldModel, untilMs: number, nowMs: number): ToldModel {
  const readings = Object.entries(told.readings);
  const isAhead = (atMs: number | undefined) => atMs !== undefined && atMs > untilMs;
  if (!isAhead(told.lastMs) && !readings.some(([, one]) => isAhead(one.atMs))) return told;
  const now = <T extends { readonly atMs: number }>(one: T): T => (isAhead(one.atMs) ? { ...one, atMs: nowMs } : one);
  return {
    readings: Object.fromEntries(readings.map(([name, one]) => [name, now(one)])),
    lastMs: isAhead(told.lastMs) ? nowMs : told.lastMs,
  };
}
