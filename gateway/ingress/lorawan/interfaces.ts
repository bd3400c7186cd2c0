// What the parts of LoRaWAN ask of each other: base stations, the network server (ours or another), and what takes a device's
// payloads. Each is put together with the others in `wiring`, and can be tried without them.

/** EUI-64 as 16 hexadecimal digits in lower case, most significant byte first. */
export type Eui = string;

/** How one base station heard a frame. */
export interface Reception {
  readonly stationId: Eui;
  /** dBm. */
  readonly rssi: number;
  /** dB. */
  readonly snr: number;
}

/** A frame on the air as one base station heard it, its checksum right. */
export interface HeardFrame {
  readonly phy: Uint8Array;
  readonly frequencyHz: number;
  /** EU868, 0 (SF12) to 5 (SF7), all at 125 kHz (RP002 table 8). */
  readonly dataRate: number;
  readonly reception: Reception;
  /** The base station's own counter at the end of the frame, microseconds modulo 2^32. */
  readonly counterUs: number;
}

/** A downlink for one base station to send. */
export interface Transmission {
  readonly stationId: Eui;
  readonly phy: Uint8Array;
  readonly frequencyHz: number;
  readonly dataRate: number;
  /** dBm, effective radiated. */
  readonly powerDbm: number;
  /** When it begins, on the counter of that base station, microseconds modulo 2^32. */
  readonly counterUs: number;
}

/** As the base station said; `no-answer` when it said nothing in time, `not-connected` when none could be asked. */
export type TransmitOutcome =
  | "sent"
  | "too-late"
  | "too-early"
  | "collision"
  | "frequency"
  | "power"
  | "no-answer"
  | "not-connected"
  | "failed";

/** All base stations, however they are reached. */
export interface Radio {
  onHeard(listener: (frame: HeardFrame) => void): void;
  transmit(transmission: Transmission): Promise<TransmitOutcome>;
}

/** One payload of a device, deciphered and checked by its network, each counter once. */
export interface NetworkUplink {
  readonly network: "own" | "chirpstack" | "things-stack";
  readonly devEui: Eui;
  /** Tells sessions of one device apart: counters begin anew in each. */
  readonly session: string;
  /** FCntUp with all its 32 bits. */
  readonly counter: number;
  readonly port: number;
  readonly payload: Uint8Array;
  readonly dataRate: number;
  readonly receptions: readonly Reception[];
  /** When the network heard it, milliseconds since 1970 by its own clock; now when left out. */
  readonly atMs?: number;
}

/** What goes back to that device; in the windows of the uplink where the network can, else with a later one. */
export interface NetworkDownlink {
  readonly port: number;
  readonly payload: Uint8Array;
  /** It says the time now: worthless when it does not go out in the windows of this uplink. */
  readonly isTimely: boolean;
}

/** What takes payloads: resolves after the commit; rejects when the journal cannot take it, and nothing is answered then. */
export interface UplinkTaker {
  take(uplink: NetworkUplink): Promise<readonly NetworkDownlink[]>;
}
