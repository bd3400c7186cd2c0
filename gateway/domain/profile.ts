// Norms as data: thresholds, delays and priorities, by name and version. National advice comes in 2027.
import type { Priority } from "../../protocol/index.ts";

export interface Threshold {
  readonly priority: Priority;
  /** Raised below `onH`, over again above `offH`. */
  readonly onH: number;
  readonly offH: number;
  readonly onDelayS: number;
}

export interface Delayed {
  readonly priority: Priority;
  readonly onDelayS: number;
}

export interface Profile {
  readonly name: string;
  readonly enduranceCritical: Threshold;
  readonly enduranceLow: Threshold;
  readonly cannotReach72h: Delayed;
  readonly powerLost: Delayed;
  readonly sensorBad: Delayed;
  /** Silent after so many intervals, while the path was up. */
  readonly silence: { readonly priority: Priority; readonly intervals: number; readonly graceS: number };
  /** How long a cleared condition must stay clear. */
  readonly offDelayS: number;
  /** A point's refused frames are over when none came for so long. */
  readonly refusalsQuietS: number;
}

export const CONCEPT_2026: Profile = {
  name: "concept-2026",
  enduranceCritical: { priority: 1, onH: 4, offH: 6, onDelayS: 600 },
  enduranceLow: { priority: 2, onH: 12, offH: 16, onDelayS: 1_800 },
  cannotReach72h: { priority: 3, onDelayS: 3_600 },
  powerLost: { priority: 1, onDelayS: 0 },
  sensorBad: { priority: 3, onDelayS: 300 },
  silence: { priority: 2, intervals: 3, graceS: 120 },
  offDelayS: 60,
  refusalsQuietS: 600,
};

export const PROFILES: readonly Profile[] = [CONCEPT_2026];
