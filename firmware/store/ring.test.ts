import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeEvent } from "../../protocol/wire.ts";
import type { BoardTable } from "../boards/table.ts";
import type { FlashArea } from "../hal.ts";
import { createFlash, PowerCut, type VirtualFlash } from "../simulator/flash.ts";
import { NOWHERE, openRing, type Ring } from "./ring.ts";

const TABLE: BoardTable = {
  name: "small",
  storageAddress: 0,
  storagePages: 4,
  pageBytes: 512,
  dataAddress: 0,
  slots: 0,
  slotBytes: 0,
  configOffset: 0,
  ringOffset: 0,
  ringPages: 4,
  ringSlotBytes: 36,
  sampleMinutes: 1,
  variables: 1,
  modules: [],
};

function areaOf(flash: VirtualFlash): FlashArea {
  return {
    pageBytes: TABLE.pageBytes,
    pages: TABLE.ringPages,
    read: (offset, length) => flash.read(length, offset),
    write: (offset, bytes) => flash.write(bytes, offset),
    erase: (page) => flash.erasePage(page * TABLE.pageBytes),
  };
}

function frame(sequence: number): Uint8Array {
  return encodeEvent({
    sequence: sequence & 0xffff,
    time: 1_795_000_000 + sequence,
    flags: { clockSynced: true },
    event: "mains-lost",
    argument: 0,
  });
}

function sequencesOf(ring: Ring): number[] {
  const found: number[] = [];
  for (let record = ring.nextOpen(NOWHERE); record !== undefined; record = ring.nextOpen(ring.after(record.place))) {
    found.push(((record.frame[1] as number) << 8) | (record.frame[2] as number));
  }
  return found;
}

describe("the ring", () => {
  test("keeps records in order over restarts, oldest first, without those acknowledged", () => {
    const flash = createFlash(TABLE);
    const ring = openRing(areaOf(flash));
    const places = [1, 2, 3, 4].map((sequence) => ring.append(frame(sequence)));
    ring.acknowledge(places[1] as number);
    const again = openRing(areaOf(flash));
    expect(sequencesOf(again)).toEqual([1, 3, 4]);
    expect(again.lastSequence()).toBe(4);
    expect(again.findNewest(4, (found) => (found[2] as number) < 4)).toEqual(frame(3));
  });

  test("overwrites the oldest page when all are full, and counts what nobody had acknowledged", () => {
    const ring = openRing(areaOf(createFlash(TABLE)));
    for (let sequence = 0; sequence < 70; sequence++) ring.append(frame(sequence));
    const kept = sequencesOf(ring);
    expect(kept.at(-1)).toBe(69);
    expect(kept).toEqual([...kept].sort((a, b) => a - b));
    expect(kept.length + ring.overwritten()).toBe(70);
  });

  test("a power cut at any operation costs at most the record being written, and no number comes back", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer({ min: 0, max: 45 }),
        (cutAt, share, before) => {
          const flash = createFlash(TABLE);
          let ring = openRing(areaOf(flash));
          let last = -1;
          const stored = new Map<number, number>();
          const acked = new Set<number>();
          const write = (sequence: number) => {
            stored.set(sequence, ring.append(frame(sequence)));
            last = sequence;
            if (sequence % 3 === 0) {
              ring.acknowledge(stored.get(sequence) as number);
              acked.add(sequence);
            }
          };
          for (let i = 0; i < before; i++) write(last + 1);
          flash.cutAt(cutAt, share);
          try {
            for (let i = 0; i < 60; i++) write(last + 1);
          } catch (error) {
            if (!(error instanceof PowerCut)) throw error;
          }
          ring = openRing(areaOf(flash));
          const open = sequencesOf(ring);
          expect(ring.lastSequence()).toBeGreaterThanOrEqual(last);
          expect(ring.lastSequence()).toBeLessThanOrEqual(last + 1);
          // A record that was told of as stored is there, unless its page was needed since.
          const oldest = open[0] ?? 0;
          for (const sequence of stored.keys())
            if (sequence > oldest && !acked.has(sequence) && sequence % 3 !== 0) expect(open).toContain(sequence);
          for (const sequence of acked) expect(open).not.toContain(sequence);
          write(ring.lastSequence() + 1);
          expect(sequencesOf(ring).at(-1) === last || acked.has(last)).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
  });
});
