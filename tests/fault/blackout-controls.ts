// Gateways that are broken on purpose: what the proof must see.
import { type Clock, isPlausibleWallTime } from "../../gateway/clock.ts";
import { unpackBacklog } from "../../gateway/domain/backlog.ts";
import { placeTime } from "../../gateway/domain/placing.ts";
import type { AckContext, AppendOutcome, CheckedFrame } from "../../gateway/domain/record.ts";
import type { BrokenStore, CaseOptions } from "./blackout-case.ts";
import type { Store } from "./blackout-gateway.ts";
import type { Row } from "./blackout-judge.ts";

const WINDOW = 32;
/** Of the control that believes no old time. */
const OLD_MS = 6 * 3_600_000;

interface Sample {
  readonly sequence: number;
  readonly timeMs: number;
  readonly frame: Uint8Array;
}

/** A frame and the samples in it, at the times at which a gateway places them. */
function samplesIn(frame: CheckedFrame): Sample[] {
  const { header } = frame;
  if (header === undefined) return [];
  const own = { sequence: header.sequence, timeMs: placeTime(header, frame).timeMs, frame: frame.frame };
  const reports = unpackBacklog(frame.frame)?.reports ?? [];
  return [
    ...reports.map((report): Sample => {
      const view = new DataView(report.buffer, report.byteOffset);
      const timeS = view.getUint32(3);
      const isSynced = (view.getUint8(7) & 128) !== 0;
      const timeMs = isSynced ? timeS * 1000 : frame.receivedMs - (header.timeS - timeS) * 1000;
      return { sequence: view.getUint16(1), timeMs, frame: report };
    }),
    own,
  ];
}

function named(sequence: number, isStored: (sequence: number) => boolean): AckContext {
  const baseSequence = (sequence - (WINDOW - 1)) & 0xffff;
  let bitmap = 0;
  for (let i = 0; i < WINDOW; i++) bitmap = bitmap * 2 + (isStored((baseSequence + i) & 0xffff) ? 1 : 0);
  return { baseSequence, bitmap, after: 0 };
}

/** A record is another one when it comes with another time. */
export function identityWithTime(): BrokenStore {
  const rows: Row[] = [];
  const keys = new Set<string>();
  const sequences = new Set<number>();
  const store: Store = {
    append: async (frame): Promise<AppendOutcome> => {
      for (const { sequence, timeMs, frame: bytes } of samplesIn(frame)) {
        const key = `${sequence} ${timeMs}`;
        sequences.add(sequence);
        if (keys.has(key)) continue;
        keys.add(key);
        rows.push({ id: rows.length, sequence, timeMs, quality: 0, receivedMs: frame.receivedMs, frame: bytes });
      }
      const ack = named(frame.header?.sequence ?? 0, (sequence) => sequences.has(sequence));
      return { outcome: "stored", id: rows.length, ack };
    },
    close: async () => undefined,
  };
  return { open: async () => store, rows: () => rows };
}

/** What is old, or has no time, is dropped; so that it does not come again it is acknowledged. */
export function refusedByTime(open: (clock: Clock) => Promise<Store>): BrokenStore {
  return {
    open: async (clock) => {
      const store = await open(clock);
      return {
        append: async (frame): Promise<AppendOutcome> => {
          const sequence = frame.header?.sequence ?? 0;
          const isOld = samplesIn(frame).some(
            ({ timeMs }) => timeMs < frame.receivedMs - OLD_MS || !isPlausibleWallTime(timeMs),
          );
          if (!isOld) return store.append(frame);
          return { outcome: "duplicate", ack: named(sequence, (other) => other === sequence) };
        },
        close: () => store.close(),
      };
    },
  };
}

export interface Control {
  readonly name: string;
  /** What shows it. */
  readonly shows: "lost" | "twice";
  readonly part: Pick<CaseOptions, "broken" | "isPubackEnough">;
}

export const CONTROLS: readonly Control[] = [
  { name: "identity with time in it", shows: "twice", part: { broken: identityWithTime } },
  { name: "acknowledged by PUBACK alone", shows: "lost", part: { isPubackEnough: true } },
  { name: "acknowledged and refused by its time", shows: "lost", part: { broken: refusedByTime } },
];
