import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { counterOf, dataUplink, JOINER, joinRequest, readDownlink } from "../../../../tests/lorawan-air.ts";
import { type TestNetwork, testNetwork } from "../../../../tests/lorawan-network.ts";
import { OUT_OF_STEP_MS } from "./concerns.ts";
import { fromHex } from "./crypto.ts";
import type { Identity } from "./identities.ts";

const EUI = JOINER.devEui;
const NEAR = { stationId: "aa555a0000000001", snr: 8 };
const FAR = { stationId: "aa555a0000000042", snr: -4 };
const ABP_KEYS = { nwkSKey: "44024241ed4ce9a68c6a8bc055233fd3", appSKey: "ec925802ae430ca77fd3dd73cb2cc588" };
const PERSONALISED: Identity = {
  ...{ devEui: "0102030405060708", deviceId: "alm-02-d1", version: "1.0.2", isEnabled: true },
  abp: { devAddr: "49be7df1", ...ABP_KEYS },
};
const SESSION = {
  devAddr: "49be7df1",
  keys: { nwkSKey: fromHex(ABP_KEYS.nwkSKey), appSKey: fromHex(ABP_KEYS.appSKey) },
};

let net: TestNetwork;
beforeEach(async () => {
  net = await testNetwork(JOINER, PERSONALISED);
});
afterEach(() => net.server.stop());

describe("a join", () => {
  test("is answered after five seconds on its own channel, with eight channels, RX2 at SF9 and a delay of 5 s", async () => {
    const heardUs = counterOf(net.clock, NEAR.stationId);
    const joined = await net.join(7, NEAR);
    expect(joined).toMatchObject({ joinNonce: 1, settings: 3, rxDelayS: 5 });
    expect(net.air.sent).toMatchObject([
      {
        stationId: NEAR.stationId,
        frequencyHz: 868_100_000,
        dataRate: 5,
        powerDbm: 14,
        counterUs: heardUs + 5_000_000,
      },
    ]);
    expect(net.server.states()[0]).toMatchObject({ state: "joining", devEui: EUI, nonces: { used: 1 } });
    expect(net.server.counts()).toEqual({ "join-accepted": 1 });
  });

  test("is refused with its reason", async () => {
    await net.join(7, NEAR);
    const again = async (phy: Uint8Array) => {
      await net.clock.advance(5_000);
      await net.hear(phy, NEAR);
      return net.refused.splice(0);
    };
    expect(await again(joinRequest(JOINER, 7))).toEqual(["nonce-used"]);
    expect(await again(joinRequest(JOINER, 8, "00".repeat(16)))).toEqual(["bad-mic"]);
    expect(await again(joinRequest({ ...JOINER, devEui: "ffffffffffffffff" }, 9))).toEqual(["unknown-device"]);
    expect(await again(joinRequest({ ...JOINER, joinEui: "0000000000000001" } as Identity, 9))).toEqual(["join-eui"]);
    // Who knows its name alone says nothing of the device.
    const forged = joinRequest({ ...JOINER, joinEui: "0000000000000001" } as Identity, 9, "00".repeat(16));
    expect(await again(forged)).toEqual(["bad-mic"]);
    expect(await again(joinRequest({ ...PERSONALISED }, 9))).toEqual(["not-by-join"]);
    net.identities.list = [{ ...JOINER, isEnabled: false }];
    expect(await again(joinRequest(JOINER, 9))).toEqual(["device-disabled"]);
    net.identities.list = [{ ...JOINER, version: "1.0.4" }];
    expect(await again(joinRequest(JOINER, 6))).toEqual(["nonce-too-small"]);
    expect(net.air.sent).toHaveLength(1);
    expect(await again(joinRequest(JOINER, 9))).toEqual([]);
    expect(await again(joinRequest(JOINER, 8))).toEqual(["nonce-too-small"]);
  });

  test("with an old number is told of when the device goes on asking and is not heard in its session", async () => {
    const device = await net.join(7, NEAR);
    const askedAgain = async () => {
      await net.clock.advance(OUT_OF_STEP_MS);
      await net.hear(joinRequest(JOINER, 7), NEAR);
      return net.concerns.splice(0);
    };
    expect(await askedAgain()).toEqual([]);
    await net.hear(device.uplink({ counter: 0 }), NEAR);
    expect(await askedAgain()).toEqual([]);
    expect(await askedAgain()).toEqual([`${EUI} nonce-used`]);
    // What it said before tells nothing of whether it still speaks.
    await net.hear(device.uplink({ counter: 0 }), NEAR);
    expect(await askedAgain()).toEqual([`${EUI} nonce-used`]);
    await net.hear(device.uplink({ counter: 1 }), NEAR);
    expect(await askedAgain()).toEqual([]);
  });

  test("by an operator's act a nonce joins again, and a new key makes all of them free", async () => {
    await net.join(7, NEAR);
    await net.server.flushNonces(EUI);
    await net.clock.advance(5_000);
    expect(await net.join(7, NEAR)).toMatchObject({ joinNonce: 2 });
    const appKey = "11".repeat(16);
    net.identities.list = [{ ...JOINER, appKey } as Identity];
    await net.clock.advance(5_000);
    await net.hear(joinRequest(JOINER, 7, appKey), NEAR);
    expect(net.refused).toEqual([]);
    expect(net.air.sent).toHaveLength(3);
  });

  test("a device that joins without end is answered a few times and then once a minute", async () => {
    for (let nonce = 1; nonce <= 10; nonce++) {
      net.air.hear(joinRequest(JOINER, nonce), NEAR);
      await net.clock.advance(3_000);
    }
    expect(net.air.sent).toHaveLength(8);
    expect(net.refused).toEqual(["too-many-joins", "too-many-joins"]);
    await net.clock.advance(60_000);
    await net.hear(joinRequest(JOINER, 11), NEAR);
    expect(net.air.sent).toHaveLength(9);
  });

  test("the old session lives until the device speaks in the new one, through restarts too", async () => {
    const first = await net.join(1, NEAR);
    await net.hear(first.uplink({ counter: 0 }), NEAR);
    const second = await net.join(2, NEAR);
    await net.restart();
    await net.hear(first.uplink({ counter: 1 }), NEAR);
    expect(net.taker.taken).toMatchObject([{ session: "1", counter: 1 }]);
    expect(net.server.states()[0]).toMatchObject({ state: "active", session: "1" });
    const third = await net.join(3, NEAR);
    await net.hear(third.uplink({ counter: 0 }), NEAR);
    net.air.hear(first.uplink({ counter: 2 }), NEAR);
    await net.hear(second.uplink({ counter: 0 }), NEAR);
    expect(net.taker.taken.map(({ session }) => session)).toEqual(["1", "3"]);
    expect(net.refused).toEqual(["unknown-address", "unknown-address"]);
  });

  test("is not answered when it cannot be kept", async () => {
    net.store.beforeSave = () => {
      throw new Error("full");
    };
    await net.hear(joinRequest(JOINER, 1), NEAR);
    expect([net.air.sent.length, net.refused]).toEqual([0, ["not-kept"]]);
    net.store.beforeSave = () => undefined;
    await net.clock.advance(5_000);
    expect(await net.join(1, NEAR)).toMatchObject({ joinNonce: 1 });
  });
});

describe("an uplink", () => {
  test("that two base stations hear is handed on once, and answered through the better one", async () => {
    const device = await net.join(1, NEAR);
    const phy = device.uplink({ counter: 0, isConfirmed: true });
    net.air.hear(phy, FAR);
    await net.clock.advance(100);
    const heardUs = counterOf(net.clock, NEAR.stationId);
    await net.hear(phy, NEAR);
    await net.clock.advance(1_000);
    net.air.hear(phy, { ...FAR, stationId: "aa555a0000000003" });
    expect(net.taker.taken).toMatchObject([
      { network: "own", devEui: EUI, session: "1", counter: 0, port: 10, payload: Uint8Array.of(1, 2, 3), dataRate: 5 },
    ]);
    expect(net.taker.taken[0]?.receptions.map(({ stationId }) => stationId)).toEqual([NEAR.stationId, FAR.stationId]);
    expect(net.air.sent[1]).toMatchObject({ stationId: NEAR.stationId, counterUs: heardUs + 5_000_000 });
    expect(readDownlink(net.air.sent[1]?.phy as Uint8Array, device)).toMatchObject({
      isAck: true,
      counter: 0,
      port: undefined,
    });
    expect(net.refused).toEqual(["late-copy"]);
  });

  test("is kept before it is handed on, and its answer's counter before it is sent", async () => {
    const device = await net.join(1, NEAR);
    const order: string[] = [];
    net.store.beforeSave = () => void order.push("save");
    net.taker.answer = async () => {
      order.push("take");
      return [];
    };
    net.air.outcome = () => {
      order.push("send");
      return "sent";
    };
    await net.hear(device.uplink({ counter: 0, isConfirmed: true }), NEAR);
    expect(order).toEqual(["save", "take", "save", "send"]);
  });

  test("is refused with its reason", async () => {
    const device = await net.join(1, NEAR);
    const hear = async (phy: Uint8Array, part = {}) => {
      net.air.hear(phy, { ...NEAR, ...part });
      await net.clock.advance(2_000);
      return net.refused.splice(0);
    };
    expect(await hear(device.uplink({ counter: 5 }))).toEqual([]);
    expect(await hear(device.uplink({ counter: 4 }))).toEqual(["counter-replayed"]);
    expect(await hear(device.uplink({ counter: 0 }))).toEqual(["counter-replayed"]);
    expect(await hear(device.uplink({ counter: 5 }))).toEqual(["repeated"]);
    expect(await hear(dataUplink(device.devAddr, SESSION.keys, { counter: 6 }))).toEqual(["bad-mic"]);
    expect(await hear(dataUplink("deadbeef", SESSION.keys, { counter: 6 }))).toEqual(["unknown-address"]);
    expect(await hear(device.uplink({ counter: 6 }), { frequencyHz: 868_800_000 })).toEqual(["frequency"]);
    expect(await hear(device.uplink({ counter: 6 }), { dataRate: 6 })).toEqual(["data-rate"]);
    expect(await hear(device.uplink({ counter: 6, port: 224 }))).toEqual(["port-reserved"]);
    expect(await hear(device.uplink({ counter: 7, options: fromHex("7f02") }))).toEqual(["mac-command-unknown"]);
    expect(await hear(device.uplink({ counter: 8, options: fromHex("06ff") }))).toEqual(["mac-command-short"]);
    expect(await hear(fromHex("4001"))).toEqual(["frame-too-short"]);
    net.identities.list = [{ ...JOINER, isEnabled: false }];
    expect(await hear(device.uplink({ counter: 9 }))).toEqual(["device-disabled"]);
    net.identities.list = [{ ...JOINER, appKey: "22".repeat(16) } as Identity];
    expect(await hear(device.uplink({ counter: 9 }))).toEqual(["key-changed"]);
    net.identities.list = [];
    expect(await hear(device.uplink({ counter: 9 }))).toEqual(["unknown-address"]);
    expect(net.taker.taken.map(({ counter }) => counter)).toEqual([5, 7, 8]);
  });

  test("counters go on past 65,535, and over any gap of an outage", async () => {
    const device = await net.join(1, NEAR);
    for (const counter of [65_530, 65_540, 131_071, 131_072]) {
      net.air.hear(device.uplink({ counter }), NEAR);
      await net.clock.advance(2_000);
    }
    expect(net.taker.taken.map(({ counter }) => counter)).toEqual([65_530, 65_540, 131_071, 131_072]);
    await net.hear(device.uplink({ counter: 65_540 }), NEAR);
    expect(net.refused).toEqual(["counter-replayed"]);
  });

  test("a personalised device that begins anew is told apart, until an operator forgets its session", async () => {
    const uplink = (counter: number) => dataUplink(SESSION.devAddr, SESSION.keys, { counter, isConfirmed: true });
    const heardUs = counterOf(net.clock, NEAR.stationId);
    await net.hear(uplink(40), NEAR);
    expect(net.air.sent).toMatchObject([{ counterUs: heardUs + 1_000_000 }]);
    await net.hear(uplink(0), NEAR);
    expect(net.refused).toEqual(["counter-reset"]);
    await net.server.forgetSession(PERSONALISED.devEui);
    await net.hear(uplink(1), NEAR);
    expect(net.taker.taken.map(({ session, counter }) => [session, counter])).toEqual([
      ["1", 40],
      ["2", 1],
    ]);
  });

  test("too many that are forged close a base station's mouth for a while, and only its", async () => {
    const device = await net.join(1, NEAR);
    for (let i = 0; i < 320; i++) net.air.hear(dataUplink(device.devAddr, SESSION.keys, { counter: i }), NEAR);
    await net.clock.advance(250);
    expect(net.server.counts()).toMatchObject({ "bad-mic": 320 });
    net.air.hear(device.uplink({ counter: 1 }), NEAR);
    net.air.hear(device.uplink({ counter: 2 }), FAR);
    await net.clock.advance(250);
    expect(net.taker.taken.map(({ counter }) => counter)).toEqual([2]);
    expect(net.refused.at(-1)).toBe("too-many-bad-mics");
    await net.clock.advance(1_000);
    await net.hear(device.uplink({ counter: 3 }), NEAR);
    expect(net.taker.taken.map(({ counter }) => counter)).toEqual([2, 3]);
  });

  test("of one of two devices with one address is told by its key", async () => {
    const other = { devAddr: "49be7df1", nwkSKey: "33".repeat(16), appSKey: "44".repeat(16) };
    const twin: Identity = {
      ...PERSONALISED,
      devEui: "0102030405060709",
      deviceId: "alm-03-d1",
      abp: other,
    } as Identity;
    net.identities.list = [PERSONALISED, twin];
    const keys = { nwkSKey: fromHex(other.nwkSKey), appSKey: fromHex(other.appSKey) };
    await net.hear(dataUplink(other.devAddr, keys, { counter: 3 }), NEAR);
    await net.hear(dataUplink(other.devAddr, SESSION.keys, { counter: 9 }), NEAR);
    await net.hear(dataUplink(other.devAddr, keys, { counter: 4 }), NEAR);
    expect(net.taker.taken.map(({ devEui, counter }) => [devEui.slice(-2), counter])).toEqual([
      ["09", 3],
      ["08", 9],
      ["09", 4],
    ]);
    expect(net.refused).toEqual([]);
  });

  test("more of one device than can wait for the journal are refused, and the rest goes on when it can", async () => {
    const device = await net.join(1, NEAR);
    const waiting: (() => void)[] = [];
    net.taker.answer = () => new Promise((resolve) => waiting.push(() => resolve([])));
    for (let counter = 0; counter < 10; counter++) await net.hear(device.uplink({ counter }), NEAR);
    expect(net.refused).toEqual(["device-busy", "device-busy"]);
    for (let i = 0; i < 8; i++) {
      waiting.shift()?.();
      await net.clock.advance(1);
    }
    expect(net.taker.taken.map(({ counter }) => counter)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    net.taker.answer = async () => [];
    await net.hear(device.uplink({ counter: 10 }), NEAR);
    expect(net.taker.taken.at(-1)?.counter).toBe(10);
  });

  test("more join-requests than a region sends close a base station's mouth for joins", async () => {
    for (let nonce = 0; nonce < 202; nonce++) net.air.hear(joinRequest(JOINER, nonce), NEAR);
    expect(net.refused).toEqual(["too-many-joins", "too-many-joins"]);
    net.air.hear(joinRequest(JOINER, 300), FAR);
    expect(net.refused).toHaveLength(2);
  });

  test("after a stop nothing is taken, and what was in hand is done", async () => {
    const device = await net.join(1, NEAR);
    net.taker.answer = () => new Promise((resolve) => net.clock.after(1_000, () => resolve([])));
    net.air.hear(device.uplink({ counter: 0 }), NEAR);
    await net.clock.advance(300);
    let isStopped = false;
    const stopped = net.server.stop().then(() => {
      isStopped = true;
    });
    await net.hear(device.uplink({ counter: 1 }), NEAR);
    expect([net.taker.taken.length, isStopped]).toEqual([0, false]);
    await net.clock.advance(1_000);
    await stopped;
    expect(net.taker.taken.map(({ counter }) => counter)).toEqual([0]);
  });
});
