// Milesight: people counters, a level sensor, and an input and output box.
import type { Quantity } from "../../../../protocol/index.ts";
import type { Decoder } from "./decoder.ts";
import { bytesOf, createTlvDecoder, type Entry, fixed } from "./milesight-tlv.ts";
import { UC300_CHANNELS } from "./milesight-uc300.ts";

/** Ultrasound: nothing is heard back from too near, or from too far. */
function ultrasound(mm: number): Quantity {
  return mm === 0 || mm === 0xffff ? "out-of-range" : mm;
}

export const decodeEm500Udl: Decoder = createTlvDecoder({
  "0382": fixed(2, ({ channels }, view, at) => {
    channels["distanceMm"] = ultrasound(view.getUint16(at, true));
  }),
  // Distance, how much it has changed, and an alarm.
  "83e9": fixed(5, ({ channels }, view, at) => {
    channels["distanceMm"] = ultrasound(view.getUint16(at, true) / 10);
  }),
  "20ce": fixed(6, ({ log }, view, at) => {
    const channels = { distanceMm: ultrasound(view.getUint16(at + 4, true)) };
    log.push({ timeS: view.getUint32(at, true), channels, bytes: bytesOf(view, at, 6) });
  }),
});

/** Kinds of what a VS121 keeps, with their lengths: only people inside, and who came in and went out since it began. */
const VS121_LOG = {
  lengths: [0, 4, 4, 1, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 4],
  people: 1,
  totals: 16,
} as const;

function vs121Log(view: DataView, at: number): number | undefined {
  if (at + 5 > view.byteLength) return undefined;
  const length = VS121_LOG.lengths[view.getUint8(at + 4)];
  return length === undefined || length === 0 ? undefined : 5 + length;
}

function vs121Totals(view: DataView, at: number): Record<string, Quantity> {
  return { totalIn: view.getUint16(at, true), totalOut: view.getUint16(at + 2, true) };
}

export const decodeVs121: Decoder = createTlvDecoder({
  "04c9": fixed(4, ({ channels }, view, at) => {
    channels["people"] = view.getUint8(at);
  }),
  // In and out since the last report: a report that is lost takes them with it, so the totals count.
  "05cc": fixed(4),
  "06cd": fixed(1),
  "07d5": fixed(8),
  "08d5": fixed(8),
  "09da": fixed(8),
  "0ada": fixed(8),
  "0bda": fixed(8),
  "0cda": fixed(8),
  "0dcc": fixed(4, ({ channels }, view, at) => {
    Object.assign(channels, vs121Totals(view, at));
  }),
  "0ee4": fixed(5),
  "0f85": fixed(4),
  "10f7": fixed(4),
  "20ce": {
    length: vs121Log,
    take: ({ log }, view, at) => {
      const kind = view.getUint8(at + 4);
      if (kind !== VS121_LOG.people && kind !== VS121_LOG.totals) return;
      const channels = kind === VS121_LOG.people ? { people: view.getUint8(at + 5) } : vs121Totals(view, at + 5);
      log.push({ timeS: view.getUint32(at, true), channels, bytes: bytesOf(view, at, 9) });
    },
  },
});

const VS133_LINES = [1, 2, 3, 4];
/** Channels of a line are three apart; those of children lie 14 behind those of everybody. */
const LINE_STEP = 3;
const CHILDREN = 14;

/** Time, the channel that it is of, and four bytes; of how long people stay, three. */
const VS133_STAYS = [0x10, 0x1e, 0x20, 0x3c];
const VS133_KINDS_MAX = 0x3c;

function vs133Log(view: DataView, at: number): number | undefined {
  if (at + 5 > view.byteLength) return undefined;
  const kind = view.getUint8(at + 4);
  if (kind < LINE_STEP || kind > VS133_KINDS_MAX) return undefined;
  return VS133_STAYS.includes(kind) ? 8 : 9;
}

function pair(channel: number, type: number): string {
  return (channel * 256 + type).toString(16).padStart(4, "0");
}

export const decodeVs133: Decoder = createTlvDecoder({
  ...Object.fromEntries(
    VS133_LINES.flatMap((line): [string, Entry][] => {
      const first = LINE_STEP * line;
      const total = (name: string): Entry =>
        fixed(4, ({ channels }, view, at) => {
          channels[`${name}${line}`] = view.getUint32(at, true);
        });
      return [
        [pair(first, 0xd2), total("totalIn")],
        [pair(first + 1, 0xd2), total("totalOut")],
        [pair(first + 2, 0xcc), fixed(4)],
        [pair(first + CHILDREN, 0xd2), fixed(4)],
        [pair(first + CHILDREN + 1, 0xd2), fixed(4)],
        [pair(first + CHILDREN + 2, 0xcc), fixed(4)],
      ];
    }),
  ),
  "0fe3": fixed(4),
  "10e4": fixed(5),
  "1de3": fixed(4),
  "1ee4": fixed(5),
  "50fc": fixed(3),
  "20ce": {
    length: vs133Log,
    take: ({ log }, view, at) => {
      const kind = view.getUint8(at + 4);
      const name = kind % LINE_STEP === 0 ? "totalIn" : "totalOut";
      if (kind < LINE_STEP || kind >= LINE_STEP * 5 || kind % LINE_STEP === 2) return;
      const channels = { [`${name}${Math.floor(kind / LINE_STEP)}`]: view.getUint32(at + 5, true) };
      log.push({ timeS: view.getUint32(at, true), channels, bytes: bytesOf(view, at, 9) });
    },
  },
});

export const decodeUc300: Decoder = createTlvDecoder(UC300_CHANNELS);
