// ChirpStack v4: events and commands of its MQTT integration (chirpstack.io/docs, integrations/mqtt and integrations/events), as JSON.
import {
  type Dialect,
  EVENT_BYTES_MAX,
  euiOf,
  inner,
  type Json,
  momentIn,
  numberIn,
  parseJson,
  payloadIn,
  receptionsIn,
  refusedEvent,
  type ServerEvent,
  textIn,
  wholeIn,
} from "./dialect.ts";

const EVENTS = ["up", "join", "ack", "txack", "status", "log"] as const;
const EVENT_TOPIC = /^application\/([0-9a-zA-Z-]{1,64})\/device\/([0-9a-f]{16})\/event\/([a-z]{1,20})$/;
/** What an uplink without an application payload has. */
const MAC_PORT = 0;

/**
 * Codes of its log by what they mean to us. A person has to look at what keeps a device from being heard; a repetition on the air, and
 * what its own codecs and our expiry do, is how things go.
 */
const LOG_CODES: Readonly<Record<string, { readonly reason: string; readonly isAlert: boolean }>> = {
  UPLINK_F_CNT_RESET: { reason: "frame-counter-reset", isAlert: true },
  UPLINK_MIC: { reason: "bad-mic", isAlert: true },
  OTAA: { reason: "join-refused", isAlert: true },
  UPLINK_F_CNT_RETRANSMISSION: { reason: "frame-again", isAlert: false },
  DOWNLINK_PAYLOAD_SIZE: { reason: "downlink-too-long", isAlert: true },
  DOWNLINK_GATEWAY: { reason: "downlink-not-sent", isAlert: false },
  F_CNT_DOWN: { reason: "downlink-counter", isAlert: false },
  EXPIRED: { reason: "downlink-expired", isAlert: false },
  UPLINK_CODEC: { reason: "codec", isAlert: false },
  DOWNLINK_CODEC: { reason: "codec", isAlert: false },
  RELAY_NEW_END_DEVICE: { reason: "relayed-stranger", isAlert: false },
};

/** `applicationId`: a UUID, or `+` for all that its user may read. */
export function createChirpstack(applicationId: string): Dialect {
  return {
    network: "chirpstack",
    topics: EVENTS.map((event) => `application/${applicationId}/device/+/event/${event}`),
    read: readEvent,
    downlink: ({ devEui, address, expiresMs }, { port, payload }) => ({
      topic: `application/${address}/device/${devEui}/command/down`,
      payload: JSON.stringify({
        devEui,
        confirmed: false,
        fPort: port,
        data: Buffer.from(payload).toString("base64"),
        ...(expiresMs === undefined ? {} : { expiresAt: new Date(expiresMs).toISOString() }),
      }),
    }),
  };
}

function readEvent(topic: string, payload: Uint8Array): ServerEvent {
  const [, application = "", devEui = "", event] = EVENT_TOPIC.exec(topic) ?? [];
  if (event === undefined) return refusedEvent("unreadable-event");
  if (!(EVENTS as readonly string[]).includes(event)) return { kind: "other" };
  if (payload.length > EVENT_BYTES_MAX) return refusedEvent("event-too-long", devEui);
  const json = parseJson(payload);
  if (json === undefined) return refusedEvent("unreadable-event", devEui);
  if (euiOf(textIn(inner(json, "deviceInfo"), "devEui")) !== devEui) return refusedEvent("name-mismatch", devEui);
  switch (event) {
    case "up":
      return readUplink(json, devEui, application);
    case "join":
      return { kind: "join", devEui };
    case "txack":
      return { kind: "sent", devEui };
    case "status":
      return readStatus(json, devEui);
    case "log":
      return readLog(json, devEui);
    // Our downlinks are unconfirmed: acks are of somebody else's.
    default:
      return { kind: "other" };
  }
}

function readUplink(json: Json, devEui: string, address: string): ServerEvent {
  // With keys at a join server of its own it hands on what it cannot read itself.
  if (json["joinServerContext"] !== undefined && json["joinServerContext"] !== null) {
    return refusedEvent("encrypted-payload", devEui);
  }
  const counter = wholeIn(json, "fCnt", 0xffff_ffff);
  const port = wholeIn(json, "fPort", 255);
  const dataRate = wholeIn(json, "dr", 15);
  const payload = payloadIn(json, "data");
  if (counter === undefined || port === undefined || dataRate === undefined || payload === undefined) {
    return refusedEvent("unreadable-event", devEui);
  }
  if (port === MAC_PORT) return { kind: "other" };
  const uplink = {
    network: "chirpstack",
    devEui,
    session: textIn(json, "devAddr").slice(0, 16),
    counter,
    port,
    payload,
    dataRate,
    receptions: receptionsIn(json["rxInfo"], (row) => textIn(row, "gatewayId")),
    ...momentIn(json, "time"),
  } as const;
  return { kind: "uplink", uplink, address };
}

function readStatus(json: Json, devEui: string): ServerEvent {
  const hasBattery = json["externalPowerSource"] !== true && json["batteryLevelUnavailable"] !== true;
  const battery =
    hasBattery && json["batteryLevel"] !== undefined ? { batteryPct: numberIn(json, "batteryLevel") } : {};
  return { kind: "status", devEui, marginDb: numberIn(json, "margin"), ...battery };
}

function readLog(json: Json, devEui: string): ServerEvent {
  const code = textIn(json, "code");
  const known = Object.hasOwn(LOG_CODES, code) ? LOG_CODES[code] : undefined;
  if (known === undefined) return { kind: "trouble", devEui, reason: "unknown-trouble", isAlert: false };
  const isNonce = known.reason === "join-refused" && /devnonce/i.test(textIn(json, "description"));
  return { kind: "trouble", devEui, ...known, ...(isNonce ? { reason: "dev-nonce-used" } : {}) };
}
