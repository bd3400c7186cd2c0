import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { encodeInfo, type Report } from "../../protocol/index.ts";
import { backlogFrame } from "../../tests/backlog-frames.ts";
import { checkedFrame, NOON_MS } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { systemClock } from "../clock.ts";
import type { JournalRecord } from "../domain/record.ts";
import { ANSWER_BYTES_MAX } from "../http-post.ts";
import { createInfluxSink } from "./influxdb.ts";
import { lineOf, lineTimestamp } from "./lines.ts";
import { type Delivery, pumpOnce, type Sink } from "./pump.ts";
import { FRESH_PUMP, type PumpState } from "./pump-state.ts";
import { createRunner } from "./runner.ts";

function record(id: number, part: Partial<Report> = {}): JournalRecord {
  const frame = checkedFrame({ sequence: id, ...part });
  return {
    id,
    deviceId: "alm-01-d1",
    sequence: 65_536 + id,
    receivedMs: NOON_MS + 5_000,
    timeMs: NOON_MS,
    timeQuality: "synced",
    link: "mqtt",
    frame: frame.frame,
  };
}

const CONTEXT = { pointOf: () => "alm-01" };

describe("a line", () => {
  test("holds every number as a float, words beside them, and a time that no other row has", () => {
    const row = record(1_234_567, {
      power: { fuelLevelPct: "open-circuit", generator: "running", mains: "lost", loadKw: 4, starterBatteryV: 13.8 },
    });
    expect(lineOf(row, CONTEXT)).toBe(
      'report,device=alm-01-d1,link=mqtt,point=alm-01 row=1234567.0,sequence=54919.0,quality=0.0,delay_s=5.0,phase_word="open",fuelLevelPct_word="open-circuit",generator_word="running",mains_word="lost",loadKw=4.0,starterBatteryV=13.8 ' +
        `${NOON_MS}300103`,
    );
  });

  test("falls on itself when the record comes again as another row, and on no other record", () => {
    const row = record(7);
    expect(lineTimestamp({ ...row, id: 99 })).toBe(lineTimestamp(row));
    expect(lineTimestamp(row)).toBe(`${NOON_MS}065543`);
    expect(lineTimestamp({ ...row, sequence: row.sequence + 1 })).toBe(`${NOON_MS}065544`);
    // Nothing names these but their place.
    expect(lineTimestamp({ ...row, sequence: 0 })).toBe(`${NOON_MS}000007`);
    expect(lineTimestamp({ ...row, damaged: true })).toBe(`${NOON_MS}000007`);
  });

  test("is there for rows of every kind, also for what nobody can read", () => {
    const info = encodeInfo({
      sequence: 1,
      time: 2,
      flags: {},
      firmwareVersion: "1.2.3",
      configHash: 4,
      bootCount: 5,
      resetCause: "watchdog",
      reportIntervalS: 60,
      board: 1,
      sensors: 3,
      storageUsedPct: 7,
      memoryFreePct: 50,
      faultCount: 0,
    });
    expect(lineOf({ ...record(1), frame: info }, CONTEXT)).toMatch(
      /^info,.*firmwareVersion_word="1\.2\.3".*bootCount=5\.0/,
    );
    const backlog = backlogFrame({ sequence: 9, timeS: NOON_MS / 1000, clockSynced: true, thinned: true }, [
      record(1).frame,
      record(2).frame,
    ]);
    expect(lineOf({ ...record(9), frame: backlog.frame }, CONTEXT)).toMatch(/^backlog,.*samples=2\.0,thinned=1\.0/);
    expect(lineOf({ ...record(1), frame: Uint8Array.of(0x13, 1, 2) }, CONTEXT)).toMatch(/^undecoded,.*bytes=3\.0/);
    expect(lineOf({ ...record(1), damaged: true }, CONTEXT)).toMatch(/^undecoded,/);
    expect(lineOf({ ...record(1), deviceId: "a b,c=d" }, CONTEXT)).toContain("device=a\\ b\\,c\\=d,");
  });
});

/** A journal of so many rows, and what was saved of it. */
function journalOf(count: number) {
  const rows = Array.from({ length: count }, (_, i) => record(i + 1));
  const saved = { cursor: 0, dead: [] as number[] };
  const left: string[] = [];
  return {
    saved,
    left,
    rows,
    journal: {
      read: async (afterId: number, limit: number) => rows.filter((row) => row.id > afterId).slice(0, limit),
      save: async (change: { cursor: { id: number }; deadLetters?: readonly { id: number }[] }) => {
        saved.cursor = change.cursor.id;
        saved.dead.push(...(change.deadLetters ?? []).map((letter) => letter.id));
      },
      cursor: async () => saved.cursor,
      leave: (name: string) => void left.push(name),
      newestId: () => rows.length,
      onCommitted: () => () => undefined,
    },
  };
}

const FRESH: PumpState = { ...FRESH_PUMP, batchRows: 8 };

function sinkOf(deliver: (ids: number[]) => Delivery): Sink & { readonly got: number[][] } {
  const got: number[][] = [];
  return {
    name: "test",
    batchRowsMax: 100,
    got,
    deliver: async (rows) => {
      const ids = rows.map((row) => row.id);
      const answer = deliver(ids);
      if (answer.kind === "accepted") got.push(ids);
      return answer;
    },
  };
}

describe("the pump", () => {
  test("sets the one bad row aside and delivers its neighbours in order", async () => {
    const { journal, saved } = journalOf(20);
    const sink = sinkOf((ids) =>
      ids.includes(6) ? { kind: "refused", code: "422", message: "no" } : { kind: "accepted" },
    );
    let state = FRESH;
    for (let turn = 0; turn < 20 && state.cursor < 20; turn++)
      state = (await pumpOnce(sink, journal, state, NOON_MS)).state;
    expect(sink.got.flat()).toEqual(Array.from({ length: 20 }, (_, i) => i + 1).filter((id) => id !== 6));
    expect(saved).toEqual({ cursor: 20, dead: [6] });
    expect(state).toMatchObject({ sent: 19, dead: 1 });
  });

  test.each<[string, Delivery, string]>([
    ["time can cure", { kind: "retry", reason: "503" }, "retry"],
    ["a person must mend", { kind: "paused", reason: "401" }, "paused"],
  ])("what %s moves nothing", async (_, delivery, kind) => {
    const { journal, saved } = journalOf(5);
    const result = await pumpOnce(
      sinkOf(() => delivery),
      journal,
      FRESH,
      NOON_MS,
    );
    expect([result.kind, result.state.cursor, saved.cursor]).toEqual([kind, 0, 0]);
  });

  test("halves what is too large, and gives up only on a row that is too large alone", async () => {
    const { journal, saved } = journalOf(8);
    const sink = sinkOf((ids) => (ids.length > 2 || ids.includes(3) ? { kind: "too-large" } : { kind: "accepted" }));
    let state = FRESH;
    for (let turn = 0; turn < 20 && state.cursor < 8; turn++)
      state = (await pumpOnce(sink, journal, state, NOON_MS)).state;
    expect(sink.got.flat()).toEqual([1, 2, 4, 5, 6, 7, 8]);
    expect(saved.dead).toEqual([3]);
  });
});

test("a sink that is down is tried again with a growing pause, and catches up exactly", async () => {
  const { journal, rows, left } = journalOf(250);
  const clock = virtualClock(NOON_MS);
  let down = true;
  let tries = 0;
  const sink = sinkOf(() => {
    tries++;
    return down ? { kind: "retry", reason: "no route" } : { kind: "accepted" };
  });
  const runner = createRunner({ sink, journal, clock, random: () => 1 });
  await runner.start();
  await clock.advance(0);
  await clock.advance(60_000);
  expect(tries).toBeGreaterThan(3);
  expect(tries).toBeLessThan(9);
  expect(runner.state()).toMatchObject({ state: "retrying", reason: "no route", behindRows: 250 });
  expect(runner.state().waitingSince).toBe(new Date(NOON_MS + 5_000).toISOString());
  down = false;
  await clock.advance(61_000);
  expect(sink.got.flat()).toEqual(rows.map((row) => row.id));
  expect(runner.state()).toEqual({ name: "test", state: "idle", behindRows: 0, sent: 250, dead: 0 });
  await runner.stop();
  expect(left).toEqual([]);
});

test("a sink that gets on a little at each try does not wait longer and longer, and is told of once", async () => {
  const { journal, saved } = journalOf(300);
  const clock = virtualClock(NOON_MS);
  const told: string[] = [];
  const sink = sinkOf((ids) =>
    ids.length <= 10 ? { kind: "accepted" } : { kind: "retry", reason: "HTTP 503", delivered: 10 },
  );
  const log = (event: string) => void told.push(event);
  const runner = createRunner({ sink, journal, clock, random: () => 1, log });
  await runner.start();
  for (let s = 0; s < 60; s++) await clock.advance(1_000);
  expect(saved.cursor).toBe(300);
  expect(runner.state().state).toBe("idle");
  expect(told).toEqual(["sink cannot deliver", "sink delivers again"]);
  await runner.stop();
});

test("a sink whose receiver refuses everything shows as refused, and is tried again with a growing pause", async () => {
  const { journal, saved } = journalOf(100);
  const clock = virtualClock(NOON_MS);
  let isMended = false;
  let tries = 0;
  const sink = sinkOf(() => {
    tries++;
    return isMended ? { kind: "accepted" } : { kind: "refused", code: "400", message: "organization missing" };
  });
  const runner = createRunner({ sink, journal, clock, random: () => 1 });
  await runner.start();
  await clock.advance(0);
  const first = tries;
  for (let s = 0; s < 7_200; s++) await clock.advance(1_000);
  const reason = "20 rows in a row refused, and so is the newest: 400 organization missing";
  expect(runner.state()).toMatchObject({ state: "refused", reason, dead: 20, behindRows: 80 });
  // The row and the newest at each try, a minute apart at last.
  expect(tries - first).toBeLessThan(2 * 130);
  expect(tries - first).toBeGreaterThan(2 * 110);
  isMended = true;
  for (let s = 0; s < 60; s++) await clock.advance(1_000);
  expect(saved.cursor).toBe(100);
  expect(runner.state()).toEqual({ name: "test", state: "idle", behindRows: 0, sent: 80, dead: 20 });
  await runner.stop();
});

describe("InfluxDB", () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  async function sinkAgainst(
    answer: (body: string, response: ServerResponse, request: IncomingMessage) => void,
  ): Promise<Sink> {
    const listening = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const raw = Buffer.concat(chunks);
        answer((request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw).toString(), response, request);
      });
    });
    server = listening;
    await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
    const address = listening.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return createInfluxSink({
      url: `http://127.0.0.1:${port}`,
      org: "o",
      bucket: "b",
      token: "t",
      batchRowsMax: 100,
      timeoutMs: 500,
      context: CONTEXT,
      clock: systemClock,
    });
  }

  const rows = [record(1), record(2), record(3)];
  const json =
    (status: number, body: object, headers: Record<string, string> = {}) =>
    (_: string, response: ServerResponse) => {
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    };

  test("a batch is one request with the token, in nanoseconds; 204 for all of it is accepted", async () => {
    const seen: string[] = [];
    const sink = await sinkAgainst((body, response, request) => {
      seen.push(`${request.url} ${request.headers.authorization} ${body.trim().split("\n").length}`);
      response.writeHead(204).end();
    });
    expect(await sink.deliver(rows)).toEqual({ kind: "accepted" });
    expect(seen).toEqual(["/api/v2/write?org=o&bucket=b&precision=ns Token t 3"]);
  });

  function refusalOf(bytes: number): { code: string; message: string } {
    const empty = { code: "invalid", message: "" };
    return { ...empty, message: "x".repeat(bytes - JSON.stringify(empty).length) };
  }
  const packed = (_: string, response: ServerResponse) => {
    response.writeHead(400, { "content-type": "application/json", "content-encoding": "gzip" });
    response.end(gzipSync(JSON.stringify(refusalOf(10 * ANSWER_BYTES_MAX))));
  };

  test.each([
    ["token", { token: "two\nlines" }, 'Invalid character in header content ["authorization"]'],
    ["port", { url: "http://127.0.0.1:70000" }, expect.stringContaining("Port should be")],
  ])("a %s that cannot be is a delivery that failed, also of a batch that is compressed", async (_, part, reason) => {
    const limits = { batchRowsMax: 100, timeoutMs: 5_000, context: CONTEXT, clock: systemClock };
    const sink = createInfluxSink({ url: "http://127.0.0.1", org: "o", bucket: "b", token: "t", ...limits, ...part });
    for (const batch of [rows.slice(0, 1), Array.from({ length: 20 }, (_, i) => record(i))])
      expect(await sink.deliver(batch)).toEqual({ kind: "retry", reason });
  });

  test.each<[string, Parameters<typeof sinkAgainst>[0], object]>([
    ["a malformed line", json(400, { code: "invalid", message: "unable to parse" }), { kind: "refused", code: "400" }],
    [
      "a type conflict",
      json(422, { code: "unprocessable entity", message: "field type conflict" }),
      { kind: "refused", code: "422" },
    ],
    [
      "a proxy's 400",
      (_, response) => void response.writeHead(400, { "content-type": "text/html" }).end("<h1>no</h1>"),
      { kind: "retry" },
    ],
    ["a wrong token", json(401, { code: "unauthorized", message: "unauthorized access" }), { kind: "paused" }],
    ["a bucket that is not there", json(404, { code: "not found", message: "bucket not found" }), { kind: "paused" }],
    ["a body too large", json(413, { code: "request too large", message: "too large" }), { kind: "too-large" }],
    [
      "overload, with seconds to wait",
      json(503, { code: "unavailable", message: "busy" }, { "retry-after": "2" }),
      { kind: "retry", afterMs: 2000 },
    ],
    [
      "a type conflict as 2.0 says it",
      json(500, { code: "internal error", message: "partial write: field type conflict dropped=1" }),
      { kind: "refused", code: "500" },
    ],
    [
      "a 201, which says that only some lines are written",
      (_, response) => void response.writeHead(201).end(),
      { kind: "retry" },
    ],
    ["a 200 of something in between", (_, response) => void response.writeHead(200).end("ok"), { kind: "retry" }],
    ["an internal error", json(500, { code: "internal error", message: "oops" }), { kind: "retry" }],
    ["a connection that breaks", (_, response) => void response.destroy(), { kind: "retry" }],
    ["no answer at all", () => undefined, { kind: "retry" }],
    ["a refusal as long as any that is read", json(400, refusalOf(ANSWER_BYTES_MAX)), { kind: "refused" }],
    ["a refusal that is longer", json(400, refusalOf(ANSWER_BYTES_MAX + 1)), { kind: "retry", reason: "HTTP 400" }],
    ["a wrong token, at length", json(401, refusalOf(3 * ANSWER_BYTES_MAX)), { kind: "paused" }],
    ["a refusal that is packed, which nobody asked for", packed, { kind: "retry", reason: "HTTP 400" }],
  ])("%s", async (_, answer, expected) => {
    expect(await (await sinkAgainst(answer)).deliver(rows)).toMatchObject(expected);
  });
});
