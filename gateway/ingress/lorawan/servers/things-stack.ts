// The Things Stack v3: its MQTT server (thethingsindustries.com/docs, integrations/mqtt and data-formats), as JSON. QoS 0 alone.
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

const EVENTS = ["up", "join", "down/sent", "down/failed", "down/nack"] as const;
const EVENT_TOPIC = /^v3\/([^/]+)\/devices\/([a-z0-9-]{2,36})\/(.{1,40})$/;
const KHZ_125 = 125_000;
const SLOWEST_SF = 12;

/** `user`: `application@tenant`, as it signs in. */
export function createThingsStack(user: string): Dialect {
  const devices = `v3/${user}/devices`;
  return {
    network: "things-stack",
    topics: EVENTS.map((event) => `${devices}/+/${event}`),
    read: (topic, payload) => readEvent(topic, payload, user),
    downlink: ({ address }, { port, payload }) => ({
      topic: `${devices}/${address}/down/push`,
      payload: JSON.stringify({
        downlinks: [
          {
            f_port: port,
            frm_payload: Buffer.from(payload).toString("base64"),
            confirmed: false,
            // The lowest would wait behind whatever else is queued there.
            priority: "ABOVE_NORMAL",
          },
        ],
      }),
    }),
  };
}

function readEvent(topic: string, payload: Uint8Array, user: string): ServerEvent {
  const [, from, deviceId = "", event] = EVENT_TOPIC.exec(topic) ?? [];
  if (event === undefined || from !== user) return refusedEvent("unreadable-event");
  if (!(EVENTS as readonly string[]).includes(event)) return { kind: "other" };
  if (payload.length > EVENT_BYTES_MAX) return refusedEvent("event-too-long", deviceId);
  const json = parseJson(payload);
  if (json === undefined) return refusedEvent("unreadable-event", deviceId);
  const ids = inner(json, "end_device_ids");
  if (textIn(ids, "device_id") !== deviceId) return refusedEvent("name-mismatch", deviceId);
  const devEui = euiOf(textIn(ids, "dev_eui"));
  if (devEui === undefined) return refusedEvent("unreadable-event", deviceId);
  if (json["simulated"] === true || inner(json, "uplink_message")["simulated"] === true) {
    return refusedEvent("simulated", devEui);
  }
  switch (event) {
    case "up":
      return readUplink(inner(json, "uplink_message"), devEui, deviceId);
    case "join":
      return { kind: "join", devEui };
    case "down/sent":
      return { kind: "sent", devEui };
    default:
      return { kind: "trouble", devEui, reason: "downlink-failed", isAlert: false };
  }
}

function readUplink(message: Json, devEui: string, address: string): ServerEvent {
  // An application that keeps its keys to itself gets what only it can read.
  if (message["app_s_key"] !== undefined) return refusedEvent("encrypted-payload", devEui);
  const counter = wholeIn(message, "f_cnt", 0xffff_ffff);
  const port = wholeIn(message, "f_port", 255);
  const payload = payloadIn(message, "frm_payload");
  if (counter === undefined || port === undefined || payload === undefined) {
    return refusedEvent("unreadable-event", devEui);
  }
  if (port === 0) return { kind: "other" };
  const uplink = {
    network: "things-stack",
    devEui,
    session: textIn(message, "session_key_id").slice(0, 64),
    counter,
    port,
    payload,
    dataRate: dataRateOf(inner(message, "settings", "data_rate", "lora")),
    receptions: receptionsIn(message["rx_metadata"], (row) => textIn(inner(row, "gateway_ids"), "eui")),
    ...momentIn(message, "received_at"),
  } as const;
  return { kind: "uplink", uplink, address };
}

/** EU868 (RP002 table 8): SF12 to SF7 at 125 kHz are 0 to 5, SF7 at 250 kHz is 6. */
function dataRateOf(lora: Json): number {
  if (numberIn(lora, "bandwidth") > KHZ_125) return 6;
  return Math.min(5, Math.max(0, SLOWEST_SF - numberIn(lora, "spreading_factor")));
}
