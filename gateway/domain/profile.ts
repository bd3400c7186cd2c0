// Norms as data: thresholds, delays and priorities, by name and version. National advice comes in 2027.
import type { Static } from "typebox";
import type { Norms, Override, Priority, ProfileSchema, Rule } from "../../protocol/index.ts";
import { RULES_2026 } from "./alerts/concept-2026.ts";
import type { SilenceRule } from "./alerts/silence.ts";
import { NORMS_2026 } from "./norms.ts";

export interface Delayed {
  readonly priority: Priority;
  readonly onDelayS: number;
}

/** What the gateway says about itself: thresholds with hysteresis, and delays. */
export interface SelfProfile {
  /** Free below the larger of both; over again above `offFactor` times that. */
  readonly diskLow: Delayed & {
    readonly freeBytesMin: number;
    readonly freePctMin: number;
    readonly offFactor: number;
  };
  readonly journalRefusing: Delayed;
  readonly journalGap: { readonly priority: Priority };
  /** The oldest row that a sink has not taken, or their number. */
  readonly sinkBehind: Delayed & {
    readonly onAgeS: number;
    readonly offAgeS: number;
    readonly onRows: number;
    readonly offRows: number;
  };
  readonly sinkRefused: Delayed;
  readonly clockUntrusted: Delayed;
  /** A jump of more than `onS` is told of for `holdS`. */
  readonly clockJumped: Delayed & { readonly onS: number; readonly holdS: number };
  readonly upsOnBattery: Delayed;
  /** By the time left; by the charge where no time is known. */
  readonly upsLowBattery: Delayed & {
    readonly onRuntimeS: number;
    readonly offRuntimeS: number;
    readonly onChargePct: number;
    readonly offChargePct: number;
  };
  readonly upsUnreachable: Delayed;
  /** A network server of devices that does not answer. */
  readonly networkUnreachable: Delayed;
  readonly configRefused: Delayed;
  readonly historyFailing: Delayed;
  readonly copyFailing: Delayed;
  /** A way to people does not work. */
  readonly notifyDown: Delayed;
  /** A notice was given up. */
  readonly notifyUndelivered: Delayed;
  readonly offDelayS: number;
}

export interface Profile {
  readonly name: string;
  readonly norms: Norms;
  readonly gateway: SelfProfile;
  /** About points, as data. */
  readonly rules: readonly Rule[];
  /** In place of a rule at some points. */
  readonly overrides: readonly Override[];
  /** When a device counts as silent. */
  readonly silence: SilenceRule;
  /** Counting people, and when somebody has to count again. */
  readonly people: {
    /** Share of passages that a counter misses at random, and by which it is off always in one direction. */
    readonly missShare: number;
    readonly biasShare: number;
    /** Percent of the capacity that nobody believes. */
    readonly overPct: number;
    /** Too uncertain: more than both. */
    readonly driftPct: number;
    readonly driftMin: number;
    /** Counters differ by more than this and by more than their errors. */
    readonly apartMin: number;
    /** A count by hand every shift. */
    readonly shiftS: number;
    /** From this share of the capacity on, people are told where there is room, if there is so much of it. */
    readonly roomPct: number;
    readonly roomMin: number;
  };
  /** A running point that nobody has heard of for so long: with a device, and by word alone. */
  readonly lifecycle: { readonly unknownAfterS: number; readonly unknownToldAfterS: number };
  /** What a person told is old after so long. */
  readonly toldStaleS: number;
  /** A point's refused frames are over when none came for so long. */
  readonly refusalsQuietS: number;
}

export const CONCEPT_2026: Profile = {
  name: "concept-2026",
  norms: NORMS_2026,
  rules: RULES_2026,
  overrides: [],
  silence: { intervals: { mqtt: 3, lorawan: 4 }, graceS: 120 },
  people: {
    missShare: 0.03,
    biasShare: 0.03,
    overPct: 120,
    driftPct: 15,
    driftMin: 10,
    apartMin: 10,
    shiftS: 43_200,
    roomPct: 90,
    roomMin: 5,
  },
  lifecycle: { unknownAfterS: 3_600, unknownToldAfterS: 86_400 },
  toldStaleS: 43_200,
  refusalsQuietS: 600,
  gateway: {
    diskLow: { priority: 2, freeBytesMin: 512 * 1024 * 1024, freePctMin: 5, offFactor: 1.25, onDelayS: 30 },
    journalRefusing: { priority: 1, onDelayS: 5 },
    journalGap: { priority: 1 },
    sinkBehind: { priority: 3, onAgeS: 900, offAgeS: 120, onRows: 100_000, offRows: 10_000, onDelayS: 60 },
    sinkRefused: { priority: 3, onDelayS: 60 },
    clockUntrusted: { priority: 2, onDelayS: 30 },
    clockJumped: { priority: 3, onS: 60, holdS: 600, onDelayS: 0 },
    upsOnBattery: { priority: 2, onDelayS: 10 },
    upsLowBattery: {
      priority: 1,
      onRuntimeS: 1_800,
      offRuntimeS: 2_700,
      onChargePct: 30,
      offChargePct: 40,
      onDelayS: 0,
    },
    upsUnreachable: { priority: 3, onDelayS: 120 },
    networkUnreachable: { priority: 2, onDelayS: 120 },
    configRefused: { priority: 3, onDelayS: 0 },
    historyFailing: { priority: 3, onDelayS: 300 },
    copyFailing: { priority: 3, onDelayS: 900 },
    notifyDown: { priority: 2, onDelayS: 10 },
    notifyUndelivered: { priority: 2, onDelayS: 0 },
    offDelayS: 60,
  },
};

/** What people see of it. */
export function shownProfile({ name, norms, rules, overrides, silence }: Profile): Static<typeof ProfileSchema> {
  return { name, norms, rules: [...rules], overrides: [...overrides], silence };
}

export const PROFILES: readonly Profile[] = [CONCEPT_2026];
