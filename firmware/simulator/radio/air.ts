// The air between devices and base stations: distance, noise, fading, chance, frames that meet on one channel and rate, and base stations that
// hear nothing while they send. Uplinks and downlinks have opposite polarity and do not hear each other.
import type { Random } from "../random.ts";
import type { Schedule } from "../schedule.ts";
import { type AirtimeLedger, createAirtimeLedger, timeOnAirMs } from "./airtime.ts";

/** 125 kHz of thermal noise, and a receiver that adds 6 dB. */
const NOISE_DBM = -117;
/** Least signal-to-noise ratio by data rate, 0 to 5 (SX1276 datasheet, table 13). */
const SNR_MIN = [-20, -17.5, -15, -12.5, -10, -7.5];
/** A frame that is so much stronger than what it meets survives (co-channel rejection, SX1276 datasheet, table 10). */
const CAPTURE_DB = 6;
const FADING_DB = 2;
/** Frames that a base station follows at once. */
const DEMODULATORS = 8;
/** A receive window opens so much early. */
const EARLY_MS = 10;
/** Longer than any frame: what has ended before can meet nothing. */
const KEEP_MS = 10_000;

export interface Emission {
  readonly sender: string;
  readonly isDown: boolean;
  readonly phy: Uint8Array;
  readonly frequencyHz: number;
  readonly dataRate: number;
  readonly powerDbm: number;
  readonly startMs: number;
  readonly endMs: number;
}

export interface Signal {
  /** dBm. */
  readonly rssi: number;
  /** dB. */
  readonly snr: number;
}

export interface StationEar {
  readonly id: string;
  /** It has power. */
  isOn(): boolean;
  heard(emission: Emission, signal: Signal): void;
}

export type Fate = "heard" | "weak" | "lost" | "collided" | "deaf" | "busy" | "off";

export interface AirSettings {
  /** Shares of frames that are lost by chance. */
  lossUp: number;
  lossDown: number;
}

export interface Air {
  readonly settings: AirSettings;
  readonly airtime: AirtimeLedger;
  /** What became of uplinks at base stations, of all of them. */
  readonly fates: Readonly<Record<Fate, number>>;
  addStation(ear: StationEar): void;
  /** Begins now; gives the milliseconds that it takes. */
  emit(frame: Omit<Emission, "startMs" | "endMs">): number;
  /** A device listens for so long from now on; called at the end of the frame that began in that time, or of the window. */
  listen(window: Window): void;
}

export interface Window {
  readonly listener: string;
  readonly frequencyHz: number;
  readonly dataRate: number;
  readonly forMs: number;
  done(heard: { readonly phy: Uint8Array; readonly signal: Signal } | undefined): void;
}

export interface AirOptions {
  readonly schedule: Schedule;
  readonly random: Random;
  /** Path loss between a device and a base station, dB. */
  lossDb(device: string, station: string): number;
}

export function createAir(options: AirOptions): Air {
  const { schedule, random } = options;
  const settings: AirSettings = { lossUp: 0, lossDown: 0 };
  const airtime = createAirtimeLedger();
  const fates: Record<Fate, number> = { heard: 0, weak: 0, lost: 0, collided: 0, deaf: 0, busy: 0, off: 0 };
  const stations: StationEar[] = [];
  let recent: Emission[] = [];

  function lossDb(emission: Emission, receiver: string): number {
    return emission.isDown ? options.lossDb(receiver, emission.sender) : options.lossDb(emission.sender, receiver);
  }

  function others(emission: Emission): Emission[] {
    return recent.filter((one) => one !== emission && one.startMs < emission.endMs && one.endMs > emission.startMs);
  }

  /** Another frame of the same channel, rate and polarity is nearly as strong here. */
  function isCovered(emission: Emission, receiver: string): boolean {
    const mine = emission.powerDbm - lossDb(emission, receiver);
    return others(emission).some((one) => {
      const meets =
        one.isDown === emission.isDown &&
        one.frequencyHz === emission.frequencyHz &&
        one.dataRate === emission.dataRate;
      return meets && one.powerDbm - lossDb(one, receiver) > mine - CAPTURE_DB;
    });
  }

  /** Those that have begun before and are being followed already. */
  function isBusy(emission: Emission): boolean {
    const before = others(emission).filter((one) => !one.isDown && one.startMs <= emission.startMs);
    return before.length >= DEMODULATORS;
  }

  function signalOf(emission: Emission, receiver: string): Signal {
    const rssi = emission.powerDbm - lossDb(emission, receiver) + random.normal(0, FADING_DB);
    // Above that a receiver tells no more apart.
    const snr = Math.min(12, rssi - NOISE_DBM);
    return { rssi: Math.round(rssi), snr: Math.round(snr * 4) / 4 };
  }

  function isTooWeak(emission: Emission, signal: Signal): boolean {
    return signal.snr < (SNR_MIN[emission.dataRate] as number);
  }

  function fateOf(emission: Emission, ear: StationEar, signal: Signal): Fate {
    if (!ear.isOn()) return "off";
    if (isTooWeak(emission, signal)) return "weak";
    if (others(emission).some((one) => one.sender === ear.id)) return "deaf";
    if (isBusy(emission)) return "busy";
    if (isCovered(emission, ear.id)) return "collided";
    return random.next() < settings.lossUp ? "lost" : "heard";
  }

  function arrive(emission: Emission): void {
    for (const ear of stations) {
      const signal = signalOf(emission, ear.id);
      const fate = fateOf(emission, ear, signal);
      fates[fate]++;
      if (fate === "heard") ear.heard(emission, signal);
    }
  }

  function emit(frame: Omit<Emission, "startMs" | "endMs">): number {
    const startMs = schedule.nowMs();
    const airMs = timeOnAirMs(frame.phy.length, frame.dataRate, frame.isDown ? "without" : "with");
    const emission = { ...frame, startMs, endMs: startMs + airMs };
    recent = recent.filter((one) => one.endMs > startMs - KEEP_MS);
    recent.push(emission);
    airtime.add(frame.sender, frame.frequencyHz, startMs, airMs);
    if (!frame.isDown) schedule.after(airMs, () => arrive(emission));
    return airMs;
  }

  function listen(window: Window): void {
    const fromMs = schedule.nowMs() - EARLY_MS;
    schedule.after(window.forMs, () => {
      const found = recent.find(
        (one) =>
          one.isDown &&
          one.startMs >= fromMs &&
          one.frequencyHz === window.frequencyHz &&
          one.dataRate === window.dataRate &&
          !isTooWeak(one, { rssi: 0, snr: one.powerDbm - lossDb(one, window.listener) - NOISE_DBM }),
      );
      if (found === undefined) {
        window.done(undefined);
        return;
      }
      schedule.after(found.endMs - schedule.nowMs(), () => {
        const signal = signalOf(found, window.listener);
        const isHeard =
          !isTooWeak(found, signal) && !isCovered(found, window.listener) && random.next() >= settings.lossDown;
        window.done(isHeard ? { phy: found.phy, signal } : undefined);
      });
    });
  }

  return { settings, airtime, fates, addStation: (ear) => void stations.push(ear), emit, listen };
}
