// A batch on its way between two threads as one buffer that is handed over, not copied: a frame is a view of a whole read
// from a socket, and copying such a view copies all of that read.
import type { AppendOutcome, CheckedFrame, Link } from "../domain/record.ts";
import type { Entry, EntryOutcome, StateChange } from "./changes.ts";
import { linkCode, linkOf } from "./row.ts";

/** Names that both sides remember; then they begin anew. */
const NAMES_MAX = 16_384;
/** Of a frame, without its bytes: kind, flags, link, sequence, name, length, three times. */
const HEAD_BYTES = 40;
const KIND_FRAME = 1;
const KIND_CHANGE = 2;
const HAS_HEADER = 1;
const CLOCK_SYNCED = 2;
const CLOCK_TRUSTED = 4;
/** Instead of a header: when it was so, in its place. */
const HAS_TOLD = 8;
const STAMPED_ON_RECEIPT = 16;

export interface PackedBatch {
  readonly entries: number;
  readonly buffer: ArrayBuffer;
  /** In the order of the entries that are changes. */
  readonly changes: readonly StateChange[];
  /** Devices that are named for the first time, from this number on; 0: all before are forgotten. */
  readonly firstName: number;
  readonly names: readonly string[];
}

/** Packs for one receiver, which remembers the names that it was told. */
export function createPacker(): (entries: readonly Entry[]) => PackedBatch {
  const numbers = new Map<string, number>();
  return (entries) => {
    if (numbers.size > NAMES_MAX) numbers.clear();
    const firstName = numbers.size;
    let bytes = 0;
    for (const entry of entries) bytes += "frame" in entry ? HEAD_BYTES + entry.frame.frame.length : 1;
    const buffer = new ArrayBuffer(bytes);
    const view = new DataView(buffer);
    const all = new Uint8Array(buffer);
    const changes: StateChange[] = [];
    const names: string[] = [];
    let at = 0;
    for (const entry of entries) {
      if ("change" in entry) {
        changes.push(entry.change);
        view.setUint8(at++, KIND_CHANGE);
        continue;
      }
      const { deviceId, frame } = entry.frame;
      let name = numbers.get(deviceId);
      if (name === undefined) {
        name = numbers.size;
        numbers.set(deviceId, name);
        names.push(deviceId);
      }
      putHead(view, at, { frame: entry.frame, name, afterOpenMs: entry.afterOpenMs ?? 0 });
      all.set(frame, at + HEAD_BYTES);
      at += HEAD_BYTES + frame.length;
    }
    return { entries: entries.length, buffer, changes, firstName, names };
  };
}

interface Head {
  readonly frame: CheckedFrame;
  readonly name: number;
  readonly afterOpenMs: number;
}

function putHead(view: DataView, at: number, { frame, name, afterOpenMs }: Head): void {
  const { header } = frame;
  const flags =
    (header === undefined ? 0 : HAS_HEADER) |
    (frame.toldMs === undefined ? 0 : HAS_TOLD) |
    (header?.clockSynced === true ? CLOCK_SYNCED : 0) |
    (frame.clockTrusted ? CLOCK_TRUSTED : 0) |
    (frame.isStampedOnReceipt === true ? STAMPED_ON_RECEIPT : 0);
  view.setUint8(at, KIND_FRAME);
  view.setUint8(at + 1, flags);
  view.setUint8(at + 2, linkCode(frame.link));
  view.setUint16(at + 4, header?.sequence ?? 0);
  view.setUint32(at + 8, name);
  view.setUint32(at + 12, frame.frame.length);
  view.setFloat64(at + 16, header?.timeS ?? frame.toldMs ?? 0);
  view.setFloat64(at + 24, frame.receivedMs);
  view.setFloat64(at + 32, afterOpenMs);
}

/** The receiver's side: entries whose frames lie in the buffer that came. */
export function createUnpacker(): (batch: PackedBatch) => Entry[] {
  const known: string[] = [];
  return ({ entries, buffer, changes, firstName, names }) => {
    known.length = firstName;
    known.push(...names);
    const view = new DataView(buffer);
    const result: Entry[] = [];
    let at = 0;
    let change = 0;
    while (result.length < entries) {
      if (view.getUint8(at) === KIND_CHANGE) {
        result.push({ change: changes[change++] as StateChange });
        at++;
        continue;
      }
      const length = view.getUint32(at + 12);
      const frame = new Uint8Array(buffer, at + HEAD_BYTES, length);
      result.push(entryAt(view, at, { frame, deviceId: known[view.getUint32(at + 8)] as string }));
      at += HEAD_BYTES + length;
    }
    return result;
  };
}

function entryAt(view: DataView, at: number, { frame, deviceId }: Pick<CheckedFrame, "frame" | "deviceId">): Entry {
  const flags = view.getUint8(at + 1);
  const stamp = {
    sequence: view.getUint16(at + 4),
    timeS: view.getFloat64(at + 16),
    clockSynced: (flags & CLOCK_SYNCED) !== 0,
  };
  return {
    frame: {
      deviceId,
      header: (flags & HAS_HEADER) === 0 ? undefined : stamp,
      ...((flags & HAS_TOLD) === 0 ? {} : { toldMs: view.getFloat64(at + 16) }),
      receivedMs: view.getFloat64(at + 24),
      clockTrusted: (flags & CLOCK_TRUSTED) !== 0,
      link: linkOf(view.getUint8(at + 2)) as Link,
      frame,
      ...((flags & STAMPED_ON_RECEIPT) === 0 ? {} : { isStampedOnReceipt: true as const }),
    },
    afterOpenMs: view.getFloat64(at + 32),
  };
}

const OUTCOMES = ["saved", "stored", "duplicate", "replay", "too-many-devices"] as const;
/** Outcome, id, whether there is an ack, and its three numbers. */
const OUTCOME_NUMBERS = 6;

export type PackedOutcomes = Float64Array<ArrayBuffer>;

export function packOutcomes(outcomes: readonly EntryOutcome[]): PackedOutcomes {
  const packed = new Float64Array(outcomes.length * OUTCOME_NUMBERS);
  outcomes.forEach((one, i) => {
    const at = i * OUTCOME_NUMBERS;
    packed[at] = OUTCOMES.indexOf(one.outcome);
    if (one.outcome === "saved" || one.outcome === "too-many-devices") return;
    if (one.outcome === "stored") packed[at + 1] = one.id;
    if (one.ack === undefined) return;
    packed[at + 2] = 1;
    packed[at + 3] = one.ack.baseSequence;
    packed[at + 4] = one.ack.bitmap;
    packed[at + 5] = one.ack.after;
  });
  return packed;
}

export function outcomeIn(packed: PackedOutcomes, entry: number): EntryOutcome {
  const at = entry * OUTCOME_NUMBERS;
  const outcome = OUTCOMES[packed[at] as number] ?? "saved";
  if (outcome === "saved" || outcome === "too-many-devices") return { outcome };
  const ack = {
    baseSequence: packed[at + 3] as number,
    bitmap: packed[at + 4] as number,
    after: packed[at + 5] as number,
  };
  if (outcome !== "stored") return { outcome, ack };
  return { outcome, id: packed[at + 1] as number, ack: packed[at + 2] === 1 ? ack : undefined } satisfies AppendOutcome;
}
