// Uplinks of devices that are not ours, on their way to the journal as frames of ours: decoded, understood by the registry, with a
// sequence that outlives sessions and restarts. What names them is on disk before they are stored under it.
import { crc32, type DeviceModelName, KIND_BACKLOG, type Quantity, type Sensing } from "../../../../protocol/index.ts";
import type { Clock } from "../../../clock.ts";
import type { AppendOutcome, CheckedFrame } from "../../../domain/record.ts";
import { stampOf } from "../../../domain/stamp.ts";
import type { RefusalReason } from "../../uplink.ts";
import type { Channels, Decoded, LogEntry } from "../decoders/decoder.ts";
import { DECODERS } from "../decoders/index.ts";
import type { NetworkUplink } from "../interfaces.ts";
import { type Book, EMPTY_BOOK, movedOn, type Place, placeUplink } from "./identity.ts";
import { backlogFrame, groupsByte, isSetClock, LOG_PER_FRAME, momentOf, reportFrame, type Sample } from "./records.ts";
import { groupsOf } from "./sensing.ts";

const DOCUMENTS = "lorawan-books";
/** Sequences that are set apart at a time: a counter that only goes on is written once in so many uplinks. */
const RESERVE = 64;
/** A copy can be behind by so many: records of a lost machine and of its spare never share a sequence. */
const RESTORE_JUMP = 4_096;
const CLASHES_MAX = 3;

export interface ForeignDevice {
  readonly deviceId: string;
  readonly model: DeviceModelName;
  readonly sensing?: Sensing;
  readonly reportIntervalS: number;
}

export interface BookJournal {
  readonly epoch: string;
  append(frame: CheckedFrame): Promise<AppendOutcome>;
  documents(kind: string): Promise<readonly { readonly key: string; readonly json: string }[]>;
  save(change: {
    readonly put?: readonly { readonly kind: string; readonly key: string; readonly json: string }[];
  }): Promise<void>;
}

export interface ForeignDeps {
  readonly journal: BookJournal;
  readonly clock: Clock;
  isClockTrusted(): boolean;
  onRefusal(refusal: { readonly reason: RefusalReason; readonly sender: string; readonly bytes: Uint8Array }): void;
}

interface Known {
  book: Book;
  /** Below this no sequence is given to another after a restart. */
  reserved: number;
  /** Readings of late, by channel, with the moment of their receipt. */
  readonly held: Map<string, { readonly value: Quantity; readonly atMs: number }>;
  /** By its network's clock, of the last uplink with a counter of its own since the start. */
  newestMs: number | undefined;
}

interface BookDocument extends Book {
  readonly epoch: string;
}

export interface ForeignUplinks {
  /** Resolves when it is stored, or refused; rejects when the journal cannot take it. One at a time for a device. */
  take(device: ForeignDevice, uplink: NetworkUplink): Promise<void>;
}

export function createForeignUplinks(deps: ForeignDeps): ForeignUplinks {
  const { journal, clock } = deps;
  let opening: Promise<Map<string, Known>> | undefined;

  async function open(): Promise<Map<string, Known>> {
    const rows = await journal.documents(DOCUMENTS);
    return new Map(rows.map(({ key, json }) => [key, knownOf(JSON.parse(json) as BookDocument, journal.epoch)]));
  }

  async function knownDevice(deviceId: string): Promise<Known> {
    opening ??= open();
    let all: Map<string, Known>;
    try {
      all = await opening;
    } catch (error) {
      opening = undefined;
      throw error;
    }
    let known = all.get(deviceId);
    if (known === undefined) {
      known = { book: EMPTY_BOOK, reserved: 0, held: new Map(), newestMs: undefined };
      all.set(deviceId, known);
    }
    return known;
  }

  /** Sequences are on disk before anything is stored under them. */
  async function keep(deviceId: string, known: Known, { book }: Place): Promise<void> {
    const [before, after] = [known.book, book];
    const isSame = before.log === after.log && sameSegments(before, after);
    if (!isSame || after.next > known.reserved) {
      const reserved = after.next + RESERVE;
      const document: BookDocument = { epoch: journal.epoch, ...after, next: reserved };
      // One that fails may be on disk or not: nothing is set apart until the next one, whatever it is of, has been written over it.
      known.reserved = 0;
      await journal.save({ put: [{ kind: DOCUMENTS, key: deviceId, json: JSON.stringify(document) }] });
      known.reserved = reserved;
    }
    known.book = after;
  }

  async function store(device: ForeignDevice, uplink: NetworkUplink, decoded: Decoded): Promise<void> {
    const known = await knownDevice(device.deviceId);
    const receipt = { nowMs: clock.nowMs(), clockTrusted: deps.isClockTrusted() };
    const plan = planOf(device, uplink, decoded, { ...receipt, before: heldOf(known, device, clock.monotonicMs()) });
    let isFirst = false;
    for (let clashes = 0; ; clashes++) {
      const place = placeUplink(known.book, plan.ask);
      if (place === undefined)
        return deps.onRefusal({ reason: "replay", sender: device.deviceId, bytes: uplink.payload });
      const before = known.book;
      isFirst = place.book !== before;
      if (!isFirst && isLater(uplink, known)) {
        // It counts from the beginning in the same session: its network lets it, and nobody can tell its records apart.
        return deps.onRefusal({ reason: "counter-reset", sender: device.deviceId, bytes: uplink.payload });
      }
      await keep(device.deviceId, known, place);
      const frames = plan.frames(place).map((frame) => checked(device.deviceId, frame, receipt));
      const outcomes = await Promise.all(frames.map((frame) => journal.append(frame)));
      const own = outcomes.at(-1);
      if (own?.outcome === "replay" || own?.outcome === "too-many-devices") {
        deps.onRefusal({ reason: own.outcome, sender: device.deviceId, bytes: uplink.payload });
      }
      // A sequence that is new here is taken there: another device had this name before.
      const isTaken = own?.outcome === "duplicate" || (own?.ack?.after ?? 0) !== 0;
      if (!place.opens || !isTaken || clashes === CLASHES_MAX) break;
      known.book = movedOn(before);
    }
    if (isFirst) known.newestMs = Math.max(known.newestMs ?? 0, uplink.atMs ?? 0);
    const atMs = clock.monotonicMs();
    for (const [channel, value] of Object.entries(decoded.channels)) known.held.set(channel, { value, atMs });
  }

  return {
    async take(device, uplink) {
      const decoder = DECODERS[device.model];
      const decoded = decoder(uplink.port, uplink.payload);
      if (decoded.problem !== undefined) {
        deps.onRefusal({ reason: decoded.problem, sender: device.deviceId, bytes: uplink.payload });
        if (decoded.log.length === 0 && Object.keys(decoded.channels).length === 0) return;
      }
      await store(device, uplink, decoded);
    },
  };
}

function knownOf({ epoch, ...book }: BookDocument, present: string): Known {
  const next = book.next + (epoch === present ? 0 : RESTORE_JUMP);
  // What was set apart by a lost machine may have been used there.
  return { book: { ...book, next }, reserved: epoch === present ? next : 0, held: new Map(), newestMs: undefined };
}

/** `top` alone moves with every uplink: it is not worth a write, since a counter that is not known to be used gives the same sequence. */
function sameSegments(a: Book, b: Book): boolean {
  const [one, other] = [a.segments.at(-1), b.segments.at(-1)];
  return a.segments.length === b.segments.length && one?.base === other?.base && one?.session === other?.session;
}

/** The network heard it after one with a higher counter: what a broker repeats was heard before. */
function isLater({ atMs }: NetworkUplink, { newestMs }: Known): boolean {
  return atMs !== undefined && newestMs !== undefined && newestMs > 0 && atMs > newestMs;
}

function heldOf({ held }: Known, { reportIntervalS }: ForeignDevice, nowMs: number): Channels {
  const young = [...held].filter(([, { atMs }]) => nowMs - atMs <= 2_000 * reportIntervalS);
  return Object.fromEntries(young.map(([channel, { value }]) => [channel, value]));
}

function checked(deviceId: string, frame: Uint8Array, receipt: { nowMs: number; clockTrusted: boolean }): CheckedFrame {
  const isLog = (frame[0] as number) % 16 === KIND_BACKLOG;
  return {
    deviceId,
    header: stampOf(frame),
    receivedMs: receipt.nowMs,
    clockTrusted: receipt.clockTrusted,
    link: "lorawan",
    frame,
    isStampedOnReceipt: true,
    ...(isLog ? { rows: 1 + LOG_PER_FRAME } : {}),
  };
}

interface PlanContext {
  readonly nowMs: number;
  readonly clockTrusted: boolean;
  /** Channels that still hold. */
  readonly before: Channels;
}

interface Plan {
  readonly ask: Parameters<typeof placeUplink>[1];
  /** In the order of their sequences; the last one is the uplink's own. */
  frames(place: Place): Uint8Array[];
}

type LogSample = Omit<Sample, "sequence"> & { readonly key: number };

/** What an uplink becomes, whatever sequence it gets. */
function planOf(device: ForeignDevice, uplink: NetworkUplink, decoded: Decoded, context: PlanContext): Plan {
  const { session, counter, network } = uplink;
  const now = momentOf(uplink.atMs, context);
  const entries = momentsOf(decoded.log).map((entry, i) => ({ entry, groups: groupsOf(device, entry.channels), i }));
  const kept = entries.filter(({ groups }) => groupsByte(groups) !== 0);
  const keys = kept.map(({ entry, i }) => {
    return isSetClock(entry, context) ? keyOf(entry) : `${network} ${session} ${counter} ${i}`;
  });
  const samples = kept.map(({ entry, groups }, key): LogSample => {
    return { timeS: entry.timeS, clockSynced: isSetClock(entry, context), groups, key };
  });
  const runs = runsOf(samples);
  const hasReport = Object.keys(decoded.channels).length > 0 || runs.length === 0;
  const more = runs.length - (hasReport ? 0 : 1);
  return {
    ask: { session: `${network} ${session}`, counter, keys, more },
    frames: (place) => {
      const first = place.sequence - more;
      const backlogs = runs.flatMap((run, r) => {
        const rows = run.flatMap(({ key, ...sample }) => {
          const sequence = place.kept[key];
          return sequence === undefined ? [] : [{ ...sample, sequence }];
        });
        return rows.length === 0 ? [] : [backlogFrame(first + r, now, rows)];
      });
      if (!hasReport) return backlogs;
      const groups = groupsOf(device, decoded.channels, context.before);
      return [...backlogs, reportFrame({ sequence: place.sequence, ...now, groups }, decoded.isLowBattery)];
    },
  };
}

/** What a device kept of one moment in several parts is one reading. */
function momentsOf(log: readonly LogEntry[]): LogEntry[] {
  const moments = new Map<number, LogEntry>();
  for (const entry of log) {
    const before = moments.get(entry.timeS);
    if (before === undefined) moments.set(entry.timeS, entry);
    // The same once more, or another one of the same moment: then the device has no clock to tell them apart by.
    else if (Object.keys(entry.channels).some((name) => before.channels[name] !== undefined)) return [...log];
    else {
      const channels = { ...before.channels, ...entry.channels };
      moments.set(entry.timeS, { ...before, channels, bytes: Uint8Array.of(...before.bytes, ...entry.bytes) });
    }
  }
  return [...moments.values()];
}

/** By its own time and bytes: the same reading is the same however often, and in whatever uplink, it is sent. */
function keyOf({ timeS, bytes }: LogEntry): string {
  return `${timeS} ${crc32(bytes).toString(16)}`;
}

/** Consecutive readings of the same groups, as many as one frame takes. */
function runsOf(samples: readonly LogSample[]): LogSample[][] {
  const runs: LogSample[][] = [];
  for (const sample of samples) {
    const run = runs.at(-1);
    const first = run?.[0];
    const fits = first !== undefined && groupsByte(first.groups) === groupsByte(sample.groups);
    if (run !== undefined && fits && run.length < LOG_PER_FRAME) run.push(sample);
    else runs.push([sample]);
  }
  return runs;
}
