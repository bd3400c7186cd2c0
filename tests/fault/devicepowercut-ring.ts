// The ring under power cuts, at the end of a page and at the end of a lap: after each cut what the device was told is there, at most
// the record being written is not, and no number is older than it was.
import type { BoardTable } from "../../firmware/boards/table.ts";
import { PowerCut, type Tear, type VirtualFlash } from "../../firmware/simulator/flash.ts";
import { crc32 } from "../../protocol/wire.ts";
import {
  addFaults,
  type Booted,
  bootBoard,
  flashWith,
  isCutIn,
  noFaults,
  type Program,
  type Tally,
} from "./devicepowercut-board.ts";
import { createTold, type Doing, type Seen, type Told } from "./devicepowercut-told.ts";

/** How a board keeps its ring: as it does, without checksums, or with its numbers in a Storage file. */
export const RING_OURS = 0;
export const RING_UNCHECKED = 1;
export const RING_IN_FILE = 2;

const PAGE_HEADER = 8;
const SLOT_OVERHEAD = 6;
/** Sequences begin again with 0 in what is written. */
const LAST_AT_START = 0xffff - 1;
/** Looks at every page, at each half of the newest one, and back over the records of two; two in a call. */
const recoveryCallsMax = (pages: number, slots: number) => Math.ceil((pages + Math.log2(slots) + 2 * slots) / 2) + 2;
/** Flash operations of the first writes after a cut, with the turn of a page among them. */
const AGAIN_MAX = 6;

type Step = "sample" | "mark newest" | "mark oldest" | "use" | "command" | "boot";
const STEPS: readonly Step[] = ["boot", "sample", "mark newest", "use", "command", "mark oldest", "sample", "use"];
/** What a device does first when the power is back. */
const FIRST_STEPS: readonly Step[] = ["boot", "sample", "use"];

export interface RingCase {
  readonly table: BoardTable;
  readonly program: Program;
  readonly way: number;
  readonly tears: readonly Tear[];
  /** Full pages before the one at whose end it begins; the records left until it is full. */
  readonly pages: number;
  readonly left: number;
  /** So many of the tears are tried with every first operation after the cut torn as well, the others with one of them. */
  readonly deep: number;
}

/** Torn within its last byte, the length of a frame: only a checksum can tell. */
export const LAST_BYTE: Tear = { share: 0.97, grain: 1, isFromEnd: false, edgeBits: 0xfe };

/** Erasures whose edge is at a record's mark: the mark is gone and its record is not. */
function markTears(table: BoardTable): Tear[] {
  return [1, 4, 40].flatMap((slot) => {
    const done = PAGE_HEADER + slot * table.ringSlotBytes + 4;
    return [0, 0x40].map((edgeBits) => ({ share: done / table.pageBytes, grain: 1, isFromEnd: false, edgeBits }));
  });
}

/** All of a sample follows from its sequence; the program makes it so too. */
function sampleOf(sequence: number, bytes: number): Uint8Array {
  const head = [0x11, sequence >> 8, sequence, 0, 0, 0, 0, 0];
  return Uint8Array.from({ length: bytes }, (_, i) => head[i] ?? sequence * 7 + i * 31);
}

function seenIn(numbers: readonly number[], records: readonly (readonly number[])[], bytes: number): Seen {
  const [last = 0, boot = 0, counter = 0, , head = 0] = numbers;
  return {
    next: (last + 1) & 0xffff,
    boot,
    counter,
    head,
    records: records.map(([place = 0, sequence = 0, isOpen, sum]) => {
      return { place, sequence, isOpen: isOpen === 1, isRight: sum === crc32(sampleOf(sequence, bytes)) };
    }),
  };
}

/** The place in a ring at which the proof begins: at the end of its first page, or of its first lap. */
export function startsOf(table: BoardTable, isFull: boolean): Pick<RingCase, "pages" | "left">[] {
  const lap = table.ringPages - 1;
  // By what is left the page is turned by a boot, a sample, a sequence that is used, or a command.
  const lefts = isFull ? [0, 1, 2, 3] : [1, 3];
  return [{ pages: 0, left: 1 }, ...lefts.map((left) => ({ pages: lap, left }))];
}

interface RingBoard {
  readonly board: Booted;
  /** From `low` up to before `lowEnd`, and from `high` on. */
  look(lowEnd: number, high: number): Seen;
  oldest(): number;
  head(): number;
}

function openRing({ table, program, way }: RingCase, flash: VirtualFlash): RingBoard | undefined {
  const board = bootBoard(table, flash, [program]);
  if (board.ask("typeof ringOpen") !== "function") return undefined;
  const start = table.dataAddress + table.ringOffset;
  const sampleBytes = table.ringSlotBytes - SLOT_OVERHEAD - 2;
  const given = [start, table.ringPages, table.ringSlotBytes, sampleBytes, way];
  const slots = Math.floor((table.pageBytes - PAGE_HEADER) / table.ringSlotBytes);
  if (Number(board.ask(`ringOpen(${given})`)) > recoveryCallsMax(table.ringPages, slots)) return undefined;
  const numbers = () => JSON.parse(board.ask("ringNumbers()")) as number[];
  const records = (from: number, end: number) => JSON.parse(board.ask(`ringLook(${from},${end})`)) as number[][];
  return {
    board,
    oldest: () => numbers()[3] as number,
    head: () => numbers()[4] as number,
    look: (lowEnd, high) => {
      const found = numbers();
      const [, , , oldest = 0, head = 0] = found;
      return seenIn(found, [...records(oldest, lowEnd), ...records(high, head)], sampleBytes);
    },
  };
}

function doingOf(step: Step, told: Told, counter: number): Doing {
  if (step === "command") return { kind: "command", counter };
  if (step === "sample" || step === "use" || step === "boot") return { kind: step };
  const place = told.open().at(step === "mark newest" ? -1 : 0);
  return place === undefined ? { kind: "sample" } : { kind: "mark", place };
}

function callOf(doing: Doing): string {
  switch (doing.kind) {
    case "sample":
      return "ringSample()";
    case "use":
      return "ringUse()";
    case "boot":
      return "ringBoot()";
    case "command":
      return `ringCommand(${doing.counter})`;
    case "mark":
      return `ringMark(${doing.place})`;
  }
}

export function ringTally(one: RingCase): Tally {
  const { table, tears, deep } = one;
  const tally = noFaults();
  const slots = Math.floor((table.pageBytes - PAGE_HEADER) / table.ringSlotBytes);
  const filled = (one.pages + 1) * (slots - 1) - one.left;
  const first = (LAST_AT_START - filled + 1) & 0xffff;

  const base = flashWith(table, one.program);
  const filling = openRing(one, base) as RingBoard;
  filling.board.ask(`ringFill(${filled},${first})`);
  if (one.way === RING_IN_FILE) filling.board.ask(`require("Storage").write("state","${LAST_AT_START},0,0,")`);
  const [oldest, head] = [filling.oldest(), filling.head()];
  // Looked at are the oldest page and the newest two; all others are compared byte by byte.
  const lowEnd = Math.min(oldest + slots, head);
  const high = Math.max(lowEnd, head - slots);
  const isLooked = (place: number) => place < lowEnd || place >= high;
  const found = filling.look(lowEnd, high);
  const written = [Math.ceil(head / slots) - 1, Math.ceil(head / slots)].map((turn) => turn % table.ringPages);
  const untouched = untouchedOf(base);

  function untouchedOf(flash: VirtualFlash): Uint8Array {
    const all = flash.read(table.storagePages * table.pageBytes, table.storageAddress);
    const ring = table.dataAddress + table.ringOffset - table.storageAddress;
    for (const page of written) {
      const from = ring + page * table.pageBytes;
      all.fill(0, from, from + table.pageBytes);
    }
    return all;
  }

  /** With the ring of a board that is switched on; what throws, a word that is written too often among it, is dead. */
  function withRing(flash: VirtualFlash, run: (ring: RingBoard) => void): void {
    try {
      const ring = openRing(one, flash);
      if (ring === undefined) tally.dead++;
      else run(ring);
    } catch (error) {
      if (error instanceof PowerCut) throw error;
      tally.dead++;
    }
  }

  function work({ board }: RingBoard, told: Told, steps: readonly Step[]): void {
    for (const step of steps) {
      const doing = doingOf(step, told, 1000 + tally.cuts * 10 + told.head());
      told.begin(doing);
      const [now, place] = JSON.parse(board.ask(callOf(doing))) as [number, number?];
      told.done(now, place);
      tally.acknowledged++;
    }
  }

  function check(flash: VirtualFlash, ring: RingBoard, told: Told): void {
    addFaults(tally, told.check(ring.look(lowEnd, high), isLooked));
    if (!flash.storage.isValid()) tally.damaged++;
  }

  /** After a cut: what is there, and the next writes, with the power going in one of them when `again` says so. */
  function goOn(flash: VirtualFlash, told: Told, again: number, tear: Tear): void {
    const isCut = isCutIn(flash, again, tear, () => {
      withRing(flash, (ring) => {
        check(flash, ring, told);
        work(ring, told, FIRST_STEPS);
      });
    });
    if (!isCut) return;
    tally.cuts++;
    goOn(flash, told, Number.POSITIVE_INFINITY, tear);
  }

  function trial(operation: number, tear: Tear, again: number): { isCut: boolean; isErased: boolean } {
    const flash = base.copy();
    const told = createTold({ slots, pages: table.ringPages, found });
    const isCut = isCutIn(flash, operation, tear, () => withRing(flash, (ring) => work(ring, told, STEPS)));
    const isErased = flash.erasures().some((count) => count > 0);
    // False when the work is over before the operation comes.
    if (!isCut) return { isCut, isErased };
    tally.cuts++;
    goOn(flash, told, again, tear);
    withRing(flash, (ring) => check(flash, ring, told));
    if (Buffer.compare(untouchedOf(flash), untouched) !== 0) tally.damaged++;
    return { isCut, isErased };
  }

  function cutAt(operation: number, tear: Tear): { isCut: boolean; isErased: boolean } {
    const isDeep = tears.indexOf(tear) >= 0 && tears.indexOf(tear) < deep;
    const last = trial(operation, tear, isDeep ? Number.POSITIVE_INFINITY : 1 + (operation % AGAIN_MAX));
    if (last.isCut && isDeep) for (let again = 1; again <= AGAIN_MAX; again++) trial(operation, tear, again);
    return last;
  }

  let wasErased = false;
  for (let operation = 1; ; operation++) {
    const outcomes = tears.map((tear) => cutAt(operation, tear));
    if (outcomes.some(({ isCut }) => !isCut)) return tally;
    const isErased = outcomes.some((outcome) => outcome.isErased);
    if (isErased && !wasErased) for (const tear of markTears(table)) cutAt(operation, tear);
    wasErased = isErased;
  }
}
