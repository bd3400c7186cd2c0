// What the network server refuses or gives up, by name. Names are API: they stand in counts, logs and the README.
import type { Eui } from "../interfaces.ts";

export const REFUSALS = [
  "frame-too-short",
  "frame-too-long",
  "frame-version",
  "frame-type",
  "join-length",
  "options-length",
  "options-twice",
  "frequency",
  "data-rate",
  "unknown-address",
  "unknown-device",
  "device-disabled",
  "key-changed",
  "not-by-join",
  "join-eui",
  "bad-mic",
  "too-many-bad-mics",
  "too-many-joins",
  "nonce-used",
  "nonce-too-small",
  "nonces-full",
  "counter-replayed",
  "counter-reset",
  "repeated",
  "late-copy",
  "too-many-frames",
  "device-busy",
  "port-reserved",
  "mac-command-unknown",
  "mac-command-short",
  "not-kept",
  "not-taken",
  "downlink-too-late",
  "downlink-duty-cycle",
  "downlink-station-busy",
  "downlink-too-large",
  "downlink-not-sent",
  "queue-full",
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** What went well. */
export const SUCCESSES = ["uplink-taken", "join-accepted", "downlink-sent"] as const;
export type Counted = Refusal | (typeof SUCCESSES)[number];

export interface RefusalNote {
  readonly reason: Refusal;
  readonly devEui?: Eui | undefined;
  readonly devAddr?: string | undefined;
  /** The base station that heard it best. */
  readonly stationId?: Eui | undefined;
}

export interface Tally {
  count(what: Counted): void;
  refuse(note: RefusalNote): void;
  counts(): Readonly<Partial<Record<Counted, number>>>;
}

export function createTally(onRefusal: (note: RefusalNote) => void): Tally {
  const counts = new Map<Counted, number>();
  const count = (what: Counted) => void counts.set(what, (counts.get(what) ?? 0) + 1);
  return {
    count,
    refuse(note) {
      count(note.reason);
      onRefusal(note);
    },
    counts: () => Object.fromEntries(counts),
  };
}
