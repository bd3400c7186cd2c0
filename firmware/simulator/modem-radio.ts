// The radio half of the scripted modem: its channels and their duty cycle, joins, sends with repetition and receive windows.
import type { LorawanNetwork, RadioDownlink, RadioUplink } from "./lorawan-network.ts";
import { timeOnAirMs } from "./radio/airtime.ts";
import type { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";

const JOIN_RX_MS = 5_000;
const RX_MS = 1_000;
const CHANNELS = 8;
const RX2_DATA_RATE = 3;
const PAYLOAD_MAX = [51, 51, 51, 115, 222, 222];
const OVERHEAD = 13;

export interface ModemMemory {
  devEui: string;
  appEui: string;
  appKey: string;
  mode: string;
  band: string;
  channels: number;
  isAdr: boolean;
  port: number;
  retry: number;
  isDutyCycle: boolean;
  isLowPower: boolean;
  hasTimeout: boolean;
  dataRate: number;
  nonce: number;
}

/** What the modem around it gives its radio. */
export interface ModemRadioParts {
  readonly schedule: Schedule;
  readonly random: Random;
  readonly memory: ModemMemory;
  say(line: string): void;
  /** Work that a loss of power makes undone. */
  later(ms: number, work: () => void): void;
  isBusy(): boolean;
  busy(isBusy: boolean): void;
  /** Another number after each loss of power. */
  power(): number;
}

export interface ModemRadio {
  join(isForced: boolean): void;
  send(name: string, hex: string, isConfirmed: boolean): void;
  isJoined(): boolean;
  /** Power is gone: the session with it. */
  forget(): void;
  onAirMs(): { readonly l: number; readonly m: number };
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex").toUpperCase();
}

/** As the modem writes identities: a colon between bytes. */
export function withColons(hex: string): string {
  return (hex.match(/../g) ?? []).join(":");
}

/** A radio whose air and network are scripted. */
export function createModemRadio(network: LorawanNetwork, parts: ModemRadioParts): ModemRadio {
  const { schedule, random, memory, say, later } = parts;
  let session: number | undefined;
  let counter = 0;
  const freeAt = { l: 0, m: 0 };
  const onAir = { l: 0, m: 0 };

  function isBandFree(band: "l" | "m"): boolean {
    return !memory.isDutyCycle || schedule.nowMs() >= freeAt[band];
  }

  /** A sub-band that may be used now, drawn as its channels are; undefined when all are used up. */
  function drawBand(joining: boolean): "l" | "m" | undefined {
    const free: ("l" | "m")[] = [];
    for (let i = 0; i < (joining ? 3 : memory.channels); i++)
      if (isBandFree(i < 3 ? "m" : "l")) free.push(i < 3 ? "m" : "l");
    return free[Math.floor(random.between(0, free.length))];
  }

  function transmit(band: "l" | "m", airMs: number): void {
    onAir[band] += airMs;
    freeAt[band] = schedule.nowMs() + airMs * 100;
  }

  function noBand(name: string): void {
    const waitMs = Math.min(freeAt.m, memory.channels > 3 ? freeAt.l : freeAt.m) - schedule.nowMs();
    say(`+${name}: No band in ${Math.ceil(waitMs)}ms`);
  }

  function join(isForced: boolean): void {
    if (parts.isBusy()) return void say("+JOIN: LoRaWAN modem is busy");
    if (memory.mode !== "LWOTAA") return void say("+JOIN: Not in OTAA mode");
    if (session !== undefined && !isForced) return void say("+JOIN: Joined already");
    const band = drawBand(true);
    if (band === undefined) return void noBand("JOIN");
    parts.busy(true);
    session = undefined;
    say("+JOIN: Start");
    say(`+JOIN: ${isForced ? "FORCE" : "NORMAL"}`);
    const airMs = timeOnAirMs(23, memory.dataRate);
    transmit(band, airMs);
    memory.nonce++;
    later(airMs, () => {
      const given = network.join(memory.devEui, memory.appKey, memory.nonce, memory.dataRate);
      const answer = JOIN_RX_MS + timeOnAirMs(33, memory.dataRate);
      later(given === undefined ? JOIN_RX_MS + 2 * RX_MS : answer, () => {
        if (given === undefined) say("+JOIN: Join failed");
        else {
          session = given;
          counter = 0;
          // The join accept brings 867.1 to 867.9.
          memory.channels = CHANNELS;
          say("+JOIN: Network joined");
          say(`+JOIN: NetID 000013 DevAddr 26:01:${withColons((0x10000 + given).toString(16).slice(1).toUpperCase())}`);
        }
        say("+JOIN: Done");
        parts.busy(false);
      });
    });
  }

  function send(name: string, hex: string, isConfirmed: boolean): void {
    if (parts.isBusy()) return void say(`+${name}: LoRaWAN modem is busy`);
    if (session === undefined) return void say(`+${name}: Please join network first`);
    if (hex.length % 2 === 1 || /[^0-9A-F]/.test(hex)) return void say(`+${name}: ERROR(-1)`);
    const payload = new Uint8Array(Buffer.from(hex, "hex"));
    const max = PAYLOAD_MAX[memory.dataRate] ?? 51;
    if (payload.length > max) return void say(`+${name}: Length error ${max}`);
    if (drawBand(false) === undefined) return void noBand(name);
    parts.busy(true);
    const { devEui, port, dataRate } = memory;
    const frame = { devEui, session, counter: counter++, port, payload, isConfirmed, dataRate };
    say(`+${name}: Start`);
    attempt(name, frame, isConfirmed ? memory.retry : 0);
  }

  function attempt(name: string, frame: RadioUplink, retries: number): void {
    const band = drawBand(false);
    if (band === undefined) {
      // A repetition waits for its band.
      later(Math.max(1, Math.min(freeAt.l, freeAt.m) - schedule.nowMs()), () => attempt(name, frame, retries));
      return;
    }
    if (frame.isConfirmed) say(`+${name}: Wait ACK`);
    const airMs = timeOnAirMs(frame.payload.length + OVERHEAD, frame.dataRate);
    transmit(band, airMs);
    later(airMs, () => {
      network.uplink(frame);
      later(RX_MS, () => {
        const down = network.window(frame);
        const rate = down?.window === 2 ? RX2_DATA_RATE : frame.dataRate;
        const heardMs = down === undefined ? 0 : timeOnAirMs(down.payload.length + OVERHEAD, rate);
        const secondMs = down === undefined || down.window === 2 ? RX_MS : 0;
        later(heardMs + secondMs + 200, () => {
          if (down === undefined && retries > 0) attempt(name, frame, retries - 1);
          else conclude(name, down);
        });
      });
    });
  }

  function conclude(name: string, down: RadioDownlink | undefined): void {
    if (down !== undefined) {
      if (down.more) say(`+${name}: FPENDING`);
      if (down.isAck) say(`+${name}: ACK Received`);
      if (down.port > 0) say(`+${name}: PORT: ${down.port}; RX: "${hexOf(down.payload)}"`);
      say(`+${name}: RXWIN${down.window}, RSSI ${down.rssi}, SNR ${down.snr.toFixed(1)}`);
    }
    say(`+${name}: Done`);
    parts.busy(false);
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
