// How many people are inside: the last count by hand and what the counters saw pass since, with how far that can be off.
import type { Told } from "../../../protocol/index.ts";
import { AHEAD_MS_MAX } from "../placing.ts";
import type { Profile } from "../profile.ts";
import { type Counter, type CounterReport, flowAt, stepCounter, withSetOccupancy } from "./counters.ts";

const HOUR_MS = 3_600_000;
/** Of a standard normal: nine of ten lie within. */
const Z90 = 1.645;
/** Counters that one point can have; more are devices that once stood there. */
const COUNTERS_MAX = 16;

/** People counted by hand: told by a person, or on the device. */
export interface Count {
  readonly people: number;
  readonly atMs: number;
  readonly told?: Told;
  readonly deviceId?: string;
  /** Where the counters stood then: [net, passages] by deviceId. */
  readonly bases: Readonly<Record<string, readonly [net: number, passages: number]>>;
}

export interface PeopleModel {
  readonly counters: Readonly<Record<string, Counter>>;
  readonly count: Count | undefined;
}

export const NO_PEOPLE: PeopleModel = { counters: {}, count: undefined };

export function withCounter(people: PeopleModel, deviceId: string, report: CounterReport): PeopleModel {
  const before = people.counters[deviceId];
  const counter = stepCounter(before, report);
  if (counter === before || counter === undefined) return people;
  const all = { ...people.counters, [deviceId]: counter };
  const ids = Object.keys(all);
  if (ids.length > COUNTERS_MAX) {
    const oldest = ids.reduce((a, b) => ((all[a] as Counter).atMs <= (all[b] as Counter).atMs ? a : b));
    delete all[oldest];
  }
  return { ...people, counters: all };
}

export type NewCount = Omit<Count, "bases"> & { readonly receivedMs: number };

/** A count by hand: the drift begins anew. One that is older than the last changes nothing. */
export function withCount(people: PeopleModel, { receivedMs, ...made }: NewCount): PeopleModel {
  const { count } = people;
  if (count !== undefined && made.atMs < count.atMs && count.atMs <= receivedMs + AHEAD_MS_MAX) return people;
  const bases = Object.entries(people.counters).map(([id, counter]): [string, readonly [number, number]] => {
    const [, net, passages] = flowAt(counter, made.atMs);
    return [id, [net, passages]];
  });
  return { ...people, count: { ...made, bases: Object.fromEntries(bases) } };
}

/** A recount on the device itself: it counts on from there. */
export function withDeviceCount(people: PeopleModel, made: NewCount & { readonly sequence: number }): PeopleModel {
  const { sequence, ...count } = made;
  const counter = made.deviceId === undefined ? undefined : people.counters[made.deviceId];
  const counted = withCount(people, count);
  if (counter === undefined || made.deviceId === undefined || counted === people) return counted;
  const set = withSetOccupancy(counter, made.people, sequence);
  return { ...counted, counters: { ...counted.counters, [made.deviceId]: set } };
}

/** How far a number of people can be off after so many passages, nine times of ten: misses at random grow with the root, a bias with the number. */
export function spreadOf(passages: number, { missShare, biasShare }: Profile["people"]): number {
  return Math.hypot(biasShare * passages, Z90 * Math.sqrt(passages * missShare * (1 - missShare)));
}

export interface Estimate {
  /** May lie below zero: then somebody has to count. */
  readonly people: number;
  readonly plusMinus: number;
  readonly passages: number;
  /** In less out in the last hour; undefined without a counter. */
  readonly perHour: number | undefined;
  readonly atMs: number;
  /** The oldest of the counters' newest reports; undefined without a counter. */
  readonly countersMs: number | undefined;
}

/** From these counters and the last count; undefined when nobody has counted anything. */
export function estimatePeople(
  { counters, count }: PeopleModel,
  deviceIds: readonly string[],
  norms: Profile["people"],
): Estimate | undefined {
  const used = deviceIds.flatMap((id) => {
    const counter = counters[id];
    return counter === undefined ? [] : [{ id, counter }];
  });
  if (used.length === 0 && count === undefined) return undefined;
  let [people, passages, spread, perHour] = [count?.people ?? 0, 0, 0, 0];
  for (const { id, counter } of used) {
    const [net, passed] = baseOf(counter, count, id);
    const since = Math.max(0, counter.passages - passed);
    people += counter.net - net;
    passages += since;
    // Each counter errs by itself.
    spread = Math.hypot(spread, spreadOf(since, norms));
    perHour += counter.net - flowAt(counter, counter.atMs - HOUR_MS)[1];
  }
  const moments = used.map(({ counter }) => counter.atMs);
  return {
    people,
    plusMinus: Math.round(spread),
    passages,
    perHour: used.length === 0 ? undefined : perHour,
    atMs: Math.max(count?.atMs ?? 0, ...moments),
    countersMs: used.length === 0 ? undefined : Math.min(...moments),
  };
}

/** Where a counter stood at the count. One that came later began then; without a count it began with nobody inside. */
function baseOf(counter: Counter, count: Count | undefined, id: string): readonly [number, number] {
  if (count === undefined) return [0, 0];
  const base = count.bases[id];
  if (base !== undefined) return base;
  const [, net, passages] = flowAt(counter, count.atMs);
  return [net, passages];
}
