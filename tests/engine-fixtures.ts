// Engines on a journal in memory: the same rows and documents over as many starts as a test likes.
import type { PointView, RegistryView } from "../gateway/domain/point.ts";
import { CONCEPT_2026, type Profile } from "../gateway/domain/profile.ts";
import { FIRST_CYCLE_BASE } from "../gateway/domain/sequence.ts";
import { createEngine, type Engine, type EngineOptions } from "../gateway/engine/engine.ts";
import type { EngineJournal } from "../gateway/engine/interfaces.ts";
import { type MemoryJournal as BareJournal, createMemoryJournal } from "../gateway/engine/memory-journal.ts";
import { type Entry, encodeReport, type Report, type Statement } from "../protocol/index.ts";
import { NOON_MS, report } from "./fixtures.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** Of a sample at noon. */
const FIRST_SEQUENCE = 40_000;

export interface MemoryJournal extends BareJournal {
  append(part: Partial<Report> & { receivedMs: number; deviceId?: string; damaged?: true }): void;
  /** A row that a person told. */
  tell(entry: Entry, receivedMs: number): void;
  /** A row with link manual and whatever bytes. */
  tellRaw(pointId: string, frame: Uint8Array, receivedMs: number): void;
}

/** A journal in memory that keeps what the engine saves, over restarts of the engine. */
export function memoryJournal(): MemoryJournal {
  const store: MemoryJournal = Object.assign(createMemoryJournal(), {
    append({
      receivedMs,
      deviceId = "alm-01-d1",
      damaged,
      ...rest
    }: Partial<Report> & { receivedMs: number; deviceId?: string; damaged?: true }) {
      const timeS = rest.time ?? Math.round(receivedMs / 1000);
      // Devices number their records as they take them: a late one has a lower number.
      const sequence = rest.sequence ?? FIRST_SEQUENCE + timeS - NOON_MS / 1000;
      const value = report({ ...rest, time: timeS, sequence: sequence & 0xffff });
      store.put({
        deviceId,
        sequence: FIRST_CYCLE_BASE + sequence,
        receivedMs,
        timeMs: value.time * 1000,
        timeQuality: "synced",
        link: "mqtt",
        frame: encodeReport(value),
        ...(damaged === undefined ? {} : { damaged }),
      });
    },
    tell: (entry: Entry, receivedMs: number) => {
      store.tellRaw(entry.pointId, new TextEncoder().encode(JSON.stringify(entry)), receivedMs);
    },
    tellRaw(pointId: string, frame: Uint8Array, receivedMs: number) {
      store.put({
        ...{ deviceId: pointId, sequence: 0, receivedMs, timeMs: receivedMs },
        ...{ timeQuality: "estimated", link: "manual", frame },
      });
    },
  });
  return store;
}

let told = 0;

/** What somebody told of `alm-01` by voice. */
export function entry(statement: Statement, atMs: number, part: Partial<Entry> = {}): Entry {
  const entryId = `entry-${String(++told).padStart(6, "0")}`;
  const at = new Date(atMs).toISOString();
  return { entryId, pointId: "alm-01", at, by: "coordinator-1", via: "voice", statement, ...part };
}

export const POINT: PointView = {
  pointId: "alm-01",
  name: "Wijkcentrum De Waterlelie",
  kind: "community-centre",
  municipality: "Almere",
  region: "Flevoland",
  coordination: false,
  location: { lat: 52.371, lon: 5.217 },
  capacity: { day: 150, night: 150 },
  connectionPoint: false,
  generator: { kind: "fixed", ratedKw: 8, tank: { capacityL: 200 } },
  battery: undefined,
};

/** Points with one device each, `{pointId}-d1`, that reports every minute. */
export function registryOf(points: readonly PointView[]): RegistryView {
  const devices = points.map(({ pointId }) => {
    return { deviceId: `${pointId}-d1`, pointId, link: "mqtt", reportIntervalS: 60 } as const;
  });
  return { points: () => points, devices: () => devices, nextChangeMs: () => Number.POSITIVE_INFINITY };
}

export interface Engines {
  start(journal: EngineJournal, clock: VirtualClock, part?: Partial<EngineOptions>): Promise<Engine>;
  stopAll(): Promise<void>;
}

/** Without the line that the mains are gone: what else is wrong in an outage is easier to see. */
export const QUIET_2026: Profile = {
  ...CONCEPT_2026,
  rules: CONCEPT_2026.rules.filter((one) => one.ruleId !== "mains-lost"),
};

/** Starts engines and stops those that a test leaves behind. */
export function createEngines(): Engines {
  const running: Engine[] = [];
  return {
    async start(journal, clock, part = {}) {
      const engine = createEngine({
        journal,
        registry: registryOf([POINT]),
        profile: QUIET_2026,
        clock,
        gatewayId: "test",
        version: "0",
        surroundings: { refusals: () => ({}), sinks: () => [], isClockTrusted: () => true },
        ...part,
      });
      running.push(engine);
      await engine.start();
      return engine;
    },
    async stopAll() {
      for (const engine of running.splice(0)) await engine.stop();
    },
  };
}

export function power(
  fuelLevelPct: number | "open-circuit",
  mains: "lost" | "present" = "lost",
): Required<Pick<Report, "power">> {
  const generator = mains === "lost" ? "running" : "stopped";
  return { power: { fuelLevelPct, generator, mains, loadKw: "absent", starterBatteryV: 13.8 } };
}

/** A report a minute. */
export async function minutes(store: MemoryJournal, clock: VirtualClock, count: number, part: Partial<Report>) {
  for (let i = 0; i < count; i++) {
    store.append({ receivedMs: clock.nowMs(), ...part });
    await clock.advance(60_000);
  }
}

/** What a person does who has seen an alert. */
export function ack(note?: string) {
  return { kind: "acknowledge", ...(note === undefined ? {} : { note }) } as const;
}
