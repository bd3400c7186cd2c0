// EU868 as far as it is served: eight channels at 125 kHz, data rates 0 to 5, class A (RP002-1.0.3 §2.4). Sub-bands and shares of time by
// EN 300 220-2 V3.2.1 table B.1.

export const CHANNELS_HZ: readonly number[] = [
  868_100_000, 868_300_000, 868_500_000, 867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000,
];
/** All channels beyond the three that every device knows (CFList type 0). */
export const CFLIST_HZ: readonly number[] = CHANNELS_HZ.slice(3);
export const RX2_HZ = 869_525_000;
/** Of a device that was told nothing. */
export const RX2_DEFAULT_RATE = 0;
export const RATE_MAX = 5;

/** Application bytes at most, with no options in the header: 222 of 242, so that a repeater has room. */
const PAYLOAD_MAX: readonly number[] = [51, 51, 51, 115, 222, 222];
/** What a demodulator needs, dB (SX1276 datasheet table 13). */
const SNR_FLOOR_DB: readonly number[] = [-20, -17.5, -15, -12.5, -10, -7.5];

export type SubBand = "L" | "M" | "P";

export const SUB_BANDS: Readonly<Record<SubBand, { readonly share: number; readonly powerDbm: number }>> = {
  /** 865 to 868 MHz. */
  L: { share: 0.01, powerDbm: 14 },
  /** 868.0 to 868.6 MHz. */
  M: { share: 0.01, powerDbm: 14 },
  /** 869.4 to 869.65 MHz, 500 mW. */
  P: { share: 0.1, powerDbm: 27 },
};

export function subBandOf(frequencyHz: number): SubBand {
  if (frequencyHz === RX2_HZ) return "P";
  return frequencyHz < 868_000_000 ? "L" : "M";
}

export function isDataRate(dataRate: number): boolean {
  return Number.isInteger(dataRate) && dataRate >= 0 && dataRate <= RATE_MAX;
}

export function payloadMax(dataRate: number): number {
  return PAYLOAD_MAX[dataRate] ?? 0;
}

export function snrFloorDb(dataRate: number): number {
  return SNR_FLOOR_DB[dataRate] ?? 0;
}

/** Milliseconds on the air of a whole frame (AN1200.13): explicit header, coding rate 4/5; a downlink has no checksum. */
export function airtimeMs(bytes: number, dataRate: number, direction: "up" | "down" = "down"): number {
  const sf = 12 - dataRate;
  const symbolMs = 2 ** sf / 125;
  const isSlow = sf >= 11;
  const bits = 8 * bytes - 4 * sf + 28 + (direction === "up" ? 16 : 0);
  const symbols = 8 + Math.max(Math.ceil(bits / (4 * (sf - (isSlow ? 2 : 0)))) * 5, 0);
  return (8 + 4.25 + symbols) * symbolMs;
}
