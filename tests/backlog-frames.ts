// Backlog frames as a device makes them, for tests: from report frames, with the device's own encoder.
import type { CheckedFrame } from "../gateway/domain/record.ts";
import { backlogRowOf, createBacklogEncoder, encodeReport, FRAME_BYTES_MAX, type Report } from "../protocol/index.ts";
import { NOON_MS, report } from "./fixtures.ts";

export interface BacklogPart {
  readonly sequence: number;
  /** Sender's present time: Unix seconds, or seconds since its boot without `clockSynced`. */
  readonly timeS: number;
  readonly clockSynced?: boolean;
  readonly boot?: number;
  readonly earlierBoot?: boolean;
  readonly thinned?: boolean;
  readonly ackRequested?: boolean;
  readonly bytesMax?: number;
}

/** One sample as it lies on the device. `timeS` is seconds since boot without `clockSynced`. */
export function sampleFrame(sequence: number, timeS: number, clockSynced: boolean, part: Partial<Report> = {}) {
  return encodeReport(report({ sequence, time: timeS, flags: { clockSynced }, ...part }));
}

/** The frame of as many of `reports` as go into it, and how many those are. */
export function backlogFrame(part: BacklogPart, reports: readonly Uint8Array[]): { frame: Uint8Array; count: number } {
  const { bytesMax = FRAME_BYTES_MAX } = part;
  const first = reports[0] as Uint8Array;
  const groups = (((first[8] as number) & 15) << 4) | ((first[9] as number) >> 4);
  const head = new Uint8Array(11);
  const view = new DataView(head.buffer);
  view.setUint8(0, 0x13);
  view.setUint16(1, part.sequence & 0xffff);
  view.setUint32(3, part.timeS);
  view.setUint8(7, (part.clockSynced === true ? 0x80 : 0) | (part.ackRequested === true ? 0x40 : 0));
  view.setUint8(8, (part.boot ?? 0) & 255);
  view.setUint8(10, (part.thinned === true ? 128 : 0) | (part.earlierBoot === true ? 64 : 0) | groups);
  const encoder = createBacklogEncoder(backlogRowOf(groups), bytesMax);
  encoder.start(head, bytesMax, 60);
  for (const one of reports) if (!encoder.add(one)) break;
  return { count: encoder.count(), frame: encoder.finish().slice() };
}

/** On its way to the journal. */
export function checkedBacklog(
  part: BacklogPart & { readonly deviceId?: string; readonly receivedMs?: number; readonly clockTrusted?: boolean },
  reports: readonly Uint8Array[],
): CheckedFrame {
  const { frame, count } = backlogFrame(part, reports);
  if (count < reports.length) throw new Error(`only ${count} of ${reports.length} samples go into the frame`);
  const { sequence, timeS, clockSynced = false } = part;
  return {
    deviceId: part.deviceId ?? "alm-01-d1",
    header: { sequence: sequence & 0xffff, timeS, clockSynced },
    receivedMs: part.receivedMs ?? NOON_MS,
    clockTrusted: part.clockTrusted ?? true,
    link: "mqtt",
    frame,
    rows: count + 1,
  };
}
