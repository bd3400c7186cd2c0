// The routes of history on a real journal and a real history, with the registry's assignments.
import type { FastifyInstance } from "fastify";
import { Value } from "typebox/value";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type DeviceSamples,
  DeviceSamplesSchema,
  encodeEvent,
  type PointHistory,
  PointHistorySchema,
  type PointPhases,
  PointPhasesSchema,
  type Problem,
  type Registry,
} from "../../protocol/index.ts";
import { serveApi, signIn } from "../../tests/api-fixtures.ts";
import { checkedFrame, NOON_MS, temporaryFolder, waitFor } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { systemClock } from "../clock.ts";
import { toInstant } from "../domain/instant.ts";
import { NO_LIFECYCLE, type PhaseChange } from "../domain/lifecycle.ts";
import { phaseAct, phaseChangeOf } from "../engine/phase-acts.ts";
import { type History, noHistory, startHistory } from "../history/history.ts";
import { type Journal, openJournal } from "../journal/journal.ts";
import { historyForApi } from "../wiring/history.ts";

const HOUR_MS = 3_600_000;
let folder: ReturnType<typeof temporaryFolder>;
let journal: Journal;
let history: History;
let app: FastifyInstance;
let cookie: string;

const device = (deviceId: string, period: object = {}) => ({
  deviceId,
  pointId: "alm-01",
  board: "esp32",
  link: "mqtt",
  ...period,
});
/** One device makes place for another at midnight between the 24th and the 25th, local time. */
const REGISTRY = {
  version: 1,
  municipalities: [],
  points: [{ pointId: "alm-01" }],
  devices: [device("alm-01-d1", { until: "2026-11-25" }), device("alm-01-d2", { from: "2026-11-25" })],
} as unknown as Registry;
const MIDNIGHT_MS = Date.UTC(2026, 10, 24, 23);

async function serve(shown: History): Promise<void> {
  app = await serveApi({
    clock: virtualClock(NOON_MS + HOUR_MS),
    history: historyForApi(shown, { registry: () => REGISTRY }, journal),
  });
  cookie = await signIn(app, "a");
}

beforeEach(async () => {
  folder = temporaryFolder();
  journal = await openJournal({ dir: folder.path, clock: systemClock });
  const options = { dir: folder.path, journal, clock: systemClock, compactEveryMs: HOUR_MS };
  history = await startHistory({ ...options, retention: { rawDays: 90, rollupYears: 5 } });
  await serve(history);
});
afterEach(async () => {
  await app.close();
  await history.stop();
  await journal.close();
  folder.remove();
});

async function append(deviceId: string, minutes: readonly number[], fromMs = NOON_MS): Promise<void> {
  for (const minute of minutes) {
    const atMs = fromMs + minute * 60_000;
    await journal.append(checkedFrame({ deviceId, sequence: minute + 1, time: atMs / 1000, receivedMs: atMs }));
  }
  await waitFor("history to have read the journal", () => {
    const state = history.state();
    return "unseenRows" in state && state.unseenRows === 0;
  });
}

async function get<T>(url: string): Promise<T> {
  const answer = await app.inject({ url, headers: { cookie } });
  expect([url, answer.statusCode, answer.statusCode === 200 ? "" : answer.body]).toEqual([url, 200, ""]);
  return answer.json() as T;
}

async function refused(url: string): Promise<Problem> {
  return (await app.inject({ url, headers: { cookie } })).json() as Problem;
}

const POINT = "/v1/points/alm-01/history";
const DEVICE = "/v1/devices/alm-01-d1/samples";
const span = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

test("phase changes of a point are those of the log of acts, page by page, with when, by what way and by whom", async () => {
  const url = "/v1/points/alm-01/phases";
  expect(await get<PointPhases>(url)).toEqual({ pointId: "alm-01", changes: [] });
  const said = { phase: "open", atMs: NOON_MS, told: { by: "coordinator-1", via: "voice" } } as const;
  const button = { phase: "opening", atMs: NOON_MS - 60_000, deviceId: "alm-01-d1" } as const;
  const act = (pointId: string, changes: readonly PhaseChange[], atMs: number) =>
    phaseAct(pointId, { ...NO_LIFECYCLE, current: changes.at(-1), changes }, atMs);
  await journal.save({
    acts: [
      act("alm-01", [button], NOON_MS - 59_000),
      act("alm-02", [button], NOON_MS - 59_000),
      act("alm-01", [button, said], NOON_MS + 300_000),
      { ...act("alm-01", [said], NOON_MS), action: "entry-told" },
      act("alm-01", [], NOON_MS + 400_000),
    ],
  });
  const all = await get<PointPhases>(url);
  expect(Value.Check(PointPhasesSchema, all)).toBe(true);
  const at = (ms: number) => new Date(NOON_MS + ms).toISOString();
  const [unknown, open, opening] = [
    { phase: "unknown", at: at(400_000), recordedAt: at(400_000), source: "gateway", actor: "gateway" },
    { phase: "open", before: "opening", at: at(0), recordedAt: at(300_000), source: "voice", actor: "coordinator-1" },
    { phase: "opening", at: at(-60_000), recordedAt: at(-59_000), source: "device", actor: "alm-01-d1" },
  ];
  expect(all).toEqual({ pointId: "alm-01", changes: [unknown, open, opening] });
  const page = await get<PointPhases>(`${url}?limit=2`);
  expect(page).toEqual({ pointId: "alm-01", changes: [unknown, open], next: expect.stringMatching(/^\d+$/) });
  expect(await get<PointPhases>(`${url}?limit=2&after=${page.next}`)).toEqual({
    pointId: "alm-01",
    changes: [opening],
  });
  expect(await get<PointPhases>(`${url}?limit=3`)).toEqual(all);
  expect(await refused("/v1/points/elsewhere/phases")).toMatchObject({ code: "POINT_UNKNOWN", status: 404 });
  for (const query of ["?limit=0", "?after=x", "?before=1"])
    expect([query, (await refused(`${url}${query}`)).status]).toEqual([query, 400]);
});

test("a change that another version wrote down is shown as far as it can be read", () => {
  const act = {
    atMs: NOON_MS,
    actor: "a",
    action: "phase-changed",
    object: "alm-01",
    origin: "drum",
    result: "asleep",
  };
  const shown = {
    phase: "unknown",
    at: toInstant(NOON_MS),
    recordedAt: toInstant(NOON_MS),
    source: "gateway",
    actor: "a",
  };
  for (const detail of ["", "{", "null", '{"at":"yesterday","before":"awake"}'])
    expect(phaseChangeOf({ ...act, detail })).toEqual(shown);
});

test("a point's history has the newest samples, and gaps as gaps", async () => {
  await append("alm-01-d1", [...span(20), ...span(20, 40)]);
  const query = "from=2026-11-24T12:00:00Z&to=2026-11-24T13:00:00Z&points=6&fields=power.fuelLevelPct,power.mains";
  const told = await get<PointHistory>(`${POINT}?${query}`);
  expect(Value.Check(PointHistorySchema, told)).toBe(true);
  expect(told).toMatchObject({ stepS: 600, steps: 6, resolution: "sample", damaged: 0 });
  const [fuel, mains] = told.series;
  expect(fuel).toMatchObject({ deviceId: "alm-01-d1", field: "power.fuelLevelPct", count: [10, 10, 0, 0, 10, 10] });
  expect(fuel?.mean).toEqual([63.5, 63.5, null, null, 63.5, 63.5]);
  expect(mains?.last).toEqual(["lost", "lost", null, null, "lost", "lost"]);
  expect(mains).not.toHaveProperty("mean");
});

test("each device of a point tells of its own time there", async () => {
  await append("alm-01-d1", span(20), MIDNIGHT_MS - 600_000);
  await append("alm-01-d2", span(20), MIDNIGHT_MS - 600_000);
  const told = await get<PointHistory>(
    `${POINT}?from=2026-11-24T22:00:00Z&to=2026-11-25T00:00:00Z&points=2&fields=power.loadKw`,
  );
  expect(told.series.map(({ deviceId, count }) => [deviceId, count])).toEqual([
    ["alm-01-d1", [10, 0]],
    ["alm-01-d2", [0, 10]],
  ]);
});

test("samples come one by one in pages, with frames of every kind", async () => {
  await append("alm-01-d1", span(5));
  const frame = encodeEvent({
    sequence: 9,
    time: NOON_MS / 1000 + 400,
    flags: { clockSynced: true },
    event: "tamper",
    argument: 3,
  });
  await journal.append({
    ...checkedFrame({ sequence: 9, receivedMs: NOON_MS + 400_000, time: NOON_MS / 1000 + 400 }),
    frame,
  });
  await append("alm-01-d1", [10]);
  const first = await get<DeviceSamples>(`${DEVICE}?limit=5`);
  expect(Value.Check(DeviceSamplesSchema, first)).toBe(true);
  expect(first.samples.map((sample) => [sample.sequence, sample.kind, sample.quality])).toEqual(
    span(5, 1).map((sequence) => [sequence, "report", "synced"]),
  );
  expect(first.samples[0]).toMatchObject({ at: "2026-11-24T12:00:00.000Z", value: { power: { fuelLevelPct: 63.5 } } });
  const rest = await get<DeviceSamples>(`${DEVICE}?limit=5&after=${first.next ?? ""}`);
  expect(rest.samples.map((sample) => [sample.sequence, sample.kind])).toEqual([
    [9, "event"],
    [11, "report"],
  ]);
  expect(rest.next).toBeUndefined();
});

test("what cannot be told is refused with its reason", async () => {
  for (const [url, status, code] of [
    [`${POINT}?from=2026-11-24T13:00:00Z&to=2026-11-24T12:00:00Z`, 400, "RANGE_INVALID"],
    [`${POINT}?from=2010-11-24T13:00:00Z`, 400, "RANGE_INVALID"],
    [`${POINT}?from=2026-13-45T13:00:00Z`, 400, "RANGE_INVALID"],
    [`${POINT}?from=yesterday`, 400, "REQUEST_INVALID"],
    [`${POINT}?points=0`, 400, "REQUEST_INVALID"],
    [`${POINT}?point=5`, 400, "REQUEST_INVALID"],
    [`${POINT}?fields=power.fuel`, 400, "FIELD_UNKNOWN"],
    ["/v1/points/alm-02/history", 404, "POINT_UNKNOWN"],
    ["/v1/devices/alm-09-d1/samples", 404, "DEVICE_UNKNOWN"],
    [`${DEVICE}?after=soon`, 400, "REQUEST_INVALID"],
  ] as const) {
    expect([url, await refused(url)]).toMatchObject([url, { status, code }]);
  }
  // More steps than there may be are as many as there may be.
  expect((await get<PointHistory>(`${POINT}?points=9999`)).steps).toBeLessThanOrEqual(2_000);
});

test("without a session nothing is told, and without history that is said", async () => {
  for (const url of [POINT, DEVICE]) expect((await app.inject({ url })).statusCode).toBe(401);
  await app.close();
  await serve(noHistory("file is not a database"));
  for (const url of [POINT, DEVICE])
    expect(await refused(url)).toMatchObject({ status: 503, code: "HISTORY_UNUSABLE" });
});
