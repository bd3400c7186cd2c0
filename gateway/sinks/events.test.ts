// What other systems are told: the form of the events, the signature, the topics, and when a row counts as refused.
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { Value } from "typebox/value";
import { afterEach, describe, expect, test } from "vitest";
import { type CloudEvent, CloudEventSchema, type RecordKind } from "../../protocol/index.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { ROW_CONTEXT, rowsOfEverything } from "../../tests/influx-rows.ts";
import { listening } from "../../tests/sinks/http-target.ts";
import { systemClock } from "../clock.ts";
import { secretOf } from "../http-signature.ts";
import { judgeAnswer } from "./answers.ts";
import { cloudEventOf, type EventOptions } from "./events.ts";
import { PROBE_READS_MAX, PROBE_ROWS, pumpOnce } from "./pump.ts";
import { DEAD_IN_ROW_MAX, FRESH_PUMP, type PumpState } from "./pump-state.ts";
import { inSlices, SLICE_ROWS } from "./slices.ts";
import { createUpstreamSink, upstreamTopic } from "./upstream.ts";
import { createWebhookSink } from "./webhook.ts";

const ROWS = rowsOfEverything();
const ALL_KINDS: readonly RecordKind[] = ["samples", "events", "info", "undecoded", "entries"];
const SOURCE = "urn:nld:oin:00000001823288444000:systeem:waakvlam";
const OPTIONS: EventOptions = { source: SOURCE, records: ALL_KINDS, epoch: "0123456789abcdef", context: ROW_CONTEXT };
const EVENTS = ROWS.map((row) => cloudEventOf(row, OPTIONS)).filter((one) => one !== undefined);

describe("an event", () => {
  test("fits its schema, whatever the row, and no two rows share an identity", () => {
    for (const event of EVENTS) expect(Value.Check(CloudEventSchema, event), JSON.stringify(event)).toBe(true);
    expect(new Set(EVENTS.map(({ id }) => id)).size).toBe(EVENTS.length);
    expect(new Set(EVENTS.map(({ type }) => type)).size).toBe(5);
  });

  test("has the time of receipt as its time, and that of the sample inside", () => {
    const event = cloudEventOf(ROWS[5] as (typeof ROWS)[0], OPTIONS) as CloudEvent;
    expect(event).toMatchObject({
      specversion: "1.0",
      id: "alm-01-d1.65542",
      source: SOURCE,
      type: "nl.noodsteunpunten.meting-ontvangen",
      subject: "alm-01/alm-01-d1",
      time: new Date(NOON_MS + 362_000).toISOString(),
      sequence: "0000000000000006",
      data: { pointId: "alm-01", sampledAt: new Date(NOON_MS + 360_000).toISOString(), sequence: 65_542 },
    });
    expect(event.data.values).toMatchObject({ fuelLevelPct: 63.5, mains_word: "lost", delay_s: 2 });
  });

  test("of a row without an identity is named by its place in this file", () => {
    const [row] = ROWS as [(typeof ROWS)[0]];
    const nameless = cloudEventOf({ ...row, sequence: 0, frame: Uint8Array.of(0x23) }, OPTIONS);
    expect(nameless).toMatchObject({ id: "row.0123456789abcdef.1", data: { frameHex: "23" } });
    expect(cloudEventOf({ ...row, damaged: true, deviceId: "" }, OPTIONS)).toMatchObject({
      id: "row.0123456789abcdef.1",
      subject: "unknown/unknown",
    });
  });

  test("is there only for records that were asked for, and never for a backlog frame", () => {
    const samples = ROWS.map((row) => cloudEventOf(row, { ...OPTIONS, records: ["samples"] }));
    expect(new Set(samples.map((event) => event?.type))).toEqual(
      new Set([undefined, "nl.noodsteunpunten.meting-ontvangen"]),
    );
    expect(ROWS.length - EVENTS.length).toBe(ROWS.filter(({ id, link }) => link !== "manual" && id % 8 === 4).length);
  });

  test("is what webhook and broker say that they want, and of nothing else", () => {
    const options = { ...OPTIONS, records: ["samples", "info"] as const };
    const limits = { batchRowsMax: 10, timeoutMs: 1_000, clock: systemClock };
    for (const sink of [
      createWebhookSink({ ...options, ...limits, url: "http://127.0.0.1/", form: "batch" }),
      createUpstreamSink({ ...options, ...limits, url: "mqtt://127.0.0.1", clientId: "c", topicPrefix: "p" }),
    ]) {
      const wanted = ROWS.map((row) => sink.wants?.(row));
      expect(wanted).toEqual(ROWS.map((row) => cloudEventOf(row, options) !== undefined));
      expect(new Set(wanted).size).toBe(2);
      sink.close?.();
    }
  });

  test("of an entry is named by its entryId, and says neither who told it nor what was written in free words", () => {
    const told = ROWS.filter(({ link }) => link === "manual");
    const events = told.map((row) => cloudEventOf(row, OPTIONS) as CloudEvent);
    expect(events[3]).toMatchObject({
      id: "alm-02.entry-003-of-64",
      subject: "alm-02",
      type: "nl.noodsteunpunten.invoer-vastgelegd",
      data: { pointId: "alm-02", link: "manual", values: { kind_word: "delivery", litres: 200, via_word: "runner" } },
    });
    expect(events[3]?.data.deviceId).toBeUndefined();
    expect(upstreamTopic("region", events[3] as CloudEvent)).toBe("region/points/alm-02/entries");
    expect(JSON.stringify(events)).not.toMatch(/coordinator-1|bike|gate/);
    // Restored from a copy it has another place in another file, and the same name.
    const again = cloudEventOf({ ...(told[3] as (typeof ROWS)[0]), id: 900 }, { ...OPTIONS, epoch: "other" });
    expect(again?.id).toBe(events[3]?.id);
  });

  test("of an entry that is none by its schema is an unreadable frame", () => {
    const row = { ...(ROWS.at(-1) as (typeof ROWS)[0]), frame: new TextEncoder().encode('{"kind":"note"}') };
    expect(cloudEventOf(row, OPTIONS)).toMatchObject({
      type: "nl.noodsteunpunten.frame-onleesbaar",
      data: { values: { bytes: 15 } },
    });
  });

  test("to a broker at a port that cannot be is a delivery that failed", async () => {
    const limits = { batchRowsMax: 10, timeoutMs: 5_000, clock: systemClock };
    const address = { url: "mqtt://127.0.0.1:70000", clientId: "c", topicPrefix: "p" };
    const sink = createUpstreamSink({ ...OPTIONS, ...limits, ...address });
    const delivery = await sink.deliver(ROWS.slice(0, 4));
    expect(delivery).toEqual({ kind: "retry", reason: expect.stringContaining("Port should be"), delivered: 0 });
    sink.close?.();
  });

  test("goes to a topic that names point, device and kind", () => {
    expect(new Set(EVENTS.map((event) => upstreamTopic("region/waakvlam", event)))).toContain(
      "region/waakvlam/points/alm-02/devices/alm-02-d1/events",
    );
  });
});

describe("a webhook", () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  async function requestsOf(form: "structured" | "batch"): Promise<{ headers: IncomingHttpHeaders; body: string }[]> {
    const got: { headers: IncomingHttpHeaders; body: string }[] = [];
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (part: Buffer) => {
        body += part.toString();
      });
      request.on("end", () => {
        got.push({ headers: request.headers, body });
        response.writeHead(202).end();
      });
    });
    const url = `http://127.0.0.1:${await listening(server)}/events`;
    const secret = secretOf("whsec_c2VjcmV0\n");
    const limits = { batchRowsMax: 100, timeoutMs: 2_000, clock: systemClock };
    const sink = createWebhookSink({ ...OPTIONS, ...limits, url, form, token: "t", secret });
    expect(await sink.deliver(ROWS.slice(0, 8))).toEqual({ kind: "accepted" });
    sink.close?.();
    return got;
  }

  test.each(["structured", "batch"] as const)(
    "%s: signed as Standard Webhooks does, with its bearer token",
    async (form) => {
      const got = await requestsOf(form);
      expect(got).toHaveLength(form === "batch" ? 1 : 7);
      for (const { headers, body } of got) {
        const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature } = headers;
        const expected = createHmac("sha256", "secret").update(`${id}.${at}.${body}`).digest("base64");
        expect(signature).toBe(`v1,${expected}`);
        expect(headers.authorization).toBe("Bearer t");
        expect(headers["content-type"]).toMatch(
          form === "batch" ? /^application\/cloudevents-batch\+json/ : /^application\/cloudevents\+json/,
        );
        const value = JSON.parse(body) as CloudEvent | CloudEvent[];
        for (const event of [value].flat()) expect(Value.Check(CloudEventSchema, event)).toBe(true);
      }
    },
  );
});

test("work over many rows lets the event loop turn between slices, and keeps their order", async () => {
  let turns = 0;
  let isDone = false;
  const turn = () => {
    turns++;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  const numbers = Array.from({ length: 10 * SLICE_ROWS }, (_, i) => i);
  expect(await inSlices(numbers, (n) => n + 1)).toEqual(numbers.map((n) => n + 1));
  isDone = true;
  expect(turns).toBeGreaterThanOrEqual(9);
});

describe("an answer", () => {
  const rules = { acceptedStatuses: [204], pausedStatuses: [401], condemnation: () => undefined };
  test.each([
    ["2", 2_000],
    ["100000", 300_000],
    ["0", undefined],
    ["Wed, 21 Oct 2026 07:28:00 GMT", undefined],
  ])("with Retry-After %s waits so many milliseconds: %s", (header, afterMs) => {
    const judged = judgeAnswer({ status: 503, headers: { "retry-after": header }, body: "" }, rules);
    expect(judged).toEqual({ kind: "retry", reason: "HTTP 503", ...(afterMs === undefined ? {} : { afterMs }) });
  });

  test("that sends us elsewhere is for a person to mend", () => {
    expect(judgeAnswer({ status: 302, headers: { location: "http://x/" }, body: "" }, rules)).toMatchObject({
      kind: "paused",
    });
  });
});

describe("the pump", () => {
  const rows = Array.from({ length: 64 }, (_, i) => ({ ...(ROWS[0] as (typeof ROWS)[0]), id: i + 1 }));
  const journal = {
    read: async (afterId: number, limit: number) => rows.filter(({ id }) => id > afterId).slice(0, limit),
    save: async () => undefined,
    newestId: () => rows.length,
  };

  test("finds the bad row of a batch in as many requests as it has halves, and goes on as large as before", async () => {
    let requests = 0;
    let largest = 0;
    const sink = {
      name: "test",
      batchRowsMax: 64,
      deliver: async (batch: readonly { id: number }[]) => {
        requests++;
        largest = batch.length;
        if (batch.some(({ id }) => id === 37)) return { kind: "refused", code: "422", message: "no" } as const;
        return { kind: "accepted" } as const;
      },
    };
    let state: PumpState = { ...FRESH_PUMP, batchRows: 64 };
    while (state.cursor < 64) state = (await pumpOnce(sink, journal, state, NOON_MS)).state;
    expect(state).toMatchObject({ dead: 1, sent: 63 });
    expect(requests).toBeLessThanOrEqual(14);
    expect(largest).toBe(64 - 37);
  });

  test("with a receiver that takes nothing it holds, whatever it passes over that nobody asked for", async () => {
    const sink = {
      name: "test",
      batchRowsMax: 8,
      wants: ({ id }: { id: number }) => id % 5 !== 0,
      deliver: async (batch: readonly { id: number }[]) => {
        if (batch.some(({ id }) => id % 5 !== 0)) return { kind: "refused", code: "400", message: "no" } as const;
        return { kind: "accepted" } as const;
      },
    };
    let state: PumpState = { ...FRESH_PUMP, batchRows: 8 };
    const kinds: string[] = [];
    for (let n = 1; n <= 64; n++) {
      const result = await pumpOnce(sink, journal, state, NOON_MS);
      kinds.push(result.kind);
      state = result.state;
    }
    expect(state).toMatchObject({ dead: DEAD_IN_ROW_MAX, cursor: 25 });
    expect(new Set(kinds.slice(kinds.indexOf("held")))).toEqual(new Set(["held"]));
  });

  const reach = PROBE_READS_MAX * PROBE_ROWS;
  test.each([
    ["the last that is looked at: it is sent", reach - 1, 40, [1]],
    ["one further back: none is", reach, DEAD_IN_ROW_MAX, []],
  ])("of rows that are mostly not asked for, the newest that is: %s", async (_, behind, dead, alone) => {
    const count = reach + 60;
    const last = count - behind;
    const many = Array.from({ length: count }, (_, i) => ({ ...(ROWS[0] as (typeof ROWS)[0]), id: i + 1 }));
    const sent: number[] = [];
    const sink = {
      name: "test",
      batchRowsMax: 100,
      wants: ({ id }: { id: number }) => id <= 40 || id === last,
      deliver: async (batch: readonly { id: number }[]) => {
        if (batch.some(({ id }) => id <= 40)) return { kind: "refused", code: "400", message: "no" } as const;
        if (batch[0]?.id === last) sent.push(batch.length);
        return { kind: "accepted" } as const;
      },
    };
    const read = async (afterId: number, limit: number) => many.slice(afterId, afterId + limit);
    let state: PumpState = FRESH_PUMP;
    for (let n = 0; n < 50 && state.cursor < 40; n++)
      state = (await pumpOnce(sink, { ...journal, read, newestId: () => count }, state, NOON_MS)).state;
    expect(state).toMatchObject({ dead, cursor: dead });
    expect(sent).toEqual(alone);
  });

  test("after a time that ran out it tries half as many rows", async () => {
    const sink = {
      name: "test",
      batchRowsMax: 64,
      deliver: async () => ({ kind: "retry", reason: "late", timedOut: true }) as const,
    };
    const first = await pumpOnce(sink, journal, { ...FRESH_PUMP, batchRows: 64 }, NOON_MS);
    const second = await pumpOnce(sink, journal, first.state, NOON_MS);
    expect([first.state.batchRows, second.state.batchRows]).toEqual([32, 16]);
  });
});
