import { describe, expect, test } from "vitest";
import { backlogRowOf, createBacklogEncoder } from "../../protocol/wire.ts";
import { areaOf, createBench, decoded, flashOf, ringOf, SLOW, sequenceOf } from "../../tests/fixtures-device.ts";
import { createRandom } from "../simulator/random.ts";
import type { Place, Ring } from "../store/ring.ts";
import { putCodes, putHeader, reportBytes } from "./frames.ts";
import { createHistory } from "./history.ts";
import { BUCKET, createThinning, isTooSlow } from "./thinning.ts";

const GROUPS = 1;
const ROW = backlogRowOf(GROUPS);
const PAGES = 16;
const FAST = { costS: () => 0 };

interface Sample {
  codes: readonly number[];
  readonly flags: number;
}

function store(ring: Ring, samples: readonly Sample[]): Place[] {
  return samples.map(({ codes, flags }) => {
    const frame = new Uint8Array(reportBytes(ROW));
    putHeader(frame, 1, ring.next(), 1000 + ring.next() * 60, flags);
    putCodes(frame, GROUPS, ROW, Uint16Array.from([15, ...codes]));
    return ring.append(frame);
  });
}

/** The samples that are kept of all in the ring, by their index. */
function keptOf(samples: readonly Sample[]): number[] {
  const ring = ringOf(flashOf(PAGES), PAGES);
  const places = store(ring, samples);
  const thinning = createThinning(ring, ROW, FAST);
  const kept = places.flatMap((place, i) => {
    while (!thinning.prepare(place));
    return thinning.keeps(place) ? [i] : [];
  });
  expect(thinning.count()).toBe(samples.length - kept.length);
  return kept;
}

function quiet(count: number): Sample[] {
  const random = createRandom(7);
  return Array.from({ length: count }, () => ({
    codes: [Math.floor(random.between(300, 700)), 1, 1, 1023, Math.floor(random.between(120, 130))],
    flags: 128,
  }));
}

describe("thinning", () => {
  test("leaves out most of a quiet day, and the same every time", () => {
    const samples = quiet(400);
    const kept = keptOf(samples);
    expect(kept.length).toBeLessThan(80);
    expect(keptOf(samples)).toEqual(kept);
  });

  test("keeps the least and the most of each number, wherever they lie", () => {
    const samples = quiet(400);
    for (const [at, level] of [
      [57, 10],
      [130, 990],
      [399, 5],
    ] as const) {
      (samples[at] as Sample).codes = [level, 1, 1, 1023, 125];
    }
    (samples[222] as Sample).codes = [500, 1, 1, 1023, 20];
    const kept = keptOf(samples);
    for (const at of [57, 130, 399, 222]) expect(kept).toContain(at);
  });

  test("keeps every sample at which a word or a flag changed", () => {
    const samples = quiet(400).map((one, i) => ({
      codes: [one.codes[0] as number, i >= 101 && i < 140 ? 3 : 1, i >= 203 ? 0 : 1, 1023, 125],
      flags: i >= 307 && i < 309 ? 128 + 16 : 128,
    }));
    const kept = keptOf(samples);
    for (const at of [101, 140, 203, 307, 309]) expect(kept).toContain(at);
  });

  test("keeps the most of the values also when some samples have none", () => {
    const samples = quiet(400);
    (samples[70] as Sample).codes = [1022, 1, 1, 1023, 125];
    (samples[83] as Sample).codes = [999, 1, 1, 1023, 125];
    const kept = keptOf(samples);
    expect(kept).toContain(70);
    expect(kept).toContain(83);
  });

  test("looks at no more than one record a turn", () => {
    const flash = flashOf(PAGES);
    const ring = ringOf(flash, PAGES);
    const places = store(ring, quiet(200));
    let reads = 0;
    const read: Ring["read"] = (place, isAll) => {
      reads++;
      return ring.read(place, isAll);
    };
    const counting: Ring = { ...ring, read };
    const thinning = createThinning(counting, ROW, FAST);
    let turns = 0;
    for (;;) {
      const before = reads;
      turns++;
      const isDone = thinning.prepare(places[100] as Place);
      expect(reads - before).toBeLessThanOrEqual(1);
      if (isDone) break;
    }
    expect(turns).toBeLessThanOrEqual(BUCKET + 1);
    expect(areaOf(flash, PAGES).pages).toBe(PAGES);
  });
});

test("a link is too slow when all of it would take more than a day", () => {
  const link = { costS: (bytes: number) => bytes * 2 };
  const fits = Math.floor((24 * 3600 * 51) / 7 / 102);
  expect(isTooSlow(link, fits)).toBe(false);
  expect(isTooSlow(link, fits + 1)).toBe(true);
  expect(isTooSlow({ costS: () => 0 }, 1e6)).toBe(false);
});

describe("a frame leaves out only what lies between two samples that it holds", () => {
  /** Places of the first and the last sample that each frame stands for, by index. */
  function runsOf(isKept: (index: number) => boolean): [number, number][] {
    const ring = ringOf(flashOf(PAGES), PAGES);
    const places = store(ring, quiet(200));
    for (const place of places.slice(60, 80)) ring.mark(place);
    const history = createHistory({
      ring,
      encoder: createBacklogEncoder(ROW, 242),
      groupBits: GROUPS,
      uptime: () => 0,
      stamp: (out, kind, sequence) => putHeader(out, kind, sequence, 0, 128),
      intervalS: () => 60,
      skip: (place) => place,
      event: () => true,
      thinning: {
        isDue: () => true,
        prepare: () => true,
        keeps: (place) => isKept(places.indexOf(place)),
        count: () => 0,
      },
      isStill: () => false,
    });
    const runs: [number, number][] = [];
    for (let turns = 0; turns < 2000; turns++) {
      if (history.step(242)) continue;
      const made = history.ready();
      if (made === undefined) break;
      runs.push([places.indexOf(history.first()), places.indexOf(history.until() - 1)]);
      history.gone();
    }
    return runs;
  }

  test("it ends with its last sample, and what it met behind that begins the next", () => {
    expect(runsOf((index) => index === 30 || index === 199)).toEqual([[0, 199]]);
    expect(runsOf((index) => index === 30 || index === 197)).toEqual([
      [0, 197],
      [198, 198],
      [199, 199],
    ]);
  });
});

test("a frame over a link that is too slow says that it is thinned, and what is kept arrives as it was stored", () => {
  const it = createBench({
    groups: GROUPS,
    link: { ...SLOW, costS: 0.2 },
    codes: (nowS) => [400 + (Math.floor(nowS / 60) % 97), 1, 1, 1023, 127],
    wire: (ring, row) => ({ thinning: { ...createThinning(ring, row, FAST), isDue: (samples) => samples > 120 } }),
  });
  it.run(600);
  it.setLink({ isUp: false });
  it.run(7 * 3600);
  it.setLink({ isUp: true });
  it.run(4 * 3600);
  const frames = it.backlogs();
  expect(frames.some((one) => one.thinned)).toBe(true);
  const reports = it.stored().filter(({ frame }) => decoded(frame).kind === "report");
  const there = reports.filter(({ frame }) => it.gateway.records.has(sequenceOf(frame)));
  expect(there.length).toBeGreaterThan(100);
  expect(there.length).toBeLessThan(reports.length - 100);
  expect(reports.filter((one) => !one.isMarked).length).toBeLessThanOrEqual(4);
});
