// Random and mutated bytes give a value or a named fault: never an exception, always in bounded time.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createVeParser } from "../../firmware/drivers/ve-direct.ts";
import { createPacketReader } from "../../firmware/links/mqtt/packets.ts";
import { asksForAck, isTorn, stampOf } from "../../gateway/domain/stamp.ts";
import { createHeaderWatch } from "../../gateway/ingress/guard.ts";
import { judgeUplink } from "../../gateway/ingress/uplink.ts";
import { createBitWriter } from "../../protocol/frames/bits.ts";
import {
  backlogRowOf,
  createBacklogEncoder,
  createTagger,
  decodeDownlink,
  decodeUplink,
  encodeReport,
  openFrame,
  type Report,
  sealFrame,
  uplinkTopic,
} from "../../protocol/index.ts";
import { parseDeviceTopic } from "../../protocol/topics.ts";
import { sha256 } from "../fixtures.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? Math.floor(performance.timeOrigin) % 1_000_000);
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 20_000);
const OPTIONS = { seed: SEED, numRuns: RUNS } as const;
const FAULTS = [
  "unsupported-version",
  "unknown-kind",
  "truncated",
  "unsupported-group",
  "trailing-bytes",
  "nonzero-padding",
];
const GOLDEN = ["vectors", "backlog"].flatMap((name) => {
  const vectors = JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));
  return (vectors as { hex: string }[]).map((one) => new Uint8Array(Buffer.from(one.hex, "hex")));
});
const KEY = new Uint8Array(32).fill(7);
console.info(`fuzz: FUZZ_SEED=${SEED} FUZZ_RUNS=${RUNS}`);

const anyBytes = fc.uint8Array({ maxLength: 300 });
const mutated = fc
  .record({
    base: fc.constantFrom(...GOLDEN),
    flips: fc.array(fc.nat(), { maxLength: 6 }),
    cut: fc.nat(60),
    more: fc.uint8Array({ maxLength: 20 }),
  })
  .map(({ base, flips, cut, more }) => {
    const bytes = new Uint8Array([...base.slice(0, Math.max(0, base.length - (cut % (base.length + 1)))), ...more]);
    for (const flip of flips)
      if (bytes.length > 0) bytes[flip % bytes.length] = (bytes[flip % bytes.length] as number) ^ (1 << (flip % 8));
    return bytes;
  });

test("a decoder gives a value or a named fault", () => {
  fc.assert(
    fc.property(fc.oneof(anyBytes, mutated), (bytes) => {
      for (const decoded of [decodeUplink(bytes), decodeDownlink(bytes)]) {
        if (decoded.kind === "fault") expect(FAULTS).toContain(decoded.fault);
        else expect(JSON.stringify(decoded.value)).not.toMatch(/NaN|Infinity|null/);
      }
    }),
    OPTIONS,
  );
});

test("a report that decodes encodes to the same bytes, unless it holds what nothing encodes", () => {
  fc.assert(
    fc.property(fc.oneof(anyBytes, mutated), (bytes) => {
      const decoded = decodeUplink(bytes);
      if (decoded.kind !== "report" || JSON.stringify(decoded.value).includes("reserved-")) return;
      const again = decodeUplink(encodeReport(decoded.value as Report)) as { value: unknown };
      const once = decodeUplink(encodeReport((again as { value: Report }).value)) as { value: unknown };
      expect(once.value).toEqual(again.value);
    }),
    OPTIONS,
  );
});

/** A run of report frames of one row: each leaps or moves a little, in time, sequence, flags and every field. */
const runOf = fc
  .record({
    groups: fc.nat(31),
    first: fc.record({ sequence: fc.nat(65535), time: fc.nat(4294967295), flags: fc.nat(255) }),
    stepS: fc.constantFrom(60, 300, 900, 0, 7, 65535),
    moves: fc.array(
      fc.record({
        gap: fc.oneof(fc.constant(0), fc.nat(5), fc.nat(65535)),
        late: fc.oneof(fc.constant(0), fc.integer({ min: -9, max: 9 }), fc.integer()),
        flags: fc.oneof(fc.constant(0), fc.nat(255)),
        fields: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: -3, max: 3 }), fc.nat(16383)), { maxLength: 22 }),
      }),
      { minLength: 1, maxLength: 40 },
    ),
  })
  .map(({ groups, first, stepS, moves }) => {
    const row = backlogRowOf(groups);
    const codes = row.map(() => 0);
    let { sequence, time, flags } = first;
    const reports = moves.map((move) => {
      sequence = (sequence + 1 + move.gap) & 65535;
      time = (time + stepS * (move.late & 1 ? 1 : move.gap + 1) + move.late) >>> 0;
      flags ^= move.flags;
      for (const [i, by] of move.fields.entries()) {
        const bits = (row[i] ?? 0) & 15;
        codes[i] = ((codes[i] ?? 0) + by) & ((1 << bits) - 1);
      }
      const out = createBitWriter(26);
      out.put(0x11, 8);
      out.put(sequence, 16);
      out.put(time >>> 16, 16);
      out.put(time & 65535, 16);
      out.put(flags, 8);
      out.put(codes[0] as number, 4);
      out.put(groups, 8);
      for (let i = 1; i < row.length; i++) out.put(codes[i] as number, (row[i] as number) & 15);
      return out.bytes();
    });
    return { row, groups, stepS, reports };
  });

test("a run of samples comes out of its backlog frame as it went in, whole or in parts, in any room", () => {
  const head = fc.uint8Array({ minLength: 11, maxLength: 11 });
  fc.assert(
    fc.property(runOf, head, fc.integer({ min: 48, max: 242 }), fc.nat(3), (run, given, room, parts) => {
      const encoder = createBacklogEncoder(run.row, 242);
      encoder.start(Uint8Array.from([0x13, ...given.slice(1, 10), run.groups]), room, run.stepS);
      let count = 0;
      for (const report of run.reports) {
        for (let part = 0; part < parts; part++) encoder.take(report);
        if (!encoder.add(report)) break;
        count++;
      }
      const frame = encoder.finish();
      expect([frame.length <= room, encoder.count()]).toEqual([true, count]);
      const decoded = decodeUplink(frame);
      if (count === 0 || decoded.kind !== "backlog") throw new Error(JSON.stringify(decoded));
      expect(decoded.value.reports.map((one) => Buffer.from(one).toString("hex"))).toEqual(
        run.reports.slice(0, count).map((one) => Buffer.from(one).toString("hex")),
      );
    }),
    { ...OPTIONS, numRuns: Math.min(RUNS, 3_000) },
  );
});

test("only what was sealed with the key opens", () => {
  fc.assert(
    fc.property(fc.oneof(anyBytes, mutated), (bytes) => {
      expect(openFrame(sha256, KEY, bytes)).toBeUndefined();
      expect(openFrame(sha256, KEY, sealFrame(sha256, KEY, bytes))).toEqual(bytes);
    }),
    { ...OPTIONS, numRuns: Math.min(RUNS, 3_000) },
  );
});

test("what is read in the header of a frame is what a decoder says of it", () => {
  fc.assert(
    fc.property(fc.oneof(anyBytes, mutated), (bytes) => {
      const decoded = decodeUplink(bytes);
      const header = decoded.kind === "fault" ? decoded.header : decoded.value;
      const { sequence, time: timeS, flags } = header ?? {};
      const expected = header && { sequence, timeS, clockSynced: flags?.clockSynced === true };
      expect(stampOf(bytes)).toEqual(expected);
      expect(asksForAck(bytes)).toBe(flags?.ackRequested === true);
      const isTruncated = decoded.kind === "fault" && decoded.fault === "truncated";
      expect(isTorn(bytes)).toBe(isTruncated && header === undefined);
    }),
    OPTIONS,
  );
});

test("the ingress judges any topic and payload", () => {
  const sender = { deviceId: "alm-01-d1", uplinkTopic: uplinkTopic("alm-01-d1"), tagger: createTagger(sha256, KEY) };
  const context = { ...sender, receivedMs: 0, clockTrusted: true };
  const topic = fc.oneof(fc.string({ maxLength: 60 }), fc.constant("waakvlam/v1/devices/alm-01-d1/up"));
  fc.assert(
    fc.property(topic, fc.oneof(anyBytes, mutated), fc.boolean(), (name, bytes, sealed) => {
      const verdict = judgeUplink(name, sealed ? sealFrame(sha256, KEY, bytes) : bytes, context);
      if (verdict.kind === "frame") expect([sealed, parseDeviceTopic(name)?.deviceId]).toEqual([true, "alm-01-d1"]);
    }),
    { ...OPTIONS, numRuns: Math.min(RUNS, 5_000) },
  );
});

test("the size guard and the device's readers take any stream in any pieces", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (pieces) => {
      const { look } = createHeaderWatch(512);
      const reader = createPacketReader();
      const parser = createVeParser();
      for (const piece of pieces) {
        const text = String.fromCharCode(...piece);
        expect(["oversize", "publish", "other"]).toContain(look(piece));
        reader.take(text);
        for (let next = reader.next(); next !== undefined; next = reader.next())
          expect(typeof next.kind).toBe("string");
        parser.take(text);
      }
    }),
    { ...OPTIONS, numRuns: Math.min(RUNS, 5_000) },
  );
});
