// Golden frames: of the LoRaWAN packet decoder's public examples and of devices on the air, none made by this code.
import { createCipheriv } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openAccept } from "../../../../tests/lorawan-air.ts";
import { cipherPayload, cmac, dataMic, fromHex, joinMic, sessionKeys, toHex } from "./crypto.ts";
import { airtimeMs } from "./eu868.ts";
import { deviceTimeAnswer, linkCheckAnswer, walkMacCommands } from "./mac.ts";
import { buildDownlink, buildJoinAccept, type DataUplink, type JoinRequest, parseUplink } from "./phy.ts";

const DATA = "40f17dbe4900020001954378762b11ff0d";
const DATA_KEYS = {
  nwkSKey: fromHex("44024241ed4ce9a68c6a8bc055233fd3"),
  appSKey: fromHex("ec925802ae430ca77fd3dd73cb2cc588"),
};
const APP_KEY = "b6b53f4a168a7a88bdf7ea135ce9cfca";
const REQUEST = "00dc0000d07ed5b3701e6fedf57ceeaf0085cc587fe913";
const ACCEPT = "204dd85ae608b87fc4889970b7d2042c9e72959b0057aed6094b16003df12de145";
const SESSION = {
  nwkSKey: fromHex("2c96f7028184bb0be8aa49275290d4fc"),
  appSKey: fromHex("f3a5c8f0232a38c144029c165865802c"),
};

describe("the cryptography", () => {
  test("AES-CMAC gives what RFC 4493 §4 says", () => {
    const key = fromHex("2b7e151628aed2a6abf7158809cf4f3c");
    const message =
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
    const cases: readonly (readonly [number, string])[] = [
      [0, "bb1d6929e95937287fa37d129b756746"],
      [16, "070a16b46b4d4144f79bdd9dd04a287c"],
      [40, "dfa66747de9ae63030ca32611497c827"],
      [64, "51f0bebf7e3b9d92fc49741779363cfe"],
    ];
    for (const [bytes, mac] of cases) expect(toHex(cmac(key, fromHex(message.slice(0, 2 * bytes))))).toBe(mac);
  });

  test("a data frame: counter, port, MIC and text", () => {
    const frame = parseUplink(fromHex(DATA)) as DataUplink;
    expect(frame).toMatchObject({ devAddr: "49be7df1", counterLow: 2, port: 1, isConfirmed: false });
    const context = { direction: "up", devAddr: frame.devAddr, counter: 2 } as const;
    expect(toHex(dataMic(DATA_KEYS.nwkSKey, frame.message, context))).toBe("2b11ff0d");
    expect(Buffer.from(cipherPayload(DATA_KEYS.appSKey, frame.payload, context)).toString()).toBe("test");
  });

  test("join-requests", () => {
    const first = parseUplink(fromHex(REQUEST)) as JoinRequest;
    expect(first).toMatchObject({ joinEui: "70b3d57ed00000dc", devEui: "00afee7cf5ed6f1e", devNonce: 0xcc85 });
    expect(toHex(joinMic(fromHex(APP_KEY), first.message))).toBe("587fe913");
    const second = parseUplink(fromHex("0039363463336913aa05693574323831330489c65b1304")) as JoinRequest;
    expect(toHex(joinMic(fromHex("98929b92c49edba9676d646d3b612456"), second.message))).toBe(toHex(second.mic));
  });

  test("a join-accept opens to its fields and keys, and is built to the same bytes", () => {
    const encrypt = (blocks: Uint8Array) =>
      createCipheriv("aes-128-ecb", fromHex(APP_KEY), null).setAutoPadding(false).update(blocks);
    const opened = openAccept(fromHex(ACCEPT), 0xcc85, encrypt);
    expect(opened).toMatchObject({ devAddr: "26012e43", joinNonce: 0xe5063a, settings: 3, rxDelayS: 1 });
    expect(opened.keys).toEqual(SESSION);
    expect(sessionKeys(fromHex(APP_KEY), { joinNonce: 0xe5063a, netId: 0x13, devNonce: 0xcc85 })).toEqual(SESSION);
    const built = { joinNonce: 0xe5063a, netId: 0x13, devAddr: "26012e43", rx2DataRate: 3, rxDelayS: 1 };
    expect(toHex(buildJoinAccept(fromHex(APP_KEY), built))).toBe(ACCEPT);
  });

  test("a report of 22 bytes on that session", () => {
    const phy = Buffer.from("QEMuASYAAQAKKg3mKF+cFbvLeIXkYsnEEQJHAsz5JjnR5js=", "base64");
    expect(phy.toString("hex")).toBe("40432e01260001000a2a0de6285f9c15bbcb7885e462c9c411024702ccf92639d1e63b");
    const frame = parseUplink(phy) as DataUplink;
    const context = { direction: "up", devAddr: "26012e43", counter: 1 } as const;
    expect(frame).toMatchObject({ devAddr: "26012e43", counterLow: 1, port: 10 });
    expect(toHex(dataMic(SESSION.nwkSKey, frame.message, context))).toBe("39d1e63b");
    const plain = toHex(cipherPayload(SESSION.appSKey, frame.payload, context));
    expect(plain).toBe("10a1126b0463007f4a3b9d4a7e8b5c8f071e068f4916");
  });

  test("downlinks: an acknowledgement alone, and answers to MAC commands", () => {
    const ack = { isAck: true, isPending: false, options: new Uint8Array() };
    const data = { port: 1, payload: new Uint8Array() };
    const first = buildDownlink(DATA_KEYS, { ...ack, devAddr: "49be7df1", counter: 2, data });
    expect(toHex(first)).toBe("60f17dbe4920020001f9d65d27");
    expect(toHex(buildDownlink(SESSION, { ...ack, devAddr: "26012e43", counter: 0 }))).toBe("60432e0126200000f5ea9214");
    const gpsS = 0x582f2592;
    const options = Buffer.concat([linkCheckAnswer(20.4, 1), deviceTimeAnswer((gpsS + 315_964_800 - 18) * 1000)]);
    const second = { devAddr: "26012e43", counter: 1, isAck: false, isPending: false, options };
    expect(toHex(buildDownlink(SESSION, second))).toBe("60432e01260901000214010d92252f5800d1e37e71");
  });
});

describe("what is not a frame has a name", () => {
  const faults: readonly (readonly [string, string])[] = [
    ["", "frame-too-short"],
    ["40", "frame-too-short"],
    ["40f17dbe490002002b11ff", "frame-too-short"],
    [`40${"00".repeat(255)}`, "frame-too-long"],
    ["41f17dbe4900020001954378762b11ff0d", "frame-version"],
    ["44f17dbe4900020001954378762b11ff0d", "frame-version"],
    [`20${DATA.slice(2)}`, "frame-type"],
    [`60${DATA.slice(2)}`, "frame-type"],
    [`a0${DATA.slice(2)}`, "frame-type"],
    [`c0${DATA.slice(2)}`, "frame-type"],
    [`e0${DATA.slice(2)}`, "frame-type"],
    [REQUEST.slice(0, -2), "join-length"],
    [`${REQUEST}00`, "join-length"],
    ["40f17dbe49010200aabbccdd", "options-length"],
    ["40f17dbe490f02000102030405060708090a0b0c0d0eaabbccdd", "options-length"],
    ["40f17dbe490102000200aabbccdd", "options-twice"],
    ["40f17dbe49010200020002aabbccdd", "options-twice"],
  ];
  test("each is told by its own", () => {
    for (const [hex, fault] of faults)
      expect([hex, parseUplink(fromHex(hex))]).toEqual([hex, { kind: "fault", fault }]);
  });

  test("the shortest and the longest frame are read", () => {
    const short = parseUplink(fromHex("40f17dbe49000200aabbccdd"));
    expect(short).toMatchObject({ kind: "data", port: undefined });
    expect((short as DataUplink).payload).toHaveLength(0);
    expect(parseUplink(fromHex("40f17dbe4900020005aabbccdd"))).toMatchObject({ kind: "data", port: 5 });
    expect((parseUplink(fromHex(`40${"00".repeat(254)}`)) as DataUplink).payload).toHaveLength(242);
    expect(parseUplink(fromHex("80f17dbe49e1020002aabbccdd"))).toMatchObject({
      isConfirmed: true,
      adr: true,
      adrAckReq: true,
    });
  });
});

describe("MAC commands", () => {
  test("are walked by their lengths; what is unknown or cut ends the walk and has a name", () => {
    const walk = (hex: string) => walkMacCommands(fromHex(hex));
    const quiet = { asksLinkCheck: false, asksTime: false, fault: undefined };
    expect(walk("")).toEqual(quiet);
    expect(walk("02")).toEqual({ ...quiet, asksLinkCheck: true });
    expect(walk("0d02")).toEqual({ asksLinkCheck: true, asksTime: true, fault: undefined });
    expect(walk("03070400050506ff2007030809 0a01 0d".replaceAll(" ", ""))).toMatchObject({
      fault: "mac-command-unknown",
    });
    expect(walk("0307040505 06ff20 0703 08 09 0a01 0d".replaceAll(" ", ""))).toEqual({ ...quiet, asksTime: true });
    expect(walk("0281020d")).toEqual({ ...quiet, asksLinkCheck: true, fault: "mac-command-unknown" });
    for (const cut of ["03", "05", "06", "06ff", "07", "0a"])
      expect(walk(`0d${cut}`)).toEqual({ ...quiet, asksTime: true, fault: "mac-command-short" });
  });

  test("the margin stays in its byte", () => {
    expect(toHex(linkCheckAnswer(-3, 0))).toBe("020000");
    expect(toHex(linkCheckAnswer(300, 300))).toBe("02feff");
  });

  test("the time has its fraction in 1/256 s", () => {
    expect(deviceTimeAnswer(315_964_800_000 - 18_000 + 5_500)).toEqual(Uint8Array.of(13, 5, 0, 0, 0, 128));
  });
});

test("time on the air is that of the published tables", () => {
  // AN1200.13: 13 bytes at SF9; join-request; acknowledgement without checksum.
  expect(airtimeMs(13, 3, "up")).toBeCloseTo(164.864, 3);
  const requests = [1482.8, 823.3, 370.7, 205.8, 113.2, 61.7];
  const acks = [991.2, 577.5, 288.8, 144.4, 72.2, 41.2];
  const reports = [1810.4, 987.1, 493.6, 246.8, 143.9, 77.1];
  for (let rate = 0; rate <= 5; rate++) {
    expect(airtimeMs(23, rate, "up")).toBeCloseTo(requests[rate] as number, 0);
    expect(airtimeMs(12, rate)).toBeCloseTo(acks[rate] as number, 0);
    expect(airtimeMs(35, rate, "up")).toBeCloseTo(reports[rate] as number, 0);
  }
});
