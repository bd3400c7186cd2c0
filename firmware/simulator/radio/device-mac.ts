// The frames of a LoRaWAN 1.0.x class A device: joins, uplinks, and what it takes of downlinks (1.0.2 §4, §5, §6). Pure, but for the counters
// of a session, which it moves on.
import { blockOf, cipherPayload, encryptBlocks, micOf } from "./crypto.ts";

const JOIN_REQUEST = 0x00;
const JOIN_ACCEPT = 0x20;
const UNCONFIRMED_UP = 0x40;
const UNCONFIRMED_DOWN = 0x60;
const CONFIRMED_UP = 0x80;
const CONFIRMED_DOWN = 0xa0;
const ACK = 0x20;
const PENDING = 0x10;
const MIC = 4;
/** MHDR, DevAddr, FCtrl, FCnt. */
const HEAD = 8;
const MAX_GAP = 16_384;
/** Lengths of what a network asks or answers, by its identifier (§5). */
const DOWN_LENGTHS: Readonly<Record<number, number>> = { 2: 2, 3: 4, 4: 1, 5: 4, 6: 0, 7: 5, 8: 1, 9: 1, 10: 4, 13: 5 };
/** What a fixed device answers: taken, but for DevStatus: on mains, margin 10. */
const ANSWERS: Readonly<Record<number, readonly number[]>> = {
  3: [3, 7],
  4: [4],
  5: [5, 7],
  6: [6, 0, 10],
  7: [7, 3],
  8: [8],
  9: [9],
  10: [10, 3],
};
export const JOIN_CHANNELS_HZ = [868_100_000, 868_300_000, 868_500_000] as const;

/** Hex. */
export interface DeviceKeys {
  readonly devEui: string;
  readonly joinEui: string;
  readonly appKey: string;
}

export interface DeviceSession {
  readonly devAddr: number;
  readonly nwkSKey: Uint8Array;
  readonly appSKey: Uint8Array;
  readonly rx1DelayS: number;
  readonly rx2DataRate: number;
  readonly channelsHz: readonly number[];
  /** FCntUp of the next uplink. */
  up: number;
  /** Least FCntDown that is taken. */
  down: number;
  /** MAC commands to go with the next uplink. */
  answers: number[];
  /** A confirmed downlink waits for its acknowledgement. */
  owesAck: boolean;
}

export interface TakenDownlink {
  /** 0: nothing for the application. */
  readonly port: number;
  readonly payload: Uint8Array;
  readonly isAck: boolean;
  readonly more: boolean;
  /** MAC commands as they came. */
  readonly commands: Uint8Array;
}

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function withMic(key: Uint8Array, message: Uint8Array, before: Uint8Array = new Uint8Array(0)): Uint8Array {
  return new Uint8Array(Buffer.concat([message, micOf(key, Buffer.concat([before, message]))]));
}

export function buildJoinRequest(keys: DeviceKeys, nonce: number): Uint8Array {
  const eui = (text: string) => hex(text).reverse();
  const last = Buffer.from([nonce & 0xff, nonce >> 8]);
  const message = Buffer.concat([Buffer.from([JOIN_REQUEST]), eui(keys.joinEui), eui(keys.devEui), last]);
  return withMic(hex(keys.appKey), message);
}

/** The session that an answer to the last join request gives, or undefined when it is none for us. */
export function takeJoinAccept(keys: DeviceKeys, nonce: number, phy: Uint8Array): DeviceSession | undefined {
  if ((phy.length !== 17 && phy.length !== 33) || phy[0] !== JOIN_ACCEPT) return undefined;
  const appKey = hex(keys.appKey);
  // The network deciphers to cipher, so that a device needs to cipher only.
  const body = encryptBlocks(appKey, phy.subarray(1));
  const plain = Buffer.concat([phy.subarray(0, 1), body]);
  if (!isSame(micOf(appKey, plain.subarray(0, -MIC)), plain.subarray(-MIC))) return undefined;
  const sessionKey = (first: number) => {
    const block = new Uint8Array(16);
    block.set([first, ...body.subarray(0, 6), nonce & 0xff, nonce >> 8]);
    return encryptBlocks(appKey, block);
  };
  const more: number[] = [];
  if (phy.length === 33)
    for (let at = 13; at < 28; at += 3) {
      const frequencyHz = plain.readUIntLE(at, 3) * 100;
      if (frequencyHz > 0) more.push(frequencyHz);
    }
  return {
    devAddr: plain.readUInt32LE(7),
    nwkSKey: sessionKey(1),
    appSKey: sessionKey(2),
    rx1DelayS: Math.max(1, (plain[12] as number) & 15),
    rx2DataRate: (plain[11] as number) & 15,
    channelsHz: [...JOIN_CHANNELS_HZ, ...more],
    up: 0,
    down: 0,
    answers: [],
    owesAck: false,
  };
}

export interface UplinkPart {
  /** 0: none. */
  readonly port: number;
  readonly payload: Uint8Array;
  readonly isConfirmed: boolean;
}

/** The next uplink of a session. It has to be kept for its repetitions. */
export function buildUplink(session: DeviceSession, part: UplinkPart): Uint8Array {
  const { devAddr } = session;
  const counter = session.up++;
  const direction = { isDown: false, devAddr, counter };
  const options = session.answers.splice(0, 15);
  const head = Buffer.alloc(HEAD);
  head[0] = part.isConfirmed ? CONFIRMED_UP : UNCONFIRMED_UP;
  head.writeUInt32LE(devAddr, 1);
  head[5] = options.length | (session.owesAck ? ACK : 0);
  head.writeUInt16LE(counter & 0xffff, 6);
  session.owesAck = false;
  const cipher = cipherPayload(session.appSKey, direction, part.payload);
  const body = part.port === 0 ? [] : [Buffer.from([part.port]), cipher];
  const message = Buffer.concat([head, Buffer.from(options), ...body]);
  return withMic(session.nwkSKey, message, blockOf(0x49, direction, message.length));
}

/** A downlink for this session whose counter is new; undefined for all else. Notes what has to be answered. */
export function takeDownlink(session: DeviceSession, phy: Uint8Array): TakenDownlink | undefined {
  const bytes = Buffer.from(phy);
  const kind = bytes[0];
  if (bytes.length < HEAD + MIC || (kind !== UNCONFIRMED_DOWN && kind !== CONFIRMED_DOWN)) return undefined;
  if (bytes.readUInt32LE(1) !== session.devAddr) return undefined;
  const control = bytes[5] as number;
  const bodyAt = HEAD + (control & 15);
  if (bodyAt > bytes.length - MIC) return undefined;
  const counter = session.down + ((bytes.readUInt16LE(6) - session.down) & 0xffff);
  if (counter - session.down >= MAX_GAP) return undefined;
  const direction = { isDown: true, devAddr: session.devAddr, counter };
  const message = bytes.subarray(0, -MIC);
  const before = blockOf(0x49, direction, message.length);
  if (!isSame(micOf(session.nwkSKey, Buffer.concat([before, message])), bytes.subarray(-MIC))) return undefined;
  session.down = counter + 1;
  if (kind === CONFIRMED_DOWN) session.owesAck = true;
  const port = bodyAt < message.length ? (bytes[bodyAt] as number) : 0;
  const key = port === 0 ? session.nwkSKey : session.appSKey;
  const plain = cipherPayload(key, direction, new Uint8Array(message.subarray(bodyAt + 1)));
  const inOptions = new Uint8Array(bytes.subarray(HEAD, bodyAt));
  const commands = port === 0 && plain.length > 0 ? plain : inOptions;
  session.answers.push(...answersTo(commands));
  const payload = port === 0 ? new Uint8Array(0) : plain;
  return { port, payload, isAck: (control & ACK) !== 0, more: (control & PENDING) !== 0, commands };
}

/** Answers in the order of what was asked; an unknown identifier ends the list. */
function answersTo(commands: Uint8Array): number[] {
  const answers: number[] = [];
  for (let at = 0; at < commands.length; ) {
    const length = DOWN_LENGTHS[commands[at] as number];
    if (length === undefined) break;
    answers.push(...(ANSWERS[commands[at] as number] ?? []));
    at += 1 + length;
  }
  return answers;
}
