// Vectors of other implementations: lora-packet, and frames that were captured.
import { describe, expect, test } from "vitest";
import { buildJoinRequest, buildUplink, type DeviceSession, takeDownlink, takeJoinAccept } from "./device-mac.ts";

const KEYS = { devEui: "AFEE7CF5ED6F1E70", joinEui: "B3D57ED00000DC", appKey: "B6B53F4A168A7A88BDF7EA135CE9CFCA" };
const REQUEST = "00DC0000D07ED5B3701E6FEDF57CEEAF0085CC587FE913";
const ACCEPT = "204DD85AE608B87FC4889970B7D2042C9E72959B0057AED6094B16003DF12DE145";
const NONCE = 0xcc85;

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

function hexOf(data: Uint8Array | undefined): string {
  return Buffer.from(data ?? []).toString("hex");
}

function joined(): DeviceSession {
  return takeJoinAccept(KEYS, NONCE, bytes(ACCEPT)) as DeviceSession;
}

describe("a join", () => {
  test("asks with its identities, its nonce and a MIC", () => {
    const [joinEui, devEui] = [REQUEST.slice(2, 18), REQUEST.slice(18, 34)].map((hex) =>
      hexOf(bytes(hex).reverse()),
    ) as [string, string];
    expect(hexOf(buildJoinRequest({ ...KEYS, joinEui, devEui }, NONCE)).toUpperCase()).toBe(REQUEST);
  });

  test("is accepted with keys, delays, rates and channels", () => {
    expect(joined()).toMatchObject({
      devAddr: 0x26012e43,
      rx1DelayS: 1,
      rx2DataRate: 3,
      channelsHz: [
        868_100_000, 868_300_000, 868_500_000, 867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000,
      ],
      up: 0,
      down: 0,
    });
    expect(hexOf(joined().nwkSKey)).toBe("2c96f7028184bb0be8aa49275290d4fc");
    expect(hexOf(joined().appSKey)).toBe("f3a5c8f0232a38c144029c165865802c");
  });

  test.each([
    ["another key", { ...KEYS, appKey: "00".repeat(16) }, ACCEPT],
    ["a bit that is wrong", KEYS, `${ACCEPT.slice(0, -2)}44`],
    ["a byte too few", KEYS, ACCEPT.slice(0, -2)],
    ["another kind", KEYS, `60${ACCEPT.slice(2)}`],
  ])("is none with %s", (_, keys, accept) => expect(takeJoinAccept(keys, NONCE, bytes(accept))).toBeUndefined());
});

describe("an uplink", () => {
  test("has counter, port, ciphered payload and MIC", () => {
    const session = joined();
    session.up = 1;
    const payload = bytes("10a1126b0463007f4a3b9d4a7e8b5c8f071e068f4916");
    expect(hexOf(buildUplink(session, { port: 10, payload, isConfirmed: false }))).toBe(
      "40432e01260001000a2a0de6285f9c15bbcb7885e462c9c411024702ccf92639d1e63b",
    );
    expect(session.up).toBe(2);
  });

  test("of another session", () => {
    const session: DeviceSession = {
      ...joined(),
      devAddr: 0x49be7df1,
      nwkSKey: bytes("44024241ed4ce9a68c6a8bc055233fd3"),
      appSKey: bytes("ec925802ae430ca77fd3dd73cb2cc588"),
      up: 2,
    };
    const phy = buildUplink(session, { port: 1, payload: Buffer.from("test"), isConfirmed: false });
    expect(hexOf(phy)).toBe("40f17dbe4900020001954378762b11ff0d");
  });
});

describe("a downlink", () => {
  test("that says nothing but its counter", () => {
    const session = joined();
    const phy = bytes("60432e0126200000f5ea9214");
    expect(takeDownlink(session, phy)).toMatchObject({ port: 0, isAck: true, more: false });
    expect(session.down).toBe(1);
    // Once.
    expect(takeDownlink(session, phy)).toBeUndefined();
    expect(session.down).toBe(1);
  });

  test("with answers to what was asked", () => {
    const session = joined();
    const taken = takeDownlink(session, bytes("60432e01260901000214010d92252f5800d1e37e71"));
    expect(hexOf(taken?.commands)).toBe("0214010d92252f5800");
    expect(session.answers).toEqual([]);
    expect(session.down).toBe(2);
  });

  test.each([
    ["for another device", "60442e0126200000f5ea9214"],
    ["with a wrong MIC", "60432e0126200000f5ea9215"],
    ["cut off", "60432e0126200000f5ea"],
    ["whose options are longer than it is", "60432e01262f0000f5ea9214"],
    ["that is an uplink", "40432e0126200000f5ea9214"],
  ])("%s is none", (_, hex) => {
    const session = joined();
    expect(takeDownlink(session, bytes(hex))).toBeUndefined();
    expect(session.down).toBe(0);
  });
});
