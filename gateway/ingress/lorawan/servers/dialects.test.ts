import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createChirpstack } from "./chirpstack.ts";
import { type Dialect, EVENT_BYTES_MAX } from "./dialect.ts";
import { createThingsStack } from "./things-stack.ts";

const EUI = "0101010101010101";
const APP = "17c82e96-be03-4f38-aef3-f83d48582d97";
const chirpstack = createChirpstack("+");
const things = createThingsStack("app1@tenant1");

/** An `up` event of ChirpStack as it has it: what is zero inside rxInfo and txInfo is not there. */
const UP = {
  deduplicationId: "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
  time: "2022-07-18T09:34:15.775023242+00:00",
  deviceInfo: {
    tenantId: "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
    tenantName: "Regio",
    applicationId: APP,
    applicationName: "punten",
    deviceProfileId: "14855bf7-d10d-4aee-b618-ebfcb64dc7ad",
    deviceProfileName: "EU868",
    deviceName: "tank",
    devEui: EUI,
    deviceClassEnabled: "CLASS_A",
    tags: {},
  },
  devAddr: "00189440",
  adr: false,
  dr: 1,
  fCnt: 0,
  fPort: 85,
  confirmed: false,
  data: "qg==",
  rxInfo: [
    { gatewayId: "0016c001f153a14c", uplinkId: 4217106255, rssi: -36, snr: 10.5, context: "E3OWOQ==" },
    { gatewayId: "0016C001F153A14D", context: "E3OWOQ==" },
    { gatewayId: "no EUI" },
  ],
  txInfo: {
    frequency: 867100000,
    modulation: { lora: { bandwidth: 125000, spreadingFactor: 11, codeRate: "CR_4_5" } },
  },
  regionConfigId: "eu868",
};

const THINGS_UP = {
  end_device_ids: {
    device_id: "dev1",
    application_ids: { application_id: "app1" },
    dev_eui: "0004A30B001C0530",
    join_eui: "800000000000000C",
    dev_addr: "00BCB929",
  },
  correlation_ids: ["as:up:01E0WZGT6Y7657CPFPE5WEYDSQ"],
  received_at: "2020-02-12T15:15:46.014773143Z",
  uplink_message: {
    session_key_id: "AXBSH1Pk6Z0G166JNa1XWA==",
    f_cnt: 1,
    f_port: 1,
    frm_payload: "gkHe",
    rx_metadata: [
      { gateway_ids: { gateway_id: "gtw1", eui: "9C5C8E00001A05C4" }, rssi: -35, snr: 5.2, channel_index: 2 },
      { gateway_ids: { gateway_id: "gtw2" }, rssi: -105 },
    ],
    settings: {
      data_rate: { lora: { bandwidth: 125000, spreading_factor: 7 } },
      coding_rate: "4/6",
      frequency: "868300000",
    },
    received_at: "2020-02-12T15:15:45.787748527Z",
    consumed_airtime: "0.056576s",
  },
};

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const chirp = (event: string, value: unknown, devEui = EUI) =>
  chirpstack.read(`application/${APP}/device/${devEui}/event/${event}`, bytes(value));
const thing = (event: string, value: unknown) => things.read(`v3/app1@tenant1/devices/dev1/${event}`, bytes(value));

describe("ChirpStack", () => {
  test("an uplink, also without what a server leaves out because it is zero", () => {
    const uplink = {
      network: "chirpstack",
      devEui: EUI,
      session: "00189440",
      counter: 0,
      port: 85,
      payload: Uint8Array.of(0xaa),
      dataRate: 1,
      receptions: [
        { stationId: "0016c001f153a14c", rssi: -36, snr: 10.5 },
        { stationId: "0016c001f153a14d", rssi: 0, snr: 0 },
      ],
      atMs: Date.UTC(2022, 6, 18, 9, 34, 15, 775),
    };
    expect(chirp("up", UP)).toEqual({ kind: "uplink", uplink, address: APP });
    const { fCnt: _counter, dr: _dr, rxInfo: _rx, time: _time, ...bare } = UP;
    const { atMs: _at, ...timeless } = uplink;
    expect(chirp("up", bare)).toMatchObject({ uplink: { ...timeless, dataRate: 0, receptions: [] } });
    const { fPort: _port, data: _data, ...mac } = UP;
    expect(chirp("up", mac)).toEqual({ kind: "other" });
  });

  test("a payload that only a join server can read, another device's name, and what is no event", () => {
    expect(chirp("up", { ...UP, joinServerContext: { sessionKeyId: "x" } })).toMatchObject({
      reason: "encrypted-payload",
      sender: EUI,
    });
    expect(chirp("up", { ...UP, joinServerContext: null }).kind).toBe("uplink");
    expect(chirp("up", UP, "0202020202020202")).toMatchObject({ reason: "name-mismatch", sender: "0202020202020202" });
    for (const part of [
      { data: "not base64" },
      { data: "A".repeat(400) },
      { fCnt: -1 },
      { fCnt: 2 ** 32 },
      { fPort: 256 },
      { dr: 1.5 },
    ])
      expect(chirp("up", { ...UP, ...part })).toMatchObject({ kind: "refused", reason: "unreadable-event" });
    expect(chirp("up", [])).toMatchObject({ reason: "unreadable-event" });
    expect(chirp("up", "x".repeat(EVENT_BYTES_MAX))).toMatchObject({ reason: "event-too-long" });
    expect(chirpstack.read("application/x/device/y/event/up", bytes(UP))).toMatchObject({ reason: "unreadable-event" });
    expect(chirp("location", UP)).toEqual({ kind: "other" });
  });

  test("join, txack, status and log", () => {
    const { deviceInfo } = UP;
    expect(chirp("join", { deviceInfo, devAddr: "00189440" })).toEqual({ kind: "join", devEui: EUI });
    expect(chirp("txack", { deviceInfo, fCntDown: 12 })).toEqual({ kind: "sent", devEui: EUI });
    expect(chirp("ack", { deviceInfo, acknowledged: true })).toEqual({ kind: "other" });
    expect(chirp("status", { deviceInfo, margin: 10, batteryLevel: 88.3 })).toEqual({
      ...{ kind: "status", devEui: EUI, marginDb: 10, batteryPct: 88.3 },
    });
    expect(chirp("status", { deviceInfo, externalPowerSource: true, batteryLevel: 0 })).toEqual({
      ...{ kind: "status", devEui: EUI, marginDb: 0 },
    });
    const log = (code: string, description = "") => chirp("log", { deviceInfo, level: "ERROR", code, description });
    expect(log("UPLINK_F_CNT_RESET")).toMatchObject({ reason: "frame-counter-reset", isAlert: true });
    expect(log("OTAA", "DevNonce has already been used")).toMatchObject({ reason: "dev-nonce-used", isAlert: true });
    expect(log("OTAA", "Unknown device")).toMatchObject({ reason: "join-refused", isAlert: true });
    expect(log("UPLINK_F_CNT_RETRANSMISSION")).toMatchObject({ isAlert: false });
    expect(log("constructor")).toMatchObject({ reason: "unknown-trouble", isAlert: false });
  });

  test("a downlink, with its end where there is one", () => {
    const downlink = { port: 10, payload: Uint8Array.of(1, 2), isTimely: false };
    const { topic, payload } = chirpstack.downlink({ devEui: EUI, address: APP }, downlink);
    expect(topic).toBe(`application/${APP}/device/${EUI}/command/down`);
    expect(JSON.parse(payload)).toEqual({ devEui: EUI, confirmed: false, fPort: 10, data: "AQI=" });
    const late = chirpstack.downlink({ devEui: EUI, address: APP, expiresMs: Date.UTC(2026, 10, 26) }, downlink);
    expect(JSON.parse(late.payload)).toMatchObject({ expiresAt: "2026-11-26T00:00:00.000Z" });
  });
});

describe("The Things Stack", () => {
  test("an uplink, also without what it leaves out", () => {
    const uplink = {
      network: "things-stack",
      devEui: "0004a30b001c0530",
      session: "AXBSH1Pk6Z0G166JNa1XWA==",
      counter: 1,
      port: 1,
      payload: Uint8Array.of(0x82, 0x41, 0xde),
      dataRate: 5,
      receptions: [{ stationId: "9c5c8e00001a05c4", rssi: -35, snr: 5.2 }],
      atMs: Date.UTC(2020, 1, 12, 15, 15, 45, 787),
    };
    expect(thing("up", THINGS_UP)).toEqual({ kind: "uplink", uplink, address: "dev1" });
    const { f_cnt: _counter, rx_metadata: _rx, ...message } = THINGS_UP.uplink_message;
    expect(thing("up", { ...THINGS_UP, uplink_message: message })).toMatchObject({
      uplink: { counter: 0, receptions: [] },
    });
    expect(thing("up", { ...THINGS_UP, uplink_message: {} })).toEqual({ kind: "other" });
  });

  test("what is simulated, encrypted, of another name, or without a DevEUI is refused", () => {
    expect(thing("up", { ...THINGS_UP, simulated: true })).toMatchObject({ reason: "simulated" });
    const message = { ...THINGS_UP.uplink_message, app_s_key: { key: "x" } };
    expect(thing("up", { ...THINGS_UP, uplink_message: message })).toMatchObject({ reason: "encrypted-payload" });
    const ids = (part: object) => ({ ...THINGS_UP, end_device_ids: { ...THINGS_UP.end_device_ids, ...part } });
    expect(thing("up", ids({ device_id: "dev2" }))).toMatchObject({ reason: "name-mismatch" });
    expect(thing("up", ids({ dev_eui: "" }))).toMatchObject({ reason: "unreadable-event", sender: "dev1" });
    expect(things.read("v3/app2@tenant1/devices/dev1/up", bytes(THINGS_UP))).toMatchObject({ kind: "refused" });
  });

  test("join, sent and failed; and a downlink of ours", () => {
    expect(thing("join", THINGS_UP)).toEqual({ kind: "join", devEui: "0004a30b001c0530" });
    expect(thing("down/sent", THINGS_UP)).toEqual({ kind: "sent", devEui: "0004a30b001c0530" });
    expect(thing("down/failed", THINGS_UP)).toMatchObject({ kind: "trouble", reason: "downlink-failed" });
    const downlink = { port: 10, payload: Uint8Array.of(1, 2), isTimely: false };
    const { topic, payload } = things.downlink({ devEui: "0004a30b001c0530", address: "dev1" }, downlink);
    expect(topic).toBe("v3/app1@tenant1/devices/dev1/down/push");
    expect(JSON.parse(payload)).toEqual({
      downlinks: [{ f_port: 10, frm_payload: "AQI=", confirmed: false, priority: "ABOVE_NORMAL" }],
    });
  });
});

describe("whatever a broker says", () => {
  const any = (dialect: Dialect, topics: readonly string[], whole: object) => {
    const keys = Object.keys(whole);
    fc.assert(
      fc.property(
        fc.constantFrom(...topics),
        fc.oneof(
          fc.uint8Array({ maxLength: 60 }),
          fc.jsonValue().map(bytes),
          // The right event with one field of another kind.
          fc.tuple(fc.constantFrom(...keys), fc.jsonValue()).map(([key, value]) => bytes({ ...whole, [key]: value })),
        ),
        (topic, payload) => {
          const kinds = ["uplink", "join", "sent", "status", "trouble", "refused", "other"];
          expect(kinds).toContain(dialect.read(topic, payload).kind);
        },
      ),
      { numRuns: 2_000 },
    );
  };

  test("is an event or a refusal, never an exception", () => {
    const events = ["up", "join", "txack", "status", "log", "x"];
    any(chirpstack, [...events.map((event) => `application/${APP}/device/${EUI}/event/${event}`), "x"], UP);
    any(
      things,
      ["up", "join", "down/sent", "down/nack"].map((event) => `v3/app1@tenant1/devices/dev1/${event}`),
      THINGS_UP,
    );
  });
});
