// Clocks that were never set, or set wrong: where records are placed, and what is refused all the same.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { encodeEvent } from "../../protocol/index.ts";
import { checkedBacklog, sampleFrame } from "../../tests/backlog-frames.ts";
import { checkedFrame, NOON_MS, temporaryFolder } from "../../tests/fixtures.ts";
import { systemClock } from "../clock.ts";
import type { CheckedFrame } from "../domain/record.ts";
import { FIRST_CYCLE_BASE as BASE } from "../domain/sequence.ts";
import type { EntryOutcome } from "./changes.ts";
import { openReaderFile } from "./file.ts";
import { type OpenWriter, openWriter } from "./open-writer.ts";

const NOON_S = NOON_MS / 1000;
const DAY_S = 86_400;
let folder: ReturnType<typeof temporaryFolder>;
let writer: OpenWriter;

beforeEach(async () => {
  folder = temporaryFolder();
  writer = await openWriter({ dir: folder.path }, { clock: systemClock });
});
afterEach(async () => {
  await writer.close();
  folder.remove();
});

async function append(...frames: CheckedFrame[]): Promise<EntryOutcome[]> {
  const result = await writer.commit(frames.map((frame) => ({ frame })));
  if (result.kind === "failed") throw new Error(result.reason);
  return [...result.outcomes];
}

/** Seconds from noon and quality of these sequences. */
function placesOf(sequences: readonly number[]): [number, string][] {
  const db = openReaderFile(folder.path);
  const rows = new Map(
    db
      .prepare("SELECT * FROM journal")
      .all()
      .map((row) => [row["sequence"], row]),
  );
  db.close();
  return sequences.map((sequence) => {
    const row = rows.get(BASE + sequence);
    const quality = ["synced", "estimated", "suspect"][row?.["quality"] as number] ?? "none";
    return [(Number(row?.["time_ms"]) - NOON_MS) / 1000, quality];
  });
}

interface Live {
  readonly clockSynced?: boolean;
  /** Seconds from noon at which it comes in. */
  readonly atS?: number;
  readonly clockTrusted?: boolean;
}

/** A live report with its own time, in seconds from noon (uptime without a clock). */
function live(sequence: number, timeS: number, part: Live = {}): CheckedFrame {
  const { clockSynced = true, atS = 0, clockTrusted = true } = part;
  const time = clockSynced ? NOON_S + timeS : timeS;
  const frame = checkedFrame({ sequence, time, flags: { clockSynced }, receivedMs: NOON_MS + atS * 1000 });
  return { ...frame, clockTrusted };
}

/** Samples without a clock: [sequence, seconds since boot]. */
function uptimes(...samples: [number, number][]): Uint8Array[] {
  return samples.map(([sequence, timeS]) => sampleFrame(sequence, timeS, false));
}

const EARLIER = { timeS: NOON_S, clockSynced: true, earlierBoot: true } as const;

describe("a boot that never had a clock", () => {
  test("is placed by age while it lasts, whatever the delay", async () => {
    await append(live(1, -DAY_S));
    await append(checkedBacklog({ sequence: 20, timeS: 36_000, boot: 7 }, uptimes([10, 60], [11, 120], [12, 35_000])));
    expect(placesOf([10, 11, 12])).toEqual([
      [-35_940, "estimated"],
      [-35_880, "estimated"],
      [-1_000, "estimated"],
    ]);
  });

  test("is placed by its known start when it is over, also after a restart of the gateway", async () => {
    await append(live(1, -DAY_S));
    await append(checkedBacklog({ sequence: 20, timeS: 36_000, boot: 7 }, uptimes([10, 60])));
    await writer.close();
    writer = await openWriter({ dir: folder.path }, { clock: systemClock });
    await append(live(31, 600, { atS: 600 }));
    await append(
      checkedBacklog(
        { sequence: 32, ...EARLIER, boot: 7, receivedMs: NOON_MS + 700_000 },
        uptimes([15, 20_000], [21, 36_060]),
      ),
    );
    expect(placesOf([15, 21])).toEqual([
      [-16_000, "estimated"],
      [60, "estimated"],
    ]);
  });

  test("stands between its neighbours with its distances kept, frame after frame", async () => {
    await append(live(100, -36_000), live(300, 0));
    await append(
      checkedBacklog({ sequence: 301, ...EARLIER, boot: 3 }, uptimes([101, 10], [102, 70], [103, 130], [104, 200])),
    );
    await append(checkedBacklog({ sequence: 302, ...EARLIER, boot: 3 }, uptimes([105, 260], [110, 560])));
    const places = placesOf([101, 102, 103, 104, 105, 110]).map(([atS]) => atS);
    expect(places.map((atS) => atS - (places[0] as number))).toEqual([0, 60, 120, 190, 250, 550]);
    expect(places[0]).toBeGreaterThan(-36_000);
    expect(places[5]).toBeLessThan(0);
  });

  test("is not taken for another with the same low byte of its count", async () => {
    await append(checkedBacklog({ sequence: 20, timeS: 36_000, boot: 7 }, uptimes([10, 60])));
    await append(live(100, 50_000, { atS: 50_000 }), live(110, 60_000, { atS: 60_000 }));
    const receivedMs = NOON_MS + 60_060_000;
    await append(checkedBacklog({ sequence: 111, ...EARLIER, boot: 7, receivedMs }, uptimes([101, 60], [102, 120])));
    const [[a], [b]] = placesOf([101, 102]) as [[number, string], [number, string]];
    expect(b - a).toBe(60);
    expect(a).toBeGreaterThan(50_000);
    expect(b).toBeLessThan(60_000);
  });

  test("is squeezed evenly where there is no room, and never leaves its order", async () => {
    await append(live(100, -1_000), live(105, 0));
    await append(
      checkedBacklog(
        { sequence: 106, ...EARLIER, boot: 3 },
        uptimes([101, 0], [102, 2_000], [103, 4_000], [104, 8_000]),
      ),
    );
    const [a, b, c, d] = placesOf([101, 102, 103, 104]).map(([atS]) => atS) as [number, number, number, number];
    expect(a).toBeGreaterThan(-1_000);
    expect(d).toBeLessThan(0);
    expect((c - b) / (b - a)).toBeCloseTo(1, 1);
    expect((d - c) / (b - a)).toBeCloseTo(2, 1);
  });

  test("frames that come in the wrong order leave room for those before them", async () => {
    await append(live(100, -36_000), live(300, 0));
    await append(checkedBacklog({ sequence: 302, ...EARLIER, boot: 3 }, uptimes([161, 3_660], [162, 3_720])));
    await append(checkedBacklog({ sequence: 301, ...EARLIER, boot: 3 }, uptimes([101, 60], [102, 120], [160, 3_600])));
    const places = placesOf([100, 101, 102, 160, 161, 162]).map(([atS]) => atS);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect((places[5] as number) - (places[1] as number)).toBe(3_660);
  });

  test("a late event of it, placed at its receipt, draws nothing after itself, also after a restart", async () => {
    await append(live(100, -36_000), live(300, 0));
    const flags = { clockSynced: false };
    const event = encodeEvent({ sequence: 110, time: 600, flags, event: "help-requested", argument: 1 });
    await append({ ...live(110, 600, { clockSynced: false }), frame: event });
    await writer.close();
    writer = await openWriter({ dir: folder.path }, { clock: systemClock });
    await append(checkedBacklog({ sequence: 301, ...EARLIER, boot: 3 }, uptimes([101, 60], [102, 120], [109, 540])));
    await append(checkedBacklog({ sequence: 302, ...EARLIER, boot: 4 }, uptimes([111, 60], [112, 120])));
    const places = placesOf([101, 109, 111, 112]).map(([atS]) => atS) as [number, number, number, number];
    expect(places[0]).toBeLessThan(-35_000);
    expect(places[2]).toBeGreaterThan(places[1]);
    expect(places[2]).toBeLessThan(-34_000);
    expect(places[3] - places[2]).toBe(60);
  });

  test("was over before the boot that sends it began, as its frame says", async () => {
    await append(live(100, -36_000), live(300, 0));
    const sender = { timeS: 33_000, earlierBoot: true };
    await append(checkedBacklog({ sequence: 301, ...sender, boot: 3 }, uptimes([110, 60], [111, 960], [112, 1_860])));
    await append(checkedBacklog({ sequence: 302, ...sender, timeS: 33_001, boot: 4 }, uptimes([115, 10])));
    const places = placesOf([100, 110, 111, 112, 115]).map(([atS]) => atS);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect((places[3] as number) - (places[1] as number)).toBe(1_800);
    expect(places[4]).toBeLessThanOrEqual(-33_000);
  });

  test("a late event of it stands before what came after", async () => {
    await append(live(10, 5_000, { clockSynced: false, atS: -600 }));
    await append(live(9, 4_000, { clockSynced: false, atS: 300 }));
    expect(placesOf([9, 10])).toEqual([
      [-600, "estimated"],
      [-600, "estimated"],
    ]);
  });
});

describe("a gateway clock that was days ahead, set a device's clock, and was corrected", () => {
  const AHEAD_S = 5 * DAY_S;

  test("refuses nothing: what is live is stored at once, and the newest time goes back with it", async () => {
    await append(live(1, AHEAD_S, { atS: AHEAD_S }));
    // Corrected; the device not yet: it is placed at its receipt.
    expect(await append(live(2, AHEAD_S + 60, { atS: 60 }))).toMatchObject([{ outcome: "stored" }]);
    // The device is corrected as well.
    expect(await append(live(3, 120, { atS: 120 }))).toMatchObject([{ outcome: "stored" }]);
    expect(await append(live(4, -2 * DAY_S, { atS: 180 }))).toMatchObject([{ outcome: "replay" }]);
    expect(placesOf([2, 3])).toEqual([
      [60, "suspect"],
      [120, "synced"],
    ]);
  });

  test("samples stamped ahead are placed by their age while the device's clock is still ahead", async () => {
    await append(live(1, AHEAD_S, { atS: AHEAD_S }));
    const reports = [10, 11].map((sequence) => sampleFrame(sequence, NOON_S + AHEAD_S - 3_600 + sequence, true));
    await append(checkedBacklog({ sequence: 20, timeS: NOON_S + AHEAD_S, clockSynced: true }, reports));
    expect(placesOf([10, 11])).toEqual([
      [-3_590, "suspect"],
      [-3_589, "suspect"],
    ]);
  });

  test("and between their neighbours, their distances kept, when it is not any more", async () => {
    await append(live(9, -7_200, { atS: -7_200 }), live(15, 0));
    const reports = [10, 11, 12].map((sequence) => sampleFrame(sequence, NOON_S + AHEAD_S + 60 * sequence, true));
    await append(
      checkedBacklog({ sequence: 20, timeS: NOON_S + 60, clockSynced: true, receivedMs: NOON_MS + 60_000 }, reports),
    );
    const places = placesOf([9, 10, 11, 12, 15]);
    expect(places.map(([, quality]) => quality)).toEqual(["synced", "suspect", "suspect", "suspect", "synced"]);
    const times = places.map(([atS]) => atS) as [number, number, number, number, number];
    expect([times[2] - times[1], times[3] - times[2]]).toEqual([60, 60]);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});

describe("a gateway clock that was days behind", () => {
  test("and set a device's clock: its records are stored then, and after the correction", async () => {
    await append(live(1, 0));
    const behind = -5 * DAY_S;
    // Wrong for both, and nobody can tell.
    expect(await append(live(2, behind, { atS: behind }))).toMatchObject([{ outcome: "stored" }]);
    expect(await append(live(3, behind + 60, { atS: 60 }))).toMatchObject([{ outcome: "stored" }]);
    expect(await append(live(4, 120, { atS: 120 }))).toMatchObject([{ outcome: "stored" }]);
    const late = [5, 6].map((sequence) => sampleFrame(sequence, NOON_S + behind + sequence, true));
    const backlog = checkedBacklog(
      { sequence: 7, timeS: NOON_S + 180, clockSynced: true, receivedMs: NOON_MS + 180_000 },
      late,
    );
    expect(await append(backlog)).toMatchObject([{ outcome: "stored" }]);
  });

  test("a record refused as a replay is stored as soon as a newer one has shown the way", async () => {
    await append(live(1, 0));
    const wrong = live(2, -5 * DAY_S, { atS: 60 });
    // The answer says what is stored, and not this one: the device gets the time by it, and sends again what is missing.
    expect(await append(wrong)).toMatchObject([{ outcome: "replay", ack: { bitmap: 0b10 } }]);
    await append(live(3, 120, { atS: 120 }));
    expect(await append(wrong)).toMatchObject([{ outcome: "stored" }]);
  });
});

describe("an old recording played again", () => {
  const OLD_S = -30 * DAY_S;

  test("is refused: a report, and a backlog frame with all that is in it", async () => {
    await append(live(30_000, 0));
    expect(await append(live(30_500, OLD_S, { atS: 60 }))).toMatchObject([{ outcome: "replay" }]);
    const reports = [30_400, 30_401].map((sequence) => sampleFrame(sequence, NOON_S + OLD_S, true));
    const frame = checkedBacklog({ sequence: 30_500, timeS: NOON_S + OLD_S + 600, clockSynced: true }, reports);
    expect(await append(frame)).toMatchObject([{ outcome: "replay" }]);
    expect(placesOf([30_400, 30_500])).toEqual([
      [Number.NaN, "none"],
      [Number.NaN, "none"],
    ]);
  });

  test("is refused as well while the newest time still lies ahead of the gateway's clock", async () => {
    await append(live(30_000, 5 * DAY_S, { atS: 5 * DAY_S }));
    expect(await append(live(30_500, OLD_S, { atS: 60 }))).toMatchObject([{ outcome: "replay" }]);
  });

  test("is refused by a gateway that does not trust its clock", async () => {
    await append(live(30_000, 0));
    const old = { ...live(30_500, OLD_S), receivedMs: 60_000, clockTrusted: false };
    expect(await append(old)).toMatchObject([{ outcome: "replay" }]);
  });
});

describe("a device whose sequence comes again", () => {
  const LAST = 60;
  const CYCLE = 65_536;
  beforeEach(() => append(...Array.from({ length: LAST }, (_, i) => live(i + 1, i + 1, { atS: i + 1 }))));

  /** So many records of a minute each after the last one that is stored. */
  function later(records: number, sequence = LAST + records): CheckedFrame {
    const atS = LAST + records * 60;
    return live(sequence & 0xffff, atS, { atS });
  }

  test.each([1, 30, 59])(
    "not heard for a cycle but %i: what is new is stored, and only then told as stored",
    async (less) => {
      const records = CYCLE - less;
      expect(await append(later(records))).toMatchObject([{ outcome: "stored" }]);
      expect(await append(later(records))).toMatchObject([{ outcome: "duplicate", ack: { bitmap: 1 } }]);
      expect(await append(later(records + 1))).toMatchObject([{ outcome: "stored", ack: { bitmap: 0b11 } }]);
      expect(placesOf([LAST + records]).map(([, quality]) => quality)).toEqual(["synced"]);
    },
  );

  test("with a new board under its name, within minutes: after ten all that has a clock is stored", async () => {
    expect(await append(later(10, 1))).toMatchObject([{ outcome: "duplicate" }]);
    expect(await append(later(11, 2))).toMatchObject([{ outcome: "stored" }]);
    expect(await append(later(12, 3))).toMatchObject([{ outcome: "stored" }]);
    const other = (frame: CheckedFrame) => ({ ...frame, deviceId: "alm-02-d1" });
    await append(other(live(7, 90, { clockSynced: false })));
    expect(await append(other(live(7, 60)))).toMatchObject([{ outcome: "stored" }]);
  });

  test("also after a start, as of the rows and as of a summary", async () => {
    for (const [minutes, isSummarised] of [
      [20, false],
      [40, true],
    ] as const) {
      // What is closed in good order summarises.
      await (isSummarised ? writer : writer.store).close();
      writer = await openWriter({ dir: folder.path }, { clock: systemClock });
      expect(await append(later(minutes - 20, LAST))).toMatchObject([{ outcome: "duplicate" }]);
      expect(await append(later(minutes, LAST))).toMatchObject([{ outcome: "stored" }]);
    }
  });

  test("and the same record sent again is a duplicate: before, without a clock, or with a time that nobody believed", async () => {
    expect(await append(live(LAST, LAST, { atS: 9 * DAY_S }))).toMatchObject([{ outcome: "duplicate" }]);
    expect(await append(live(LAST, 90, { clockSynced: false, atS: 9 * DAY_S }))).toMatchObject([
      { outcome: "duplicate" },
    ]);
    expect(await append(live(LAST + 1, 9 * DAY_S, { atS: LAST }))).toMatchObject([{ outcome: "stored" }]);
    expect(await append(live(LAST + 1, 9 * DAY_S, { atS: 9 * DAY_S }))).toMatchObject([{ outcome: "duplicate" }]);
  });

  test("what says when it was sent is a duplicate on the same day; later no answer names it until a report has come", async () => {
    const reports = [LAST - 1, LAST].map((sequence) => sampleFrame(sequence, NOON_S + sequence, true));
    const backlog = (sequence: number, atS: number) => {
      const sender = { sequence, timeS: NOON_S + atS, clockSynced: true, receivedMs: NOON_MS + atS * 1_000 };
      return checkedBacklog(sender, reports);
    };
    expect(await append(backlog(LAST + 1, LAST + 60))).toMatchObject([{ outcome: "stored" }]);
    expect(await append(backlog(LAST + 1, LAST + 3_600))).toMatchObject([{ outcome: "duplicate" }]);
    const atS = 30 * DAY_S;
    const none = { baseSequence: 0, bitmap: 0, after: 0 };
    expect(await append(backlog(20, atS))).toEqual([{ outcome: "replay", ack: none }]);
    expect(await append(live(19, atS + 60, { atS: atS + 60 }))).toMatchObject([{ outcome: "stored" }]);
    expect(await append(backlog(20, atS + 120))).toMatchObject([{ outcome: "stored" }]);
  });

  test("of another maker's device each is stamped when it comes: the same counter stays the same record", async () => {
    const frame = { ...later(9, LAST), isStampedOnReceipt: true as const };
    expect(await append(frame)).toMatchObject([{ outcome: "duplicate" }]);
  });
});

describe("a gateway that does not trust its clock", () => {
  test("places an earlier boot by what is sure before it, and as suspect where nothing is", async () => {
    const start = { receivedMs: 20_000, clockTrusted: false };
    await append(live(1, -7_200));
    await append(checkedBacklog({ sequence: 41, ...EARLIER, boot: 4, ...start }, uptimes([10, 60], [11, 120])));
    const [[a, quality], [b]] = placesOf([10, 11]) as [[number, string], [number, string]];
    expect(quality).toBe("estimated");
    expect(a).toBeGreaterThan(-7_200);
    expect(b - a).toBe(60);
    const other = "alm-01-d2";
    const sender = { sequence: 1041, timeS: 9_000, earlierBoot: true, boot: 4, ...start };
    await append(checkedBacklog({ deviceId: other, ...sender }, uptimes([1_010, 60])));
    expect(placesOf([1_010]).map(([, found]) => found)).toEqual(["suspect"]);
  });

  test("stores all, in order, as suspect; and is no neighbour to what comes later", async () => {
    const start = { receivedMs: 20_000, clockTrusted: false };
    await append(live(1, -7_200));
    await append({ ...live(40, 9_000, { clockSynced: false }), ...start });
    await append(checkedBacklog({ sequence: 41, timeS: 9_000, boot: 5, ...start }, uptimes([38, 8_800], [39, 8_900])));
    const before = placesOf([38, 39, 40]);
    expect(before.map(([, quality]) => quality)).toEqual(["suspect", "suspect", "suspect"]);
    expect((before[1] as [number, string])[0] - (before[0] as [number, string])[0]).toBe(100);
    await append(live(50, 0));
    await append(checkedBacklog({ sequence: 51, ...EARLIER, boot: 4 }, uptimes([10, 60], [11, 120])));
    const [[a], [b]] = placesOf([10, 11]) as [[number, string], [number, string]];
    expect(b - a).toBe(60);
    expect(a).toBeGreaterThan(-7_200);
    expect(b).toBeLessThan(0);
  });
});
