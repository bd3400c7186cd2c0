// When, where and through which base station a device listens after an uplink (LoRaWAN 1.0.2 §3.3; RP002-1.0.3 §2.4.7): in the first
// window on the frequency and rate of the uplink, in the second on 869.525 MHz. In order of preference, the base station that heard it
// best first.
import type { Eui } from "../interfaces.ts";
import type { Copy } from "./dedupe.ts";
import { payloadMax, RX2_DEFAULT_RATE, RX2_HZ, SUB_BANDS, snrFloorDb, subBandOf } from "./eu868.ts";

/** The most base stations that are tried for one downlink. */
const STATIONS_MAX = 4;
export const JOIN_DELAY_S = 5;
/** What a device has on the air, and so what its signal tells of the way back. */
const DEVICE_POWER_DBM = 14;
/** Of a signal above what its rate needs, as both ways fade on their own. */
const FADE_DB = 3;
/** A base station wants its orders 30 ms ahead, and a network lies between. */
export const LEAD_MS = 200;

export interface Window {
  readonly name: "rx1" | "rx2";
  readonly stationId: Eui;
  readonly frequencyHz: number;
  readonly dataRate: number;
  readonly powerDbm: number;
  readonly counterUs: number;
  /** The same moment on the monotonic clock. */
  readonly startMs: number;
  /** The last moment to order it, on the monotonic clock. */
  readonly untilMs: number;
  readonly payloadMax: number;
}

export interface WindowSettings {
  readonly rxDelayS: number;
  readonly rx2DataRate: number;
}

function windowOf(copy: Copy, name: Window["name"], { rxDelayS, rx2DataRate }: WindowSettings): Window {
  const isFirst = name === "rx1";
  const frequencyHz = isFirst ? copy.frequencyHz : RX2_HZ;
  const dataRate = isFirst ? copy.dataRate : rx2DataRate;
  const delayS = rxDelayS + (isFirst ? 0 : 1);
  return {
    name,
    stationId: copy.reception.stationId,
    frequencyHz,
    dataRate,
    powerDbm: SUB_BANDS[subBandOf(frequencyHz)].powerDbm,
    counterUs: (copy.counterUs + delayS * 1_000_000) % 2 ** 32,
    startMs: copy.heardMs + delayS * 1000,
    untilMs: copy.heardMs + delayS * 1000 - LEAD_MS,
    payloadMax: payloadMax(dataRate),
  };
}

/**
 * The second window comes first where it is shorter on the air, which leaves the base station less deaf and more of the 1 % bands, and its
 * 27 dBm reach at least as far by what the uplink tells.
 */
function isSecondBetter({ dataRate, reception }: Copy, { rx2DataRate }: WindowSettings): boolean {
  const atDevice = reception.snr + SUB_BANDS.P.powerDbm - DEVICE_POWER_DBM;
  return rx2DataRate > dataRate && atDevice >= snrFloorDb(rx2DataRate) + FADE_DB;
}

export function windowsOf(copies: readonly Copy[], settings: WindowSettings): readonly Window[] {
  return copies.slice(0, STATIONS_MAX).flatMap((copy) => {
    const [first, second] = [windowOf(copy, "rx1", settings), windowOf(copy, "rx2", settings)];
    return isSecondBetter(copy, settings) ? [second, first] : [first, second];
  });
}

/** After a join-request, when the device knows nothing yet. */
export const JOIN_SETTINGS: WindowSettings = { rxDelayS: JOIN_DELAY_S, rx2DataRate: RX2_DEFAULT_RATE };
