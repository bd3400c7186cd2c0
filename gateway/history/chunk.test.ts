import { describe, expect, test } from "vitest";
import { encodeEvent, encodeInfo, encodeReport } from "../../protocol/wire.ts";
import { NOON_MS, report } from "../../tests/fixtures.ts";
import { randomOf, samplesOfDevice } from "../../tests/history-samples.ts";
import { CHUNK_ROWS_MAX, codesOf, decodeChunk, decodeCodes, encodeChunk, isFault } from "./chunk.ts";
import { sealed } from "./columns.ts";
import { joinReport, REPORT_FIELDS, splitReport } from "./report-codes.ts";
import type { HistoryRow } from "./row.ts";
import { createByteSink } from "./varint.ts";

const SEEDS = Array.from({ length: 60 }, (_, i) => i + 1);

/** Rows with whatever can stand in them: all codes, groups and flags, other kinds, other versions, clocks that jump. */
function anyRows(seed: number): HistoryRow[] {
  const random = randomOf(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const anyFrame = (sequence: number, timeMs: number): Uint8Array => {
    const dice = below(10);
    if (dice === 0) return Uint8Array.from({ length: below(243) }, () => below(256));
    if (dice === 1)
      return encodeEvent({
        sequence,
        time: below(2 ** 32),
        flags: { tamper: true },
        event: "tamper",
        argument: below(65_536),
      });
    if (dice === 2) {
      return encodeInfo({
        sequence,
        time: 60,
        flags: {},
        firmwareVersion: "1.20.68",
        configHash: below(2 ** 32),
        bootCount: 3,
        resetCause: "watchdog",
        reportIntervalS: 60,
        board: 1,
        sensors: 7,
        storageUsedPct: 3,
        memoryFreePct: 50,
        faultCount: 0,
      });
    }
    return joinReport({
      sequence: dice === 3 ? below(65_536) : sequence,
      time: dice < 6 ? below(2 ** 32) : Math.floor(timeMs / 1000),
      flags: below(256),
      phase: below(16),
      groups: below(32),
      codes: REPORT_FIELDS.map((field) => below(2 ** field.bits)),
    });
  };
  let id = below(2 ** 40);
  return Array.from({ length: below(90) }, (_, i) => {
    id += below(3) === 0 ? -below(20) : below(1_000);
    const sequence = below(20) === 0 ? 0 : 65_536 + i + below(2 ** 31);
    const timeMs = below(10) === 0 ? below(4e12) : NOON_MS + i * 60_000 + below(3) * 500;
    return {
      id: Math.max(1, id),
      sequence,
      receivedMs: below(8) === 0 ? below(4e12) : timeMs + below(5_000),
      timeMs,
      timeQuality: (["synced", "estimated", "suspect"] as const)[below(3)] as HistoryRow["timeQuality"],
      link: below(2) === 0 ? "mqtt" : "lorawan",
      frame: anyFrame(sequence % 65_536, timeMs),
    } satisfies HistoryRow;
  });
}

const plain = (rows: readonly HistoryRow[]) =>
  rows.map((row) => ({ ...row, frame: Buffer.from(row.frame).toString("hex") }));

function read(blob: Uint8Array): HistoryRow[] {
  const rows = decodeChunk(blob);
  if (isFault(rows)) throw new Error(rows.fault);
  return rows;
}

const hour = (seed = 1) => Array.from({ length: 60 }, samplesOfDevice({ seed, startMs: NOON_MS }));

describe("a chunk", () => {
  test.each(SEEDS)("gives back whatever a row can hold, bit for bit (seed %i)", (seed) => {
    const rows = anyRows(seed);
    expect(plain(read(encodeChunk(rows)))).toEqual(plain(rows));
  });

  test.each(SEEDS)("gives the same codes with and without its frames (seed %i)", (seed) => {
    const rows = anyRows(seed);
    expect(decodeCodes(encodeChunk(rows))).toEqual(codesOf(rows));
  });

  test("of an hour of a support point costs less than 9 bytes a sample", () => {
    const bytes = Array.from({ length: 20 }, (_, seed) => encodeChunk(hour(seed)).length);
    expect(bytes.reduce((sum, one) => sum + one, 0) / (20 * 60)).toBeLessThan(9);
  });

  test("holds as many rows as it may, and one more is not read", () => {
    const rows = Array.from(
      { length: CHUNK_ROWS_MAX + 1 },
      samplesOfDevice({ seed: 3, startMs: NOON_MS, intervalS: 1 }),
    );
    expect(read(encodeChunk(rows.slice(1)))).toHaveLength(CHUNK_ROWS_MAX);
    expect(decodeChunk(encodeChunk(rows))).toEqual({ fault: "too many rows" });
  });

  test("with any byte changed, or cut anywhere, is a fault and not rows", () => {
    const blob = encodeChunk(hour());
    for (let at = 0; at < blob.length; at++) {
      const changed = blob.slice();
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      expect(decodeChunk(changed)).toHaveProperty("fault");
      expect(decodeChunk(blob.subarray(0, at))).toHaveProperty("fault");
    }
    expect(decodeChunk(Buffer.concat([blob, Buffer.of(0)]))).toHaveProperty("fault");
  });

  test.each(SEEDS)("of random numbers behind a right checksum is rows or a fault, never more (seed %i)", (seed) => {
    const random = randomOf(seed);
    for (let i = 0; i < 50; i++) {
      const out = createByteSink();
      for (let n = 0; n < 400; n++) out.put(Math.floor(2 ** (random() * (n < 3 ? 6 : 45))));
      const blob = sealed(out.bytes());
      for (const found of [decodeChunk(blob), decodeCodes(blob)]) expect(typeof found).toBe("object");
    }
  });

  test("that would grow without bound is a fault", () => {
    expect(decodeChunk(sealed(Buffer.alloc(8 * 1024 * 1024)))).toEqual({ fault: "cannot be inflated" });
  });
});

test("only a whole report of this version is taken apart", () => {
  // Two bits of padding.
  const frame = encodeReport(report());
  expect(splitReport(frame)).toBeDefined();
  const changed = (at: number, value: number) => frame.map((byte, i) => (i === at ? value : byte));
  // Another version, another kind, a group that is not known, padding that is not zero, a byte too few, one too many.
  for (const other of [
    changed(0, 0x21),
    changed(0, 0x14),
    changed(8, (frame[8] ?? 0) | 0x0f),
    changed(frame.length - 1, (frame[frame.length - 1] ?? 0) | 1),
    frame.subarray(0, frame.length - 1),
    Buffer.concat([frame, Buffer.of(0)]),
  ]) {
    expect(splitReport(other)).toBeUndefined();
  }
});
