// Which sequence an uplink of a device that is not ours has: pure. A board of ours numbers its records itself; another one has its
// frame counter, which begins anew with every session, and what it kept for later has nothing but a time.

/** One run of counters: sequence = base + counter, from one counter on. */
export interface Segment {
  readonly session: string;
  readonly from: number;
  readonly base: number;
  /** The highest counter that is known of it. */
  readonly top: number;
}

/** What is kept of one device; the later a segment stands, the later it began. */
export interface Book {
  /** The lowest sequence that no record has. Not cut to 16 bits. */
  readonly next: number;
  readonly segments: readonly Segment[];
  /** Kept readings by what names them, with their sequences, the oldest first. */
  readonly log: readonly (readonly [key: string, sequence: number])[];
}

export const EMPTY_BOOK: Book = { next: 0, segments: [], log: [] };

/** An uplink that comes again after so many new segments has been stored long ago. */
export const SEGMENTS_MAX = 64;
/** A week at one kept reading in five minutes. */
export const LOG_MAX = 2_048;
/** 16 bits tell sequences apart over half their number: a counter that jumps further gets a segment of its own. */
export const JUMP_MAX = 16_000;
/** The journal knows what is stored so far back from the newest; what lies before was stored, or is lost to us. */
const REACH = 30_000;
/** By how much a sequence moves that turns out to be taken: by a board that had this name before. */
export const CLASH_JUMP = 16_384;

export interface Ask {
  readonly session: string;
  readonly counter: number;
  /** What names each kept reading in it. */
  readonly keys: readonly string[];
  /** Sequences that it needs beside its own and those of its readings. */
  readonly more: number;
}

export interface Place {
  readonly book: Book;
  /** Of the uplink itself; the `more` stand right before it. */
  readonly sequence: number;
  /** Of each key; undefined for one that was stored so long ago that nobody knows it any more. */
  readonly kept: readonly (number | undefined)[];
  /** First of its session: its sequence has been given to nobody, as far as is known here. */
  readonly opens: boolean;
}

/** Undefined for a counter that is older than all that is known of its session: a replay. */
export function placeUplink(book: Book, ask: Ask): Place | undefined {
  const { session, counter } = ask;
  const own = book.segments.filter((one) => one.session === session);
  const holds = own.find((one) => one.from <= counter && counter <= one.top);
  if (holds !== undefined) return again(book, holds, ask);
  const known = own.findLast((one) => one.top < counter);
  if (known === undefined && own.length > 0) return undefined;
  const isLast = known !== undefined && known === book.segments.at(-1);
  const goesOn = isLast && known.base + counter - book.next < JUMP_MAX;
  return fresh(book, goesOn ? known : undefined, ask);
}

/** One that was there already: everything in it has the sequence that it had. */
function again(book: Book, { base }: Segment, { counter, keys }: Ask): Place {
  const sequence = base + counter;
  const log = new Map(book.log);
  return { book, sequence, kept: keys.map((key) => within(log.get(key), sequence)), opens: false };
}

function within(sequence: number | undefined, of: number): number | undefined {
  return sequence === undefined || of - sequence > REACH ? undefined : sequence;
}

function fresh(book: Book, known: Segment | undefined, ask: Ask): Place {
  const { session, counter, keys, more } = ask;
  const first = known === undefined ? book.next : known.base + counter;
  const log = new Map(book.log);
  let next = first;
  // Two that are the same in one uplink are one reading.
  for (const key of keys) if (!log.has(key)) log.set(key, next++);
  const sequence = next + more;
  const base = sequence - counter;
  const isSame = known !== undefined && known.base === base;
  const segment = { session, from: isSame ? known.from : counter, base, top: counter };
  const before = isSame ? book.segments.slice(0, -1) : book.segments;
  return {
    book: {
      next: Math.max(book.next, sequence + 1),
      segments: [...before, segment].slice(-SEGMENTS_MAX),
      log: log.size === book.log.length ? book.log : [...log].slice(-LOG_MAX),
    },
    sequence,
    kept: keys.map((key) => within(log.get(key), sequence)),
    opens: !book.segments.some((one) => one.session === session),
  };
}

/** The book as it was before an uplink that clashed, moved on. */
export function movedOn(book: Book): Book {
  return { ...book, next: book.next + CLASH_JUMP };
}
