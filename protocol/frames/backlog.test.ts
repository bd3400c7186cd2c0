import { describe, expect, test } from "vitest";
import {
  BACKLOG_SAMPLES_MAX,
  type BacklogEncoder,
  backlogRowOf,
  createBacklogEncoder,
  decodeUplink,
  encodeReport,
  GROUPS,
  PHASE,
  type Report,
  SUPPLY_NAMES,
} from "../wire.ts";
import { WORD } from "./backlog-model.ts";

const POINT = 15;
const NOW = 1_800_000_000;

function report(i: number, part: Partial<Report> = {}): Uint8Array {
  return encodeReport({
    sequence: i & 65535,
    time: NOW - 90_000 + 60 * i,
    flags: { clockSynced: true },
    phase: "open",
    power: { fuelLevelPct: 63.5 - i / 10, generator: "running", mains: "lost", loadKw: 4.2, starterBatteryV: 13.8 },
    battery: { batteryV: 26.43, batteryA: (i % 5) - 3, stateOfChargePct: 87 },
    occupancy: { occupancy: 143, entries: 1822 + i },
    environment: { temperatureC: -3.5 },
    ...part,
  });
}

function headOf(sequence: number, groups = POINT, time = NOW): Uint8Array {
  const head = new Uint8Array(11);
  const view = new DataView(head.buffer);
  view.setUint8(0, 0x13);
  view.setUint16(1, sequence);
  view.setUint32(3, time);
  view.setUint8(7, 0x80);
  view.setUint8(8, 7);
  view.setUint8(10, groups);
  return head;
}

/** The frame of as many of `reports` as go into it. */
function frameOf(reports: readonly Uint8Array[], bytesMax = 222, groups = POINT): Uint8Array {
  const encoder = createBacklogEncoder(backlogRowOf(groups), bytesMax);
  encoder.start(headOf(5000, groups), bytesMax, 60);
  for (const one of reports) if (!encoder.add(one)) break;
  return encoder.finish().slice();
}

function reportsOf(frame: Uint8Array): readonly Uint8Array[] {
  const decoded = decodeUplink(frame);
  if (decoded.kind !== "backlog") throw new Error(JSON.stringify(decoded));
  return decoded.value.reports;
}

describe("the rows", () => {
  test("are those of the field tables", () => {
    for (let groups = 0; groups < 32; groups++) {
      const fields = [PHASE, ...GROUPS.filter((_, i) => groups & (1 << i)).flatMap((group) => group.fields)];
      const row = backlogRowOf(groups);
      expect(row.map((field) => field & 15)).toEqual(fields.map((field) => field.bits));
      expect(row.map((field) => (field & WORD) !== 0)).toEqual(
        fields.map((field) => "words" in field || field.bits === 3),
      );
    }
  });
});

describe("a run", () => {
  test("comes out as it went in, with header, boot and marks", () => {
    const reports = Array.from({ length: 12 }, (_, i) => report(i));
    const encoder = createBacklogEncoder(backlogRowOf(POINT), 222);
    const head = headOf(5000);
    head[10] = 128 | 64 | POINT;
    encoder.start(head, 222, 60);
    for (const one of reports) expect(encoder.add(one)).toBe(true);
    expect(encoder.count()).toBe(12);
    const decoded = decodeUplink(encoder.finish());
    expect(decoded).toMatchObject({
      kind: "backlog",
      value: { sequence: 5000, time: NOW, boot: 7, thinned: true, earlierBoot: true, flags: { clockSynced: true } },
    });
    expect(reportsOf(encoder.finish())).toEqual(reports);
  });

  test("what does not fit is taken back, and nothing goes in behind it", () => {
    const reports = Array.from({ length: 200 }, (_, i) => report(i));
    for (let bytesMax = 40; bytesMax <= 222; bytesMax++) {
      const encoder = createBacklogEncoder(backlogRowOf(POINT), 222);
      encoder.start(headOf(5000), bytesMax, 60);
      let count = 0;
      while (count < reports.length && encoder.add(reports[count] as Uint8Array)) count++;
      if (count < reports.length) expect(encoder.add(report(count))).toBe(false);
      const frame = encoder.finish();
      expect(frame.length).toBeLessThanOrEqual(bytesMax);
      expect(reportsOf(frame)).toEqual(reports.slice(0, count));
    }
  });

  test("the encoder begins afresh after every frame", () => {
    const reports = Array.from({ length: 30 }, (_, i) => report(i));
    const encoder = createBacklogEncoder(backlogRowOf(POINT), 222);
    const frames = [1, 2].map(() => {
      encoder.start(headOf(5000), 115, 60);
      for (const one of reports) if (!encoder.add(one)) break;
      return encoder.finish().slice();
    });
    expect(frames[1]).toEqual(frames[0]);
  });

  test("holds 255 samples at most", () => {
    const still = (i: number) => encodeReport({ ...base, sequence: i, time: NOW + 60 * i });
    const base = { flags: { clockSynced: true }, phase: "open", environment: { temperatureC: 20 } };
    const reports = Array.from({ length: 256 }, (_, i) => still(i));
    const frame = frameOf(reports, 222, 8);
    expect(frame[9]).toBe(BACKLOG_SAMPLES_MAX);
    expect(reportsOf(frame)).toEqual(reports.slice(0, 255));
  });

  test("takes gaps, jumps of any size, flags, reasons and words as they come", () => {
    const reports = [
      report(65534),
      report(65535, { time: 0, flags: {} }),
      report(3, { time: 4294967295, flags: { helpRequested: true } }),
      report(2, { time: 2147483647 }),
      report(40000, { time: 2147483648, phase: "absent" }),
      report(40001, { time: 0 }),
      report(40005, { battery: { batteryV: "corrupt", batteryA: "absent", stateOfChargePct: "untrusted" } }),
      report(40006, { occupancy: { occupancy: 0, entries: "open-circuit" } }),
    ];
    expect(reportsOf(frameOf(reports))).toEqual(reports);
  });

  const STILL: Partial<Report> = {
    power: { fuelLevelPct: 20, generator: "stopped", mains: "present", loadKw: 0, starterBatteryV: 12.6 },
    battery: { batteryV: 24, batteryA: 0, stateOfChargePct: 50 },
    occupancy: { occupancy: 1, entries: 2 },
    environment: { temperatureC: 5 },
  };

  /** Parts of a sample until only adding it is left. */
  function partsOf(encoder: BacklogEncoder, one: Uint8Array): number {
    let parts = 0;
    while (!encoder.take(one)) parts++;
    return parts;
  }

  test("a sample in parts makes the same bytes, also where it is added before all are taken", () => {
    const loud = report(20, { phase: "closing", ...STILL });
    const reports = Array.from({ length: 30 }, (_, i) => (i === 20 ? loud : report(i)));
    for (let most = 0; most < 9; most++) {
      const encoder = createBacklogEncoder(backlogRowOf(POINT), 222);
      encoder.start(headOf(5000), 222, 60);
      for (const one of reports) {
        for (let part = 0; part < most && !encoder.take(one); part++);
        if (!encoder.add(one)) break;
      }
      expect(encoder.finish()).toEqual(frameOf(reports));
    }
  });

  test("the more of a sample has changed the more parts it has: none writes more than three differences", () => {
    const encoder = createBacklogEncoder(backlogRowOf(POINT), 222);
    encoder.start(headOf(5000), 222, 60);
    for (let i = 0; i < 40; i++) expect(encoder.add(report(i, STILL))).toBe(true);
    expect(partsOf(encoder, report(40, STILL))).toBe(3);
    encoder.add(report(40, STILL));
    // Three words, nine numbers that wake; time and sequence are as they were.
    const moved = report(41, { phase: "full" });
    expect(partsOf(encoder, moved)).toBe(2 + 12 / 3);
    expect(encoder.add(moved)).toBe(true);
    const decoded = reportsOf(encoder.finish());
    expect(decoded[41]).toEqual(moved);
  });

  test("a frame ends before a sample that was taken in part, and takes no other in its place", () => {
    for (let parts = 1; parts <= 4; parts++) {
      const encoder = createBacklogEncoder(backlogRowOf(POINT), 222);
      encoder.start(headOf(5000), 222, 60);
      for (let i = 0; i < 5; i++) encoder.add(report(i));
      for (let part = 0; part < parts; part++) encoder.take(report(5));
      expect(encoder.add(report(6))).toBe(false);
      expect(encoder.count()).toBe(5);
      expect(encoder.finish()).toEqual(frameOf(Array.from({ length: 5 }, (_, i) => report(i))));
    }
  });

  test("a time that is off by half of what its lower half can say comes out as it went in", () => {
    for (const off of [-32769, -32768, -32767, 32767, 32768, 32769, 98304]) {
      const one = encodeReport({ sequence: 5000, time: NOW + off, flags: { clockSynced: true }, phase: "open" });
      expect(reportsOf(frameOf([one], 222, 0))).toEqual([one]);
    }
  });

  test("words, flags and fields that were asleep may all change at once", () => {
    const all = (i: number) => i % 2 === 0;
    const reports = Array.from({ length: 6 }, (_, i) =>
      encodeReport({
        sequence: 100 + i * (all(i) ? 3 : 1),
        time: all(i) ? NOW : 12 + i * 70_000,
        flags: { clockSynced: all(i), tamper: !all(i) },
        phase: all(i) ? "open" : "closed",
        power: all(i)
          ? { fuelLevelPct: 100, generator: "running", mains: "lost", loadKw: 0, starterBatteryV: 0 }
          : { fuelLevelPct: 0, generator: "failed", mains: "present", loadKw: 101.5, starterBatteryV: "stuck" },
        occupancy: all(i) ? { occupancy: 0, entries: 16_375 } : { occupancy: 2039, entries: 0 },
        environment: { temperatureC: all(i) ? -40 : 83.5 },
        supplies: Object.fromEntries(SUPPLY_NAMES.map((name) => [name, all(i) ? 0 : "absent"])),
      }),
    );
    expect(reportsOf(frameOf(reports, 242, 31 - 2))).toEqual(reports);
  });
});

describe("a frame that is not right", () => {
  const good = frameOf(Array.from({ length: 20 }, (_, i) => report(i)));
  const faultOf = (frame: Uint8Array) => decodeUplink(frame) as { fault?: string; header?: unknown };
  const changed = (at: number, value: number) => good.map((byte, i) => (i === at ? value : byte));

  test("is truncated wherever it is cut, and has no byte too many", () => {
    for (let size = 0; size < good.length; size++) expect(faultOf(good.slice(0, size)).fault).toBe("truncated");
    expect(faultOf(Uint8Array.from([...good, 0])).fault).toBe("trailing-bytes");
  });

  test("has a reserved group, no samples, or an end that no encoder writes", () => {
    expect(faultOf(changed(10, 32 | POINT))).toMatchObject({ fault: "unsupported-group", header: { sequence: 5000 } });
    expect(faultOf(changed(9, 0)).fault).toBe("truncated");
    // Of one sample: 104 bits of its row, and 2 + 14 + 1 of the code.
    const one = frameOf([report(0, { time: NOW - 60 * 5000 + 3000 })]);
    expect(faultOf(one).fault).toBeUndefined();
    expect(faultOf(one.map((byte, i) => (i === one.length - 1 ? byte | 1 : byte))).fault).toBe("nonzero-padding");
  });
});
