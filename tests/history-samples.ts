// Reports as a support point sends them, for tests and benches of history: slow walks with the noise of real sensors. A seed
// and a device give the same rows for ever.
import type { HistoryRow } from "../gateway/history/row.ts";
import { encodeReport, type Report } from "../protocol/wire.ts";

/** A small generator (mulberry32): 0..1. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface SampleOptions {
  readonly seed: number;
  readonly startMs: number;
  readonly intervalS?: number;
  /** Rows of all devices between two of this one. */
  readonly idStep?: number;
  readonly firstId?: number;
}

/** Gives the next row of one device at each call. */
export function samplesOfDevice(options: SampleOptions): () => HistoryRow {
  const { seed, startMs, intervalS = 60, idStep = 500, firstId = 1 } = options;
  const random = randomOf(seed);
  const noise = (size: number) => (random() + random() + random() - 1.5) * size;
  const offsetS = Math.floor(random() * intervalS);
  let at = 0;
  let [fuel, load, battery, current, charge, people, entries, temperature] = [
    60 + 40 * random(),
    3 + 5 * random(),
    26,
    -10,
    90,
    20,
    0,
    8 + 6 * random(),
  ];
  return () => {
    const timeS = startMs / 1000 + at * intervalS + offsetS;
    const running = fuel > 1;
    load = Math.max(0.5, load + noise(0.3));
    fuel = Math.max(0, fuel - 0.012 * load);
    if (fuel <= 0) fuel = 100;
    current = Math.max(-200, Math.min(200, current + noise(1.2)));
    charge = Math.max(5, Math.min(100, charge + current / 2000));
    battery = 24 + charge / 40 + noise(0.03);
    const arrivals = random() < 0.15 ? 1 + Math.floor(random() * 3) : 0;
    entries += arrivals;
    people = Math.max(0, people + arrivals - (random() < 0.14 ? 1 : 0));
    temperature += noise(0.08);
    const report: Report = {
      sequence: (at + 1) % 65_536,
      time: timeS,
      flags: { clockSynced: true, ackRequested: at % 8 === 0 },
      phase: "open",
      power: {
        fuelLevelPct: Math.min(100, Math.max(0, fuel + noise(0.06))),
        generator: running ? "running" : "stopped",
        mains: "lost",
        loadKw: load,
        starterBatteryV: 13.7 + noise(0.06),
      },
      battery: { batteryV: battery, batteryA: current, stateOfChargePct: charge },
      occupancy: { occupancy: people, entries: entries % 16_375 },
      environment: { temperatureC: temperature },
    };
    const row: HistoryRow = {
      id: firstId + at * idStep + Math.floor(random() * 12),
      sequence: 65_536 + at + 1,
      receivedMs: timeS * 1000 + 40 + Math.floor(random() * random() * 900),
      timeMs: timeS * 1000,
      timeQuality: "synced",
      link: "mqtt",
      frame: encodeReport(report),
    };
    at++;
    return row;
  };
}
