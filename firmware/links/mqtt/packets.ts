// MQTT 3.1.1 packets that a device needs, as bytes in strings: CONNECT, PUBLISH, SUBSCRIBE, PINGREQ out; CONNACK, PUBACK,
// PUBLISH, SUBACK, PINGRESP in.

/** Largest packet taken in: a downlink of 250 bytes with its topic. */
export const PACKET_BYTES_MAX = 512;
/** What may wait to be read, a packet a turn: more is no gateway that answers a device. */
const HELD_BYTES_MAX = 4 * PACKET_BYTES_MAX;

function lengthOf(size: number): string {
  let out = "";
  let left = size;
  do {
    const byte = left & 127;
    left >>= 7;
    out += String.fromCharCode(left > 0 ? byte | 128 : byte);
  } while (left > 0);
  return out;
}

function word(value: number): string {
  return String.fromCharCode((value >> 8) & 255, value & 255);
}

function text(value: string): string {
  return word(value.length) + value;
}

/** Bytes as a string, one character a byte. */
export function stringOf(bytes: Uint8Array): string {
  // A loop would take a millisecond a byte.
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

export function bytesOf(data: string): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = data.charCodeAt(i);
  return out;
}

export interface ConnectOptions {
  readonly clientId: string;
  readonly userName: string;
  readonly password: string;
  readonly keepAliveS: number;
}

/** §3.1: clean session, user name and password, no will. */
export function connectPacket(options: ConnectOptions): string {
  const body = `${text("MQTT")}\x04\xc2${word(options.keepAliveS)}${text(options.clientId)}${text(options.userName)}${text(options.password)}`;
  return `\x10${lengthOf(body.length)}${body}`;
}

/** §3.3, QoS 1. */
export function publishPacket(topic: string, payload: string, id: number, again: boolean): string {
  const body = `${text(topic)}${word(id)}${payload}`;
  return `${again ? "\x3a" : "\x32"}${lengthOf(body.length)}${body}`;
}

/** §3.8, QoS 0. */
export function subscribePacket(topic: string, id: number): string {
  const body = `${word(id)}${text(topic)}\x00`;
  return `\x82${lengthOf(body.length)}${body}`;
}

export const PINGREQ = "\xc0\x00";

export type Incoming =
  | { readonly kind: "connack"; readonly code: number }
  | { readonly kind: "puback"; readonly id: number }
  | { readonly kind: "publish"; readonly topic: string; readonly payload: string }
  | { readonly kind: "suback" }
  | { readonly kind: "pingresp" }
  /** Not MQTT, or larger than any packet should be: the connection is of no use any more. */
  | { readonly kind: "broken" };

export interface PacketReader {
  /** Takes data in pieces of any size. */
  take(data: string): void;
  /** The next whole packet, or undefined as long as there is none. */
  next(): Incoming | undefined;
}

export function createPacketReader(): PacketReader {
  let held = "";

  function parse(type: number, body: string): Incoming {
    const kind = type >> 4;
    if (kind === 2) return { kind: "connack", code: body.length < 2 ? 255 : body.charCodeAt(1) };
    if (kind === 4) return { kind: "puback", id: (body.charCodeAt(0) << 8) | body.charCodeAt(1) };
    if (kind === 9) return { kind: "suback" };
    if (kind === 13) return { kind: "pingresp" };
    if (kind !== 3 || body.length < 2) return { kind: "broken" };
    const size = (body.charCodeAt(0) << 8) | body.charCodeAt(1);
    // A QoS above 0 carries an id; the gateway sends none, but a packet is read as what it is.
    const skip = 2 + size + ((type & 6) !== 0 ? 2 : 0);
    return body.length < skip
      ? { kind: "broken" }
      : { kind: "publish", topic: body.substr(2, size), payload: body.substr(skip) };
  }

  return {
    take: (data) => {
      held += data;
    },
    next: () => {
      let size = 0;
      let at = 1;
      let byte = 128;
      while ((byte & 128) !== 0 && at < 5 && at < held.length) {
        byte = held.charCodeAt(at);
        size += (byte & 127) << (7 * (at - 1));
        at++;
      }
      if ((byte & 128) !== 0 && at < 5) return undefined;
      if (size > PACKET_BYTES_MAX || (byte & 128) !== 0 || held.length > HELD_BYTES_MAX) {
        held = "";
        return { kind: "broken" };
      }
      if (held.length < at + size) return undefined;
      const type = held.charCodeAt(0);
      const body = held.substr(at, size);
      held = held.substr(at + size);
      return parse(type, body);
    },
  };
}
