// Frames of LoRaWAN 1.0.x, read strictly and built (LoRaWAN 1.0.2 §4, §6.2). Whatever is wrong has a name and is counted under it.
import { cipherPayload, dataMic, joinMic, MIC_BYTES, type SessionKeys, sealJoinAccept, toHex } from "./crypto.ts";
import { CFLIST_HZ } from "./eu868.ts";

const HEADER_BYTES = 8;
export const DATA_BYTES_MIN = HEADER_BYTES + MIC_BYTES;
/** The most that a LoRa radio takes. */
export const PHY_BYTES_MAX = 255;
const JOIN_REQUEST_BYTES = 23;
export const OPTIONS_BYTES_MAX = 15;

export type PhyFault =
  | "frame-too-short"
  | "frame-too-long"
  | "frame-version"
  | "frame-type"
  | "join-length"
  | "options-length"
  | "options-twice";

export interface JoinRequest {
  readonly kind: "join";
  readonly joinEui: string;
  readonly devEui: string;
  readonly devNonce: number;
  readonly mic: Uint8Array;
  /** All that the MIC covers. */
  readonly message: Uint8Array;
}

export interface DataUplink {
  readonly kind: "data";
  readonly isConfirmed: boolean;
  readonly devAddr: string;
  readonly adr: boolean;
  readonly adrAckReq: boolean;
  /** The low 16 bits. */
  readonly counterLow: number;
  readonly options: Uint8Array;
  /** Undefined: there is no payload. */
  readonly port: number | undefined;
  /** Enciphered. */
  readonly payload: Uint8Array;
  readonly mic: Uint8Array;
  readonly message: Uint8Array;
}

export type Uplink = JoinRequest | DataUplink;
export type ParsedUplink = Uplink | { readonly kind: "fault"; readonly fault: PhyFault };

function reversedHex(bytes: Uint8Array): string {
  return toHex(Uint8Array.from(bytes).reverse());
}

export function parseUplink(phy: Uint8Array): ParsedUplink {
  const fault = (name: PhyFault): ParsedUplink => ({ kind: "fault", fault: name });
  if (phy.length < DATA_BYTES_MIN) return fault("frame-too-short");
  if (phy.length > PHY_BYTES_MAX) return fault("frame-too-long");
  const header = phy[0] as number;
  // Major version 0, and the bits between it and the type are reserved.
  if ((header & 0x1f) !== 0) return fault("frame-version");
  const type = header >>> 5;
  if (type === 0) return parseJoin(phy);
  return type === 2 || type === 4 ? parseData(phy, type === 4) : fault("frame-type");
}

function parseJoin(phy: Uint8Array): ParsedUplink {
  if (phy.length !== JOIN_REQUEST_BYTES) return { kind: "fault", fault: "join-length" };
  return {
    kind: "join",
    joinEui: reversedHex(phy.subarray(1, 9)),
    devEui: reversedHex(phy.subarray(9, 17)),
    devNonce: (phy[17] as number) | ((phy[18] as number) << 8),
    mic: phy.subarray(19),
    message: phy.subarray(0, 19),
  };
}

function parseData(phy: Uint8Array, isConfirmed: boolean): ParsedUplink {
  const control = phy[5] as number;
  const end = phy.length - MIC_BYTES;
  const optionsEnd = HEADER_BYTES + (control & 0x0f);
  if (optionsEnd > end) return { kind: "fault", fault: "options-length" };
  const port = optionsEnd < end ? (phy[optionsEnd] as number) : undefined;
  if (port === 0 && optionsEnd > HEADER_BYTES) return { kind: "fault", fault: "options-twice" };
  return {
    kind: "data",
    isConfirmed,
    devAddr: reversedHex(phy.subarray(1, 5)),
    adr: (control & 0x80) !== 0,
    adrAckReq: (control & 0x40) !== 0,
    counterLow: (phy[6] as number) | ((phy[7] as number) << 8),
    options: phy.subarray(HEADER_BYTES, optionsEnd),
    port,
    payload: phy.subarray(Math.min(optionsEnd + 1, end), end),
    mic: phy.subarray(end),
    message: phy.subarray(0, end),
  };
}

export interface DataDownlink {
  readonly devAddr: string;
  /** All 32 bits. */
  readonly counter: number;
  readonly isAck: boolean;
  /** More waits for the next window. */
  readonly isPending: boolean;
  /** MAC commands, at most `OPTIONS_BYTES_MAX`. */
  readonly options: Uint8Array;
  /** Plain. */
  readonly data?: { readonly port: number; readonly payload: Uint8Array } | undefined;
}

/** An unconfirmed data downlink: whether it arrived, the answer of the application tells. */
export function buildDownlink(keys: SessionKeys, downlink: DataDownlink): Uint8Array {
  const { devAddr, counter, isAck, isPending, options, data } = downlink;
  const context = { direction: "down", devAddr, counter } as const;
  const size = HEADER_BYTES + options.length + (data === undefined ? 0 : 1 + data.payload.length);
  const phy = new Uint8Array(size + MIC_BYTES);
  const view = new DataView(phy.buffer);
  phy[0] = 0x60;
  view.setUint32(1, Number.parseInt(devAddr, 16), true);
  phy[5] = (isAck ? 0x20 : 0) | (isPending ? 0x10 : 0) | options.length;
  view.setUint16(6, counter & 0xffff, true);
  phy.set(options, HEADER_BYTES);
  if (data !== undefined) {
    const at = HEADER_BYTES + options.length;
    phy[at] = data.port;
    phy.set(cipherPayload(data.port === 0 ? keys.nwkSKey : keys.appSKey, data.payload, context), at + 1);
  }
  phy.set(dataMic(keys.nwkSKey, phy.subarray(0, size), context), size);
  return phy;
}

export interface JoinAccept {
  readonly joinNonce: number;
  readonly netId: number;
  readonly devAddr: string;
  readonly rx2DataRate: number;
  readonly rxDelayS: number;
}

/** 33 bytes: with the channels beyond the first three. */
export function buildJoinAccept(appKey: Uint8Array, accept: JoinAccept): Uint8Array {
  const plain = Buffer.alloc(33);
  plain[0] = 0x20;
  plain.writeUIntLE(accept.joinNonce, 1, 3);
  plain.writeUIntLE(accept.netId, 4, 3);
  plain.writeUInt32LE(Number.parseInt(accept.devAddr, 16), 7);
  plain[11] = accept.rx2DataRate;
  plain[12] = accept.rxDelayS;
  for (const [i, hz] of CFLIST_HZ.entries()) plain.writeUIntLE(hz / 100, 13 + 3 * i, 3);
  plain.set(joinMic(appKey, plain.subarray(0, 29)), 29);
  const phy = new Uint8Array(33);
  phy[0] = 0x20;
  phy.set(sealJoinAccept(appKey, plain.subarray(1)), 1);
  return phy;
}
