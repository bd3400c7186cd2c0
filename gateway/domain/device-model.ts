// What is known of one device, stepped by its records. What is newest is told by their sequences, never by a clock.
import type { Backlog, EventFrame, Info, Report } from "../../protocol/index.ts";
import { samplesOf } from "./backlog.ts";
import type { JournalRecord } from "./record.ts";

/** What is kept of one device. */
export interface DeviceModel {
  readonly deviceId: string;
  readonly pointId: string;
  readonly lastReceivedMs: number | undefined;
  readonly lastSampleMs: number | undefined;
  /** Lowest and highest extended sequence of its records. */
  readonly lowest: number | undefined;
  readonly highest: number | undefined;
  readonly records: number;
  readonly undecoded: number;
  /** Sequences between the lowest and the highest that never came. */
  readonly missing: number;
  /** Samples that frames said were left out: the sequences between those that they hold. */
  readonly skipped: number;
  /** The last sample of the newest frame that left some out. */
  readonly skippedTo: number | undefined;
  readonly report: Newest<{ readonly atMs: number; readonly value: Report }>;
  readonly info: Newest<{ readonly value: Info }>;
  readonly lastEvent: Newest<{ readonly event: string; readonly argument: number; readonly atMs: number }>;
}

type Newest<T> = (T & { readonly sequence: number }) | undefined;

export function emptyDevice(deviceId: string, pointId: string): DeviceModel {
  return {
    deviceId,
    pointId,
    lastReceivedMs: undefined,
    lastSampleMs: undefined,
    lowest: undefined,
    highest: undefined,
    records: 0,
    undecoded: 0,
    missing: 0,
    skipped: 0,
    skippedTo: undefined,
    report: undefined,
    info: undefined,
    lastEvent: undefined,
  };
}

/** Counts a record of whatever kind. */
export function withRecord(device: DeviceModel, pointId: string, record: JournalRecord): DeviceModel {
  const { sequence, receivedMs } = record;
  const counted = { ...device, pointId, lastReceivedMs: receivedMs, records: device.records + 1 };
  // Without a header it has no place among the others.
  if (sequence === 0) return counted;
  const { lowest, highest } = device;
  if (lowest === undefined || highest === undefined) return { ...counted, lowest: sequence, highest: sequence };
  if (sequence > highest) {
    return { ...counted, highest: sequence, missing: device.missing + sequence - highest - 1 };
  }
  if (sequence < lowest) return { ...counted, lowest: sequence, missing: device.missing + lowest - sequence - 1 };
  return { ...counted, missing: Math.max(0, device.missing - 1) };
}

/** True when nothing newer of this kind is known. Documents of an earlier version have no sequence here. */
export function isNewest(known: { readonly sequence: number } | undefined, record: JournalRecord): boolean {
  return known === undefined || !(record.sequence < known.sequence);
}

export function withNewestReport(device: DeviceModel, record: JournalRecord, value: Report): DeviceModel {
  if (!isNewest(device.report, record)) return device;
  const { sequence, timeMs } = record;
  return { ...device, lastSampleMs: timeMs, report: { sequence, atMs: timeMs, value } };
}

export function withNewestInfo(device: DeviceModel, record: JournalRecord, value: Info): DeviceModel {
  return isNewest(device.info, record) ? { ...device, info: { sequence: record.sequence, value } } : device;
}

export function withNewestEvent(
  device: DeviceModel,
  record: JournalRecord,
  { event, argument }: EventFrame,
): DeviceModel {
  if (!isNewest(device.lastEvent, record)) return device;
  const { sequence, timeMs } = record;
  return { ...device, lastEvent: { sequence, event, argument, atMs: timeMs } };
}

/** Of a frame that left samples out: those between the ones it holds, and from the last such frame to its first. */
export function withBacklog(device: DeviceModel, record: JournalRecord, backlog: Backlog): DeviceModel {
  if (!backlog.thinned) return device;
  const samples = samplesOf(backlog, record.sequence);
  const first = samples[0]?.sequence ?? record.sequence;
  const last = samples[samples.length - 1]?.sequence ?? first;
  const { skippedTo } = device;
  const between = skippedTo !== undefined && skippedTo < first ? first - skippedTo - 1 : 0;
  const skipped = device.skipped + between + last - first + 1 - samples.length;
  return { ...device, skipped, skippedTo: Math.max(skippedTo ?? 0, last) };
}

/** Samples that the device left out by its rule: what it skipped and what no other record has filled since. */
export function leftOutOf(device: DeviceModel): number {
  return Math.min(device.skipped, device.missing);
}
