// A scenario: points, what they stand on, and what happens to them. Times are hours since the outage began.
import { readFileSync } from "node:fs";

export interface ScenarioPoint {
  readonly pointId: string;
  readonly capacity: number;
  readonly generator?: {
    readonly ratedKw: number;
    readonly tankL: number;
    /** Litres in the tank when the mains failed. */
    readonly litres: number;
    /** Electrical load in kW while open, people apart. */
    readonly loadKw: number;
  };
  readonly battery?: {
    readonly kWh: number;
    readonly volts: number;
    readonly startPct: number;
    readonly loadKw: number;
  };
  /** Share of the capacity that comes at the busiest time. */
  readonly crowd: number;
  readonly faults?: readonly {
    readonly kind: "fuel-probe-open" | "silent" | "battery-line-cut" | "beam-blocked";
    /** Hours since the outage began, or minutes since it went live. */
    readonly atH?: number;
    readonly liveMin?: number;
  }[];
}

export interface Scenario {
  readonly points: readonly ScenarioPoint[];
}

/** Reads a scenario file; throws an Error that says what is wrong. */
export function readScenario(path: string): Scenario {
  const value: unknown = JSON.parse(readFileSync(path, "utf8"));
  const points = (value as Partial<Scenario>).points;
  if (!Array.isArray(points)) throw new Error(`${path}: a scenario has a list "points"`);
  points.forEach((point: Partial<ScenarioPoint>, i) => {
    if (typeof point.pointId !== "string") throw new Error(`${path}: points/${i} misses pointId`);
    if (typeof point.capacity !== "number") throw new Error(`${path}: points/${i} (${point.pointId}) misses capacity`);
  });
  return value as Scenario;
}
