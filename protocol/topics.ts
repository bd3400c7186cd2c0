// MQTT topics (protocol section 2). Parsed by hand: this also runs where regular expressions are few.

const ROOT = "waakvlam/v1/";
const DEVICES = `${ROOT}devices/`;
export const GATEWAY_STATE_TOPIC = `${ROOT}gateway/state`;
export const ID_LENGTH_MIN = 3;
export const ID_LENGTH_MAX = 32;

export function uplinkTopic(deviceId: string): string {
  return `${DEVICES}${deviceId}/up`;
}

export function downlinkTopic(deviceId: string): string {
  return `${DEVICES}${deviceId}/down`;
}

export function pointStateTopic(pointId: string): string {
  return `${ROOT}points/${pointId}/state`;
}

export function alertTopic(alertId: string): string {
  return `${ROOT}alerts/${alertId}`;
}

export function noticeTopic(noticeId: string): string {
  return `${ROOT}notices/${noticeId}`;
}

/** deviceId and pointId: 3 to 32 of a-z, 0-9 and hyphen. */
export function isDeviceId(text: string): boolean {
  if (text.length < ID_LENGTH_MIN || text.length > ID_LENGTH_MAX) return false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (!((c >= 97 && c <= 122) || (c >= 48 && c <= 57) || c === 45)) return false;
  }
  return true;
}

export interface DeviceTopic {
  readonly deviceId: string;
  readonly direction: "up" | "down";
}

/** The device and direction of a device topic, or undefined for any other topic. */
export function parseDeviceTopic(topic: string): DeviceTopic | undefined {
  if (!topic.startsWith(DEVICES)) return undefined;
  const parts = topic.substr(DEVICES.length).split("/");
  if (parts.length !== 2) return undefined;
  const deviceId = parts[0] as string;
  const direction = parts[1] as string;
  if (!isDeviceId(deviceId) || (direction !== "up" && direction !== "down")) return undefined;
  return { deviceId: deviceId, direction: direction };
}
