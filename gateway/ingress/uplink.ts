// Pure: what is to be done with one frame of a known device, over MQTT or over LoRaWAN.
import { decodeUplink, FRAME_BYTES_MAX, KIND_BACKLOG, openWith, TAG_BYTES, type Tagger } from "../../protocol/index.ts";
import type { CheckedFrame, Link } from "../domain/record.ts";
import { asksForAck, isTorn, stampOf } from "../domain/stamp.ts";

/** Frame and tag in one MQTT payload (protocol section 2). */
export const PAYLOAD_BYTES_MAX = FRAME_BYTES_MAX + TAG_BYTES;
/** FPort of all our frames on LoRaWAN, both ways. */
export const LORAWAN_PORT = 10;

export type RefusalReason =
  | "wrong-topic"
  | "wrong-port"
  | "too-long"
  | "bad-tag"
  | "truncated"
  | "not-a-device"
  | "gateway-topic"
  | "bad-password"
  | "unknown-device"
  | "disabled-device"
  | "name-mismatch"
  | "banned"
  | "people-need-tls"
  | "too-many-connections"
  | "tls"
  | "keep-alive"
  | "mqtt-version"
  | "replay"
  | "too-many-unreadable"
  | "too-many-devices"
  | "unknown-channel"
  | "counter-reset";

export type UplinkVerdict =
  /** `asksAck`: the device waits for an ack frame. */
  | { readonly kind: "frame"; readonly frame: CheckedFrame; readonly asksAck: boolean }
  | { readonly kind: "refused"; readonly reason: RefusalReason };

export interface ReceiptContext {
  readonly deviceId: string;
  readonly receivedMs: number;
  readonly clockTrusted: boolean;
}

export interface UplinkContext extends ReceiptContext {
  /** The one topic that the device may publish to. */
  readonly uplinkTopic: string;
  /** With the device's key. */
  readonly tagger: Tagger;
}

/**
 * One MQTT publish. Refuses what can never be right; everything with a right tag is kept, also what this version cannot
 * decode: the device is believed, and a later version decodes it again.
 */
export function judgeUplink(topic: string, payload: Uint8Array, context: UplinkContext): UplinkVerdict {
  if (topic !== context.uplinkTopic) return { kind: "refused", reason: "wrong-topic" };
  if (payload.length > PAYLOAD_BYTES_MAX) return { kind: "refused", reason: "too-long" };
  const frame = openWith(context.tagger, payload);
  if (frame === undefined) return { kind: "refused", reason: "bad-tag" };
  return judgeFrame(frame, "mqtt", context);
}

/** One LoRaWAN payload, deciphered and checked by its network: it has no tag of ours. */
export function judgeLorawanUplink(port: number, frame: Uint8Array, context: ReceiptContext): UplinkVerdict {
  if (port !== LORAWAN_PORT) return { kind: "refused", reason: "wrong-port" };
  if (frame.length > FRAME_BYTES_MAX) return { kind: "refused", reason: "too-long" };
  return judgeFrame(frame, "lorawan", context);
}

function judgeFrame(frame: Uint8Array, link: Link, context: ReceiptContext): UplinkVerdict {
  if (isTorn(frame)) return { kind: "refused", reason: "truncated" };
  const { deviceId, receivedMs, clockTrusted } = context;
  const header = stampOf(frame);
  return {
    kind: "frame",
    frame: { deviceId, header, receivedMs, clockTrusted, link, frame, rows: rowsOf(frame) },
    asksAck: asksForAck(frame),
  };
}

/** A backlog frame becomes a row for each sample, and one for itself. */
function rowsOf(frame: Uint8Array): number {
  if (((frame[0] as number) & 15) !== KIND_BACKLOG) return 1;
  const decoded = decodeUplink(frame);
  return decoded.kind === "backlog" ? 1 + decoded.value.reports.length : 1;
}
