// A batch as it is decided: the rows that its frames become, and what the writer must keep beside them.
import { KIND_BACKLOG } from "../../protocol/wire.ts";
import { unpackBacklog } from "../domain/backlog.ts";
import type { CheckedFrame, Link } from "../domain/record.ts";
import { decide, decideSamples, type NewRow } from "./decide.ts";
import { type DeviceTable, deviceRow, type Staged, stage } from "./device-table.ts";
import { linkCode, qualityCode, rowChecksum, type StoredRow } from "./row.ts";
import type { BootRow, OwnChange, StoreRecord } from "./store.ts";

/** What an entry came to before the commit: duplicates get their ack window only when all is durable. */
export type Verdict =
  | { readonly kind: "stored"; readonly id: number; readonly deviceId: string; readonly sequence: number }
  | { readonly kind: "duplicate" | "replay"; readonly deviceId: string; readonly sequence: number }
  | { readonly kind: "too-many-devices" }
  | { readonly kind: "saved" };

export interface Batch {
  readonly records: StoreRecord[];
  readonly own: {
    readonly devices: { readonly device: number; readonly deviceId: string }[];
    readonly boots: BootRow[];
    readonly undecoded: number[];
    readonly decoded: number[];
  };
  readonly table: DeviceTable;
  /** Of the next row. */
  nextId: number;
  /** Which run of the gateway writes. */
  readonly boot: number;
}

export function createBatch(table: DeviceTable, nextId: number, boot: number): Batch {
  return { records: [], own: { devices: [], boots: [], undecoded: [], decoded: [] }, table, nextId, boot };
}

/** Takes one frame into the batch. */
export function takeFrame(batch: Batch, asked: CheckedFrame, runMs: number): Verdict {
  const frame = { ...asked, receivedMs: Math.round(asked.receivedMs) };
  const { deviceId } = frame;
  const { own, table } = batch;
  const device = deviceRow(table, frame, (made) => own.devices.push({ device: made.number, deviceId }));
  if (device === undefined) return { kind: "too-many-devices" };
  const staged = stage(table, deviceId, device);
  const isBacklog = frame.header !== undefined && isBacklogKind(frame.frame);
  const backlog = isBacklog ? unpackBacklog(frame.frame) : undefined;
  const decision = decide(staged, frame, backlog);
  if (decision.kind !== "insert") return { kind: decision.kind, deviceId, sequence: decision.sequence };
  addRows(batch, staged, decision.rows, { ...frame, runMs });
  const id = batch.nextId - 1;
  if (backlog !== undefined) keepBoot(batch, staged, backlog.boot);
  else if (isBacklog) own.undecoded.push(id);
  return { kind: "stored", id, deviceId, sequence: decision.sequence };
}

/** A stored backlog frame that can be read now: its samples become records. */
export function takeSamples(batch: Batch, staged: Staged, row: StoredRow, asked: CheckedFrame): void {
  const backlog = unpackBacklog(asked.frame);
  if (backlog === undefined) return;
  addRows(batch, staged, decideSamples(staged, asked, backlog, row.sequence), { ...asked, runMs: row.run_ms });
  keepBoot(batch, staged, backlog.boot);
  batch.own.decoded.push(row.id);
}

/** What the writer keeps goes with the rows that it is about. */
export function closeBatch({ records, own }: Batch): void {
  const isEmpty = Object.values(own).every((list) => list.length === 0);
  if (!isEmpty) records.push({ change: { own: own satisfies OwnChange } });
}

interface Received {
  readonly receivedMs: number;
  readonly link: Link;
  readonly runMs: number;
}

function addRows(batch: Batch, staged: Staged, rows: readonly NewRow[], { receivedMs, link, runMs }: Received): void {
  for (const { sequence, placing, frame } of rows) {
    const row = {
      id: batch.nextId++,
      received_ms: receivedMs,
      time_ms: placing.timeMs,
      quality: qualityCode(placing.quality),
      device: staged.device.number,
      sequence,
      link: linkCode(link),
      frame,
      crc: 0,
      boot: batch.boot,
      run_ms: runMs,
    };
    row.crc = rowChecksum(row);
    batch.records.push({ row });
  }
}

function keepBoot({ own }: Batch, staged: Staged, boot: number): void {
  const start = staged.boots.get(boot);
  if (start === undefined || start === staged.device.boots.get(boot)) return;
  own.boots.push({ device: staged.device.number, boot, startedMs: start.startedMs, sequence: start.sequence });
}

/** Version 1, kind 3. */
function isBacklogKind(frame: Uint8Array): boolean {
  return ((frame[0] as number) & 15) === KIND_BACKLOG;
}
