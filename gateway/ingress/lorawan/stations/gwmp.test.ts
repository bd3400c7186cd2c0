import { describe, expect, test } from "vitest";
import type { Transmission } from "../interfaces.ts";
import {
  DATAGRAM_BYTES_MAX,
  encodeAnswer,
  encodePullResp,
  PACKETS_MAX,
  type PushData,
  parseHeader,
  parsePushData,
  parseTxAck,
} from "./gwmp.ts";

const EUI = "aa555a0000000101";
/** Of the protocol's own description: URL-safe, not padded. */
const DATA = "-DS4CGaDCdG+48eJNM3Vai-zDpsR71Pn9CPA9uCON84";
const PACKET = {
  time: "2013-03-31T16:21:17.528002Z",
  tmst: 3_512_348_611,
  chan: 2,
  rfch: 0,
  freq: 866.34937,
  stat: 1,
  modu: "LORA",
  datr: "SF7BW125",
  codr: "4/6",
  rssi: -35,
  lsnr: 5.1,
  size: 32,
  data: DATA,
};

function datagram(kind: number, body?: unknown): Uint8Array {
  const head = Buffer.from(`02123400${EUI}`, "hex");
  head[3] = kind;
  return Buffer.concat([head, Buffer.from(body === undefined ? "" : JSON.stringify(body))]);
}

function push(...packets: unknown[]): PushData {
  const parsed = parsePushData(datagram(0, { rxpk: packets }), EUI);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}

describe("the header", () => {
  test.each([
    [0, "push-data"],
    [2, "pull-data"],
    [5, "tx-ack"],
  ])("of kind %i is %s", (kind, name) =>
    expect(parseHeader(datagram(kind))).toEqual({ kind: name, token: 0x1234, eui: EUI }),
  );

  test.each([
    ["nothing", new Uint8Array(0), "too-short"],
    ["a byte too few", datagram(2).subarray(0, 11), "too-short"],
    ["a byte too many", new Uint8Array(DATAGRAM_BYTES_MAX + 1).fill(2), "too-long"],
    ["version 1", datagram(0).with(0, 1), "version"],
    ["an answer of a server", datagram(3), "kind"],
    ["an unknown kind", datagram(6), "kind"],
  ])("%s", (_, bytes, fault) => expect(parseHeader(bytes)).toBe(fault));

  test("is answered with its own token", () => {
    expect(Buffer.from(encodeAnswer({ kind: "push-data", token: 0x1234, eui: EUI })).toString("hex")).toBe("02123401");
    expect(Buffer.from(encodeAnswer({ kind: "pull-data", token: 0xfffe, eui: EUI })).toString("hex")).toBe("02fffe04");
  });
});

describe("a packet", () => {
  test("of the protocol's description", () => {
    const [frame] = push(PACKET).frames;
    expect(frame).toEqual({
      phy: new Uint8Array(Buffer.from(DATA, "base64url")),
      frequencyHz: 866_349_370,
      dataRate: 5,
      reception: { stationId: EUI, rssi: -35, snr: 5.1 },
      counterUs: 3_512_348_611,
    });
    expect(frame?.phy).toHaveLength(32);
  });

  test.each([
    ["an ordinary base64", { data: "gKb+agGABQABOIc6cwQ=", size: 14 }],
    ["without its padding", { data: "gKb+agGABQABOIc6cwQ", size: 14 }],
    ["SF12", { datr: "SF12BW125" }],
    ["the counter's last value", { tmst: 0xffff_ffff }],
    ["what newer forwarders add", { mid: 8, rssis: -36, foff: -300, ftime: 12, tmms: 1 }],
  ])("is taken with %s", (_, part) => expect(push({ ...PACKET, ...part }).frames).toHaveLength(1));

  test.each([
    ["checksum", { stat: -1 }],
    ["checksum", { stat: 0 }],
    ["checksum", { stat: undefined }],
    ["modulation", { modu: "FSK", datr: 50_000 }],
    ["data-rate", { datr: "SF6BW125" }],
    ["data-rate", { datr: "SF13BW125" }],
    ["data-rate", { datr: "SF7BW250" }],
    ["data-rate", { datr: 7 }],
    ["data-rate", { datr: undefined }],
    ["frequency", { freq: 915 }],
    ["frequency", { freq: "868.1" }],
    ["frequency", { freq: 868_100_000 }],
    ["counter", { tmst: undefined }],
    ["counter", { tmst: -1 }],
    ["counter", { tmst: 1.5 }],
    ["counter", { tmst: 2 ** 32 }],
    ["level", { rssi: undefined }],
    ["level", { lsnr: "5" }],
    ["level", { rssi: -1e9 }],
    ["data", { data: undefined }],
    ["data", { data: "AAA!" }],
    ["data", { data: "AAAAA" }],
    ["data", { data: "AAA==" }],
    ["size", { data: "", size: 0 }],
    ["size", { size: 31 }],
    ["size", { data: Buffer.alloc(256).toString("base64"), size: 256 }],
  ])("is refused for its %s: %j", (fault, part) => {
    const { frames, faults } = push(PACKET, { ...PACKET, ...part }, PACKET);
    expect(faults).toEqual([fault]);
    // Its neighbours are taken.
    expect(frames).toHaveLength(2);
  });

  test("that is no object", () => expect(push(1, null, [], "x").faults).toEqual(Array(4).fill("not-an-object")));
});

describe("a PUSH_DATA", () => {
  test("with a status alone", () => {
    const stat = {
      time: "2014-01-12 08:59:28 GMT",
      lati: 46.24,
      rxnb: 2,
      rxok: 2,
      rxfw: 1,
      ackr: 99.5,
      dwnb: 3,
      txnb: 2,
    };
    expect(parsePushData(datagram(0, { stat }), EUI)).toEqual({
      frames: [],
      faults: [],
      status: { heard: 2, heardRight: 2, forwarded: 1, acknowledgedPct: 99.5, downlinks: 3, sent: 2 },
    });
  });

  test.each([[{ rxnb: -1 }], [{ rxok: 1.5 }], [{ ackr: 101 }], [{ txnb: "2" }], [[]], ["x"]])(
    "with the status %j keeps its packets",
    (stat) => {
      const parsed = parsePushData(datagram(0, { rxpk: [PACKET], stat }), EUI);
      expect(parsed).toMatchObject({ faults: ["status"], frames: [{ dataRate: 5 }] });
      expect(parsed).not.toHaveProperty("status");
    },
  );

  test.each([
    ["no JSON", Buffer.concat([datagram(0), Buffer.from("{")]), "json"],
    ["nothing behind its header", datagram(0), "json"],
    ["bytes that are no UTF-8", Buffer.concat([datagram(0), Buffer.from([0x22, 0xff, 0x22])]), "json"],
    ["a list", datagram(0, [PACKET]), "not-an-object"],
    ["packets that are no list", datagram(0, { rxpk: PACKET }), "not-an-object"],
    ["too many packets", datagram(0, { rxpk: Array(PACKETS_MAX + 1).fill(0) }), "too-many"],
  ])("with %s", (_, bytes, fault) => expect(parsePushData(bytes, EUI)).toBe(fault));

  test("with as many packets as may be", () => expect(push(...Array(PACKETS_MAX).fill(0)).faults).toHaveLength(32));
});

describe("a TX_ACK", () => {
  test.each([
    ["sent", undefined],
    ["sent", { txpk_ack: { error: "NONE" } }],
    ["sent", { txpk_ack: { warn: "TX_POWER", value: 20 } }],
    ["too-late", { txpk_ack: { error: "TOO_LATE" } }],
    ["too-early", { txpk_ack: { error: "TOO_EARLY" } }],
    ["collision", { txpk_ack: { error: "COLLISION_PACKET" } }],
    ["collision", { txpk_ack: { error: "COLLISION_BEACON" } }],
    ["frequency", { txpk_ack: { error: "TX_FREQ" } }],
    ["power", { txpk_ack: { error: "TX_POWER" } }],
    ["failed", { txpk_ack: { error: "GPS_UNLOCKED" } }],
    ["failed", { txpk_ack: { error: 3 } }],
    ["failed", { txpk_ack: { error: "constructor" } }],
    ["not-an-object", {}],
    ["not-an-object", { txpk_ack: "NONE" }],
  ])("says %s: %j", (outcome, body) => expect(parseTxAck(datagram(5, body))).toBe(outcome));

  test("may end with a zero byte", () =>
    expect(parseTxAck(Buffer.concat([datagram(5), Buffer.from([0])]))).toBe("sent"));
});

test("a PULL_RESP has the time, the inverted polarity and no payload checksum", () => {
  const transmission: Transmission = {
    stationId: EUI,
    phy: new Uint8Array(Buffer.from("60f17dbe4920020001f9d65d27", "hex")),
    frequencyHz: 869_525_000,
    dataRate: 3,
    powerDbm: 26.6,
    counterUs: 4_294_967_295,
  };
  const bytes = encodePullResp(0xabcd, transmission);
  expect(Buffer.from(bytes.subarray(0, 4)).toString("hex")).toBe("02abcd03");
  expect(JSON.parse(Buffer.from(bytes.subarray(4)).toString())).toEqual({
    txpk: {
      imme: false,
      tmst: 4_294_967_295,
      freq: 869.525,
      rfch: 0,
      powe: 27,
      modu: "LORA",
      datr: "SF9BW125",
      codr: "4/5",
      ipol: true,
      prea: 8,
      ncrc: true,
      size: 13,
      data: "YPF9vkkgAgAB+dZdJw==",
    },
  });
});
