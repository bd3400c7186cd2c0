import { createCipheriv } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createRandom } from "../../../../firmware/simulator/random.ts";
import { NOON_MS } from "../../../../tests/fixtures.ts";
import {
  APP_KEY,
  counterOf,
  dataUplink,
  JOINER,
  type Joined,
  joinRequest,
  openAccept,
  readDownlink,
  testAir,
  testIdentities,
  testStore,
  testTaker,
} from "../../../../tests/lorawan-air.ts";
import { virtualClock } from "../../../../tests/virtual-clock.ts";
import type { DownlinkNote } from "./answers.ts";
import { fromHex } from "./crypto.ts";
import type { Identity } from "./identities.ts";
import { createNetworkServer, type NetworkServer } from "./server.ts";

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

let clock: ReturnType<typeof virtualClock>;
let air: ReturnType<typeof testAir>;
let taker: ReturnType<typeof testTaker>;
let store: ReturnType<typeof testStore>;
let identities: ReturnType<typeof testIdentities>;
let server: NetworkServer;
let refused: string[];
let notes: DownlinkNote[];
let isClockTrusted: boolean;

async function open(): Promise<NetworkServer> {
  server = createNetworkServer({
    ...{ radio: air, taker, identities, store, clock },
    random: createRandom(1).next,
    isClockTrusted: () => isClockTrusted,
    onRefusal: ({ reason }) => refused.push(reason),
    onDownlink: (note) => notes.push(note),
  });
  await server.start();
  return server;
}

/** As after kill −9: nothing is finished, and what is on the disk is what there is. */
async function restart(): Promise<void> {
  air = testAir(clock);
  taker = testTaker();
  const rows = store.rows;
  const { epoch } = store;
  store.beforeSave = () => {
    throw new Error("the old process is dead");
  };
  store = Object.assign(testStore(rows), { epoch });
  refused = [];
  await open();
}

beforeEach(async () => {
  clock = virtualClock(NOON_MS);
  air = testAir(clock);
  taker = testTaker();
  store = testStore();
  identities = testIdentities(JOINER, PERSONALISED);
  refused = [];
  notes = [];
  isClockTrusted = true;
  await open();
});
afterEach(() => server.stop());

/** The window of copies, and what is done after it. */
const settle = () => clock.advance(250);

async function join(devNonce: number): Promise<Joined> {
  air.hear(joinRequest(JOINER, devNonce), NEAR);
  await settle();
  const accept = air.sent.at(-1);
  if (accept === undefined) throw new Error(`no join-accept: ${refused.join()}`);
  const encrypt = (blocks: Uint8Array) =>
    createCipheriv("aes-128-ecb", fromHex(APP_KEY), null).setAutoPadding(false).update(blocks);
  return openAccept(accept.phy, devNonce, encrypt);
}

describe("a join", () => {
  test("is answered after five seconds on its own channel, with eight channels, RX2 at SF9 and a delay of 5 s", async () => {
    const heardUs = counterOf(clock, NEAR.stationId);
    const joined = await join(7);
    expect(joined).toMatchObject({ joinNonce: 1, settings: 3, rxDelayS: 5 });
    expect(air.sent).toMatchObject([
      {
        stationId: NEAR.stationId,
        frequencyHz: 868_100_000,
        dataRate: 5,
        powerDbm: 14,
        counterUs: heardUs + 5_000_000,
      },
    ]);
    expect(server.states()[0]).toMatchObject({ state: "joining", devEui: EUI, nonces: { used: 1 } });
    expect(server.counts()).toEqual({ "join-accepted": 1 });
  });

  test("is refused with its reason", async () => {
    await join(7);
    const again = async (phy: Uint8Array) => {
      await clock.advance(5_000);
      air.hear(phy, NEAR);
      await settle();
      return refused.splice(0);
    };
    expect(await again(joinRequest(JOINER, 7))).toEqual(["nonce-used"]);
    expect(await again(joinRequest(JOINER, 8, "00".repeat(16)))).toEqual(["bad-mic"]);
    expect(await again(joinRequest({ ...JOINER, devEui: "ffffffffffffffff" }, 9))).toEqual(["unknown-device"]);
    expect(await again(joinRequest({ ...JOINER, joinEui: "0000000000000001" } as Identity, 9))).toEqual(["join-eui"]);
    expect(await again(joinRequest({ ...PERSONALISED }, 9))).toEqual(["not-by-join"]);
    identities.list = [{ ...JOINER, isEnabled: false }];
    expect(await again(joinRequest(JOINER, 9))).toEqual(["device-disabled"]);
    identities.list = [{ ...JOINER, version: "1.0.4" }];
    expect(await again(joinRequest(JOINER, 6))).toEqual(["nonce-too-small"]);
    expect(air.sent).toHaveLength(1);
    expect(await again(joinRequest(JOINER, 9))).toEqual([]);
    expect(await again(joinRequest(JOINER, 8))).toEqual(["nonce-too-small"]);
  });

  test("by an operator's act a nonce joins again, and a new key makes all of them free", async () => {
    await join(7);
    await server.flushNonces(EUI);
    await clock.advance(5_000);
    expect(await join(7)).toMatchObject({ joinNonce: 2 });
    const appKey = "11".repeat(16);
    identities.list = [{ ...JOINER, appKey } as Identity];
    await clock.advance(5_000);
    air.hear(joinRequest(JOINER, 7, appKey), NEAR);
    await settle();
    expect(refused).toEqual([]);
    expect(air.sent).toHaveLength(3);
  });

  test("a device that joins without end is answered a few times and then once a minute", async () => {
    for (let nonce = 1; nonce <= 10; nonce++) {
      air.hear(joinRequest(JOINER, nonce), NEAR);
      await clock.advance(3_000);
    }
    expect(air.sent).toHaveLength(8);
    expect(refused).toEqual(["too-many-joins", "too-many-joins"]);
    await clock.advance(60_000);
    air.hear(joinRequest(JOINER, 11), NEAR);
    await settle();
    expect(air.sent).toHaveLength(9);
  });

  test("the old session lives until the device speaks in the new one, through restarts too", async () => {
    const first = await join(1);
    air.hear(first.uplink({ counter: 0 }), NEAR);
    await settle();
    const second = await join(2);
    await restart();
    air.hear(first.uplink({ counter: 1 }), NEAR);
    await settle();
    expect(taker.taken).toMatchObject([{ session: "1", counter: 1 }]);
    expect(server.states()[0]).toMatchObject({ state: "active", session: "1" });
    const third = await join(3);
    air.hear(third.uplink({ counter: 0 }), NEAR);
    await settle();
    air.hear(first.uplink({ counter: 2 }), NEAR);
    air.hear(second.uplink({ counter: 0 }), NEAR);
    await settle();
    expect(taker.taken.map(({ session }) => session)).toEqual(["1", "3"]);
    expect(refused).toEqual(["unknown-address", "unknown-address"]);
  });

  test("is not answered when it cannot be kept", async () => {
    store.beforeSave = () => {
      throw new Error("full");
    };
    air.hear(joinRequest(JOINER, 1), NEAR);
    await settle();
    expect([air.sent.length, refused]).toEqual([0, ["not-kept"]]);
    store.beforeSave = () => undefined;
    await clock.advance(5_000);
    expect(await join(1)).toMatchObject({ joinNonce: 1 });
  });
});

describe("an uplink", () => {
  test("that two base stations hear is handed on once, and answered through the better one", async () => {
    const device = await join(1);
    const phy = device.uplink({ counter: 0, isConfirmed: true });
    air.hear(phy, FAR);
    await clock.advance(100);
    const heardUs = counterOf(clock, NEAR.stationId);
    air.hear(phy, NEAR);
    await settle();
    await clock.advance(1_000);
    air.hear(phy, { ...FAR, stationId: "aa555a0000000003" });
    expect(taker.taken).toMatchObject([
      { network: "own", devEui: EUI, session: "1", counter: 0, port: 10, payload: Uint8Array.of(1, 2, 3), dataRate: 5 },
    ]);
    expect(taker.taken[0]?.receptions.map(({ stationId }) => stationId)).toEqual([NEAR.stationId, FAR.stationId]);
    expect(air.sent[1]).toMatchObject({ stationId: NEAR.stationId, counterUs: heardUs + 5_000_000 });
    expect(readDownlink(air.sent[1]?.phy as Uint8Array, device)).toMatchObject({
      isAck: true,
      counter: 0,
      port: undefined,
    });
    expect(refused).toEqual(["late-copy"]);
  });

  test("is kept before it is handed on, and its answer's counter before it is sent", async () => {
    const device = await join(1);
    const order: string[] = [];
    store.beforeSave = () => void order.push("save");
    taker.answer = async () => {
      order.push("take");
      return [];
    };
    air.outcome = () => {
      order.push("send");
      return "sent";
    };
    air.hear(device.uplink({ counter: 0, isConfirmed: true }), NEAR);
    await settle();
    expect(order).toEqual(["save", "take", "save", "send"]);
  });

  test("is refused with its reason", async () => {
    const device = await join(1);
    const hear = async (phy: Uint8Array, part = {}) => {
      air.hear(phy, { ...NEAR, ...part });
      await clock.advance(2_000);
      return refused.splice(0);
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
    identities.list = [{ ...JOINER, isEnabled: false }];
    expect(await hear(device.uplink({ counter: 9 }))).toEqual(["device-disabled"]);
    identities.list = [{ ...JOINER, appKey: "22".repeat(16) } as Identity];
    expect(await hear(device.uplink({ counter: 9 }))).toEqual(["key-changed"]);
    identities.list = [];
    expect(await hear(device.uplink({ counter: 9 }))).toEqual(["unknown-address"]);
    expect(taker.taken.map(({ counter }) => counter)).toEqual([5, 7, 8]);
  });

  test("counters go on past 65,535, and over any gap of an outage", async () => {
    const device = await join(1);
    for (const counter of [65_530, 65_540, 131_071, 131_072]) {
      air.hear(device.uplink({ counter }), NEAR);
      await clock.advance(2_000);
    }
    expect(taker.taken.map(({ counter }) => counter)).toEqual([65_530, 65_540, 131_071, 131_072]);
    air.hear(device.uplink({ counter: 65_540 }), NEAR);
    await settle();
    expect(refused).toEqual(["counter-replayed"]);
  });

  test("a personalised device that begins anew is told apart, until an operator forgets its session", async () => {
    const uplink = (counter: number) => dataUplink(SESSION.devAddr, SESSION.keys, { counter, isConfirmed: true });
    const heardUs = counterOf(clock, NEAR.stationId);
    air.hear(uplink(40), NEAR);
    await settle();
    expect(air.sent).toMatchObject([{ counterUs: heardUs + 1_000_000 }]);
    air.hear(uplink(0), NEAR);
    await settle();
    expect(refused).toEqual(["counter-reset"]);
    await server.forgetSession(PERSONALISED.devEui);
    air.hear(uplink(1), NEAR);
    await settle();
    expect(taker.taken.map(({ session, counter }) => [session, counter])).toEqual([
      ["1", 40],
      ["2", 1],
    ]);
  });

  test("too many that are forged close a base station's mouth for a while, and only its", async () => {
    const device = await join(1);
    for (let i = 0; i < 320; i++) air.hear(dataUplink(device.devAddr, SESSION.keys, { counter: i }), NEAR);
    await settle();
    expect(server.counts()).toMatchObject({ "bad-mic": 320 });
    air.hear(device.uplink({ counter: 1 }), NEAR);
    air.hear(device.uplink({ counter: 2 }), FAR);
    await settle();
    expect(taker.taken.map(({ counter }) => counter)).toEqual([2]);
    expect(refused.at(-1)).toBe("too-many-bad-mics");
    await clock.advance(1_000);
    air.hear(device.uplink({ counter: 3 }), NEAR);
    await settle();
    expect(taker.taken.map(({ counter }) => counter)).toEqual([2, 3]);
  });
});
