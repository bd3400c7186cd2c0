// The contract of every sink: whatever its receiver does, the cursor never passes a row that the receiver does not have, all
// rows arrive, each can be counted once, and what can never be taken is a dead letter. The same cases for all.
import { afterEach, describe, expect, test } from "vitest";
import { checkedFrame, NOON_MS } from "../../tests/fixtures.ts";
import { influxReceiver, startHttpTarget, TOKEN, webhookReceiver } from "../../tests/sinks/http-target.ts";
import { startMqttTarget } from "../../tests/sinks/mqtt-target.ts";
import type { Fault, SinkTarget } from "../../tests/sinks/target.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { systemClock } from "../clock.ts";
import type { JournalRecord } from "../domain/record.ts";
import { createInfluxSink } from "./influxdb.ts";
import { type PumpResult, pumpOnce, type Sink, type SinkJournal } from "./pump.ts";
import { DEAD_IN_ROW_MAX, FRESH_PUMP, type PumpState } from "./pump-state.ts";
import { createRunner } from "./runner.ts";
import { createUpstreamSink } from "./upstream.ts";
import { createWebhookSink } from "./webhook.ts";

const ROWS = 30;
const TIMEOUT_MS = 250;
const TURNS_MAX = 300;

interface Subject {
  readonly name: string;
  readonly faults: readonly Fault[];
  readonly isHttp: boolean;
  start(): Promise<SinkTarget>;
  create(url: string): Sink;
}

const HTTP_FAULTS: readonly Fault[] = [
  "refuse",
  "overload",
  "internal",
  "reset",
  "ack-lost",
  "half-answer",
  "half-refusal",
  "hang",
  "trickle",
  "switch",
  "flood",
  "partial",
  "foreign",
  "page",
  "wrong-key",
];
const COMMON = { batchRowsMax: 12, timeoutMs: TIMEOUT_MS, clock: systemClock, context: { pointOf: () => "alm-01" } };
const EVENTS = {
  ...COMMON,
  source: "urn:nld:oin:00000001823288444000:systeem:test",
  records: ["samples"] as const,
  epoch: "e",
};

const SUBJECTS: readonly Subject[] = [
  {
    name: "InfluxDB",
    faults: HTTP_FAULTS,
    isHttp: true,
    start: () => startHttpTarget(influxReceiver()),
    create: (url) => createInfluxSink({ ...COMMON, url, org: "o", bucket: "waakvlam", token: TOKEN }),
  },
  ...(["structured", "batch"] as const).map((form): Subject => {
    return {
      name: `webhook, ${form}`,
      faults: HTTP_FAULTS,
      isHttp: true,
      start: () => startHttpTarget(webhookReceiver()),
      create: (url) => createWebhookSink({ ...EVENTS, url, form, token: TOKEN }),
    };
  }),
  {
    name: "upstream MQTT",
    faults: ["refuse", "reset", "ack-lost", "half-answer", "hang", "wrong-key"],
    isHttp: false,
    start: startMqttTarget,
    create: (url) => createUpstreamSink({ ...EVENTS, url, clientId: "gateway", topicPrefix: "waakvlam" }),
  },
];

const RECORDS = Array.from({ length: ROWS }, (_, i): JournalRecord => {
  const { frame } = checkedFrame({ sequence: i + 1 });
  return {
    id: i + 1,
    deviceId: `alm-0${(i % 3) + 1}-d1`,
    sequence: 65_537 + i,
    receivedMs: NOON_MS,
    timeMs: NOON_MS,
    timeQuality: "synced",
    link: "mqtt",
    frame,
  };
});

class Killed extends Error {}

/** What is durable, and what it says of the receiver: no row behind the cursor may be missing there. */
function journalFor(target: SinkTarget, killAt = Number.POSITIVE_INFINITY) {
  const durable = { cursor: 0, dead: [] as number[], passed: [] as number[] };
  let step = 0;
  const die = () => {
    if (++step === killAt) throw new Killed();
  };
  const journal: SinkJournal = {
    read: async (afterId, limit) => {
      die();
      return RECORDS.filter(({ id }) => id > afterId).slice(0, limit);
    },
    newestId: () => ROWS,
    save: async ({ cursor, deadLetters = [] }) => {
      die();
      durable.dead.push(...deadLetters.map(({ id }) => id));
      durable.cursor = cursor.id;
      const there = new Set([...target.taken.values(), ...durable.dead]);
      durable.passed.push(...RECORDS.map(({ id }) => id).filter((id) => id <= cursor.id && !there.has(id)));
      die();
    },
  };
  return { durable, journal, steps: () => step };
}

async function drain(
  sink: Sink,
  { journal, durable }: ReturnType<typeof journalFor>,
  turn: typeof pumpOnce = pumpOnce,
): Promise<PumpResult["kind"][]> {
  const kinds: PumpResult["kind"][] = [];
  let state: PumpState = { ...FRESH_PUMP, batchRows: 12, cursor: durable.cursor };
  for (let turns = 0; turns < TURNS_MAX; turns++) {
    let result: PumpResult;
    try {
      result = await turn(sink, journal, state, NOON_MS);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      // Started anew, with nothing but what is durable.
      state = { ...FRESH_PUMP, batchRows: 12, cursor: durable.cursor };
      continue;
    }
    kinds.push(result.kind);
    state = result.state;
    if (result.kind === "idle") break;
  }
  return kinds;
}

function plan(faults: readonly (Fault | undefined)[]): () => Fault | undefined {
  const left = [...faults];
  return () => left.shift();
}

/** Rows that the receiver has, in order; it counts each once when there are no more identities than rows. */
function heldBy(target: SinkTarget) {
  const rows = [...new Set(target.taken.values())].sort((a, b) => a - b);
  return { rows, twice: target.taken.size - rows.length };
}

const ALL = RECORDS.map(({ id }) => id);

describe.each(SUBJECTS)("$name", (subject) => {
  let target: SinkTarget;
  let sink: Sink;
  const begin = async () => {
    target = await subject.start();
    sink = subject.create(target.url);
  };
  afterEach(async () => {
    sink.close?.();
    await target.stop();
  });

  test.each(subject.faults)("a receiver that does this twice, and again in the middle: %s", async (fault) => {
    await begin();
    target.fault = plan([fault, fault, undefined, fault]);
    const journal = journalFor(target);
    const kinds = await drain(sink, journal);
    expect(heldBy(target)).toEqual({ rows: ALL, twice: 0 });
    expect(journal.durable).toEqual({ cursor: ROWS, dead: [], passed: [] });
    expect(kinds.slice(0, 2)).toEqual(fault === "wrong-key" ? ["paused", "paused"] : ["retry", "retry"]);
  });

  test("is given its own time to wait, and never more than its deadline", async () => {
    await begin();
    target.fault = plan(["hang"]);
    const began = performance.now();
    expect(await sink.deliver(RECORDS.slice(0, 5))).toMatchObject({ kind: "retry", timedOut: true });
    expect(performance.now() - began).toBeLessThan(TIMEOUT_MS * 8);
    target.fault = plan(["refuse"]);
    const busy = await sink.deliver(RECORDS.slice(0, 5));
    expect(busy).toMatchObject({ kind: "retry", ...(subject.isHttp ? { afterMs: 2000 } : {}) });
  });

  test("a receiver that is not there, and then is", async () => {
    await begin();
    const gone = await subject.start();
    await gone.stop();
    const lost = subject.create(gone.url);
    expect(await lost.deliver(RECORDS)).toMatchObject({ kind: "retry" });
    lost.close?.();
    await drain(sink, journalFor(target));
    expect(heldBy(target)).toEqual({ rows: ALL, twice: 0 });
  });

  // MQTT 3.1.1 has no word for either.
  if (subject.isHttp) {
    test("two rows that can never be taken are dead letters, and only they", async () => {
      await begin();
      target.isPoison = (row) => row === 6 || row === 17;
      target.fault = plan([undefined, "ack-lost", "half-refusal", undefined, "reset"]);
      const journal = journalFor(target);
      await drain(sink, journal);
      expect(journal.durable).toEqual({ cursor: ROWS, dead: [6, 17], passed: [] });
      expect(heldBy(target)).toEqual({ rows: ALL.filter((id) => id !== 6 && id !== 17), twice: 0 });
    });

    test("more bad rows in a row than are set aside unasked are dead letters, and only they: a later row is taken", async () => {
      await begin();
      const isPoison = (row: number) => row > 2 && row < ROWS - 2;
      target.isPoison = isPoison;
      const journal = journalFor(target);
      const kinds = await drain(sink, journal);
      expect(ALL.filter(isPoison).length).toBeGreaterThan(DEAD_IN_ROW_MAX);
      expect(journal.durable).toEqual({ cursor: ROWS, dead: ALL.filter(isPoison), passed: [] });
      expect(heldBy(target)).toEqual({ rows: ALL.filter((id) => !isPoison(id)), twice: 0 });
      expect(kinds).not.toContain("held");
    });

    test("a receiver that refuses every row, until it is mended, costs no more rows than are set aside unasked", async () => {
      await begin();
      target.isPoison = () => true;
      const journal = journalFor(target);
      let held = 0;
      const kinds = await drain(sink, journal, async (...turn) => {
        const result = await pumpOnce(...turn);
        if (result.kind === "held" && ++held === 5) target.isPoison = () => false;
        return result;
      });
      const dead = ALL.slice(0, DEAD_IN_ROW_MAX);
      expect(journal.durable).toEqual({ cursor: ROWS, dead, passed: [] });
      expect(heldBy(target)).toEqual({ rows: ALL.slice(DEAD_IN_ROW_MAX), twice: 0 });
      expect(kinds.filter((kind) => kind === "held")).toHaveLength(5);
    });

    test("while a later row is asked after, what time can cure and what a person must mend moves nothing", async () => {
      await begin();
      target.isPoison = (row) => row > 2 && row < ROWS - 2;
      const journal = journalFor(target);
      const state = { ...FRESH_PUMP, batchRows: 12, cursor: 5, suspectRows: 1, deadInRow: DEAD_IN_ROW_MAX };
      for (const [fault, kind] of [
        ["refuse", "retry"],
        ["wrong-key", "paused"],
      ] as const) {
        target.fault = plan([undefined, fault]);
        const result = await pumpOnce(sink, journal.journal, state, NOON_MS);
        expect(result).toMatchObject({ kind, state });
      }
      expect(journal.durable.dead).toEqual([]);
    });

    test("a batch that is too large is halved", async () => {
      await begin();
      target.rowsMax = 3;
      const journal = journalFor(target);
      await drain(sink, journal);
      expect(heldBy(target)).toEqual({ rows: ALL, twice: 0 });
      expect(journal.durable.dead).toEqual([]);
    });
  }

  test("killed at every step of a drain that goes wrong, it goes on from what is durable", async () => {
    await begin();
    const isPoison = (row: number) => subject.isHttp && row === 9;
    target.isPoison = isPoison;
    const whole = journalFor(target);
    await drain(sink, whole);
    expect(whole.steps()).toBeGreaterThan(8);
    for (let killAt = 1; killAt <= whole.steps(); killAt++) {
      target.taken.clear();
      target.fault = plan([undefined, killAt % 2 === 0 ? "ack-lost" : "reset"]);
      const journal = journalFor(target, killAt);
      await drain(sink, journal);
      expect(heldBy(target), `killed at step ${killAt}`).toEqual({ rows: ALL.filter((id) => !isPoison(id)), twice: 0 });
      expect(journal.durable.cursor).toBe(ROWS);
      expect(new Set(journal.durable.dead)).toEqual(new Set(ALL.filter(isPoison)));
      expect(journal.durable.passed).toEqual([]);
    }
  });

  test("the control: one that moves its cursor before it is answered is caught", async () => {
    await begin();
    target.fault = plan([undefined, "reset"]);
    const journal = journalFor(target);
    const early: typeof pumpOnce = async (one, durable, state, nowMs) => {
      const ahead = await durable.read(state.cursor, state.batchRows);
      const last = ahead[ahead.length - 1];
      if (last === undefined) return { kind: "idle", state };
      await durable.save({ cursor: { name: "sink:early", id: last.id } });
      await pumpOnce(one, durable, state, nowMs);
      return { kind: "advanced", state: { ...state, cursor: last.id } };
    };
    await drain(sink, journal, early);
    expect(journal.durable.passed.length).toBeGreaterThan(0);
  });
});

describe("beside a receiver that never answers", () => {
  test("the journal takes its rows and another sink gets them all", async () => {
    const clock = virtualClock(NOON_MS);
    const rows: JournalRecord[] = [];
    const listeners = new Set<() => void>();
    const cursors = new Map<string, number>();
    let reads = 0;
    const journal = {
      read: async (afterId: number, limit: number) => {
        reads++;
        return rows.filter(({ id }) => id > afterId).slice(0, limit);
      },
      save: async ({ cursor }: { cursor: { name: string; id: number } }) => void cursors.set(cursor.name, cursor.id),
      cursor: async (name: string) => cursors.get(name) ?? 0,
      leave: () => undefined,
      newestId: () => rows.length,
      onCommitted: (listener: () => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    const got: number[] = [];
    let breakOff: (() => void) | undefined;
    const silent: Sink = {
      name: "silent",
      batchRowsMax: 100,
      deliver: () =>
        new Promise((resolve) => {
          breakOff = () => resolve({ kind: "retry", reason: "stopped" });
        }),
      close: () => breakOff?.(),
    };
    const quick: Sink = {
      name: "quick",
      batchRowsMax: 100,
      deliver: async (batch) => {
        got.push(...batch.map(({ id }) => id));
        return { kind: "accepted" };
      },
    };
    const runners = [silent, quick].map((sink) => createRunner({ sink, journal, clock, random: () => 0.5 }));
    for (const runner of runners) await runner.start();
    for (let n = 1; n <= 500; n++) {
      rows.push({ ...(RECORDS[0] as JournalRecord), id: n });
      // A commit calls its listeners and waits for none of them.
      for (const listener of listeners) expect(listener()).toBeUndefined();
      if (n % 100 === 0) await clock.advance(1_000);
    }
    expect(got).toEqual(rows.map(({ id }) => id));
    expect(runners.map((runner) => runner.state().behindRows)).toEqual([500, 0]);
    expect(reads).toBeLessThan(40);
    await Promise.all(runners.map((runner) => runner.stop()));
  });
});
