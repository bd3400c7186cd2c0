import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32 } from "../../protocol/wire.ts";
import { noFaults } from "../../tests/fault/devicepowercut-board.ts";
import { createTold, type Doing, oldestOf, type Seen, type Told } from "../../tests/fault/devicepowercut-told.ts";
import type { BoardTable } from "../boards/table.ts";
import type { FlashArea } from "../hal.ts";
import { createFlash, PowerCut, type Tear, type VirtualFlash } from "../simulator/flash.ts";
import { createRing, type Place, type Ring, SLOT_OVERHEAD, STATE_HEAD } from "./ring.ts";

const PAGES = 3;
const SLOT_BYTES = 20;
/** Chip's own flash: no word is written more than twice, no block of 512 bytes more than 181 times. */
const TABLE: BoardTable = {
  name: "mdbt42q",
  storageAddress: 0,
  storagePages: PAGES,
  pageBytes: 512,
  dataAddress: 0,
  slots: 0,
  slotBytes: 0,
  configOffset: 0,
  ringOffset: 0,
  ringPages: PAGES,
  ringSlotBytes: SLOT_BYTES,
  sampleMinutes: 1,
  variables: 1,
  modules: [],
};
const HEADER = 8;
const SLOTS = Math.floor((TABLE.pageBytes - HEADER) / SLOT_BYTES);
/** A page begins with the state: so many records fit. */
const LAP = PAGES * (SLOTS - 1);
const BOOT_AT = 3;
const COUNTER_AT = 5;

function areaOf(flash: VirtualFlash, pages = PAGES): FlashArea & { reads: number } {
  const area = {
    reads: 0,
    pageBytes: TABLE.pageBytes,
    pages,
    read: (offset: number, length: number) => {
      area.reads++;
      return flash.read(length, offset);
    },
    write: (offset: number, bytes: Uint8Array) => flash.write(bytes, offset),
    erase: (page: number) => flash.erasePage(page * TABLE.pageBytes),
  };
  return area;
}

function recovered(flash: VirtualFlash): Ring {
  const ring = createRing(areaOf(flash), SLOT_BYTES, crc32);
  while (!ring.recover());
  return ring;
}

function sample(sequence: number, kind = 1): Uint8Array {
  const rest = Array.from({ length: 9 }, (_, i) => (sequence * 7 + i * 31) & 255);
  return Uint8Array.of(0x10 | kind, sequence >> 8, sequence, ...rest);
}

function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function put(ring: Ring, at: number, value: number): void {
  ring.state[at] = value >> 8;
  ring.state[at + 1] = value;
  ring.save();
}

function append(ring: Ring): Place {
  return ring.append(sample(ring.next()));
}

/** Places with a record that is no state, oldest first. */
function placesOf(ring: Ring, isAll: boolean): Place[] {
  const found: Place[] = [];
  for (let place = ring.oldest(); place < ring.head(); place++) {
    const frame = ring.read(place, isAll);
    if (frame !== undefined && frame[0] !== STATE_HEAD) found.push(place);
  }
  return found;
}

function sequencesOf(ring: Ring, isAll = false): number[] {
  return placesOf(ring, isAll).map((place) => u16(ring.read(place, isAll) as Uint8Array, 1));
}

function filled(records: number): VirtualFlash {
  const flash = createFlash(TABLE);
  const ring = recovered(flash);
  for (let i = 0; i < records; i++) append(ring);
  return flash;
}

describe("the ring", () => {
  test("gives records in order over restarts, oldest first", () => {
    const flash = createFlash(TABLE);
    for (let boot = 0; boot < 3; boot++) {
      const ring = recovered(flash);
      for (let i = 0; i < 4; i++) append(ring);
    }
    expect(sequencesOf(recovered(flash))).toEqual(Array.from({ length: 12 }, (_, i) => i));
  });

  test("what is acknowledged is marked and stays: never open again, readable with everything", () => {
    const flash = createFlash(TABLE);
    const ring = recovered(flash);
    const places = Array.from({ length: 5 }, () => append(ring));
    const erasures = () => flash.erasures().reduce((sum, one) => sum + one, 0);
    const before = erasures();
    ring.mark(places[1] as Place);
    ring.mark(places[3] as Place);
    const operations = flash.operations();
    ring.mark(places[3] as Place);
    expect(flash.operations()).toBe(operations);
    expect(erasures()).toBe(before);
    for (const one of [ring, recovered(flash)]) {
      expect(sequencesOf(one)).toEqual([0, 2, 4]);
      expect(sequencesOf(one, true)).toEqual([0, 1, 2, 3, 4]);
    }
  });

  test("a mark for a place that is no longer or not yet there writes nothing", () => {
    const flash = createFlash(TABLE);
    const ring = recovered(flash);
    const first = append(ring);
    for (let i = 0; i < LAP; i++) append(ring);
    const operations = flash.operations();
    for (const place of [first, ring.oldest() - 1, ring.head(), ring.head() + 1]) {
      ring.mark(place);
      expect(ring.read(place, true)).toBeUndefined();
    }
    expect(flash.operations()).toBe(operations);
  });

  test("a page turn erases the oldest page only, and the new one begins with the state", () => {
    const flash = filled(LAP);
    const ring = recovered(flash);
    expect(ring.head() % SLOTS).toBe(0);
    expect(sequencesOf(ring)).toEqual(Array.from({ length: LAP }, (_, i) => i));
    const before = [...flash.erasures()];
    append(ring);
    expect(flash.erasures().map((count, page) => count - (before[page] as number))).toEqual([0, 1, 0]);
    expect(ring.read(ring.head() - 2, true)?.[0]).toBe(STATE_HEAD);
    expect(sequencesOf(ring)).toEqual(Array.from({ length: LAP + 1 - (SLOTS - 1) }, (_, i) => i + SLOTS - 1));
  });

  test("state and sequence survive any number of page turns and restarts", () => {
    const flash = createFlash(TABLE);
    let ring = recovered(flash);
    put(ring, BOOT_AT, 777);
    put(ring, COUNTER_AT, 54_321);
    for (let i = 0; i < 5 * LAP; i++) {
      append(ring);
      if (i % 13 === 0) ring = recovered(flash);
      expect([u16(ring.state, BOOT_AT), u16(ring.state, COUNTER_AT), ring.next()]).toEqual([777, 54_321, i + 1]);
    }
  });

  test("the state at the beginning of a page has the last sequence, also when nothing follows it", () => {
    for (const fill of [LAP, 2 * LAP - (SLOTS - 1)]) {
      const flash = filled(fill);
      const ring = recovered(flash);
      ring.save();
      expect(ring.head() % SLOTS).toBe(1);
      expect(recovered(flash).next()).toBe(fill);
      const cut = filled(fill);
      cut.cutAt(4, 0.5);
      expect(() => append(recovered(cut))).toThrow(PowerCut);
      expect(recovered(cut).next()).toBe(fill);
    }
  });

  test("a sequence that was used does not come back, at any place in a page", () => {
    const flash = createFlash(TABLE);
    let last = -1;
    for (let i = 0; i < 2 * LAP; i++) {
      const ring = recovered(flash);
      const next = i % 3 > 0 ? ring.use() : u16(ring.read(append(ring), false) as Uint8Array, 1);
      expect(next).toBe(last + 1);
      last = next;
    }
  });

  test("sequences go on with 0 behind 65535", () => {
    const flash = createFlash(TABLE);
    let ring = recovered(flash);
    ring.append(sample(65_533));
    expect([ring.use(), ring.next()]).toEqual([65_534, 65_535]);
    append(ring);
    ring = recovered(flash);
    expect([ring.next(), ring.use()]).toEqual([0, 0]);
    expect(recovered(flash).next()).toBe(1);
  });

  test("a frame of the slot's bytes less its overhead fits, one more does not", () => {
    const flash = createFlash(TABLE);
    const ring = recovered(flash);
    const frame = Uint8Array.from({ length: SLOT_BYTES - SLOT_OVERHEAD }, (_, i) => (i === 0 ? 0x11 : 200 + i));
    const place = ring.append(frame);
    expect(ring.read(place, false)).toEqual(frame);
    expect(recovered(flash).read(place, false)).toEqual(frame);
    const before = flash.operations();
    expect(() => ring.append(new Uint8Array(SLOT_BYTES))).toThrow();
    expect(flash.operations()).toBe(before);
  });

  test("the newest report is found behind events and states, and the boot in which it was stored", () => {
    const flash = createFlash(TABLE);
    const ring = recovered(flash);
    expect(ring.newest()).toBeUndefined();
    put(ring, BOOT_AT, 0x0305);
    append(ring);
    put(ring, BOOT_AT, 0x0306);
    for (let i = 0; i < SLOTS; i++) ring.append(sample(ring.next(), 4));
    const again = recovered(flash);
    const newest = again.newest() as Uint8Array;
    expect(newest).toEqual(sample(0));
    expect(again.bootOf(newest)).toBe(5);
    expect(again.bootOf(again.read(again.head() - 1, false) as Uint8Array)).toBe(6);
  });

  test("the share of pages that hold records grows to all of them", () => {
    const shares = [0, 1, SLOTS, 2 * SLOTS, 5 * LAP].map((records) => recovered(filled(records)).usedPct());
    expect(shares).toEqual([0, 33, 66, 100, 100]);
  });
});

describe("recovery", () => {
  /** Two looks, and the page that is next. */
  const READS_MAX = 3;
  const HALVINGS = Math.ceil(Math.log2(SLOTS)) + 1;
  /** A look at each page, at each half of the newest one, and back over the records of no more than three. */
  const CALLS_MAX = Math.ceil((TABLE.ringPages + HALVINGS + 3 * SLOTS) / 2) + 1;

  test("is right for every number of records over several laps, in turns of bounded length", () => {
    const flash = createFlash(TABLE);
    const ring = recovered(flash);
    const told: Place[] = [];
    for (let records = 0; records <= 4 * LAP; records++) {
      const area = areaOf(flash);
      const again = createRing(area, SLOT_BYTES, crc32);
      for (let isDone = false, calls = 0; !isDone; calls++) {
        area.reads = 0;
        isDone = again.recover();
        expect(area.reads).toBeLessThanOrEqual(READS_MAX);
        expect(calls).toBeLessThan(CALLS_MAX);
      }
      expect([again.head(), again.oldest(), again.next()]).toEqual([ring.head(), ring.oldest(), records & 0xffff]);
      expect(placesOf(again, false)).toEqual(told.filter((place) => place >= ring.oldest()));
      told.push(append(ring));
    }
  });

  test("finds the state behind two pages of writes that were all torn", () => {
    const flash = createFlash(TABLE);
    put(recovered(flash), COUNTER_AT, 4711);
    for (let i = 0; i < 5; i++) append(recovered(flash));
    const torn = 2 * SLOTS + 3 - recovered(flash).head() + SLOTS;
    for (let cuts = 0; cuts < torn; cuts++) {
      const ring = recovered(flash);
      // Erasure and header of a page come before its state.
      flash.cutAt(ring.head() % SLOTS === 0 ? 3 : 1, 0.5);
      expect(() => put(ring, BOOT_AT, cuts)).toThrow(PowerCut);
    }
    const ring = recovered(flash);
    expect(ring.head()).toBe(3 * SLOTS + 3);
    expect([u16(ring.state, COUNTER_AT), ring.next()]).toEqual([4711, 5]);
  });
});

describe("a record with wrong bytes", () => {
  test("is none, whichever bit or byte of it is wrong", () => {
    const flash = createFlash(TABLE);
    const place = append(recovered(flash));
    const page = Math.floor(place / SLOTS) % PAGES;
    const at = page * TABLE.pageBytes + HEADER + (place % SLOTS) * SLOT_BYTES;
    let flips: { at: number; value: number } | undefined;
    const area = areaOf(flash);
    const ring = createRing(
      {
        ...area,
        read: (offset, length) => {
          const bytes = area.read(offset, length);
          if (flips !== undefined && offset === at) bytes[flips.at] = flips.value;
          return bytes;
        },
      },
      SLOT_BYTES,
      crc32,
    );
    while (!ring.recover());
    const right = flash.read(SLOT_BYTES, at);
    // Byte 3 is the mark: any bit of it that is cleared is one.
    for (let byte = 0; byte < SLOT_BYTES; byte++) {
      for (let value = 0; value < 256; value++) {
        flips = { at: byte, value };
        const isRight = value === right[byte];
        expect(ring.read(place, false) !== undefined).toBe(isRight);
        expect(ring.read(place, true) !== undefined).toBe(isRight || byte === 3);
      }
    }
  });

  test("is none, whichever bytes of the slot are there instead", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: SLOT_BYTES, maxLength: SLOT_BYTES }), (bytes) => {
        const flash = createFlash(TABLE);
        const ring = recovered(flash);
        const place = append(ring);
        const area = areaOf(flash);
        const other = createRing(
          { ...area, read: (offset, length) => (length === SLOT_BYTES ? bytes.slice() : area.read(offset, length)) },
          SLOT_BYTES,
          crc32,
        );
        while (!other.recover());
        expect(other.read(place, true)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});

/** A device at its ring, and what it was told. */
interface Trial {
  readonly flash: VirtualFlash;
  ring: Ring;
  readonly told: Told;
}

/** A ring with so many samples, of which every third is marked. */
function begin(start: number, samples: number): Trial {
  const flash = createFlash(TABLE);
  const ring = recovered(flash);
  const nothing: Seen = { next: start, boot: 0, counter: 0, head: SLOTS, records: [] };
  const told = createTold({ slots: SLOTS, pages: PAGES, found: nothing });
  const trial = { flash, ring, told };
  for (let i = 0; i < samples; i++) {
    told.begin({ kind: "sample" });
    const place = ring.append(sample((start + i) & 0xffff));
    told.done(ring.head(), place);
    if (i % 3 === 0) doIt(trial, { kind: "mark", place });
  }
  return trial;
}

function doIt({ ring, told }: Trial, doing: Doing): void {
  let place: Place | undefined;
  told.begin(doing);
  if (doing.kind === "sample") place = append(ring);
  else if (doing.kind === "use") ring.use();
  else if (doing.kind === "mark") ring.mark(doing.place);
  else if (doing.kind === "boot") put(ring, BOOT_AT, u16(ring.state, BOOT_AT) + 1);
  else put(ring, COUNTER_AT, doing.counter);
  told.done(ring.head(), place);
}

function seenOf(ring: Ring): Seen {
  const records = placesOf(ring, true).map((place) => {
    const frame = ring.read(place, true) as Uint8Array;
    const sequence = u16(frame, 1);
    const isRight = Buffer.compare(frame, sample(sequence)) === 0;
    return { place, sequence, isRight, isOpen: ring.read(place, false) !== undefined };
  });
  const { state } = ring;
  return { next: ring.next(), boot: u16(state, BOOT_AT), counter: u16(state, COUNTER_AT), head: ring.head(), records };
}

/** The power is back: what is found fits what was told, and the next things can be written. */
function check(trial: Trial): void {
  trial.ring = recovered(trial.flash);
  expect(trial.told.check(seenOf(trial.ring), () => true)).toEqual(noFaults());
}

/** True when the power went in it. */
function isCut(trial: Trial, doing: Doing, operation: number, tear: Tear): boolean {
  trial.flash.cutAt(operation, tear);
  try {
    doIt(trial, doing);
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
    return true;
  }
  trial.flash.cutAt(Number.POSITIVE_INFINITY, tear);
  return false;
}

const tears: fc.Arbitrary<Tear> = fc.record({
  share: fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }),
    // An edge at the first bytes of a slot, of an erasure.
    fc.tuple(fc.nat(SLOTS - 1), fc.nat(4)).map(([slot, byte]) => (HEADER + slot * SLOT_BYTES + byte) / TABLE.pageBytes),
  ),
  grain: fc.constantFrom(1, 4),
  isFromEnd: fc.boolean(),
  edgeBits: fc.nat(255),
});

const KINDS = ["sample", "sample", "sample", "mark", "mark", "use", "boot", "command"] as const;

function doingOf(kind: (typeof KINDS)[number], pick: number, { told }: Pick<Trial, "told">): Doing {
  if (kind === "command") return { kind, counter: pick & 0xffff };
  if (kind !== "mark") return { kind };
  const open = told.open();
  return open.length === 0 ? { kind: "sample" } : { kind, place: open[pick % open.length] as Place };
}

describe("power cuts", () => {
  test("in any operation and torn in any way cost at most the record being written", () => {
    const step = fc.record({
      kind: fc.constantFrom(...KINDS),
      pick: fc.nat(0xffff),
      cut: fc.option(fc.record({ operation: fc.integer({ min: 1, max: 4 }), tear: tears }), { freq: 3 }),
    });
    const start = fc.constantFrom(0, 65_500);
    const fill = fc.integer({ min: 1, max: 2 * LAP });
    fc.assert(
      fc.property(start, fill, fc.array(step, { minLength: 1, maxLength: 40, size: "max" }), (first, before, steps) => {
        const trial = begin(first, before);
        for (const { kind, pick, cut } of steps) {
          const doing = doingOf(kind, pick, trial);
          if (cut === null) doIt(trial, doing);
          else if (isCut(trial, doing, cut.operation, cut.tear)) check(trial);
        }
        check(trial);
        for (const kind of ["boot", "sample", "use"] as const) doIt(trial, { kind });
        check(trial);
      }),
      { numRuns: 400 },
    );
  });

  test("in an erasure leave nothing marked open, whichever byte it has come to", () => {
    for (let edge = 0; edge <= TABLE.pageBytes; edge++) {
      for (const edgeBits of [0, 0x5a, 0xfe]) {
        const trial = begin(0, LAP);
        const isFromEnd = edgeBits === 0x5a && edge % 2 === 0;
        const tear: Tear = { share: edge / TABLE.pageBytes, grain: 1, isFromEnd, edgeBits };
        expect(isCut(trial, { kind: "sample" }, 1, tear)).toBe(true);
        check(trial);
        doIt(trial, { kind: "sample" });
        check(trial);
      }
    }
  });

  test("in every operation of a lap, and in every one of what comes next", () => {
    const every: Tear[] = [0, 0.3, 0.7, 1].flatMap((share) =>
      [false, true].map((isFromEnd) => ({
        share,
        grain: isFromEnd ? (4 as const) : (1 as const),
        isFromEnd,
        edgeBits: 90,
      })),
    );
    const kinds = ["sample", "mark", "sample", "use", "sample", "command", "sample", "mark", "boot"] as const;
    for (let records = 1; records < LAP + SLOTS; records++) {
      const kind = kinds[records % kinds.length] as (typeof kinds)[number];
      for (const tear of [every[records % every.length], every[(records * 3 + 1) % every.length]] as Tear[]) {
        for (let operation = 1; ; operation++) {
          const trial = begin(0, records);
          if (!isCut(trial, doingOf(kind, records, trial), operation, tear)) break;
          check(trial);
          if (isCut(trial, { kind: "boot" }, 1 + (operation % 4), tear)) check(trial);
          doIt(trial, { kind: "sample" });
          check(trial);
        }
      }
    }
  });
});

test("the oldest page is the one behind the newest", () => {
  expect([SLOTS, SLOTS + 1, 4 * SLOTS, 4 * SLOTS + 1].map((head) => oldestOf(head, SLOTS, PAGES))).toEqual([
    SLOTS,
    SLOTS,
    SLOTS,
    2 * SLOTS,
  ]);
});
