// Feeds points to the real engine with time that stands still between half hours, and asks it as a screen would.
import type { Clock } from "../../gateway/clock.ts";
import type { DeviceView, PointView } from "../../gateway/domain/point.ts";
import { CONCEPT_2026 } from "../../gateway/domain/profile.ts";
import type { JournalRecord } from "../../gateway/domain/record.ts";
import { createEngine, type Engine } from "../../gateway/engine/engine.ts";
import type { EngineJournal } from "../../gateway/engine/interfaces.ts";
import { registryOf } from "../engine-fixtures.ts";

export type Arrival = Omit<JournalRecord, "id">;

/** A tick looks at a tenth of the points, once a second. */
const TICKS = 10;
const TICK_MS = 1_000;

interface LeapingClock extends Clock {
  /** Nothing falls due on the way. */
  leapTo(ms: number): void;
  /** Goes on and runs what falls due. */
  advance(ms: number): void;
}

function leapingClock(startMs: number): LeapingClock {
  let nowMs = startMs;
  const due = new Set<{ atMs: number; readonly run: () => void; readonly everyMs: number | undefined }>();
  const add = (delayMs: number, run: () => void, everyMs: number | undefined) => {
    const one = { atMs: nowMs + delayMs, run, everyMs };
    due.add(one);
    return { stop: () => void due.delete(one) };
  };
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs - startMs,
    after: (delayMs, run) => add(delayMs, run, undefined),
    every: (intervalMs, run) => add(intervalMs, run, intervalMs),
    leapTo(ms) {
      for (const one of due) one.atMs += ms - nowMs;
      nowMs = ms;
    },
    advance(ms) {
      nowMs += ms;
      for (const one of [...due]) {
        if (one.atMs > nowMs) continue;
        if (one.everyMs === undefined) due.delete(one);
        else one.atMs = nowMs + one.everyMs;
        one.run();
      }
    },
  };
}

/** A journal that forgets what the engine has taken: rows, documents and cursors reach no disk. */
function passingJournal() {
  const rows: JournalRecord[] = [];
  let newestId = 0;
  const journal: EngineJournal = {
    read: async (afterId, limit) => {
      const taken = rows.findIndex((row) => row.id > afterId);
      rows.splice(0, taken < 0 ? rows.length : taken);
      return rows.slice(0, limit);
    },
    save: async () => {},
    documents: async () => [],
    cursor: async () => 0,
    setAside: async () => [],
    newestId: () => newestId,
    onCommitted: () => () => {},
    health: () => ({ pendingRows: 0 }),
  };
  return { journal, append: (arrival: Arrival) => void rows.push({ ...arrival, id: ++newestId }) };
}

export interface FedPoint {
  readonly view: PointView;
  readonly hasDevice: boolean;
  readonly intervalS: number;
}

export interface FedEngine {
  readonly engine: Engine;
  /** Milliseconds of processor that the engine's turns took so far, whoever else is at work, and the reports that it was given. */
  cost(): { readonly ms: number; readonly reports: number };
  /** Gives it what arrived by this moment, and lets it look at every point. */
  feed(arrivals: readonly Arrival[], nowMs: number): Promise<void>;
  stop(): Promise<void>;
}

export async function feedEngine(points: readonly FedPoint[], startMs: number): Promise<FedEngine> {
  const clock = leapingClock(startMs);
  const { journal, append } = passingJournal();
  const devices = points.flatMap(({ view, hasDevice, intervalS }): DeviceView[] => {
    if (!hasDevice) return [];
    return [{ deviceId: `${view.pointId}-d1`, pointId: view.pointId, link: "mqtt", reportIntervalS: intervalS }];
  });
  const engine = createEngine({
    journal,
    registry: { ...registryOf(points.map((one) => one.view)), devices: () => devices },
    profile: CONCEPT_2026,
    clock,
    gatewayId: "bench",
    version: "0",
    surroundings: { refusals: () => ({}), sinks: () => [], isClockTrusted: () => true },
  });
  await engine.start();
  let ms = 0;
  let reports = 0;
  return {
    engine,
    cost: () => ({ ms, reports }),
    async feed(arrivals, nowMs) {
      for (const arrival of arrivals) append(arrival);
      clock.leapTo(nowMs - TICKS * TICK_MS);
      const began = process.cpuUsage();
      await engine.caughtUp();
      const { user, system } = process.cpuUsage(began);
      ms += (user + system) / 1_000;
      reports += arrivals.length;
      for (let i = 0; i < TICKS; i++) {
        clock.advance(TICK_MS);
        await engine.caughtUp();
      }
    },
    stop: () => engine.stop(),
  };
}
