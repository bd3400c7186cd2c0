// Airtime in the EU868 band: what a frame takes, and how much of it the rules leave. Sub-bands L (865..868 MHz, five of our
// channels) and M (868.0..868.6 MHz, the three join channels) allow 1 % each. The modem draws the channel and does not say
// which, so the fuller of the two is kept here: L gets five frames in eight. The modem's own limit stays on behind it. Pure.

/** 1 % of an hour, in milliseconds. */
export const BUDGET_MS = 36000;
/** What falls on sub-band L. */
const SHARE = 0.625;

/**
 * Milliseconds on air of so many bytes of payload: 13 bytes around it, explicit header, coding rate 4/5, 125 kHz
 * (Semtech AN1200.13).
 */
export function airtimeMs(bytes: number, dataRate: number): number {
  const spreading = 12 - dataRate;
  const symbols = Math.ceil((8 * bytes + 148 - 4 * spreading) / (4 * spreading - (dataRate < 2 ? 8 : 0)));
  return ((symbols * 5 + 20.25) * (1 << spreading)) / 125;
}

/** Largest payload of a data rate. */
export function payloadMax(dataRate: number): number {
  return dataRate < 3 ? 51 : dataRate < 4 ? 115 : 222;
}

/** Seconds until the airtime of so many bytes has come back, when nothing else is sent. */
export function costS(bytes: number, dataRate: number): number {
  return (airtimeMs(bytes, dataRate) * SHARE) / 10;
}

/** What is left of the budget after so many seconds, in which it came back evenly, and so much airtime. */
export function leftAfter(leftMs: number, passedS: number, onAirMs: number): number {
  return Math.min(BUDGET_MS, leftMs + passedS * 10) - onAirMs * SHARE;
}
