// What people have told of a point, kept beside what its devices measure: the newest statement about each quantity.
import type { Entry, Statement, Told } from "../../../protocol/index.ts";

export interface ToldReading extends Told {
  readonly value: number | string;
  readonly atMs: number;
}

export interface ToldModel {
  /** By the names of readings: `power.mains`. */
  readonly readings: Readonly<Record<string, ToldReading>>;
  /** The newest statement about the point itself. A note is none. */
  readonly lastMs: number | undefined;
}

export const NOTHING_TOLD: ToldModel = { readings: {}, lastMs: undefined };

export function toldBy({ by, via }: Entry): Told {
  return { by, via };
}

/** The readings that a statement gives. Fuel, people and phase have rules of their own. */
export function readingsTold(statement: Statement): readonly (readonly [name: string, value: number | string])[] {
  switch (statement.kind) {
    case "power": {
      const { mains, generator, loadKw, stateOfChargePct } = statement;
      return given([
        ["power.mains", mains],
        ["power.generator", generator],
        ["power.loadKw", loadKw],
        ["battery.stateOfChargePct", stateOfChargePct],
      ]);
    }
    case "supplies": {
      const { kind: _, ...scores } = statement;
      return given(Object.entries(scores).map(([name, score]) => [`supplies.${name}`, score] as const));
    }
    case "count":
      return [["occupancy.occupancy", statement.people]];
    case "phase":
    case "dip":
    case "delivery":
    case "no-delivery":
    case "note":
      return [];
  }
}

function given(pairs: readonly (readonly [string, number | string | undefined])[]) {
  return pairs.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

/** A later statement about a quantity stands in place of an earlier one, whatever came in first. */
export function withToldReading(told: ToldModel, name: string, reading: ToldReading): ToldModel {
  const before = told.readings[name];
  if (before !== undefined && before.atMs > reading.atMs) return told;
  return { ...told, readings: { ...told.readings, [name]: reading } };
}

/** When power or fuel was last told of: what the point's power can be judged by. */
export function toldPowerMs({ readings }: ToldModel, dips: readonly { readonly atMs: number }[]): number | undefined {
  const moments = Object.entries(readings).flatMap(([name, { atMs }]) => {
    return name.startsWith("power.") || name.startsWith("battery.") ? [atMs] : [];
  });
  const all = [...moments, ...dips.slice(-1).map((one) => one.atMs)];
  return all.length === 0 ? undefined : Math.max(...all);
}
