// MAC commands of an uplink, walked with their lengths (LoRaWAN 1.0.3 §5): the two that ask something are answered, the answers to
// what this server never asks are passed over. What is unknown ends the walk, as its length is unknown too.

/** Bytes after the identifier, of what a device may send. */
const UPLINK_BYTES: Readonly<Record<number, number>> = {
  2: 0, // LinkCheckReq
  3: 1, // LinkADRAns
  4: 0, // DutyCycleAns
  5: 1, // RXParamSetupAns
  6: 2, // DevStatusAns
  7: 1, // NewChannelAns
  8: 0, // RXTimingSetupAns
  9: 0, // TxParamSetupAns
  10: 1, // DlChannelAns
  13: 0, // DeviceTimeReq
};
const LINK_CHECK = 2;
const DEVICE_TIME = 13;
/** 255 is reserved. */
const MARGIN_MAX_DB = 254;
const GPS_EPOCH_S = 315_964_800;
/** GPS has no leap seconds, and there was none after 2016. */
const LEAP_S = 18;

export type MacFault = "mac-command-unknown" | "mac-command-short";

export interface MacWalk {
  readonly asksLinkCheck: boolean;
  readonly asksTime: boolean;
  readonly fault: MacFault | undefined;
}

export function walkMacCommands(bytes: Uint8Array): MacWalk {
  const asked = new Set<number>();
  let fault: MacFault | undefined;
  for (let at = 0; at < bytes.length; ) {
    const command = bytes[at] as number;
    const more = UPLINK_BYTES[command];
    if (more === undefined) fault = "mac-command-unknown";
    else if (at + 1 + more > bytes.length) fault = "mac-command-short";
    if (fault !== undefined || more === undefined) break;
    asked.add(command);
    at += 1 + more;
  }
  return { asksLinkCheck: asked.has(LINK_CHECK), asksTime: asked.has(DEVICE_TIME), fault };
}

/** dB above what its data rate needs, in the best of its receptions. */
export function linkCheckAnswer(marginDb: number, stations: number): Uint8Array {
  const margin = Math.min(Math.max(Math.floor(marginDb), 0), MARGIN_MAX_DB);
  return Uint8Array.of(LINK_CHECK, margin, Math.min(stations, 255));
}

/** The time at the end of the uplink. */
export function deviceTimeAnswer(unixMs: number): Uint8Array {
  const gpsMs = unixMs + (LEAP_S - GPS_EPOCH_S) * 1000;
  const answer = new Uint8Array(6);
  answer[0] = DEVICE_TIME;
  new DataView(answer.buffer).setUint32(1, Math.floor(gpsMs / 1000), true);
  answer[5] = Math.floor(((gpsMs % 1000) * 256) / 1000);
  return answer;
}
