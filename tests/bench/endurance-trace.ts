// Points that others recorded: a CSV of samples, and a JSON beside it with what the registry would say and when each was
// truly empty. tests/README.md has the form.
import { readFileSync } from "node:fs";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import { FIRST_CYCLE_BASE } from "../../gateway/domain/sequence.ts";
import { BatterySchema, encodeReport, GENERATOR_STATES, GeneratorSchema, REASONS } from "../../protocol/index.ts";
import { FlagError } from "../command.ts";
import { POINT } from "../engine-fixtures.ts";
import type { Arrival } from "./endurance-engine.ts";
import { type Feed, HOUR_MS } from "./endurance-feed.ts";

const DAY_MS = 86_400_000;
const ROWS_MAX = 5_000_000;
const COLUMNS = [
  "point",
  "time",
  "received",
  "fuel_pct",
  "generator",
  "mains",
  "load_kw",
  "battery_v",
  "battery_a",
  "soc_pct",
] as const;
type Column = (typeof COLUMNS)[number];

const FactsSchema = Type.Object(
  {
    points: Type.Record(
      Type.String(),
      Type.Object(
        {
          outageAt: Type.String(),
          emptyAt: Type.String(),
          intervalS: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
          deliveredAt: Type.Optional(Type.Array(Type.String())),
          generator: Type.Optional(GeneratorSchema),
          battery: Type.Optional(BatterySchema),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
type Facts = Static<typeof FactsSchema>["points"][string];

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new FlagError(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}

function instantOf(text: string | undefined, where: string): number {
  const ms = Date.parse(text ?? "");
  if (Number.isNaN(ms)) throw new FlagError(`${where}: ${text} is no instant; write 2027-01-01T00:00:00Z`);
  return ms;
}

function factsOf(path: string): Readonly<Record<string, Facts>> {
  let read: unknown;
  try {
    read = JSON.parse(textOf(path));
  } catch (error) {
    if (error instanceof FlagError) throw error;
    throw new FlagError(`${path} is no JSON: ${(error as Error).message}`);
  }
  const wrong = Value.Errors(FactsSchema, read)[0];
  if (wrong !== undefined) throw new FlagError(`${path}: ${wrong.instancePath || "/"} ${wrong.message}`);
  return (read as Static<typeof FactsSchema>).points;
}

type Cells = Readonly<Record<Column, string>>;

function quantity(cells: Cells, column: Column, where: string): number | (typeof REASONS)[number] {
  const text = cells[column];
  if (text === "") return "absent";
  const reason = REASONS.find((one) => one === text);
  if (reason !== undefined) return reason;
  const value = Number(text);
  if (!Number.isFinite(value))
    throw new FlagError(`${where}: ${column} is a number, ${REASONS.join(", ")} or empty, not ${text}`);
  return value;
}

function word(cells: Cells, column: Column, words: readonly string[], where: string): string {
  const text = cells[column] || "absent";
  if (!words.includes(text)) throw new FlagError(`${where}: ${column} is ${words.join(", ")} or empty, not ${text}`);
  return text;
}

function arrivalOf(cells: Cells, number: number, shiftMs: number, where: string): Arrival {
  const timeMs = instantOf(cells.time, where) + shiftMs;
  const receivedMs = cells.received === "" ? timeMs : instantOf(cells.received, where) + shiftMs;
  const battery = {
    batteryV: quantity(cells, "battery_v", where),
    batteryA: quantity(cells, "battery_a", where),
    stateOfChargePct: quantity(cells, "soc_pct", where),
  };
  const frame = encodeReport({
    sequence: number & 0xffff,
    time: Math.round(timeMs / 1000),
    flags: { clockSynced: true },
    phase: "open",
    power: {
      fuelLevelPct: quantity(cells, "fuel_pct", where),
      generator: word(cells, "generator", [...GENERATOR_STATES, "absent", "unknown"], where),
      mains: word(cells, "mains", ["present", "lost", "absent", "unknown"], where),
      loadKw: quantity(cells, "load_kw", where),
      starterBatteryV: "absent",
    },
    ...(Object.values(battery).every((one) => one === "absent") ? {} : { battery }),
  });
  const beside = { sequence: FIRST_CYCLE_BASE + number, timeQuality: "synced", link: "mqtt" } as const;
  return { deviceId: `${cells.point}-d1`, receivedMs, timeMs, frame, ...beside };
}

function feedFrom(pointId: string, facts: Facts, arrivals: readonly Arrival[], shiftMs: number): Feed {
  const startMs = instantOf(facts.outageAt, `${pointId}: outageAt`) + shiftMs;
  const hoursOf = (text: string, name: string) =>
    (instantOf(text, `${pointId}: ${name}`) + shiftMs - startMs) / HOUR_MS;
  const emptyH = hoursOf(facts.emptyAt, "emptyAt");
  if (!(emptyH > 0)) throw new FlagError(`${pointId}: emptyAt is not after outageAt`);
  const lastBroughtH = Math.max(0, ...(facts.deliveredAt ?? []).map((at) => hoursOf(at, "deliveredAt")));
  const ordered = [...arrivals].sort((a, b) => a.receivedMs - b.receivedMs);
  const gaps = ordered.slice(1).map((one, i) => one.timeMs - (ordered[i]?.timeMs ?? 0));
  const usualMs = gaps.sort((a, b) => a - b)[gaps.length >> 1] ?? 60_000;
  const firstMs = Math.min(...ordered.map((one) => one.receivedMs));
  const before = Math.max(0, Math.ceil(((startMs - firstMs) / HOUR_MS) * 2) / 2);
  let next = 0;
  return {
    view: { ...POINT, pointId, name: pointId, generator: facts.generator, battery: facts.battery },
    hasDevice: true,
    intervalS: facts.intervalS ?? Math.max(1, Math.round(usualMs / 1000)),
    classes: [facts.generator === undefined ? "battery" : facts.battery === undefined ? "set" : "set-and-battery"],
    startMs,
    fromH: -before,
    toH: emptyH,
    emptyH: (hour) => (hour < lastBroughtH ? undefined : emptyH),
    until(hour) {
      const from = next;
      while ((ordered[next]?.receivedMs ?? Number.POSITIVE_INFINITY) <= startMs + hour * HOUR_MS) next++;
      return ordered.slice(from, next);
    },
  };
}

/** Each point's outage is moved to this day by whole days: the hour of the clock matters. Throws what a user can mend. */
export function readTrace(path: string, midnightMs: number): Feed[] {
  const facts = factsOf(`${path.replace(/\.csv$/, "")}.json`);
  const [head = "", ...lines] = textOf(path).split(/\r?\n/);
  if (lines.length > ROWS_MAX) throw new FlagError(`${path} has ${lines.length} rows, at most ${ROWS_MAX}`);
  const names = head.split(",");
  const unknown = names.find((name) => !COLUMNS.includes(name as Column));
  if (unknown !== undefined)
    throw new FlagError(`${path}: there is no column ${unknown}; there are ${COLUMNS.join(", ")}`);
  for (const name of ["point", "time"])
    if (!names.includes(name)) throw new FlagError(`${path}: the column ${name} is missing`);
  const byPoint = new Map<string, Arrival[]>();
  const shifts = new Map(
    Object.entries(facts).map(([id, one]) => {
      const days = Math.ceil((midnightMs - instantOf(one.outageAt, `${id}: outageAt`)) / DAY_MS);
      return [id, days * DAY_MS];
    }),
  );
  for (const [i, line] of lines.entries()) {
    if (line === "") continue;
    const where = `${path}, row ${i + 2}`;
    const parts = line.split(",");
    const cells = Object.fromEntries(COLUMNS.map((name) => [name, parts[names.indexOf(name)] ?? ""])) as Cells;
    const shiftMs = shifts.get(cells.point);
    if (shiftMs === undefined)
      throw new FlagError(`${where}: nothing is said of point ${cells.point} in the JSON beside it`);
    const known = byPoint.get(cells.point) ?? [];
    byPoint.set(cells.point, known);
    known.push(arrivalOf(cells, known.length + 1, shiftMs, where));
  }
  return [...byPoint].map(([id, arrivals]) => {
    return feedFrom(id, facts[id] as Facts, arrivals, shifts.get(id) ?? 0);
  });
}
