// The radio half of the scripted modem as a real class A device on the air: joins, sends with repetition, and listens in its two windows. Its
// network is whoever answers with the right keys.
import type { ModemRadio, ModemRadioParts } from "../modem-radio.ts";
import { withColons } from "../modem-radio.ts";
import type { Air } from "./air.ts";
import { type SubBand, subBandOf } from "./airtime.ts";
import {
  buildJoinRequest,
  buildUplink,
  type DeviceSession,
  JOIN_CHANNELS_HZ,
  takeDownlink,
  takeJoinAccept,
} from "./device-mac.ts";

const JOIN_DELAY_MS = 5_000;
const SECOND_MS = 1_000;
const RX2_HZ = 869_525_000;
/** Until a join accept says another (RP002, EU868). */
const RX2_DATA_RATE = 0;
/** A window is open for so long: clocks differ, and a preamble has to be noticed. */
const WINDOW_MS = 40;
const EARLY_MS = 15;
const PAYLOAD_MAX = [51, 51, 51, 115, 222, 222];
const POWER_DBM = 14;

interface Reply<T> {
  readonly value: T;
  readonly window: 1 | 2;
  readonly rssi: number;
  readonly snr: number;
}

export function createClassA(air: Air, parts: ModemRadioParts): ModemRadio {
  const { schedule, random, memory, say, later } = parts;
  let session: DeviceSession | undefined;
  /** When a sub-band may be used again. */
  const freeAt: Partial<Record<SubBand, number>> = {};
  const onAir = { l: 0, m: 0 };
  const keys = () => ({ devEui: memory.devEui, joinEui: memory.appEui, appKey: memory.appKey });

  function freeMs(frequencyHz: number): number {
    return memory.isDutyCycle ? (freeAt[subBandOf(frequencyHz)] ?? 0) : 0;
  }

  function drawChannel(channelsHz: readonly number[]): number | undefined {
    const free = channelsHz.filter((one) => freeMs(one) <= schedule.nowMs());
    return free[Math.floor(random.between(0, free.length))];
  }

  function noBand(name: string, channelsHz: readonly number[]): void {
    const waitMs = Math.min(...channelsHz.map(freeMs)) - schedule.nowMs();
    say(`+${name}: No band in ${Math.ceil(waitMs)}ms`);
  }

  /** Sends, and calls when it is over. */
  function transmit(phy: Uint8Array, frequencyHz: number, over: () => void): void {
    const { devEui, dataRate } = memory;
    const sender = devEui.toLowerCase();
    const airMs = air.emit({ sender, isDown: false, phy, frequencyHz, dataRate, powerDbm: POWER_DBM });
    const band = subBandOf(frequencyHz);
    if (band === "l" || band === "m") onAir[band] += airMs;
    freeAt[band] = schedule.nowMs() + airMs * 100;
    later(airMs, over);
  }

  function listen(frequencyHz: number, dataRate: number, done: Parameters<Air["listen"]>[0]["done"]): void {
    const mine = parts.power();
    air.listen({
      listener: memory.devEui.toLowerCase(),
      frequencyHz,
      dataRate,
      forMs: WINDOW_MS,
      done: (heard) => {
        if (parts.power() === mine) done(heard);
      },
    });
  }

  /** Both windows after an uplink that has just ended; the first frame that is for us. */
  function windows<T>(
    first: { readonly frequencyHz: number; readonly dataRate: number; readonly delayMs: number },
    secondRate: number,
    read: (phy: Uint8Array) => T | undefined,
    done: (reply: Reply<T> | undefined) => void,
  ): void {
    const endMs = schedule.nowMs();
    const openAt = (ms: number, work: () => void) => later(endMs + ms - EARLY_MS - schedule.nowMs(), work);
    const taken = (window: 1 | 2, heard: { phy: Uint8Array; signal: { rssi: number; snr: number } } | undefined) => {
      const value = heard === undefined ? undefined : read(heard.phy);
      return heard === undefined || value === undefined ? undefined : { value, window, ...heard.signal };
    };
    openAt(first.delayMs, () => {
      listen(first.frequencyHz, first.dataRate, (one) => {
        const reply = taken(1, one);
        const secondMs = first.delayMs + SECOND_MS;
        // What was another's may have outlasted the second window.
        if (reply !== undefined || schedule.nowMs() > endMs + secondMs - EARLY_MS) done(reply);
        else openAt(secondMs, () => listen(RX2_HZ, secondRate, (other) => done(taken(2, other))));
      });
    });
  }

  function join(isForced: boolean): void {
    if (parts.isBusy()) return void say("+JOIN: LoRaWAN modem is busy");
    if (memory.mode !== "LWOTAA") return void say("+JOIN: Not in OTAA mode");
    if (session !== undefined && !isForced) return void say("+JOIN: Joined already");
    const frequencyHz = drawChannel(JOIN_CHANNELS_HZ);
    if (frequencyHz === undefined) return void noBand("JOIN", JOIN_CHANNELS_HZ);
    parts.busy(true);
    session = undefined;
    say("+JOIN: Start");
    say(`+JOIN: ${isForced ? "FORCE" : "NORMAL"}`);
    memory.nonce = (memory.nonce + 1) & 0xffff;
    const { nonce, dataRate } = memory;
    transmit(buildJoinRequest(keys(), nonce), frequencyHz, () => {
      const first = { frequencyHz, dataRate, delayMs: JOIN_DELAY_MS };
      windows(
        first,
        RX2_DATA_RATE,
        (phy) => takeJoinAccept(keys(), nonce, phy),
        (reply) => {
          session = reply?.value;
          if (session === undefined) say("+JOIN: Join failed");
          else {
            say("+JOIN: Network joined");
            const address = session.devAddr.toString(16).padStart(8, "0").toUpperCase();
            say(`+JOIN: NetID 000013 DevAddr ${withColons(address)}`);
          }
          say("+JOIN: Done");
          parts.busy(false);
        },
      );
    });
  }

  function send(name: string, hex: string, isConfirmed: boolean): void {
    if (parts.isBusy()) return void say(`+${name}: LoRaWAN modem is busy`);
    if (session === undefined) return void say(`+${name}: Please join network first`);
    if (hex.length % 2 === 1 || /[^0-9A-F]/.test(hex)) return void say(`+${name}: ERROR(-1)`);
    const payload = new Uint8Array(Buffer.from(hex, "hex"));
    // Answers to MAC commands take their room first.
    const room = (PAYLOAD_MAX[memory.dataRate] ?? 51) - Math.min(15, session.answers.length);
    if (payload.length > room) return void say(`+${name}: Length error ${room}`);
    if (drawChannel(session.channelsHz) === undefined) return void noBand(name, session.channelsHz);
    parts.busy(true);
    say(`+${name}: Start`);
    const port = payload.length === 0 ? 0 : memory.port;
    attempt(name, session, buildUplink(session, { port, payload, isConfirmed }), isConfirmed ? memory.retry : 0);
  }

  function attempt(name: string, mine: DeviceSession, phy: Uint8Array, retries: number): void {
    const frequencyHz = drawChannel(mine.channelsHz);
    if (frequencyHz === undefined) {
      // A repetition waits for its band.
      const waitMs = Math.min(...mine.channelsHz.map(freeMs)) - schedule.nowMs();
      later(Math.max(1, waitMs), () => attempt(name, mine, phy, retries));
      return;
    }
    const isConfirmed = phy[0] === 0x80;
    if (isConfirmed) say(`+${name}: Wait ACK`);
    const { dataRate } = memory;
    transmit(phy, frequencyHz, () => {
      const first = { frequencyHz, dataRate, delayMs: mine.rx1DelayS * 1000 };
      const read = (down: Uint8Array) => takeDownlink(mine, down);
      windows(first, mine.rx2DataRate, read, (reply) => {
        const isEnough = reply !== undefined && (reply.value.isAck || !isConfirmed);
        if (reply !== undefined) tell(name, reply);
        if (!isEnough && retries > 0) attempt(name, mine, phy, retries - 1);
        else {
          say(`+${name}: Done`);
          parts.busy(false);
        }
      });
    });
  }

  function tell(name: string, { value, window, rssi, snr }: Reply<ReturnType<typeof takeDownlink> & object>): void {
    if (value.more) say(`+${name}: FPENDING`);
    if (value.isAck) say(`+${name}: ACK Received`);
    if (value.port > 0) {
      const hex = Buffer.from(value.payload).toString("hex").toUpperCase();
      say(`+${name}: PORT: ${value.port}; RX: "${hex}"`);
    }
    say(`+${name}: RXWIN${window}, RSSI ${rssi}, SNR ${snr.toFixed(1)}`);
  }

  return {
    join,
    send,
    isJoined: () => session !== undefined,
    forget: () => {
      session = undefined;
      freeAt.l = freeAt.m = 0;
    },
    onAirMs: () => onAir,
  };
}
