import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { decodeDownlink, encodeEvent, encodeReport } from "../../protocol/index.ts";
import { NOON_MS, report, temporaryFolder } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { type Journal, openJournal } from "../journal/journal.ts";
import { bestWindow, createLorawanIngress, type LorawanIngress } from "./lorawan.ts";

const DEVICE = "alm-01-d1";
const clock = virtualClock(NOON_MS);
let folder: ReturnType<typeof temporaryFolder>;
let journal: Journal;
let ingress: LorawanIngress;
let refused: string[];
let isClockTrusted = true;

beforeEach(async () => {
  folder = temporaryFolder();
  journal = await openJournal({ dir: folder.path, clock });
  refused = [];
  isClockTrusted = true;
  ingress = createLorawanIngress({
    journal,
    clock,
    isClockTrusted: () => isClockTrusted,
    isWelcome: (deviceId) => deviceId === DEVICE,
    onRefusal: ({ reason }) => refused.push(reason),
  });
});
afterEach(async () => {
  await journal.close();
  folder.remove();
});

function sample(sequence: number, part: { ackRequested?: boolean; time?: number } = {}): Uint8Array {
  const { ackRequested = false, time = NOON_MS / 1000 } = part;
  return encodeReport(report({ sequence, time, flags: { clockSynced: true, ackRequested } }));
}

/** Sequences that an ack frame names. */
function named(frame: Uint8Array | undefined): number[] | undefined {
  const decoded = frame === undefined ? undefined : decodeDownlink(frame);
  if (decoded?.kind !== "ack") return undefined;
  const { baseSequence, bitmap } = decoded.value;
  const bits = Array.from({ length: 32 }, (_, i) => (bitmap >>> (31 - i)) & 1);
  return bits.flatMap((bit, i) => (bit === 1 ? [(baseSequence + i) & 0xffff] : []));
}

describe("the LoRaWAN ingress", () => {
  test("stores what comes in and answers only who asks, with all that it has of the last 32", async () => {
    for (const sequence of [1, 2, 4]) expect(await ingress.takeUplink(DEVICE, sample(sequence))).toBeUndefined();
    const answer = await ingress.takeUplink(DEVICE, sample(5, { ackRequested: true }));
    expect(named(answer)).toEqual([1, 2, 4, 5]);
    expect(decodeDownlink(answer as Uint8Array)).toMatchObject({ value: { time: NOON_MS / 1000 } });
    expect((await journal.read(0, 10)).map((row) => row.link)).toEqual(["lorawan", "lorawan", "lorawan", "lorawan"]);
  });

  test("a device too many is counted by its reason, and told of nothing that it sent", async () => {
    const full = createLorawanIngress({
      journal: { append: async () => ({ outcome: "too-many-devices" }) },
      clock,
      isClockTrusted: () => true,
      isWelcome: () => true,
      onRefusal: ({ reason }) => refused.push(reason),
    });
    expect(await full.takeUplink(DEVICE, sample(1, { ackRequested: true }))).toBeUndefined();
    expect(refused).toEqual(["too-many-devices"]);
  });

  test("a duplicate is stored once and answered although it did not ask", async () => {
    await ingress.takeUplink(DEVICE, sample(1));
    expect(named(await ingress.takeUplink(DEVICE, sample(1)))).toEqual([1]);
    expect(await journal.read(0, 10)).toHaveLength(1);
  });

  test("the answer to an old event names what waits beside it, and never leaves the event out", async () => {
    await ingress.takeUplink(DEVICE, sample(100));
    await ingress.takeUplink(DEVICE, sample(130, { ackRequested: true }));
    for (const sequence of [71, 105, 110]) await ingress.takeUplink(DEVICE, sample(sequence));
    const event = encodeEvent({
      sequence: 90,
      time: NOON_MS / 1000,
      flags: { clockSynced: true, ackRequested: true },
      event: "tamper",
      argument: 0,
    });
    expect(named(await ingress.takeUplink(DEVICE, event))).toEqual([90, 100, 105, 110]);
  });

  test("a gateway that does not trust its clock says no time", async () => {
    isClockTrusted = false;
    const answer = await ingress.takeUplink(DEVICE, sample(1, { ackRequested: true }));
    expect(decodeDownlink(answer as Uint8Array)).toMatchObject({ value: { time: 0 } });
  });

  test("refuses strangers, other ports and frames that are too long or torn; says why", async () => {
    expect(await ingress.takeUplink("stranger", sample(1))).toBeUndefined();
    expect(await ingress.takeUplink(DEVICE, sample(1), 2)).toBeUndefined();
    expect(await ingress.takeUplink(DEVICE, new Uint8Array(243))).toBeUndefined();
    expect(await ingress.takeUplink(DEVICE, sample(1).slice(0, 7))).toBeUndefined();
    expect(refused).toEqual(["unknown-device", "wrong-port", "too-long", "truncated"]);
    expect(await journal.read(0, 10)).toEqual([]);
  });

  test("a refused replay is answered with what is stored: its clock may have been set wrong", async () => {
    await ingress.takeUplink(DEVICE, sample(1));
    const old = sample(2, { ackRequested: true, time: NOON_MS / 1000 - 2 * 86_400 });
    expect(named(await ingress.takeUplink(DEVICE, old))).toEqual([1]);
    expect(refused).toEqual(["replay"]);
  });
});

describe("the best window", () => {
  test("of a newest record ends in it", () => {
    const ack = { baseSequence: 65_530, bitmap: 1, after: 0 };
    expect(bestWindow(ack, () => true)).toEqual({ baseSequence: 65_530, bitmap: 1 });
  });

  test("moves to where most is stored when nothing waits, and keeps the record", () => {
    // The record is bit 0; the 32 behind it are all stored.
    const ack = { baseSequence: 10, bitmap: 1, after: 0xffff_ffff };
    expect(bestWindow(ack, () => false)).toEqual({ baseSequence: 41, bitmap: 0xffff_ffff });
  });
});
