// What counters at doors say, as flows: how many came in and went out since any moment. A device tells how many it takes to
// be inside and how many ever came in; both survive lost reports. Pure.
import { AHEAD_MS_MAX } from "../placing.ts";

/** The counter of entries starts again after this many (protocol section 1). */
export const ENTRIES_MODULO = 16_376;
const SLOT_MS = 5 * 60_000;
/** Three hours: the trend looks one back, a recount that comes late up to all of them. */
const SLOTS_MAX = 37;

/** Net flow and passages since the counter began, at a moment. */
export type FlowAt = readonly [atMs: number, net: number, passages: number];

export interface Counter {
  /** Of its newest report; extended. */
  readonly sequence: number;
  readonly atMs: number;
  readonly occupancy: number;
  readonly entries: number | undefined;
  /** In less out, since the counter began. */
  readonly net: number;
  /** In and out together: what errors grow with. */
  readonly passages: number;
  readonly series: readonly FlowAt[];
}

export interface CounterReport {
  readonly sequence: number;
  readonly atMs: number;
  readonly receivedMs: number;
  /** A word is the reason why there is no number. */
  readonly occupancy: number | string | undefined;
  readonly entries: number | string | undefined;
}

/** How many came in between two stands of the counter; undefined when it has begun anew. */
export function enteredBetween(before: number, after: number): number | undefined {
  const ahead = (((after - before) % ENTRIES_MODULO) + ENTRIES_MODULO) % ENTRIES_MODULO;
  return ahead < ENTRIES_MODULO / 2 ? ahead : undefined;
}

/** The counter after one report. A late one changes nothing but what is known of then: the newer ones hold what it says. */
export function stepCounter(before: Counter | undefined, report: CounterReport): Counter | undefined {
  const { sequence, atMs, occupancy, receivedMs } = report;
  if (typeof occupancy !== "number") return before;
  const entries = typeof report.entries === "number" ? report.entries : undefined;
  if (before === undefined) {
    const passages = passagesOf(entries ?? occupancy, occupancy);
    return { sequence, atMs, occupancy, entries, net: occupancy, passages, series: [[atMs, occupancy, passages]] };
  }
  if (sequence < before.sequence) {
    const flow = flowOf({ occupancy, entries }, before.occupancy, before.entries);
    const then: FlowAt = [atMs, before.net - flow.net, before.passages - flow.passages];
    return { ...before, series: withFlow(before.series, then, receivedMs) };
  }
  const flow = flowOf(before, occupancy, entries);
  const net = before.net + flow.net;
  const passages = before.passages + flow.passages;
  const series = withFlow(before.series, [atMs, net, passages], receivedMs);
  return { sequence, atMs, occupancy, entries: entries ?? before.entries, net, passages, series };
}

/** In, and out of those the ones that are not inside. */
function passagesOf(entered: number, net: number): number {
  return Math.max(Math.abs(net), 2 * entered - net);
}

function flowOf(before: Pick<Counter, "occupancy" | "entries">, occupancy: number, entries: number | undefined) {
  const net = occupancy - before.occupancy;
  if (entries === undefined || before.entries === undefined) return { net, passages: Math.abs(net) };
  const entered = enteredBetween(before.entries, entries);
  // It has begun anew, with nobody inside: what it counts now came after.
  if (entered === undefined) return { net: occupancy, passages: passagesOf(entries, occupancy) };
  return { net, passages: passagesOf(entered, net) };
}

function withFlow(series: readonly FlowAt[], flow: FlowAt, receivedMs: number): readonly FlowAt[] {
  const slotOf = ([atMs]: FlowAt) => Math.floor(atMs / SLOT_MS);
  const sound = series.filter(([atMs]) => atMs <= receivedMs + AHEAD_MS_MAX);
  const there = sound.find((one) => slotOf(one) === slotOf(flow));
  if (there !== undefined && there[0] > flow[0]) return sound;
  const next = [...sound.filter((one) => one !== there), flow];
  return next.sort((a, b) => a[0] - b[0]).slice(-SLOTS_MAX);
}

/** The device was told how many are inside: that is no flow. */
export function withSetOccupancy(counter: Counter, people: number, sequence: number): Counter {
  return sequence < counter.sequence ? counter : { ...counter, occupancy: people, sequence };
}

/** Where the counter stood at a moment; what came before its memory is taken to have stood where that begins. */
export function flowAt(counter: Counter, atMs: number): FlowAt {
  if (counter.atMs <= atMs) return [counter.atMs, counter.net, counter.passages];
  let found = counter.series[0] as FlowAt;
  for (const flow of counter.series) if (flow[0] <= atMs) found = flow;
  return found;
}
