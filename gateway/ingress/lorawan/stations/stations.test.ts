import { expect, test } from "vitest";
import { NOON_MS } from "../../../../tests/fixtures.ts";
import { virtualClock } from "../../../../tests/virtual-clock.ts";
import type { HeardFrame, Transmission, TransmitOutcome } from "../interfaces.ts";
import { createRateLimit, REPIN_SILENCE_MS, type Source, STATION_RATE } from "./admission.ts";
import { CONNECTED_MS, createStations, PENDING_MAX, SILENT_MS, type StationEntry, TX_ACK_MS_MAX } from "./stations.ts";

const ROOF = "aa555a0000000101";
const TOWER = "aa555a0000000102";
const UP: Source = { address: "10.0.0.7", port: 41_000 };
const DOWN: Source = { address: "10.0.0.7", port: 41_001 };
const THIEF: Source = { address: "10.0.0.66", port: 1_234 };

const PACKET = {
  tmst: 1_000,
  freq: 868.1,
  stat: 1,
  modu: "LORA",
  datr: "SF9BW125",
  rssi: -80,
  lsnr: 7,
  size: 3,
  data: "AQID",
};

function datagram(kind: number, body?: unknown, eui = ROOF, token = 7): Uint8Array {
  const head = Buffer.from(`020000${kind.toString(16).padStart(2, "0")}${eui}`, "hex");
  head.writeUInt16BE(token, 1);
  return Buffer.concat([head, Buffer.from(body === undefined ? "" : JSON.stringify(body))]);
}

function setUp(entry: Partial<StationEntry> = {}) {
  const clock = virtualClock(NOON_MS);
  const sent: { bytes: Uint8Array; to: Source }[] = [];
  const heard: HeardFrame[] = [];
  const pinned: string[] = [];
  let token = 100;
  const stations = createStations({
    stations: [
      { eui: ROOF, name: "Roof", ...entry },
      { eui: TOWER, name: "Tower" },
    ],
    clock,
    randomToken: () => token++,
    send: (bytes, to) => void sent.push({ bytes, to }),
    onPinned: (id, reason, { address, port }) => void pinned.push(`${id} ${reason} ${address}:${port}`),
  });
  stations.onHeard((frame) => void heard.push(frame));
  const roof = () => stations.states()[0] as ReturnType<typeof stations.states>[number];
  const kinds = () => sent.map(({ bytes, to }) => `${bytes[3]} ${to.address}:${to.port}`);
  return { clock, sent, heard, pinned, stations, roof, kinds };
}

const TRANSMISSION: Transmission = {
  stationId: ROOF,
  phy: new Uint8Array([1, 2, 3]),
  frequencyHz: 868_100_000,
  dataRate: 3,
  powerDbm: 14,
  counterUs: 5_001_000,
};

test("a packet is acknowledged before it is looked at, and handed on with who heard it", () => {
  const { stations, heard, kinds, roof } = setUp();
  let answered = -1;
  stations.onHeard(() => {
    answered = kinds().length;
  });
  stations.take(datagram(0, { rxpk: [PACKET, { ...PACKET, stat: -1 }], stat: { rxnb: 5 } }), UP);
  expect(kinds()).toEqual(["1 10.0.0.7:41000"]);
  expect(answered).toBe(1);
  expect(heard).toMatchObject([{ dataRate: 3, reception: { stationId: ROOF, rssi: -80, snr: 7 }, counterUs: 1_000 }]);
  expect(roof()).toMatchObject({
    lastHeardMs: NOON_MS,
    heardFrom: "10.0.0.7",
    isConnected: false,
    framesHeard: 1,
    status: { heard: 5 },
    refused: { checksum: 1 },
  });
  // Broken JSON is acknowledged all the same: it would not get better.
  stations.take(Buffer.concat([datagram(0), Buffer.from("{")]), UP);
  expect(kinds()).toHaveLength(2);
  expect(roof().refused).toEqual({ checksum: 1, json: 1 });
});

test("who is not listed gets no answer and is counted", () => {
  const { stations, sent, heard } = setUp();
  stations.take(datagram(0, { rxpk: [PACKET] }, "aa555a0000000103"), UP);
  stations.take(datagram(2, undefined, "aa555a0000000103"), UP);
  stations.take(new Uint8Array(3), UP);
  expect(sent).toEqual([]);
  expect(heard).toEqual([]);
  expect(stations.refused()).toEqual({ "unknown-station": 2, "too-short": 1 });
});

test("a downlink goes to where it was asked for, and its outcome is what the base station says", async () => {
  const { stations, sent, kinds, roof } = setUp();
  expect(await stations.transmit(TRANSMISSION)).toBe("not-connected");
  stations.take(datagram(2), DOWN);
  const outcomes = [stations.transmit(TRANSMISSION), stations.transmit({ ...TRANSMISSION, dataRate: 0 })];
  expect(kinds()).toEqual(["4 10.0.0.7:41001", "3 10.0.0.7:41001", "3 10.0.0.7:41001"]);
  const token = Buffer.from(sent[2]?.bytes ?? []).readUInt16BE(1);
  stations.take(datagram(5, { txpk_ack: { error: "TOO_LATE" } }, ROOF, token), DOWN);
  stations.take(datagram(5, undefined, ROOF, token - 1), DOWN);
  expect(await Promise.all(outcomes)).toEqual(["sent", "too-late"]);
  // Said twice, it is nobody's.
  stations.take(datagram(5, undefined, ROOF, token), DOWN);
  expect(roof()).toMatchObject({
    isConnected: true,
    transmissions: { sent: 1, "too-late": 1, "not-connected": 1 },
    refused: { token: 1 },
  });
  expect(await stations.transmit({ ...TRANSMISSION, stationId: "aa555a0000000103" })).toBe("not-connected");
});

test("an answer that does not come, that is another's, or that cannot be read is none", async () => {
  const { stations, clock, roof } = setUp();
  stations.take(datagram(2), DOWN);
  stations.take(datagram(2, undefined, TOWER), DOWN);
  let outcome: TransmitOutcome | undefined;
  void stations.transmit(TRANSMISSION).then((one) => {
    outcome = one;
  });
  stations.take(datagram(5, undefined, TOWER, 100), DOWN);
  stations.take(datagram(5, [], ROOF, 100), DOWN);
  stations.take(datagram(5, undefined, ROOF, 100), THIEF);
  await clock.advance(TX_ACK_MS_MAX - 1);
  expect(outcome).toBeUndefined();
  await clock.advance(1);
  expect(outcome).toBe("no-answer");
  expect(roof().refused).toEqual({ "not-an-object": 1, "other-address": 1 });
});

test("a forged PULL_DATA steals no downlink", async () => {
  const { stations, clock, kinds, pinned, roof } = setUp();
  stations.take(datagram(2), DOWN);
  // Another machine, and another program of the same machine.
  for (const source of [THIEF, { ...DOWN, port: 2_000 }]) stations.take(datagram(2), source);
  void stations.transmit(TRANSMISSION);
  expect(kinds()).toEqual(["4 10.0.0.7:41001", "3 10.0.0.7:41001"]);
  expect(roof().refused).toEqual({ "other-address": 1, "other-port": 1 });
  // However long it tries, as long as the true one is heard.
  for (let i = 0; i < 10; i++) {
    await clock.advance(REPIN_SILENCE_MS / 4);
    stations.take(datagram(2), DOWN);
    stations.take(datagram(2), THIEF);
  }
  void stations.transmit(TRANSMISSION);
  expect(kinds().filter((one) => one.includes("10.0.0.66"))).toEqual([]);
  // What it sends as packets is not heard either.
  stations.take(datagram(0, { rxpk: [PACKET] }), THIEF);
  expect(roof().framesHeard).toBe(0);
  // The lease has changed: the true one is silent, and comes back from elsewhere.
  await clock.advance(REPIN_SILENCE_MS);
  const moved = { address: "10.0.0.8", port: 5 };
  stations.take(datagram(2), moved);
  void stations.transmit(TRANSMISSION);
  expect(kinds().at(-1)).toBe("3 10.0.0.8:5");
  expect(pinned).toEqual([`${ROOF} first 10.0.0.7:41001`, `${ROOF} moved 10.0.0.8:5`]);
  stations.close();
});

test("a forwarder that starts anew has another port, and gets its downlinks there after a while", async () => {
  const { stations, clock, kinds, pinned } = setUp();
  stations.take(datagram(2), DOWN);
  const anew = { ...DOWN, port: 50_000 };
  stations.take(datagram(2), anew);
  await clock.advance(REPIN_SILENCE_MS);
  stations.take(datagram(0, { rxpk: [] }), { ...UP, port: 50_001 });
  stations.take(datagram(2), anew);
  void stations.transmit(TRANSMISSION);
  expect(kinds().at(-1)).toBe("3 10.0.0.7:50000");
  expect(pinned.at(-1)).toBe(`${ROOF} moved 10.0.0.7:50000`);
  stations.close();
});

test("a configured address is the only one, however silent it is", async () => {
  const { stations, clock, roof } = setUp({ address: "10.0.0.7" });
  stations.take(datagram(2), THIEF);
  await clock.advance(10 * REPIN_SILENCE_MS);
  stations.take(datagram(2), THIEF);
  expect(roof()).toMatchObject({ isConnected: false, refused: { "other-address": 2 } });
  stations.take(datagram(2), DOWN);
  expect(roof().isConnected).toBe(true);
});

test("one that does not ask any more is not connected; one that says nothing is silent", async () => {
  const { stations, clock, roof } = setUp();
  expect(roof().isSilent).toBe(false);
  stations.take(datagram(2), DOWN);
  await clock.advance(CONNECTED_MS);
  expect(roof()).toMatchObject({ isConnected: false, isSilent: false });
  expect(await stations.transmit(TRANSMISSION)).toBe("not-connected");
  await clock.advance(SILENT_MS - CONNECTED_MS);
  expect(roof().isSilent).toBe(true);
  // Also one that was never heard.
  expect(stations.states()[1]).toMatchObject({ name: "Tower", isSilent: true });
});

test("transmissions that wait are at most so many", async () => {
  const { stations, roof } = setUp();
  stations.take(datagram(2), DOWN);
  const waiting = Array.from({ length: PENDING_MAX }, () => stations.transmit(TRANSMISSION));
  expect(await stations.transmit(TRANSMISSION)).toBe("failed");
  stations.close();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(["no-answer"]));
  expect(roof().transmissions).toEqual({ failed: 1, "no-answer": PENDING_MAX });
});

test("a flood is cut off for its sender alone, and what is sent in another's name uses nothing of its allowance", async () => {
  const { stations, clock, heard, roof } = setUp();
  stations.take(datagram(2), DOWN);
  for (let i = 0; i < 3_000; i++) stations.take(datagram(0, { rxpk: [PACKET] }), THIEF);
  expect(stations.refused()["rate-source"]).toBeGreaterThan(2_000);
  stations.take(datagram(0, { rxpk: [PACKET] }), UP);
  expect(heard).toHaveLength(1);
  for (let i = 0; i < STATION_RATE.burst + 100; i++) stations.take(datagram(0, { rxpk: [PACKET] }), UP);
  expect(roof().refused["rate-station"]).toBeGreaterThan(90);
  await clock.advance(1_000);
  stations.take(datagram(0, { rxpk: [PACKET] }), UP);
  expect(heard.length).toBe(STATION_RATE.burst);
});

test("senders are told apart up to a number, and those beyond share", () => {
  const mayPass = createRateLimit({ perSecond: 1, burst: 2 }, 3);
  expect(["a", "a", "a", "b", "c", "c"].map((key) => mayPass(key, 0))).toEqual([true, true, false, true, true, true]);
  expect(["d", "e", "f"].map((key) => mayPass(key, 0))).toEqual([true, true, false]);
  expect(mayPass("b", 0)).toBe(true);
  // Later the others are forgotten.
  expect(["d", "d", "d"].map((key) => mayPass(key, 10_000))).toEqual([true, true, false]);
});
