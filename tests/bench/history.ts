// History of many devices over 83 hours beside indexed tables in the same run: bytes a sample, bytes written, the time of
// the questions that screens ask, and of a start on all of it.
import { readFileSync } from "node:fs";
import { systemClock } from "../../gateway/clock.ts";
import { openHistoryReader } from "../../gateway/history/file.ts";
import { startHistory } from "../../gateway/history/history.ts";
import { createHistoryReader } from "../../gateway/history/query.ts";
import { DAY_MS, type DeviceRecord, dayOf, HOUR_MS } from "../../gateway/history/row.ts";
import { openStore } from "../../gateway/history/store.ts";
import { openJournal } from "../../gateway/journal/journal.ts";
import { openWriter } from "../../gateway/journal/open-writer.ts";
import { wholeFlag, wordFlag } from "../command.ts";
import { temporaryFolder } from "../fixtures.ts";
import { samplesOfDevice } from "../history-samples.ts";
import { type Bench, type BenchRow, medianOf, significant } from "./bench.ts";
import { type HistorySubject, indexedFrames, indexedJson } from "./history-peers.ts";

const START_MS = Date.UTC(2026, 10, 24);
const SAMPLES_EACH = 5_000;
const MINUTES = 60;
/** Devices of one batch: 12,000 rows, as the compactor takes. */
const BATCH_DEVICES = 200;
const SPAN = { fromMs: START_MS + 6 * HOUR_MS, toMs: START_MS + 78 * HOUR_MS };
const QUESTIONS = 9;

function waakvlam(dir: string): HistorySubject {
  const store = openStore(dir, { epoch: "bench", newestId: Number.MAX_SAFE_INTEGER });
  let reader: ReturnType<typeof createHistoryReader> | undefined;
  const db = openHistoryReader(dir);
  const asked = () => {
    reader ??= createHistoryReader(db, () => performance.now());
    return reader;
  };
  const sourceOf = (deviceId: string, fromMs: number, toMs: number) => ({ deviceId, fromMs, toMs, tail: [] });
  return {
    name: "waakvlam",
    add: (rows) => store.absorb({ rows, throughId: rows[rows.length - 1]?.id ?? 0, damaged: 0 }),
    settle: () => {},
    bytes: () => store.state().bytes - store.state().freeBytes,
    range(deviceId, fromMs, toMs) {
      return asked().samples({ kind: "samples", source: sourceOf(deviceId, fromMs, toMs), limit: 10_000 }).rows.length;
    },
    steps(deviceId, range) {
      const sources = [sourceOf(deviceId, 0, Number.MAX_SAFE_INTEGER)];
      const told = asked().series({ kind: "series", sources, ...range });
      return told.series[0]?.count.filter((count) => count > 0).length ?? 0;
    },
    close() {
      db.close();
      store.close();
    },
  };
}

/** Gives the rows of so many minutes of a share of the devices, ids in the order of receipt. */
function fleet(seed: number, devices: number) {
  const next = Array.from({ length: devices }, (_, d) =>
    samplesOfDevice({ seed: seed * 100_003 + d, startMs: START_MS }),
  );
  let id = 0;
  return (from: number, to: number, minutes: number): DeviceRecord[] => {
    const rows = next.slice(from, to).flatMap((sample, i) => {
      return Array.from({ length: minutes }, () => ({ deviceId: `dev-${from + i}`, ...sample() }));
    });
    rows.sort((a, b) => a.receivedMs - b.receivedMs);
    return rows.map((row) => ({ ...row, id: ++id }));
  };
}

function load(subjects: readonly HistorySubject[], seed: number, devices: number, log: (line: string) => void): void {
  const rowsOf = fleet(seed, devices);
  for (let minute = 0; minute < SAMPLES_EACH; minute += MINUTES) {
    for (let d = 0; d < devices; d += BATCH_DEVICES) {
      const rows = rowsOf(d, Math.min(devices, d + BATCH_DEVICES), Math.min(MINUTES, SAMPLES_EACH - minute));
      for (const subject of subjects) subject.add(rows);
    }
    if (minute % (10 * MINUTES) === 0) log(`history: hour ${minute / MINUTES} of ${Math.ceil(SAMPLES_EACH / MINUTES)}`);
  }
  for (const subject of subjects) subject.settle();
}

function millisecondsOf(work: (device: number) => number, devices: number): number {
  const times = Array.from({ length: QUESTIONS }, (_, i) => {
    const began = performance.now();
    if (work(Math.floor((devices * i) / QUESTIONS)) === 0) throw new Error("nothing was found");
    return performance.now() - began;
  });
  return medianOf(times);
}

function writtenBytes(): number {
  const line = /^write_bytes: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"));
  return Number(line?.[1]);
}

/** Bytes that reach the disk for each sample when 500 devices are written every ten minutes, for six hours. */
function wear(open: (dir: string) => HistorySubject, seed: number): number {
  const folder = temporaryFolder();
  const subject = open(folder.path);
  const rowsOf = fleet(seed, 500);
  // The first hour makes the file.
  for (let i = 0; i < 6; i++) subject.add(rowsOf(0, 500, 10));
  const before = writtenBytes();
  for (let i = 0; i < 36; i++) subject.add(rowsOf(0, 500, 10));
  const bytes = writtenBytes() - before;
  subject.close();
  folder.remove();
  return bytes / (36 * 10 * 500);
}

/** Of a journal with 72 hours, and the history of them. */
async function startUp(dir: string, seed: number, devices: number) {
  const writer = await openWriter({ dir }, { clock: systemClock });
  const rowsOf = fleet(seed, devices);
  for (let hour = 0; hour < 72; hour++) {
    for (let d = 0; d < devices; d += 80) {
      const rows = rowsOf(d, Math.min(devices, d + 80), MINUTES);
      await writer.commit(
        rows.map(({ deviceId, receivedMs, timeMs, link, frame, sequence }) => {
          const header = { sequence: sequence % 65_536, timeS: timeMs / 1000, clockSynced: true };
          return { frame: { deviceId, header, receivedMs, clockTrusted: true, link, frame } };
        }),
      );
    }
  }
  const epoch = writer.taken.name;
  const newestId = writer.newestId();
  await writer.commit([{ change: { cursor: { name: "history", id: newestId } } }]);
  await writer.close();
  const store = openStore(dir, { epoch, newestId });
  store.absorb({ rows: [], throughId: newestId, damaged: 0 });
  store.close();
  const began = performance.now();
  const journal = await openJournal({ dir, clock: systemClock });
  const journalMs = performance.now() - began;
  const retention = { rawDays: 90, rollupYears: 5 };
  const history = await startHistory({ dir, journal, clock: systemClock, compactEveryMs: HOUR_MS, retention });
  const range = { fromMs: SPAN.toMs - HOUR_MS, toMs: SPAN.toMs };
  await history.series({ ...range, sensors: [{ deviceId: "dev-0", ...range }], points: 10 });
  const historyMs = performance.now() - began - journalMs;
  await history.stop();
  await journal.close();
  return { journalMs, historyMs, rssMb: process.memoryUsage().rss / 1_048_576 };
}

/** Bytes of the rollups of a device and day. */
function rollupBytes(dir: string): number {
  const store = openStore(dir, { epoch: "bench", newestId: Number.MAX_SAFE_INTEGER });
  while (store.foldOnce(dayOf(START_MS) + 5 * DAY_MS));
  store.close();
  const db = openHistoryReader(dir);
  const row = db.prepare("SELECT avg(length(hours) + length(quarters)) AS bytes FROM rollup").get();
  db.close();
  return Number(row?.["bytes"]);
}

export const bench: Bench = {
  name: "history",
  summary: "bytes, writes and questions of history beside indexed tables of frames and of JSON",
  flags: { form: "full: 2,000 devices and 10 million samples; short: 200 and 1 million (short)", devices: "so many" },
  async run({ flags, log }) {
    const isFull = wordFlag(flags, "form", ["short", "full"]) === "full";
    const devices = wholeFlag(flags, "devices", isFull ? 2_000 : 200);
    const seed = wholeFlag(flags, "seed", 1);
    const samples = devices * SAMPLES_EACH;
    log(`history: ${samples} samples of ${devices} devices, seed ${seed}`);
    const folder = temporaryFolder();
    const opens = [waakvlam, indexedFrames, indexedJson];
    const subjects = opens.map((open) => open(folder.path));
    try {
      load(subjects, seed, devices, log);
      const range = { ...SPAN, points: 500 };
      const figures = subjects.map((subject, i) => {
        log(`history: questions and writes of ${subject.name}`);
        return [
          ["bytes-per-sample", subject.bytes() / samples, "B"],
          ["72h-samples", millisecondsOf((d) => subject.range(`dev-${d}`, SPAN.fromMs, SPAN.toMs), devices), "ms"],
          ["500-points", millisecondsOf((d) => subject.steps(`dev-${d}`, range), devices), "ms"],
          ["written-per-sample", wear(opens[i] ?? waakvlam, seed), "B"],
        ] as const;
      });
      for (const subject of subjects) subject.close();
      const rows = figures.flatMap((mine, i) =>
        mine.map(([name, value, unit], f): BenchRow => {
          const ratio = significant(value / (figures[0]?.[f]?.[1] ?? Number.NaN));
          return { case: name, subject: subjects[i]?.name ?? "", value: significant(value), unit, ratio };
        }),
      );
      const own = (name: string, value: number, unit: string): BenchRow => {
        return { case: name, subject: "waakvlam", value: significant(value), unit };
      };
      const perDay = rollupBytes(folder.path);
      log("history: start on a journal of 72 hours");
      const started = await startUp(folder.path, seed, devices);
      return [
        ...rows,
        own("rollup-per-device-day", perDay, "B"),
        own("start-journal", started.journalMs, "ms"),
        own("start-history", started.historyMs, "ms"),
        own("memory", started.rssMb, "MB"),
      ];
    } finally {
      folder.remove();
    }
  },
};
