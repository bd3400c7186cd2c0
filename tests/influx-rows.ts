// Journal rows of every measurement with every field, for what reads them back.

import type { JournalRecord } from "../gateway/domain/record.ts";
import {
  type Entry,
  encodeEvent,
  encodeInfo,
  encodeReport,
  GROUPS,
  type Statement,
  SUPPLY_NAMES,
} from "../protocol/index.ts";
import { backlogFrame } from "./backlog-frames.ts";
import { NOON_MS, report } from "./fixtures.ts";

const MINUTE_MS = 60_000;

const NUMBERS = {
  power: { fuelLevelPct: 63.5, generator: "running", mains: "lost", loadKw: 4.2, starterBatteryV: 13.8 },
  battery: { batteryV: 26.4, batteryA: -3.5, stateOfChargePct: 81.5 },
  occupancy: { occupancy: 40, entries: 55 },
  environment: { temperatureC: 19.5 },
  supplies: Object.fromEntries(SUPPLY_NAMES.map((name) => [name, 4])),
} as const;

/** The same groups with a reason in place of every value. */
const REASONS = Object.fromEntries(
  GROUPS.map(({ name, fields }) => [name, Object.fromEntries(fields.map((field) => [field.name, "unknown"]))]),
);

/** A statement of every kind, and power with every field. */
const STATEMENTS: readonly Statement[] = [
  { kind: "phase", phase: "open" },
  { kind: "count", people: 41 },
  { kind: "dip", mm: 310, litres: 120.5 },
  { kind: "delivery", litres: 200, deliveryId: "alm-01-1" },
  { kind: "no-delivery", deliveryId: "alm-01-2" },
  { kind: "power", mains: "lost", generator: "running", loadKw: 4.5, stateOfChargePct: 80 },
  { kind: "supplies", ...Object.fromEntries(SUPPLY_NAMES.map((name) => [name, 3])) },
  { kind: "note", text: "the gate is closed" },
];

/** Rows that people told, after `afterId`. */
function rowsTold(fromMs: number, afterId: number): JournalRecord[] {
  return STATEMENTS.map((statement, i) => {
    const timeMs = fromMs + (afterId + i + 1) * MINUTE_MS;
    const at = new Date(timeMs).toISOString();
    const entryId = `entry-00${i}-of-${afterId}`;
    const entry: Entry = {
      entryId,
      pointId: "alm-02",
      at,
      by: "coordinator-1",
      via: "runner",
      statement,
      note: "by =bike",
    };
    return {
      ...{ id: afterId + i + 1, deviceId: "alm-02", sequence: 0, receivedMs: timeMs + 60_000, timeMs },
      ...{ timeQuality: "estimated", link: "manual", frame: new TextEncoder().encode(JSON.stringify(entry)) },
    };
  });
}

/** One row a minute from `fromMs` on; two devices of two points, then what people told. */
export function rowsOfEverything(fromMs = NOON_MS): JournalRecord[] {
  const frameAt = (n: number): Uint8Array => {
    const stamp = { sequence: n, time: (fromMs + n * MINUTE_MS) / 1000, flags: { clockSynced: true } };
    switch (n % 8) {
      case 1:
        return encodeEvent({ ...stamp, event: "refuelled", argument: 3 });
      case 2:
        return encodeInfo({
          ...stamp,
          firmwareVersion: "1.2.3",
          configHash: 4,
          bootCount: n,
          resetCause: "watchdog",
          reportIntervalS: 60,
          board: 1,
          sensors: 3,
          storageUsedPct: 7,
          memoryFreePct: 50,
          faultCount: 0,
        });
      case 3:
        return Uint8Array.of(0x23, 1, 2);
      case 4: {
        const samples = [1, 2].map((at) => encodeReport(report({ sequence: at, time: stamp.time - 60 * at })));
        const { frame } = backlogFrame({ sequence: n, timeS: stamp.time, clockSynced: true, thinned: true }, samples);
        return frame;
      }
      case 5:
        return encodeReport(report({ ...stamp, phase: "unknown", ...REASONS }));
      default:
        return encodeReport(report({ ...stamp, ...NUMBERS }));
    }
  };
  const measured = Array.from({ length: 64 }, (_, i): JournalRecord => {
    const timeMs = fromMs + (i + 1) * MINUTE_MS;
    return {
      id: i + 1,
      deviceId: i % 16 < 8 ? "alm-01-d1" : "alm-02-d1",
      sequence: 65_537 + i,
      receivedMs: timeMs + 2_000,
      timeMs,
      timeQuality: i % 3 === 0 ? "estimated" : "synced",
      link: i % 5 === 0 ? "lorawan" : "mqtt",
      frame: frameAt(i + 1),
    };
  });
  return [...measured, ...rowsTold(fromMs, measured.length)];
}

/** Where they stand. */
export const ROW_CONTEXT = { pointOf: (deviceId: string) => (deviceId === "" ? undefined : deviceId.slice(0, 6)) };

interface WrittenLine {
  readonly measurement: string;
  readonly fields: readonly string[];
}

/** Measurement and field names of a line. */
export function namesOf(line: string): WrittenLine {
  const measurement = line.slice(0, line.indexOf(","));
  const body = line.replace(/"(?:[^"\\]|\\.)*"/g, "").split(" ")[1] ?? "";
  return { measurement, fields: body.split(",").map((part) => part.split("=")[0] ?? "") };
}
