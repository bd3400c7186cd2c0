// What goes down: in which window, with which counter, and what becomes of what waits.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { counterOf, type Downlink, JOINER, type Joined, readDownlink } from "../../../../tests/lorawan-air.ts";
import { type TestNetwork, testNetwork } from "../../../../tests/lorawan-network.ts";
import { fromHex } from "./crypto.ts";
import { QUEUE_MAX } from "./downlink-queue.ts";

const EUI = JOINER.devEui;
const NEAR = { stationId: "aa555a0000000001", snr: 8 };
const FAR = { stationId: "aa555a0000000002", snr: -4 };
const ACK = { port: 10, payload: Uint8Array.of(0x18, 1, 2), isTimely: true };
const COMMAND = { port: 10, payload: Uint8Array.of(0x1a, 9), isTimely: false };

let net: TestNetwork;
let device: Joined;
beforeEach(async () => {
  net = await testNetwork(JOINER);
  device = await net.join(1, NEAR);
  await net.clock.advance(10_000);
});
afterEach(() => net.server.stop());

function downlinks(): Downlink[] {
  return net.air.sent.slice(1).map(({ phy }) => readDownlink(phy, device));
}

describe("windows", () => {
  test("the first on the channel and rate of the uplink, five seconds after it", async () => {
    net.taker.answer = async () => [ACK];
    const heardUs = counterOf(net.clock, NEAR.stationId);
    await net.hear(device.uplink({ counter: 0 }), { ...NEAR, frequencyHz: 867_300_000, dataRate: 4 });
    expect(net.air.sent[1]).toMatchObject({
      frequencyHz: 867_300_000,
      dataRate: 4,
      powerDbm: 14,
      counterUs: heardUs + 5e6,
    });
    expect(downlinks()).toEqual([
      { isAck: false, isPending: false, counter: 0, options: "", port: 10, payload: "180102" },
    ]);
  });

  test("the second, at SF9 and 500 mW, where the first is longer on the air", async () => {
    net.taker.answer = async () => [ACK];
    const heardUs = counterOf(net.clock, NEAR.stationId);
    await net.hear(device.uplink({ counter: 0 }), { ...NEAR, dataRate: 1, snr: -15 });
    expect(net.air.sent[1]).toMatchObject({
      frequencyHz: 869_525_000,
      dataRate: 3,
      powerDbm: 27,
      counterUs: heardUs + 6e6,
    });
  });

  test("the second when the answer is late, and none when it is later still; the counter of the base station wraps", async () => {
    let waitMs = 4_700;
    net.taker.answer = () => new Promise((resolve) => net.clock.after(waitMs, () => resolve([ACK, COMMAND])));
    const counterUs = 2 ** 32 - 1;
    await net.hear(device.uplink({ counter: 0 }), { ...NEAR, counterUs });
    await net.clock.advance(5_000);
    expect(net.air.sent[1]).toMatchObject({ frequencyHz: 869_525_000, counterUs: 5_999_999 });
    waitMs = 6_000;
    await net.hear(device.uplink({ counter: 1 }), NEAR);
    await net.clock.advance(9_000);
    expect(net.air.sent).toHaveLength(2);
    expect(net.refused).toEqual(["downlink-too-late"]);
    waitMs = 0;
    net.taker.answer = async () => [];
    await net.hear(device.uplink({ counter: 2 }), NEAR);
    // What says the time is gone; the command waited.
    expect(downlinks().map(({ payload, counter }) => [payload, counter])).toEqual([
      ["180102", 0],
      ["1a09", 1],
    ]);
  });

  test("a base station that cannot is followed by its other window, and by another base station", async () => {
    net.taker.answer = async () => [ACK];
    const asked: string[] = [];
    net.air.outcome = ({ stationId, frequencyHz, powerDbm }) => {
      asked.push(`${stationId.slice(-1)} ${frequencyHz / 1e6} ${powerDbm}`);
      if (stationId === FAR.stationId) return "sent";
      return frequencyHz === 869_525_000 && powerDbm > 14 ? "power" : "collision";
    };
    const phy = device.uplink({ counter: 0 });
    net.air.hear(phy, NEAR);
    await net.hear(phy, FAR);
    expect(asked).toEqual(["1 868.1 14", "1 869.525 27", "1 869.525 14", "2 868.1 14"]);
    expect(net.air.sent[1]).toMatchObject({ stationId: FAR.stationId });
    expect(net.server.airtime().find((row) => row.stationId === NEAR.stationId && row.band === "P")?.usedMs).toBe(0);
  });

  test("one frame at a time through one base station", async () => {
    net.taker.answer = async () => [ACK];
    net.identities.list = [JOINER, { ...JOINER, devEui: "00afee7cf5ed6f1f" }];
    const second = await net.join(1, NEAR, { ...JOINER, devEui: "00afee7cf5ed6f1f" });
    await net.clock.advance(10_000);
    net.air.hear(device.uplink({ counter: 0 }), { ...NEAR, frequencyHz: 867_100_000 });
    net.air.hear(second.uplink({ counter: 0 }), { ...NEAR, frequencyHz: 867_300_000 });
    await net.clock.advance(250);
    expect(net.air.sent.slice(2).map(({ frequencyHz }) => frequencyHz)).toEqual([867_100_000, 869_525_000]);
  });
});

describe("an answer", () => {
  test("acknowledges a confirmed frame, again when it is repeated, and hands it on once", async () => {
    const phy = device.uplink({ counter: 0, isConfirmed: true });
    for (let i = 0; i < 12; i++) {
      await net.hear(phy, NEAR);
      await net.clock.advance(8_000);
    }
    expect(net.taker.taken).toHaveLength(1);
    expect(downlinks().map(({ isAck, counter }) => [isAck, counter])).toEqual(
      Array.from({ length: 8 }, (_, counter) => [true, counter]),
    );
    expect(net.refused).toEqual(Array(4).fill("repeated"));
  });

  test("is nothing when nothing is asked, and any frame for a device that asks whether it is heard", async () => {
    await net.hear(device.uplink({ counter: 0 }), NEAR);
    await net.hear(device.uplink({ counter: 1, control: 0x80 }), NEAR);
    expect(downlinks()).toEqual([]);
    await net.hear(device.uplink({ counter: 2, control: 0xc0 }), NEAR);
    expect(downlinks()).toEqual([
      { isAck: false, isPending: false, counter: 0, options: "", port: undefined, payload: "" },
    ]);
  });

  test("tells margin, base stations and time, from the header or from port 0", async () => {
    const gpsS = Math.floor((net.clock.nowMs() + 18_000) / 1000) - 315_964_800;
    // It is a quarter past the second.
    const time = Buffer.of(0, 0, 0, 0, 64);
    time.writeUInt32LE(gpsS);
    const phy = device.uplink({ counter: 0, options: fromHex("020d02"), port: undefined });
    net.air.hear(phy, FAR);
    await net.hear(phy, NEAR);
    await net.hear(device.uplink({ counter: 1, port: 0, payload: fromHex("02") }), { ...NEAR, dataRate: 0, snr: -19 });
    net.isClockTrusted = false;
    await net.hear(device.uplink({ counter: 2, options: fromHex("0d") }), NEAR);
    expect(downlinks().map(({ options }) => options)).toEqual([`020f020d${time.toString("hex")}`, "020101"]);
    expect(net.taker.taken.map(({ counter }) => counter)).toEqual([2]);
  });

  test("is none when the payload was not taken; the device repeats it and it is handed on", async () => {
    net.taker.answer = () => Promise.reject(new Error("full"));
    const phy = device.uplink({ counter: 0, isConfirmed: true });
    await net.hear(phy, NEAR);
    expect([net.air.sent.length, net.refused]).toEqual([1, ["not-taken"]]);
    net.taker.answer = async () => [];
    await net.clock.advance(8_000);
    await net.hear(phy, NEAR);
    expect(net.taker.taken).toHaveLength(1);
    expect(downlinks()).toMatchObject([{ isAck: true, counter: 0 }]);
  });

  test("is not sent when its counter cannot be kept, and nothing of the airtime is used", async () => {
    const before = net.server.airtime();
    net.taker.answer = async () => {
      net.store.beforeSave = () => {
        throw new Error("full");
      };
      return [ACK];
    };
    await net.hear(device.uplink({ counter: 0 }), NEAR);
    expect([net.air.sent.length, net.refused]).toEqual([1, ["not-kept"]]);
    expect(net.server.airtime()).toEqual(before);
  });
});

describe("the queue of a device", () => {
  test("goes out after its uplinks one by one, says that more waits, and tells what was sent", async () => {
    for (const byte of [1, 2]) await net.server.queueDownlink(EUI, { port: 2, payload: Uint8Array.of(byte) });
    expect(net.server.states()[0]?.downlinks).toMatchObject([
      { id: "1", port: 2, bytes: 1 },
      { id: "2", port: 2, bytes: 1 },
    ]);
    await net.restart();
    for (let counter = 0; counter < 3; counter++) await net.hear(device.uplink({ counter }), NEAR);
    const sent = net.air.sent.map(({ phy }) => readDownlink(phy, device));
    expect(sent).toMatchObject([
      { payload: "01", isPending: true },
      { payload: "02", isPending: false },
    ]);
    expect(net.notes).toEqual([
      { devEui: EUI, id: "1", state: "sent" },
      { devEui: EUI, id: "2", state: "sent" },
    ]);
    expect(net.server.states()[0]?.downlinks).toEqual([]);
  });

  test("refuses what is too large, too many, for nobody or on a port that is none", async () => {
    const ask = (size: number, port = 1, eui = EUI) =>
      net.server.queueDownlink(eui, { port, payload: new Uint8Array(size).fill(size % 251) });
    expect(await ask(223)).toEqual({ refused: "downlink-too-large" });
    expect(await ask(1, 0)).toEqual({ refused: "port-reserved" });
    expect(await ask(1, 224)).toEqual({ refused: "port-reserved" });
    expect(await ask(1, 1, "ffffffffffffffff")).toEqual({ refused: "unknown-device" });
    for (let i = 1; i <= QUEUE_MAX; i++) expect(await ask(i)).toEqual({ id: String(i) });
    expect(await ask(1)).toEqual({ id: "1" });
    expect(await ask(QUEUE_MAX + 1)).toEqual({ refused: "queue-full" });
    expect(await net.server.cancelDownlink(EUI, "1")).toBe(true);
    expect(await net.server.cancelDownlink(EUI, "1")).toBe(false);
    expect(await ask(QUEUE_MAX + 1)).toEqual({ id: String(QUEUE_MAX + 1) });
  });

  test("expires, and what does not fit the rate waits for a better one", async () => {
    const expiresMs = net.clock.nowMs() + 60_000;
    await net.server.queueDownlink(EUI, { port: 2, payload: Uint8Array.of(1), expiresMs });
    await net.server.queueDownlink(EUI, { port: 2, payload: new Uint8Array(200) });
    await net.clock.advance(60_000);
    await net.hear(device.uplink({ counter: 0 }), { ...NEAR, dataRate: 3 });
    expect([net.air.sent.length, net.refused]).toEqual([1, ["downlink-too-large"]]);
    expect(net.notes).toEqual([{ devEui: EUI, id: "1", state: "expired" }]);
    await net.hear(device.uplink({ counter: 1 }), NEAR);
    expect(downlinks()[0]?.payload).toHaveLength(400);
  });

  test("is not kept waiting by answers for ever", async () => {
    net.taker.answer = async () => [ACK];
    await net.server.queueDownlink(EUI, { port: 2, payload: Uint8Array.of(1) });
    for (let counter = 0; counter < 5; counter++) {
      await net.hear(device.uplink({ counter }), NEAR);
      await net.clock.advance(10_000);
    }
    expect(downlinks().map(({ port }) => port)).toEqual([10, 10, 10, 2, 10]);
  });

  test("keeps what no base station sent, and gives it up after so many tries", async () => {
    net.air.outcome = () => "no-answer";
    await net.server.queueDownlink(EUI, { port: 2, payload: Uint8Array.of(1) });
    for (let counter = 0; counter < 9; counter++) {
      await net.hear(device.uplink({ counter }), NEAR);
      await net.clock.advance(10_000);
    }
    expect(net.notes).toEqual([{ devEui: EUI, id: "1", state: "refused", reason: "downlink-not-sent" }]);
    expect(net.refused).toHaveLength(8);
  });
});
