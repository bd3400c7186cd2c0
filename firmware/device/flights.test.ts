import { describe, expect, test } from "vitest";
import { ANSWER_S_MAX } from "./clock.ts";
import { createFlights, type Flight } from "./flights.ts";

/** Bit of an ack frame for the sequences given, from a base. */
function bitmapOf(base: number, sequences: readonly number[]): number {
  return sequences.reduce((bits, one) => (bits | (1 << (31 - ((one - base) & 0xffff)))) >>> 0, 0);
}

function bench(most = 8) {
  const lost: number[] = [];
  const stored: number[] = [];
  const flights = createFlights(most, (flight) => lost.push(flight.sequence));
  return {
    flights,
    lost,
    stored,
    send: (sequence: number, nowS = 0, asks = false) => flights.add(sequence, sequence, sequence + 1, nowS, asks),
    ack: (base: number, sequences: readonly number[], nowS = 0) =>
      flights.acknowledge(base, bitmapOf(base, sequences), nowS, (flight: Flight) => stored.push(flight.sequence)),
  };
}

describe("an ack frame", () => {
  test("has an age only when it names the last frame sent: another one may have waited for its window", () => {
    const it = bench();
    it.send(10, 100);
    it.send(11, 110);
    it.send(12, 120);
    expect(it.ack(10, [11], 125)).toBeGreaterThan(1_000);
    expect(it.ack(10, [12], 126)).toBe(6);
  });

  test("has no age when it names a frame that went before: it may answer the first time", () => {
    const it = bench();
    it.send(65_534, 100);
    expect(it.ack(65_534, [65_534], 106)).toBe(6);
    it.send(2, 110);
    expect(it.ack(2, [], 111)).toBe(-1);
    it.flights.lose();
    it.send(2, 130);
    expect(it.ack(2, [2], 136)).toBeGreaterThan(ANSWER_S_MAX);
    // An event that has waited may have gone at the last boot.
    it.send(1, 140);
    expect(it.ack(1, [1], 140)).toBeGreaterThan(ANSWER_S_MAX);
    it.send(3, 150);
    expect(it.ack(3, [3], 156)).toBe(6);
  });

  test("takes out what it names", () => {
    const it = bench();
    it.send(10, 100);
    it.send(11, 110);
    it.send(12, 120);
    expect(it.ack(10, [10, 11], 125)).toBeGreaterThan(0);
    expect([...it.stored].sort()).toEqual([10, 11]);
    expect(it.lost).toEqual([]);
    expect(it.flights.count()).toBe(1);
  });

  test("leaves an old event that went behind new frames to the one beside it", () => {
    const it = bench();
    it.send(134, 100);
    it.send(12, 101);
    it.send(135, 102);
    it.ack(104, [134, 135], 103);
    expect(it.lost).toEqual([]);
    it.ack(12, [12], 103);
    expect(it.stored).toEqual([135, 134, 12]);
  });

  test("that names nothing that is under way says nothing, and makes no holes", () => {
    const it = bench();
    it.send(10);
    expect(it.ack(5, [5, 6, 7], 1)).toBe(-1);
    expect(it.ack(10, [], 1)).toBe(-1);
    expect(it.ack(10, [10], 1)).toBe(1);
    expect(it.ack(10, [10], 2)).toBe(-1);
    expect(it.lost).toEqual([]);
  });

  test("is too narrow for an old event among new frames: once nothing beside it names that, it is a hole too", () => {
    const it = bench();
    // An event of the outage, sent before its history was: their sequences are far apart.
    it.send(12, 100);
    it.send(134, 130);
    it.ack(134, [134], 135);
    expect(it.lost).toEqual([]);
    it.send(135, 200);
    it.ack(134, [134, 135], 205);
    expect(it.lost).toEqual([12]);
    expect(it.flights.count()).toBe(0);
  });

  test("makes holes of what was sent before something that it names, and of nothing sent afterwards", () => {
    const it = bench();
    for (const sequence of [10, 11, 12, 13]) it.send(sequence);
    it.ack(10, [10, 12]);
    expect([...it.stored].sort()).toEqual([10, 12]);
    expect(it.lost).toEqual([11]);
    expect(it.flights.count()).toBe(1);
  });

  test("goes by the order of sending, not of sequences: an old record sent last is no hole", () => {
    const it = bench();
    it.send(20);
    it.send(5);
    it.ack(0, [20]);
    expect(it.lost).toEqual([]);
    it.send(21);
    it.ack(0, [21]);
    expect(it.lost).toEqual([5]);
  });

  test("says nothing of what lies outside its 32 sequences", () => {
    const it = bench();
    it.send(9);
    it.send(41);
    it.send(42);
    it.ack(10, [41]);
    expect(it.stored).toEqual([41]);
    expect(it.lost).toEqual([]);
    expect(it.flights.count()).toBe(2);
  });

  test("names the first and the last of its 32, also over the wrap of sequences", () => {
    const it = bench();
    it.send(65520);
    it.send(65535);
    it.send(0);
    it.send(15);
    expect(it.ack(65520, [65520, 65535, 0, 15], 7)).toBe(7);
    expect(new Set(it.stored)).toEqual(new Set([65520, 65535, 0, 15]));
  });
});

describe("an answer that stays out", () => {
  test("is judged only when two further uplinks have gone after the frame that asked", () => {
    const it = bench();
    it.send(1, 0, true);
    expect(it.flights.judge(1000, 0)).toBe(false);
    it.send(2, 10);
    expect(it.flights.judge(1000, 0)).toBe(false);
    it.send(3, 20);
    expect(it.lost).toEqual([]);
    expect(it.flights.judge(1000, 0)).toBe(true);
    expect(it.lost).toEqual([1]);
    expect(it.flights.count()).toBe(2);
  });

  test("is judged only when the time for an answer is over as well", () => {
    const it = bench();
    it.send(1, 100, true);
    it.send(2, 101);
    it.send(3, 102);
    expect(it.flights.judge(129, 30)).toBe(false);
    expect(it.flights.judge(130, 30)).toBe(true);
  });

  test("takes with it what was sent before the frame that asked, and nothing that came after", () => {
    const it = bench();
    it.send(1, 0);
    it.send(2, 1, true);
    it.send(3, 2, true);
    it.send(4, 3);
    expect(it.flights.judge(60, 30)).toBe(true);
    expect(it.lost).toEqual([1, 2]);
    expect(it.flights.judge(60, 30)).toBe(false);
  });

  test("is never judged when nothing asked, or when the answer has come", () => {
    const it = bench();
    for (const sequence of [1, 2, 3, 4]) it.send(sequence);
    expect(it.flights.judge(1000, 0)).toBe(false);
    it.send(5, 0, true);
    it.ack(1, [1, 2, 3, 4, 5]);
    for (const sequence of [6, 7, 8]) it.send(sequence);
    expect(it.flights.judge(1000, 0)).toBe(false);
    expect(it.lost).toEqual([]);
  });
});

describe("what is under way", () => {
  test("is bounded: at the limit nothing is lost, one above it the oldest is", () => {
    const it = bench(3);
    for (const sequence of [1, 2, 3]) it.send(sequence);
    expect(it.lost).toEqual([]);
    it.send(4);
    expect(it.lost).toEqual([1]);
    expect(it.flights.count()).toBe(3);
  });

  test("is lost all at once when the link is, and one by one when a frame could not leave", () => {
    const it = bench();
    for (const sequence of [1, 2, 3]) it.send(sequence);
    it.flights.lose(2);
    expect(it.lost).toEqual([2]);
    it.flights.lose();
    expect(it.lost).toEqual([2, 1, 3]);
    expect(it.flights.count()).toBe(0);
  });

  test("is stepped over by place, range by range", () => {
    const it = bench();
    it.flights.add(50, 100, 120, 0, true);
    it.flights.add(51, -1, -1, 0, true);
    expect(it.flights.behind(99)).toBe(99);
    expect(it.flights.behind(100)).toBe(120);
    expect(it.flights.behind(119)).toBe(120);
    expect(it.flights.behind(120)).toBe(120);
  });
});
