import { beforeEach, describe, expect, test } from "vitest";
import { virtualClock } from "../../../../tests/virtual-clock.ts";
import { COPIES_MAX, createDedupe, FRAMES_MAX } from "./dedupe.ts";
import { airtimeMs } from "./eu868.ts";
import { createLedger, type Ledger, limitMs } from "./ledger.ts";
import { windowsOf } from "./windows.ts";

const clock = { ms: 0 };
let ledger: Ledger;
beforeEach(() => {
  clock.ms = 0;
  ledger = createLedger(() => clock.ms);
});

/** SF12 on 868.1 MHz, ten seconds apart. */
function book(
  part: { isAnswer?: boolean; frequencyHz?: number; stationId?: string; counterUs?: number; startMs?: number } = {},
) {
  const { isAnswer = false, frequencyHz = 868_100_000, stationId = "a" } = part;
  const counterUs = part.counterUs ?? (clock.ms * 1000) % 2 ** 32;
  const startMs = part.startMs ?? clock.ms;
  return ledger.book({ stationId, bytes: 12, frequencyHz, dataRate: 0, counterUs, startMs }, isAnswer);
}

function bookAll(part: Parameters<typeof book>[0] = {}): number {
  for (let count = 0; ; count++) {
    const booked = book(part);
    if (typeof booked === "string") return count;
    clock.ms += 10_000;
  }
}

describe("the ledger", () => {
  const each = airtimeMs(12, 0);

  test("gives 1 % of each hour and band, 10 % at 869.525 MHz, to each base station", () => {
    expect(bookAll()).toBe(Math.floor(36_000 / each));
    expect(book()).toBe("duty-cycle");
    expect(typeof book({ frequencyHz: 867_100_000 })).toBe("object");
    expect(typeof book({ stationId: "b" })).toBe("object");
    expect(limitMs("P")).toBe(360_000);
  });

  test("leaves a tenth to what is more than an answer", () => {
    expect(bookAll({ isAnswer: true })).toBe(Math.floor((0.9 * 36_000) / each));
    expect(typeof book()).toBe("object");
  });

  test("never holds more than its share in any hour, over a day of all that it lets through", () => {
    const sent: number[] = [];
    for (; clock.ms < 86_400_000; clock.ms += 7_000) if (typeof book() !== "string") sent.push(clock.ms);
    for (const from of sent) {
      const inHour = sent.filter((at) => at >= from && at < from + 3_600_000).length;
      expect(inHour * each).toBeLessThanOrEqual(36_000);
    }
    expect(sent.length * each).toBeGreaterThan(0.95 * 24 * 36_000);
  });

  test("holds what it read for no less than an hour since it was sent", () => {
    for (const sentMs of [0, 1, 59_999, 60_000, 61_234]) {
      for (const savedAfterMs of [0, 1, 30_000, 59_999, 60_001]) {
        for (const offMs of [0, 1, 59_999, 100_000]) {
          clock.ms = sentMs;
          const before = createLedger(() => clock.ms);
          before.book(
            { stationId: "a", bytes: 12, frequencyHz: 868_100_000, dataRate: 0, counterUs: 0, startMs: 0 },
            false,
          );
          clock.ms += savedAfterMs;
          const text = before.text("a", 1e12);
          // Another process, whose monotonic clock has another phase.
          clock.ms = 12_345;
          const after = createLedger(() => clock.ms);
          after.read("a", text, 1e12 + offMs);
          clock.ms += 3_599_999 - savedAfterMs - offMs;
          expect(after.rows().find(({ band }) => band === "M")?.usedMs).toBeGreaterThan(991);
          clock.ms += 180_000;
          expect(after.rows().find(({ band }) => band === "M")?.usedMs).toBe(0);
        }
      }
    }
  });

  test("plans one frame at a time, also where the counter wraps, and takes back", () => {
    const counterUs = 2 ** 32 - 100_000;
    const first = book({ counterUs });
    expect(book({ counterUs: 800_000 })).toBe("station-busy");
    expect(book({ counterUs: counterUs - 900_000 })).toBe("station-busy");
    expect(typeof book({ counterUs: 1_000_000 })).toBe("object");
    expect(typeof book({ counterUs: counterUs - 1_100_000 })).toBe("object");
    if (typeof first === "string") throw new Error(first);
    ledger.giveBack(first);
    expect(ledger.rows().find(({ band }) => band === "M")?.usedMs).toBeCloseTo(2 * each, 3);
    expect(typeof book({ counterUs: counterUs + 10 })).toBe("object");
  });
});

test("two base stations do not answer at once on one channel and rate", () => {
  const startMs = 5_000;
  expect(typeof book({ stationId: "a", startMs })).toBe("object");
  expect(book({ stationId: "b", startMs: startMs + 900 })).toBe("station-busy");
  expect(typeof book({ stationId: "b", startMs: startMs + 900, frequencyHz: 868_300_000 })).toBe("object");
  expect(typeof book({ stationId: "c", startMs: startMs + 1_100 })).toBe("object");
});

describe("copies of a frame", () => {
  const time = virtualClock(0);
  const phy = Uint8Array.of(1, 2, 3);
  function copy(stationId: string, snr: number, bytes = phy) {
    const reception = { stationId, rssi: -90, snr };
    return { phy: bytes, frequencyHz: 868_100_000, dataRate: 5, counterUs: 0, heardMs: time.monotonicMs(), reception };
  }

  test("come out once, the best first, each base station once", async () => {
    const frames: string[][] = [];
    const dedupe = createDedupe(time, (copies) => {
      frames.push(copies.map(({ reception }) => `${reception.stationId} ${reception.snr}`));
    });
    for (const [station, snr] of [
      ["a", -3],
      ["b", 9],
      ["a", 2],
      ["b", 1],
    ] as const)
      dedupe.take(copy(station, snr));
    await time.advance(199);
    dedupe.take(copy("c", 5));
    await time.advance(1);
    expect(frames).toEqual([["b 9", "c 5", "a 2"]]);
    expect(dedupe.take(copy("d", 12))).toBe("late-copy");
    await time.advance(1_500);
    expect(dedupe.take(copy("d", 12))).toBeUndefined();
    await time.advance(200);
    expect(frames[1]).toEqual(["d 12"]);
    dedupe.stop();
  });

  test("are held within limits", async () => {
    let copies = 0;
    const dedupe = createDedupe(time, (all) => {
      copies = Math.max(copies, all.length);
    });
    for (let i = 0; i < 100; i++) dedupe.take(copy(`s${i}`, i));
    for (let i = 1; i < FRAMES_MAX; i++) expect(dedupe.take(copy("a", 0, Uint8Array.of(i, i >> 8)))).toBeUndefined();
    expect(dedupe.take(copy("a", 0, Uint8Array.of(1, 1, 1, 1)))).toBe("too-many-frames");
    expect(dedupe.size()).toBe(FRAMES_MAX);
    await time.advance(200);
    expect([dedupe.size(), copies]).toEqual([0, COPIES_MAX]);
  });
});

test("windows: each base station with both, the best first, four base stations at most", () => {
  const copies = Array.from({ length: 6 }, (_, i) => {
    const reception = { stationId: `s${i}`, rssi: -90, snr: -10 - i };
    return {
      ...{ phy: new Uint8Array(), frequencyHz: 867_100_000, dataRate: i % 2 === 0 ? 0 : 4 },
      counterUs: 0,
      heardMs: 0,
      reception,
    };
  });
  const windows = windowsOf(copies, { rxDelayS: 5, rx2DataRate: 3 });
  expect(windows.map(({ stationId, name }) => `${stationId} ${name}`)).toEqual([
    ...["s0 rx2", "s0 rx1", "s1 rx1", "s1 rx2", "s2 rx2", "s2 rx1", "s3 rx1", "s3 rx2"],
  ]);
  expect(windows.slice(0, 2)).toMatchObject([
    { frequencyHz: 869_525_000, dataRate: 3, powerDbm: 27, untilMs: 5_800, payloadMax: 115 },
    { frequencyHz: 867_100_000, dataRate: 0, powerDbm: 14, untilMs: 4_800, payloadMax: 51 },
  ]);
  // A signal that the second window's rate could not follow.
  const weak = { ...copies[0], reception: { stationId: "s0", rssi: -130, snr: -24 } } as (typeof copies)[number];
  expect(windowsOf([weak], { rxDelayS: 5, rx2DataRate: 3 })[0]?.name).toBe("rx1");
});
