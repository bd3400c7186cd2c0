// Pure: what is to be done with one MQTT publish of a device that has signed in.
import {
  decodeUplink,
  FRAME_BYTES_MAX,
  openFrame,
  parseDeviceTopic,
  type Sha256,
  TAG_BYTES,
} from "../../protocol/index.ts";
import type { CheckedFrame } from "../domain/record.ts";

/** Frame and tag in one MQTT payload (protocol section 2). */
export const PAYLOAD_BYTES_MAX = FRAME_BYTES_MAX + TAG_BYTES;

export type RefusalReason =
  | "wrong-topic"
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
  | "replay"
  | "too-many-unreadable";

export type UplinkVerdict =
  | { readonly kind: "frame"; readonly frame: CheckedFrame }
  | { readonly kind: "refused"; readonly reason: RefusalReason };

export interface UplinkContext {
  readonly deviceId: string;
  readonly key: Uint8Array;
  readonly sha256: Sha256;
  readonly receivedMs: number;
  readonly clockTrusted: boolean;
}

/**
 * Refuses what can never be right; everything with a right tag is kept, also what this version cannot decode: the
 * device is believed, and a later version decodes it again.
 */
export function judgeUplink(topic: string, payload: Uint8Array, context: UplinkContext): UplinkVerdict {
  const target = parseDeviceTopic(topic);
  if (target === undefined || target.deviceId !== context.deviceId || target.direction !== "up") {
    return { kind: "refused", reason: "wrong-topic" };
  }
  if (payload.length > PAYLOAD_BYTES_MAX) return { kind: "refused", reason: "too-long" };
  const frame = openFrame(context.sha256, context.key, payload);
  if (frame === undefined) return { kind: "refused", reason: "bad-tag" };
  const decoded = decodeUplink(frame);
  const header = decoded.kind === "fault" ? decoded.header : decoded.value;
  if (header === undefined && decoded.kind === "fault" && decoded.fault === "truncated") {
    return { kind: "refused", reason: "truncated" };
  }
  const { deviceId, receivedMs, clockTrusted } = context;
  const stamp =
    header === undefined
      ? undefined
      : { sequence: header.sequence, timeS: header.time, clockSynced: header.flags.clockSynced === true };
  return { kind: "frame", frame: { deviceId, header: stamp, receivedMs, clockTrusted, link: "mqtt", frame } };
}
