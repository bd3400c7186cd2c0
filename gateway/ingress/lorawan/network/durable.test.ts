// What holds over an end at any moment: nothing handed on twice, nothing sent twice under one counter, no session broken.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createRandom } from "../../../../firmware/simulator/random.ts";
import { NOON_MS, temporaryFolder, waitFor } from "../../../../tests/fixtures.ts";
import {
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
import { decipherer, type TestNetwork, testNetwork } from "../../../../tests/lorawan-network.ts";
import { virtualClock } from "../../../../tests/virtual-clock.ts";
import { openJournal } from "../../../journal/journal.ts";
import { fromHex } from "./crypto.ts";
import type { Identity } from "./identities.ts";
import { createNetworkServer } from "./server.ts";
import { DOWN_JUMP } from "./session.ts";

const EUI = JOINER.devEui;
const ABP: Identity = {
  ...{ devEui: "0102030405060708", deviceId: "alm-02-d1", version: "1.0.2", isEnabled: true },
  abp: { devAddr: "49be7df1", nwkSKey: "11".repeat(16), appSKey: "22".repeat(16), rxDelayS: 5, rx2DataRate: 3 },
};
const ABP_KEYS = { nwkSKey: fromHex("11".repeat(16)), appSKey: fromHex("22".repeat(16)) };

let net: TestNetwork;
let device: Joined;
beforeEach(async () => {
  net = await testNetwork(JOINER, ABP);
  device = await net.join(1);
  await net.clock.advance(10_000);
});
afterEach(() => net.server.stop());

describe("after kill −9", () => {
  test("between the counter and the payload: the device repeats it, and it is handed on once", async () => {
    const phy = device.uplink({ counter: 0, isConfirmed: true });
    net.taker.answer = () => new Promise(() => undefined);
    await net.hear(phy);
    expect([net.taker.taken.length, net.air.sent.length]).toEqual([0, 1]);
    await net.restart();
    await net.clock.advance(8_000);
    await net.hear(phy);
    await net.clock.advance(8_000);
    await net.hear(phy);
    expect(net.taker.taken.map(({ counter }) => counter)).toEqual([0]);
    expect(net.air.sent.map(({ phy }) => readDownlink(phy, device).counter)).toEqual([0, 1]);
  });

  test("before the counter: nothing was handed on, and the frame is taken as a new one", async () => {
    const phy = device.uplink({ counter: 0 });
    net.store.beforeSave = () => {
      throw new Error("dead");
    };
    await net.hear(phy);
    expect([net.taker.taken.length, net.refused]).toEqual([0, ["not-kept"]]);
    await net.restart();
    await net.hear(phy);
    expect(net.taker.taken).toHaveLength(1);
  });

  test("at any save of a busy hour: no payload twice after it was kept as taken, no counter down twice", async () => {
    const seed = Number(process.env["SIM_SEED"] ?? 7);
    const random = createRandom(seed);
    const seen = new Set<string>();
    const downs = new Set<string>();
    let repeats = 0;
    const look = () => {
      for (const { phy } of net.air.sent) {
        if ((phy[0] as number) !== 0x60) continue;
        const key = `${Buffer.from(phy.subarray(1, 5)).toString("hex")} ${phy[6]} ${phy[7]}`;
        expect(downs, `SIM_SEED=${seed}: ${key} sent twice`).not.toContain(key);
        downs.add(key);
      }
      for (const { session, counter } of net.taker.taken) {
        if (seen.has(`${session} ${counter}`)) repeats++;
        seen.add(`${session} ${counter}`);
      }
      net.air.sent.length = 0;
      net.taker.taken.length = 0;
    };
    let deaths = 0;
    for (let counter = 0; counter < 60; counter++) {
      let left = random.next() < 0.5 ? Math.floor(random.next() * 4) : Number.POSITIVE_INFINITY;
      const died = { yes: false };
      net.store.beforeSave = () => {
        if (left-- <= 0) died.yes = true;
        if (died.yes) throw new Error("dead");
      };
      const phy = device.uplink({ counter, isConfirmed: true });
      for (let i = 0; i < 3; i++) {
        await net.hear(phy);
        if (died.yes && i === 0) {
          look();
          deaths++;
          await net.restart();
        }
        await net.clock.advance(8_000);
      }
      look();
    }
    expect(deaths, `SIM_SEED=${seed}`).toBeGreaterThan(10);
    expect(seen.size).toBe(60);
    // Once more only where it died after the payload was taken and before that was kept: the journal knows it by its counter.
    expect(repeats).toBeLessThanOrEqual(deaths);
  });

  test("what base stations had on the air stays counted, however the wall clock stands", async () => {
    for (let counter = 0; counter < 20; counter++) await net.hear(device.uplink({ counter, isConfirmed: true }));
    const used = () => net.server.airtime().reduce((sum, row) => sum + row.usedMs, 0);
    const before = used();
    expect(before).toBeGreaterThan(20 * 41);
    await net.restart();
    expect(used()).toBeGreaterThanOrEqual(before);
    net.clock.jump(-86_400_000);
    await net.restart();
    expect(used()).toBeGreaterThanOrEqual(before);
    net.clock.jump(86_400_000);
    await net.clock.advance(3_700_000);
    await net.restart();
    expect(used()).toBe(0);
  });
});

test("out of a copy: downlinks jump over what the lost machine sent, and what it heard since is taken", async () => {
  await net.hear(device.uplink({ counter: 0, isConfirmed: true }));
  const copy = new Map(net.store.rows);
  await net.clock.advance(10_000);
  await net.hear(device.uplink({ counter: 1, isConfirmed: true }));
  Object.assign(net.store, { rows: copy, epoch: "e2" });
  await net.restart();
  await net.hear(device.uplink({ counter: 9, isConfirmed: true }));
  expect(net.air.sent.map(({ phy }) => readDownlink(phy, device).counter)).toEqual([1 + DOWN_JUMP]);
  expect((await net.join(2)).joinNonce).toBeGreaterThan(1_000);
  await net.restart();
  await net.clock.advance(10_000);
  await net.hear(device.uplink({ counter: 10, isConfirmed: true }));
  expect(readDownlink(net.air.sent.at(-1)?.phy as Uint8Array, device).counter).toBe(2 + DOWN_JUMP);
});

test("a day of frames that comes again after a restart, on the real journal: nothing handed on twice, no session broken", async () => {
  const folder = temporaryFolder();
  const clock = virtualClock(NOON_MS);
  const day: Uint8Array[] = [];
  const { next: random } = createRandom(3);
  const open = async () => {
    const journal = await openJournal({ dir: folder.path, clock });
    const [air, taker, refused] = [testAir(clock), testTaker(), [] as string[]];
    const server = createNetworkServer({
      ...{ radio: air, taker, identities: testIdentities(JOINER, ABP), store: journal, clock, random },
      isClockTrusted: () => true,
      onRefusal: ({ reason }) => refused.push(reason),
    });
    await server.start();
    const done = () => taker.taken.length + refused.length + (server.counts()["join-accepted"] ?? 0);
    const hear = async (phy: Uint8Array) => {
      const before = done();
      air.hear(phy);
      await clock.advance(250);
      await waitFor("the frame to be taken or refused", () => done() > before);
      await clock.advance(1_800_000);
    };
    return { journal, air, taker, refused, server, hear };
  };
  const first = await open();
  const join = joinRequest(JOINER, 77);
  day.push(join);
  await first.hear(join);
  const joined = openAccept(first.air.sent[0]?.phy as Uint8Array, 77, decipherer(JOINER.appKey as string));
  for (let counter = 0; counter < 24; counter++) {
    for (const phy of [
      joined.uplink({ counter, isConfirmed: counter % 8 === 0 }),
      dataUplink("49be7df1", ABP_KEYS, { counter: counter + 1_000 }),
    ]) {
      day.push(phy);
      await first.hear(phy);
    }
  }
  expect(first.taker.taken).toHaveLength(48);
  expect(first.refused).toEqual([]);
  await first.server.stop();
  await first.journal.close();
  const second = await open();
  for (const phy of day) await second.hear(phy);
  expect(second.taker.taken).toEqual([]);
  expect(new Set(second.refused)).toEqual(new Set(["nonce-used", "counter-replayed", "counter-reset", "repeated"]));
  await second.hear(joined.uplink({ counter: 24 }));
  await second.hear(dataUplink("49be7df1", ABP_KEYS, { counter: 1_024 }));
  expect(second.taker.taken.map(({ session, counter }) => [session, counter])).toEqual([
    ["1", 24],
    ["1", 1_024],
  ]);
  await second.server.stop();
  await second.journal.close();
  folder.remove();
});

test("no key is kept in the journal", async () => {
  await net.hear(device.uplink({ counter: 0 }));
  await net.hear(dataUplink("49be7df1", ABP_KEYS, { counter: 0 }));
  const kept = [...net.store.rows.values()].join();
  const { nwkSKey, appSKey } = device.keys;
  const secrets = [nwkSKey, appSKey, ABP_KEYS.nwkSKey, ABP_KEYS.appSKey, fromHex(JOINER.appKey as string)];
  for (const secret of secrets) expect(kept).not.toContain(Buffer.from(secret).toString("hex"));
  expect(kept).toContain(device.devAddr);
  expect(testStore().rows.size).toBe(0);
  expect(net.store.rows.has(`lorawan-session ${EUI}`)).toBe(true);
});
