// The Semtech UDP protocol as a packet forwarder speaks it (Lora-net/packet_forwarder, PROTOCOL.TXT, version 2). Written apart from the
// gateway's side, which it checks.
import type { Signal } from "./air.ts";

const VERSION = 2;
const PUSH_DATA = 0;
const PULL_DATA = 2;
const TX_ACK = 5;

export type TxError = "NONE" | "TOO_LATE" | "TOO_EARLY" | "COLLISION_PACKET" | "TX_FREQ" | "TX_POWER";

export interface Heard {
  readonly phy: Uint8Array;
  readonly frequencyHz: number;
  readonly dataRate: number;
  readonly signal: Signal;
  readonly counterUs: number;
}

/** What a server says. */
export type ServerPacket =
  | { readonly kind: "push-ack" | "pull-ack"; readonly token: number }
  | { readonly kind: "pull-resp"; readonly token: number; readonly order: TransmitOrder };

export interface TransmitOrder {
  readonly phy: Uint8Array;
  readonly frequencyHz: number;
  readonly dataRate: number;
  readonly powerDbm: number;
  readonly counterUs: number;
}

export interface Tally {
  readonly rxnb: number;
  readonly rxok: number;
  readonly rxfw: number;
  readonly ackr: number;
  readonly dwnb: number;
  readonly txnb: number;
}

function packet(kind: number, eui: string, token: number, body: object | undefined): Uint8Array {
  const head = Buffer.from(`020000${kind.toString(16).padStart(2, "0")}${eui}`, "hex");
  head.writeUInt16BE(token, 1);
  return new Uint8Array(Buffer.concat([head, Buffer.from(body === undefined ? "" : JSON.stringify(body))]));
}

export function buildPullData(eui: string, token: number): Uint8Array {
  return packet(PULL_DATA, eui, token, undefined);
}

export function buildStatus(eui: string, token: number, tally: Tally): Uint8Array {
  const stat = { time: "2026-11-24 12:00:00 GMT", lati: 52.1, long: 5.1, alti: 12, ...tally };
  return packet(PUSH_DATA, eui, token, { stat });
}

/** URL-safe and unpadded, as some forwarders have it. */
export function buildPushData(eui: string, token: number, heard: Heard): Uint8Array {
  const { phy, frequencyHz, dataRate, signal, counterUs } = heard;
  const rxpk = {
    tmst: counterUs,
    chan: 0,
    rfch: 0,
    freq: frequencyHz / 1e6,
    stat: 1,
    modu: "LORA",
    datr: `SF${12 - dataRate}BW125`,
    codr: "4/5",
    rssi: signal.rssi,
    lsnr: signal.snr,
    size: phy.length,
    data: Buffer.from(phy).toString("base64url"),
  };
  return packet(PUSH_DATA, eui, token, { rxpk: [rxpk] });
}

/** An older forwarder says nothing when all is well. */
export function buildTxAck(eui: string, token: number, error: TxError): Uint8Array {
  return packet(TX_ACK, eui, token, error === "NONE" ? undefined : { txpk_ack: { error } });
}

interface Txpk {
  readonly tmst: number;
  readonly freq: number;
  readonly powe: number;
  readonly datr: string;
  readonly size: number;
  readonly data: string;
  readonly ipol: boolean;
}

/** Undefined for what a forwarder would drop: another version, JSON that it cannot read, a frame of another kind. */
export function readServerPacket(bytes: Uint8Array): ServerPacket | undefined {
  if (bytes.length < 4 || bytes[0] !== VERSION) return undefined;
  const token = ((bytes[1] as number) << 8) | (bytes[2] as number);
  if (bytes[3] === 1) return { kind: "push-ack", token };
  if (bytes[3] === 4) return { kind: "pull-ack", token };
  if (bytes[3] !== 3) return undefined;
  const { txpk } = JSON.parse(Buffer.from(bytes.subarray(4)).toString()) as { readonly txpk: Txpk };
  const spreading = /^SF(\d+)BW125$/.exec(txpk.datr)?.[1];
  const phy = new Uint8Array(Buffer.from(txpk.data, "base64"));
  // With its polarity not inverted no device would hear it.
  if (spreading === undefined || txpk.size !== phy.length || !txpk.ipol) return undefined;
  const order = {
    phy,
    frequencyHz: Math.round(txpk.freq * 1e6),
    dataRate: 12 - Number(spreading),
    powerDbm: txpk.powe,
    counterUs: txpk.tmst,
  };
  return { kind: "pull-resp", token, order };
}
