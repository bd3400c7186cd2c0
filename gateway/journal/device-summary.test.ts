// What is kept of a device gives back exactly what was known of it.
import { expect, test } from "vitest";
import { createRandom } from "../../firmware/simulator/random.ts";
import { createWindow, isStored, markStored, type StoredWindow, WINDOW_RECORDS } from "../domain/dedupe.ts";
import { addMoment, forgetBefore, type Timeline } from "../domain/timeline.ts";
import { parseSummary, summaryJson } from "./device-summary.ts";

const SEED = Number(process.env["SUMMARY_SEED"] ?? Math.floor(performance.timeOrigin) % 1_000_000);
console.info(`device summaries: SUMMARY_SEED=${SEED}`);

/** Records of one device with holes, jumps and late ones, as the table of devices takes them in. */
function known(seed: number): { window: StoredWindow; timeline: Timeline } {
  const random = createRandom(seed);
  let sequence = Math.floor(random.next() * 140_000);
  const window = createWindow(sequence);
  const timeline: Timeline = [];
  addMoment(timeline, { sequence, timeMs: 0, isSure: true });
  for (let i = 0; i < 4_000; i++) {
    const jump = random.next();
    if (jump < 0.01) sequence += Math.floor(random.next() * 9_000);
    else if (jump < 0.1) sequence += 2;
    else sequence++;
    const isLate = random.next() < 0.05;
    const one = isLate ? Math.max(0, sequence - Math.floor(random.next() * 40_000)) : sequence;
    if (one > window.highest - WINDOW_RECORDS) markStored(window, one);
    addMoment(timeline, { sequence: one, timeMs: i * 1_000, isSure: random.next() < 0.8 });
    forgetBefore(timeline, window.highest - WINDOW_RECORDS);
  }
  return { window, timeline };
}

test.each(Array.from({ length: 10 }, (_, i) => SEED + i))(
  "a summary gives back window and timeline: seed %i",
  (seed) => {
    const { window, timeline } = known(seed);
    const synced = { sequence: window.highest, timeMs: 5 };
    const back = parseSummary(summaryJson({ window, synced, latestS: 7, timeline, forgottenTo: 0 }));
    expect([back.synced, back.latestS]).toEqual([synced, 7]);
    expect(back.timeline).toEqual(timeline);
    expect(back.window?.highest).toBe(window.highest);
    for (let sequence = Math.max(0, window.highest - WINDOW_RECORDS - 50); sequence <= window.highest + 1; sequence++) {
      if (isStored(window, sequence) !== isStored(back.window as StoredWindow, sequence)) {
        throw new Error(`record ${sequence} differs`);
      }
    }
  },
);

test("a device of which nothing with a sequence is stored has no window", () => {
  const nothing = { window: undefined, synced: undefined, latestS: 0, timeline: [], forgottenTo: 0 };
  expect(parseSummary(summaryJson(nothing))).toEqual(nothing);
});

test("of a summary that kept no latest time, that of the highest record serves", () => {
  expect(parseSummary("[[9,5999],[]]").latestS).toBe(5);
  expect(parseSummary("[null,[]]").latestS).toBe(0);
});
