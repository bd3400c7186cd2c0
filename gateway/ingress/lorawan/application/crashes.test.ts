// A device that is not ours, over sessions, restarts and a journal that fails before or after what it was asked: every uplink that was
// taken is stored, and stored once.
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeUplink, type Report } from "../../../../protocol/index.ts";
import { NOON_MS } from "../../../../tests/fixtures.ts";
import { virtualClock } from "../../../../tests/virtual-clock.ts";
import { samplesOf, unpackBacklog } from "../../../domain/backlog.ts";
import type { AppendOutcome, CheckedFrame } from "../../../domain/record.ts";
import { extendSequence } from "../../../domain/sequence.ts";
import type { NetworkUplink } from "../interfaces.ts";
import { createApplication } from "./application.ts";
import type { BookJournal } from "./foreign.ts";

const NOBODY = { baseSequence: 0, bitmap: 0, after: 0 };

interface Failure {
  readonly what: "save" | "append";
  readonly when: "before" | "after";
}

/** Stores as the journal does, by the sequence extended to 32 bits. */
function memoryJournal(forgets: boolean) {
  const documents = new Map<string, string>();
  const levels = new Map<number, unknown>();
  let highest: number | undefined;
  let failing: Failure | undefined;

  const put = (sequence: number, frame: Uint8Array) => {
    const decoded = decodeUplink(frame);
    const isNew = !levels.has(sequence);
    if (isNew)
      levels.set(sequence, decoded.kind === "report" ? (decoded.value as Report).power?.fuelLevelPct : "backlog");
    highest = Math.max(highest ?? 0, sequence);
    return isNew;
  };
  function store({ frame, header }: CheckedFrame): AppendOutcome {
    const sequence = extendSequence(highest, header?.sequence ?? 0);
    const backlog = unpackBacklog(frame);
    const samples = backlog === undefined ? [] : samplesOf(backlog, sequence);
    const isNew = put(sequence, frame);
    const isAnyNew = samples.map((one) => put(one.sequence, one.frame)).some((one) => one);
    return isNew || isAnyNew
      ? { outcome: "stored", id: levels.size, ack: NOBODY }
      : { outcome: "duplicate", ack: NOBODY };
  }
  async function act<T>(what: Failure["what"], work: () => T): Promise<T> {
    const when = failing?.what === what ? failing.when : undefined;
    if (when !== undefined) failing = undefined;
    if (when === "before") throw new Error("the disk fails");
    const result = work();
    if (when === "after") throw new Error("the answer is lost");
    return result;
  }
  const journal: BookJournal = {
    epoch: "e",
    append: (frame) => act("append", () => store(frame)),
    documents: async () => (forgets ? [] : [...documents].map(([key, json]) => ({ key, json }))),
    save: (change) =>
      act("save", () => {
        for (const { key, json } of change.put ?? []) documents.set(key, json);
      }),
  };
  const fail = (failure: Failure) => {
    failing = failure;
  };
  return { journal, levels, fail };
}

type Step =
  | { readonly kind: "live" | "log" | "again" | "resend" | "restart" | "join" }
  | { readonly kind: "skip"; readonly by: number }
  | ({ readonly kind: "fail" } & Failure);

const KINDS = ["live", "live", "log", "again", "resend"] as const;
const jump = fc.oneof(fc.nat(3), fc.integer({ min: 40, max: 90 }), fc.integer({ min: 15_000, max: 40_000 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom(...KINDS).map((kind): Step => ({ kind })) },
  { weight: 3, arbitrary: fc.constantFrom<Step>({ kind: "restart" }, { kind: "join" }) },
  { weight: 2, arbitrary: jump.map((by): Step => ({ kind: "skip", by })) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom("save", "append"), fc.constantFrom("before", "after"))
      .map(([what, when]) => ({ kind: "fail", what, when }) as Step),
  },
);

/** A level of its own for each reading: 0.1 % is a millimetre here. */
const reading = (n: number) => 1 + (n % 998);

async function run(steps: readonly Step[], forgets = false): Promise<void> {
  const { journal, levels, fail } = memoryJournal(forgets);
  const clock = virtualClock(NOON_MS);
  const tank = { deviceId: "alm-01-t1", reportIntervalS: 600, model: "EM500-UDL" } as const;
  const device = { ...tank, sensing: { fuelLevelPct: { empty: 1000, full: 0 } } };
  const refused: string[] = [];
  const start = () =>
    createApplication({
      ...{ journal, clock, isClockTrusted: () => true, deviceOf: () => device, taggerOf: () => undefined },
      onRefusal: ({ reason }) => refused.push(reason),
    });
  let app = start();
  let [session, counter, made] = [0, 0, 0];
  const sent: NetworkUplink[] = [];
  const logged: number[] = [];
  const taken = new Set<number>();

  async function send(uplink: NetworkUplink, readings: readonly number[]): Promise<void> {
    await app.take(uplink);
    for (const one of readings) taken.add(one);
  }
  const readingsOf = new Map<NetworkUplink, readonly number[]>();
  for (const one of steps) {
    if (one.kind === "restart") app = start();
    else if (one.kind === "join") [session, counter] = [session + 1, 0];
    else if (one.kind === "skip") counter += one.by;
    else if (one.kind === "fail") fail(one);
    else {
      const last = sent.at(-1);
      let uplink = one.kind === "again" ? last : undefined;
      if (uplink === undefined) {
        const isLog = one.kind === "log" || one.kind === "resend";
        const readings = one.kind === "resend" ? logged.slice(-3) : one.kind === "log" ? [made, made + 1] : [made];
        if (readings.length === 0) continue;
        if (one.kind !== "resend") made += readings.length;
        if (one.kind === "log") logged.push(...readings);
        const hex = readings.map((n) => {
          const bytes = Buffer.alloc(isLog ? 8 : 4);
          bytes.writeUInt16BE(isLog ? 0x20ce : 0x0382);
          if (isLog) bytes.writeUInt32LE(NOON_MS / 1000 - 200_000 + 60 * n, 2);
          bytes.writeUInt16LE(reading(n), bytes.length - 2);
          return bytes;
        });
        uplink = {
          ...{ network: "own", devEui: "24e124713d491234", session: `s${session}`, counter: counter++, port: 85 },
          ...{ payload: new Uint8Array(Buffer.concat(hex)), dataRate: 3, receptions: [] },
        };
        readingsOf.set(uplink, readings);
        sent.push(uplink);
      }
      // A network that got no answer hands it on again.
      const readings = readingsOf.get(uplink) ?? [];
      await send(uplink, readings).catch(() => undefined);
    }
  }
  expect(refused).toEqual([]);
  const stored = [...levels.values()].filter((level) => level !== "backlog");
  const wanted = [...taken].map((n) => Math.round(1000 - reading(n)) / 10);
  for (const level of wanted) expect(stored.filter((one) => one === level)).toHaveLength(1);
  for (const level of stored) expect(stored.filter((one) => one === level)).toHaveLength(1);
}

const property = (forgets: boolean) =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), (steps) => run(steps, forgets)),
    { numRuns: 600 },
  );

test("what was taken is stored, once", () => property(false));

test("a gateway that forgets at a restart what it gave out is caught (control)", async () => {
  await expect(property(true)).rejects.toThrow(/Property failed/);
});
