// Time on air and the sub-bands of EU868, by the book: written apart from the firmware's and the gateway's figures, which it checks.

/** Milliseconds (Semtech AN1200.13): coding rate 4/5, 125 kHz, explicit header, eight symbols of preamble. Downlinks have no checksum. */
export function timeOnAirMs(physicalBytes: number, dataRate: number, checksum: "with" | "without" = "with"): number {
  const spreading = 12 - dataRate;
  const symbolMs = 2 ** spreading / 125;
  const optimised = spreading >= 11 ? 1 : 0;
  const bits = 8 * physicalBytes - 4 * spreading + 28 + (checksum === "with" ? 16 : 0);
  const blocks = Math.ceil(bits / (4 * (spreading - 2 * optimised)));
  return (8 + 4.25 + 8 + Math.max(blocks * 5, 0)) * symbolMs;
}

/** `l` 865–868 MHz and `m` 868.0–868.6 MHz: 1 %. `p` 869.4–869.65 MHz: 10 % (EN 300 220-2). */
export type SubBand = "l" | "m" | "p" | "other";

/** Share of an hour. */
export const DUTY_MAX: Readonly<Record<SubBand, number>> = { l: 0.01, m: 0.01, p: 0.1, other: 0.001 };

export function subBandOf(frequencyHz: number): SubBand {
  const mhz = frequencyHz / 1e6;
  if (mhz >= 865 && mhz < 868) return "l";
  if (mhz >= 868 && mhz <= 868.6) return "m";
  return mhz >= 869.4 && mhz <= 869.65 ? "p" : "other";
}

const HOUR_MS = 3_600_000;

export interface AirtimeLedger {
  add(sender: string, frequencyHz: number, startMs: number, airMs: number): void;
  /** The largest share of any hour that a sender was on the air in a sub-band, by senders whose names begin so. */
  busiest(prefix: string): Partial<Record<SubBand, number>>;
  totalMs(sender: string): number;
}

/** Keeps of each sender and sub-band the last hour, and the fullest hour that there was. */
export function createAirtimeLedger(): AirtimeLedger {
  const rows = new Map<string, { recent: [number, number][]; sumMs: number; mostMs: number; totalMs: number }>();
  const key = (sender: string, band: SubBand) => `${sender} ${band}`;
  return {
    add: (sender, frequencyHz, startMs, airMs) => {
      const at = key(sender, subBandOf(frequencyHz));
      const row = rows.get(at) ?? { recent: [], sumMs: 0, mostMs: 0, totalMs: 0 };
      rows.set(at, row);
      row.recent.push([startMs, airMs]);
      row.sumMs += airMs;
      row.totalMs += airMs;
      while ((row.recent[0]?.[0] ?? startMs) < startMs + airMs - HOUR_MS) row.sumMs -= row.recent.shift()?.[1] ?? 0;
      row.mostMs = Math.max(row.mostMs, row.sumMs);
    },
    busiest: (prefix) => {
      const found: Partial<Record<SubBand, number>> = {};
      for (const [name, { mostMs }] of rows) {
        if (!name.startsWith(prefix)) continue;
        const band = name.slice(name.lastIndexOf(" ") + 1) as SubBand;
        found[band] = Math.max(found[band] ?? 0, mostMs / HOUR_MS);
      }
      return found;
    },
    totalMs: (sender) => {
      const bands: readonly SubBand[] = ["l", "m", "p", "other"];
      return bands.reduce((sum, band) => sum + (rows.get(key(sender, band))?.totalMs ?? 0), 0);
    },
  };
}
