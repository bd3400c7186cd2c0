// The Semtech UDP protocol (GWMP, version 2) of packet forwarders, both ways (Lora-net/packet_forwarder, PROTOCOL.TXT). Strict: what
// does not fit is a counted fault, and costs that packet only. It is not authenticated; who may speak is decided in `stations.ts`.
import type { Eui, HeardFrame, Transmission, TransmitOutcome } from "../interfaces.ts";

export const VERSION = 2;
/** Eight packets of 255 bytes and a status are 4.6 kB; newer forwarders put in signal levels by antenna. */
export const DATAGRAM_BYTES_MAX = 8_192;
/** A forwarder sends eight at once; newer ones may more. */
export const PACKETS_MAX = 32;
const PHY_BYTES_MAX = 255;
const HEADER_BYTES = 4;
const EUI_END = 12;
const KINDS = { 0: "push-data", 2: "pull-data", 5: "tx-ack" } as const;
const PUSH_ACK = 1;
const PULL_RESP = 3;
const PULL_ACK = 4;
/** EU 863–870 MHz. */
const BAND_HZ = { min: 863_000_000, max: 870_000_000 };

/** Faults of a whole datagram. */
export type DatagramFault = "too-short" | "too-long" | "version" | "kind" | "json" | "not-an-object" | "too-many";
/** Faults of one packet, or of the status, in a datagram that is right. */
export type PacketFault =
  | "checksum"
  | "not-an-object"
  | "modulation"
  | "data-rate"
  | "frequency"
  | "counter"
  | "level"
  | "data"
  | "size"
  | "status";

export interface DatagramHeader {
  readonly kind: "push-data" | "pull-data" | "tx-ack";
  readonly token: number;
  readonly eui: Eui;
}

/** As the base station counts, since its last status; what it does not say is undefined. */
export interface StationStatus {
  /** Frames heard, with a right checksum, and handed on. */
  readonly heard?: number;
  readonly heardRight?: number;
  readonly forwarded?: number;
  /** Share of its datagrams that were acknowledged, %. */
  readonly acknowledgedPct?: number;
  /** Downlinks that reached it, and that it sent. */
  readonly downlinks?: number;
  readonly sent?: number;
}

export interface PushData {
  readonly frames: readonly HeardFrame[];
  readonly status?: StationStatus;
  readonly faults: readonly PacketFault[];
}

/** Who sends what, from the first 12 bytes alone: an acknowledgement does not wait for the rest. */
export function parseHeader(bytes: Uint8Array): DatagramHeader | DatagramFault {
  if (bytes.length < EUI_END) return "too-short";
  if (bytes.length > DATAGRAM_BYTES_MAX) return "too-long";
  if (bytes[0] !== VERSION) return "version";
  const kind = KINDS[bytes[3] as keyof typeof KINDS];
  if (kind === undefined) return "kind";
  const token = ((bytes[1] as number) << 8) | (bytes[2] as number);
  return { kind, token, eui: Buffer.from(bytes.subarray(HEADER_BYTES, EUI_END)).toString("hex") };
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The JSON behind the header. */
function parseBody(bytes: Uint8Array): Fields | "json" | "not-an-object" {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(EUI_END)));
  } catch {
    return "json";
  }
  return isFields(value) ? value : "not-an-object";
}

/** What a PUSH_DATA brings. A packet that does not fit is named in `faults`; its neighbours are taken. */
export function parsePushData(bytes: Uint8Array, stationId: Eui): PushData | DatagramFault {
  const body = parseBody(bytes);
  if (typeof body === "string") return body;
  const packets = body["rxpk"] ?? [];
  if (!Array.isArray(packets)) return "not-an-object";
  if (packets.length > PACKETS_MAX) return "too-many";
  const frames: HeardFrame[] = [];
  const faults: PacketFault[] = [];
  for (const packet of packets as readonly unknown[]) {
    const frame = parsePacket(packet, stationId);
    if (typeof frame === "string") faults.push(frame);
    else frames.push(frame);
  }
  const status = body["stat"] === undefined ? undefined : parseStatus(body["stat"]);
  if (status === "status") faults.push(status);
  return { frames, faults, ...(status === undefined || status === "status" ? {} : { status }) };
}

function numberIn(value: unknown, min: number, max: number): number | undefined {
  return typeof value === "number" && value >= min && value <= max ? value : undefined;
}

function parsePacket(packet: unknown, stationId: Eui): HeardFrame | PacketFault {
  if (!isFields(packet)) return "not-an-object";
  // Without a checksum, or with a wrong one, it is noise.
  if (packet["stat"] !== 1) return "checksum";
  if (packet["modu"] !== "LORA") return "modulation";
  const spreading = /^SF([0-9]{1,2})BW125$/.exec(typeof packet["datr"] === "string" ? packet["datr"] : "")?.[1];
  const dataRate = 12 - Number(spreading ?? Number.NaN);
  if (!(dataRate >= 0 && dataRate <= 5)) return "data-rate";
  const mhz = numberIn(packet["freq"], BAND_HZ.min / 1e6, BAND_HZ.max / 1e6);
  if (mhz === undefined) return "frequency";
  const counterUs = numberIn(packet["tmst"], 0, 0xffff_ffff);
  if (counterUs === undefined || !Number.isInteger(counterUs)) return "counter";
  const rssi = numberIn(packet["rssi"], -200, 50);
  const snr = numberIn(packet["lsnr"], -100, 100);
  if (rssi === undefined || snr === undefined) return "level";
  const phy = bytesOfBase64(packet["data"]);
  if (phy === undefined) return "data";
  if (phy.length === 0 || phy.length > PHY_BYTES_MAX || packet["size"] !== phy.length) return "size";
  const frequencyHz = Math.round(mhz * 1e6);
  return { phy, frequencyHz, dataRate, reception: { stationId, rssi, snr }, counterUs };
}

/** RFC 4648 §4 and §5, padded or not: forwarders write either. */
function bytesOfBase64(value: unknown): Uint8Array | undefined {
  if (typeof value !== "string" || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) return undefined;
  const digits = value.replace(/=+$/, "");
  if (digits.length % 4 === 1 || (digits.length < value.length && value.length % 4 !== 0)) return undefined;
  return new Uint8Array(Buffer.from(digits, "base64"));
}

function parseStatus(value: unknown): StationStatus | "status" {
  if (!isFields(value)) return "status";
  const status: Record<string, number> = {};
  const keys = { rxnb: "heard", rxok: "heardRight", rxfw: "forwarded", dwnb: "downlinks", txnb: "sent" } as const;
  for (const [key, name] of Object.entries(keys)) {
    if (value[key] === undefined) continue;
    const count = numberIn(value[key], 0, 0xffff_ffff);
    if (count === undefined || !Number.isInteger(count)) return "status";
    status[name] = count;
  }
  if (value["ackr"] === undefined) return status;
  const acknowledgedPct = numberIn(value["ackr"], 0, 100);
  return acknowledgedPct === undefined ? "status" : { ...status, acknowledgedPct };
}

const OUTCOMES: ReadonlyMap<unknown, TransmitOutcome> = new Map<unknown, TransmitOutcome>([
  ["NONE", "sent"],
  ["TOO_LATE", "too-late"],
  ["TOO_EARLY", "too-early"],
  ["COLLISION_PACKET", "collision"],
  ["COLLISION_BEACON", "collision"],
  ["TX_FREQ", "frequency"],
  ["TX_POWER", "power"],
]);

/** What a TX_ACK says. Nothing behind the header is a success; so is a warning without an error. */
export function parseTxAck(bytes: Uint8Array): TransmitOutcome | DatagramFault {
  // Some forwarders end it with a zero byte.
  const isEmpty = bytes.subarray(EUI_END).every((byte) => byte === 0 || byte === 0x20 || byte === 0x0a);
  if (isEmpty) return "sent";
  const body = parseBody(bytes);
  if (typeof body === "string") return body;
  const ack = body["txpk_ack"];
  if (!isFields(ack)) return "not-an-object";
  return OUTCOMES.get(ack["error"] ?? "NONE") ?? "failed";
}

function header(kind: number, token: number): Buffer {
  return Buffer.from([VERSION, token >> 8, token & 0xff, kind]);
}

/** PUSH_ACK or PULL_ACK with the token of what it answers. */
export function encodeAnswer({ kind, token }: DatagramHeader): Uint8Array {
  return header(kind === "push-data" ? PUSH_ACK : PULL_ACK, token);
}

/** PULL_RESP: what the base station is to send, with inverted polarity and, as all LoRaWAN downlinks, without a payload CRC. */
export function encodePullResp(token: number, transmission: Transmission): Uint8Array {
  const { phy, frequencyHz, dataRate, powerDbm, counterUs } = transmission;
  const txpk = {
    imme: false,
    tmst: counterUs,
    freq: frequencyHz / 1e6,
    rfch: 0,
    powe: Math.round(powerDbm),
    modu: "LORA",
    datr: `SF${12 - dataRate}BW125`,
    codr: "4/5",
    ipol: true,
    prea: 8,
    ncrc: true,
    size: phy.length,
    data: Buffer.from(phy).toString("base64"),
  };
  return Buffer.concat([header(PULL_RESP, token), Buffer.from(JSON.stringify({ txpk }))]);
}
