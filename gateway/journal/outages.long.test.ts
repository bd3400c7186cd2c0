// Outages, boots and clocks by chance: every sample is stored once, in its order, however the frames came.
import { describe, expect, test } from "vitest";
import { createRandom } from "../../firmware/simulator/random.ts";
import { NOON_MS, temporaryFolder } from "../../tests/fixtures.ts";
import { type Chances, createOutageDevice, type OutageDevice, type Sample } from "../../tests/outage-device.ts";
import { systemClock } from "../clock.ts";
import { FIRST_CYCLE_BASE as BASE } from "../domain/sequence.ts";
import { openReaderFile } from "./file.ts";
import { openWriter } from "./open-writer.ts";

const SEED = Number(process.env["OUTAGE_SEED"] ?? Math.floor(performance.timeOrigin) % 1_000_000);
const RUNS = 25;
const STEPS = 400;
const DAY_S = 86_400;
/** Of the model. */
const LATENCY_S_MAX = 3;
console.info(`outages: OUTAGE_SEED=${SEED}`);

interface Clocks {
  /** Seconds that the gateway's clock is off, and whether it trusts it. */
  offS: number;
  isTrusted: boolean;
}

interface Row {
  readonly time_ms: number;
  readonly quality: number;
  readonly frame: Uint8Array;
}

interface Played {
  readonly device: OutageDevice;
  /** By sequence as the device counts. */
  readonly rows: ReadonlyMap<number, Row>;
  readonly count: number;
  readonly isDrained: boolean;
}

type StepClocks = (clocks: Clocks, next: () => number) => void;

/** Plays one device against a writer that is opened again now and then. */
async function play(seed: number, chances: Chances, stepClocks: StepClocks): Promise<Played> {
  const folder = temporaryFolder();
  const random = createRandom(seed);
  const clocks: Clocks = { offS: 0, isTrusted: true };
  const open = () => openWriter({ dir: folder.path }, { clock: systemClock });
  let writer = await open();
  const firstSequence = Math.floor(random.next() * 65_536);
  const device = createOutageDevice({
    random,
    chances,
    startS: NOON_MS / 1000,
    firstSequence,
    gatewayOffS: () => (clocks.isTrusted ? clocks.offS : undefined),
    deliver: async (frame, trueS) => {
      const receivedMs = clocks.isTrusted ? (trueS + clocks.offS) * 1000 : (trueS % DAY_S) * 1000;
      const result = await writer.commit([{ frame: { ...frame, receivedMs, clockTrusted: clocks.isTrusted } }]);
      if (result.kind === "failed") throw new Error(result.reason);
      return result.outcomes[0]?.outcome === "replay" ? "refused" : "stored";
    },
  });
  for (let i = 0; i < STEPS; i++) {
    stepClocks(clocks, () => random.next());
    await device.step();
    if (random.next() < 0.02) {
      await writer.close();
      writer = await open();
    }
  }
  // Only a clock that is trusted can tell a replay from a device whose clock was days off: somebody sets it in the end.
  clocks.isTrusted = true;
  const isDrained = await device.drain();
  await writer.close();
  const db = openReaderFile(folder.path);
  const all = db.prepare("SELECT sequence, time_ms, quality, frame FROM journal").all();
  db.close();
  folder.remove();
  const rows = new Map(all.map((row) => [(row["sequence"] as number) - BASE, row as unknown as Row]));
  return { device, rows, count: all.length, isDrained };
}

function expectEachOnce({ device, rows, count, isDrained }: Played): void {
  expect(isDrained).toBe(true);
  // One row a sequence, and none that the device did not send.
  expect(rows.size).toBe(count);
  const known = new Set([...device.samples.map((one) => one.sequence), ...device.others]);
  for (const sequence of rows.keys()) expect(known.has(sequence)).toBe(true);
  for (const { sequence, frame } of device.samples) {
    expect(Buffer.from(rows.get(sequence)?.frame ?? []).equals(Buffer.from(frame)), `sample ${sequence}`).toBe(true);
  }
}

/**
 * By sample, how long its device was off between the samples around it that had a clock: nobody can know where it lies in that. Before the
 * first one that had a clock there is nothing to go by but how many records came between, and not each of them was a sample.
 */
function darkAround({ samples }: OutageDevice): number[] {
  const dark: number[] = [];
  for (let from = 0; from < samples.length; ) {
    let end = from + 1;
    while (end < samples.length && samples[end]?.clockSynced !== true) end++;
    let sum = samples[from]?.clockSynced === true ? 0 : Number.POSITIVE_INFINITY;
    for (let i = from + 1; i <= Math.min(end, samples.length - 1); i++) {
      const [before, now] = [samples[i - 1] as Sample, samples[i] as Sample];
      if (now.boot !== before.boot) sum += now.trueS - before.trueS;
    }
    while (from < end) dark[from++] = sum;
  }
  return dark;
}

const CHANCES: Chances = { cut: 0.012, linkChange: 0.03, lost: 0.1, sync: 0.3, outOfOrder: 0 };
const SEEDS = Array.from({ length: RUNS }, (_, i) => SEED + i);

describe("with clocks that are right where they are set", () => {
  test.each(SEEDS)("each sample once, in order, near its true time: seed %i", async (seed) => {
    const played = await play(seed, CHANCES, () => undefined);
    expectEachOnce(played);
    let before = Number.NEGATIVE_INFINITY;
    const lastBoot = played.device.samples.at(-1)?.boot;
    const dark = darkAround(played.device);
    for (const [i, { sequence, trueS, clockSynced, boot }] of played.device.samples.entries()) {
      const row = played.rows.get(sequence) as Row;
      expect(row.quality).toBe(clockSynced ? 0 : 1);
      if (clockSynced) expect(row.time_ms).toBe(trueS * 1000);
      // A boot that lasts: exact but for the seconds that frames took to come.
      else if (boot === lastBoot) expect(Math.abs(row.time_ms / 1000 - trueS)).toBeLessThanOrEqual(LATENCY_S_MAX);
      // A boot that is over: as near as it can be known.
      else expect(Math.abs(row.time_ms / 1000 - trueS)).toBeLessThanOrEqual((dark[i] as number) + LATENCY_S_MAX);
      expect(row.time_ms).toBeGreaterThanOrEqual(before);
      before = row.time_ms;
    }
  });

  test.each(SEEDS)("frames out of their order lose nothing either: seed %i", async (seed) => {
    expectEachOnce(await play(seed, { ...CHANCES, outOfOrder: 0.5, lost: 0.3 }, () => undefined));
  });
});

describe("with a gateway clock that jumps by days, or is not trusted for a while", () => {
  test.each(SEEDS)("each sample once: seed %i", async (seed) => {
    const played = await play(seed, { ...CHANCES, outOfOrder: 0.2 }, (clocks, next) => {
      if (next() < 0.03) clocks.offS = next() < 0.5 ? 0 : Math.floor((next() - 0.5) * 20 * DAY_S);
      if (next() < 0.03) clocks.isTrusted = next() < 0.7;
    });
    expectEachOnce(played);
  });
});
