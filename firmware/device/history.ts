// History: walks the ring from the oldest record that may be open to the newest, and packs runs of samples into backlog frames, a
// part of a sample a turn. A run ends where groups, boot or the state of the clock change. What is under way elsewhere is stepped over.
import type { BacklogEncoder } from "../../protocol/wire.ts";
import { u16 } from "../store/bytes.ts";
import type { Place, Ring } from "../store/ring.ts";
import { BACKLOG, CLOCK_SYNCED, EVENT, groupsOf, REPORT } from "./frames.ts";

const HEAD_BYTES = 11;
const THINNED = 128;
const EARLIER_BOOT = 64;
/** A frame says the present time: it is not made for longer than this, and one that has not left by then is made anew. */
export const BUILD_S = 15;
export const FRESH_S = 40;

/** Leaves out samples where the link is too slow for all of them. */
export interface Thinning {
  /** So many samples are too many for the link. */
  isDue(samples: number): boolean;
  /** One bounded look; true when it is known whether the sample at this place is kept. */
  prepare(place: Place): boolean;
  keeps(place: Place): boolean;
  /** Samples left out so far. */
  count(): number;
}

export interface HistoryOptions {
  readonly ring: Ring;
  readonly encoder: BacklogEncoder;
  /** Groups of the samples that the encoder takes. */
  readonly groupBits: number;
  readonly uptime: () => number;
  /** Writes a header of this kind and sequence with the present time: seconds since boot where `isUptime`. */
  readonly stamp: (out: Uint8Array, kind: number, sequence: number, isUptime: boolean) => void;
  readonly intervalS: () => number;
  /** Behind this place: under way, or waiting to go by itself; the place itself when it is neither. */
  readonly skip: (place: Place) => Place;
  /** A record that goes by itself: true when somebody has taken it. */
  readonly event: (place: Place, frame: Uint8Array) => boolean;
  readonly thinning: Thinning | undefined;
  /** No writes to flash now: a frame that is begun goes on, and none begins, since it takes a sequence. */
  readonly isStill: () => boolean;
}

export interface History {
  /**
   * One bounded turn: looks at one place, begins a frame of at most `bytesMax` bytes, or packs a sample; false when there is no more
   * to do.
   */
  step(bytesMax: number): boolean;
  /** A frame is begun, and not ready. */
  isMaking(): boolean;
  /** A frame that is ready. */
  ready(): Uint8Array | undefined;
  /** Its samples: from here up to before `until`. */
  first(): Place;
  until(): Place;
  /** Forgets the frame that is ready or in the making; its samples are open again. */
  drop(): void;
  /** The frame that is ready has gone. */
  gone(): void;
  /** A record from before is open again. */
  back(place: Place): void;
  /** Also those that are marked, from this sequence on, up to what is there now. */
  resend(sequence: number): void;
  isResending(): boolean;
  cursor(): Place;
}

export function createHistory(options: HistoryOptions): History {
  const ring = options.ring;
  const encoder = options.encoder;
  const head = new Uint8Array(HEAD_BYTES);
  let cursor = 0;
  let first = -1;
  let end = 0;
  let builtS = 0;
  let frame: Uint8Array | undefined;
  /** The one at the cursor: found, and not in the frame yet. */
  let sample: Uint8Array | undefined;
  /** The one at the cursor, of those that go by themselves: found, and not handed on yet. */
  let single: Uint8Array | undefined;
  /** The head of the next frame is written. Its sequence is newer than all it may hold: those from before this place. */
  let isOpen = false;
  let limit = 0;
  let boot = 0;
  let synced = 0;
  let wantedFrom = 0;
  let wantedUntil = 0;
  const thinning = options.thinning;
  let isThinned = false;

  /** The record at the cursor, if it is open. */
  function look(): Uint8Array | undefined {
    const found = ring.read(cursor, cursor < wantedUntil);
    // Among those that were asked for again there are none from before that sequence.
    return found && cursor < wantedUntil && (u16(found, 1) - wantedFrom) & 0x8000 ? ring.read(cursor, false) : found;
  }

  /** The head of a frame that begins with this sample. */
  function open(next: Uint8Array): void {
    boot = ring.bootOf(next);
    synced = (next[7] as number) & CLOCK_SYNCED;
    // Without a clock the header says how long the present boot has lasted: an earlier one was over by then.
    options.stamp(head, BACKLOG, ring.use(), !synced);
    head[8] = boot;
    head[10] =
      options.groupBits |
      (boot === ring.state[4] ? 0 : EARLIER_BOOT) |
      (thinning !== undefined && isThinned ? THINNED : 0);
    builtS = options.uptime();
    limit = ring.head();
    isOpen = true;
  }

  function begin(bytesMax: number): void {
    encoder.start(head, bytesMax, options.intervalS());
    first = cursor;
    isOpen = false;
  }

  function finish(): boolean {
    if (encoder.count() > 0) frame = encoder.finish();
    else first = -1;
    // Left out is what lies between two samples of one frame: what came behind its last one begins the next.
    if (thinning !== undefined && isThinned && frame) cursor = end;
    return !frame;
  }

  function drop(): void {
    if (first >= 0 && first < cursor) cursor = first;
    first = -1;
    frame = sample = single = undefined;
    isOpen = false;
  }

  /** Seconds since the frame was begun; one that is too old is dropped. */
  function ageOf(): number {
    const ageS = options.uptime() - builtS;
    if ((isOpen || first >= 0) && ageS > FRESH_S) drop();
    return ageS;
  }

  /** Begins a frame with the sample that was found, or packs it. */
  function take(next: Uint8Array, bytesMax: number): boolean {
    if (thinning !== undefined) {
      if (first < 0 && !isOpen) isThinned = thinning.isDue(ring.head() - cursor);
      if (isThinned && !thinning.prepare(cursor)) return true;
    }
    if (first < 0) {
      if (isOpen) begin(bytesMax);
      else if (options.isStill()) return false;
      else open(next);
      return true;
    }
    const goesOn = boot === ring.bootOf(next) && synced === ((next[7] as number) & CLOCK_SYNCED);
    // The first one always goes, so that no run is left out altogether.
    const isLeft = thinning !== undefined && goesOn && isThinned && first < cursor && !thinning.keeps(cursor);
    if (goesOn && !isLeft && !encoder.take(next)) return true;
    sample = undefined;
    if (!goesOn || (!isLeft && !encoder.add(next))) return finish();
    cursor++;
    if (!isLeft) end = cursor;
    return true;
  }

  /** What goes by itself waits here until it can. */
  function handOn(one: Uint8Array): boolean {
    single = undefined;
    if (!options.event(cursor, one)) return first >= 0 && finish();
    cursor++;
    return true;
  }

  function step(bytesMax: number): boolean {
    const ageS = ageOf();
    if (frame) return false;
    if (sample) return take(sample, bytesMax);
    if (single) return handOn(single);
    if (first >= 0 && ageS > BUILD_S && encoder.count() > 0) return finish();
    cursor = Math.max(cursor, ring.oldest());
    if (cursor >= (first < 0 ? ring.head() : limit)) return first >= 0 && finish();
    const behind = options.skip(cursor);
    const found = look();
    const kind = found ? (found[0] as number) & 15 : 0;
    const isSample = kind === REPORT && groupsOf(found as Uint8Array) === options.groupBits;
    // What an acknowledgement marks is all samples from first to last: none may be among them that is not in the frame.
    if (kind === REPORT && first >= 0 && (behind > cursor || !isSample)) return finish();
    if (behind > cursor) cursor = behind;
    else if (isSample) sample = found;
    // An event goes by itself, as does a sample of another configuration.
    else if (kind === EVENT || kind === REPORT) single = found;
    else cursor++;
    return true;
  }

  return {
    step: step,
    isMaking: () => first >= 0 && !frame,
    ready: () => {
      ageOf();
      return frame;
    },
    first: () => first,
    until: () => end,
    drop: drop,
    gone: () => {
      first = -1;
      frame = undefined;
    },
    back: (place) => {
      if (place >= cursor) return;
      drop();
      if (place < cursor) cursor = place;
    },
    resend: (sequence) => {
      drop();
      wantedFrom = sequence;
      wantedUntil = ring.head();
      cursor = ring.oldest();
    },
    isResending: () => cursor < wantedUntil,
    cursor: () => cursor,
  };
}
