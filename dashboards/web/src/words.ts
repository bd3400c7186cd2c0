// What codes are called, who says something, and what was told, in words.
import type { Phase, PointState, Reading, Statement, Told } from "../../../protocol/schema/index.ts";
import { type Format, hoursText } from "./format.ts";
import { nl, type TextKey } from "./nl.ts";

const HOUR_MS = 3_600_000;

/** The text of a code, or the code itself where it has none. */
export function coded(format: Format, prefix: string, code: string): string {
  const key = `${prefix}-${code}`;
  return key in nl ? format.text(key as TextKey) : code;
}

export function phaseWord(phase: string, format: Format): string {
  return coded(format, "phase", phase === "absent" ? "unknown" : phase);
}

/** What usually follows; the first is the likeliest. Anything else is under 'another phase'. */
const NEXT: Readonly<Record<Phase, readonly Phase[]>> = {
  standby: ["opening", "out-of-service"],
  opening: ["open", "closing"],
  open: ["limited", "full", "closing"],
  limited: ["open", "full", "closing"],
  full: ["open", "limited", "closing"],
  closing: ["closed", "open"],
  closed: ["standby", "opening"],
  "out-of-service": ["standby"],
};
export const PHASES = Object.keys(NEXT) as readonly Phase[];

export function nextPhases(phase: string): readonly Phase[] {
  return NEXT[phase as Phase] ?? ["opening", "open", "closed"];
}

export interface Source {
  readonly deviceId?: string | undefined;
  readonly told?: Told | undefined;
}

export function sourceWord({ told, deviceId }: Source, format: Format): string {
  if (told !== undefined) return format.text("byPerson", { by: told.by, via: coded(format, "via", told.via) });
  return deviceId === undefined ? format.text("bySensors") : format.text("bySensor", { id: deviceId });
}

/** The newest that people told of a point, in ms. */
export function lastToldMs(point: PointState): number | undefined {
  const times = [
    ...(point.occupancy?.told === undefined ? [] : [point.occupancy.at]),
    ...(point.fuel?.told === undefined ? [] : [point.fuel.at]),
    ...(point.phaseSince?.told === undefined ? [] : [point.phaseSince.at]),
    ...point.readings.flatMap((reading) => (reading.told === undefined ? [] : [reading.at])),
  ].map((at) => Date.parse(at));
  return times.length === 0 ? undefined : Math.max(...times);
}

/** The width around the expected moment: `±51 min`, `±3 u`, or `−1:10/+3 u` where one side is much wider. */
export function marginText(lowH: number, highH: number, hourUnit: string): string {
  const [low, high] = [Math.max(0, lowH), Math.max(0, highH)];
  if (Math.max(low, high) < 1) return `±${Math.round((low + high) * 30)} min`;
  const short = (hours: number) => (hours < 10 ? hoursText(hours).replace(/:00$/, "") : String(Math.round(hours)));
  const isEven = Math.max(low, high) <= 1.5 * Math.min(low, high) + 0.25;
  return `${isEven ? `±${short((low + high) / 2)}` : `−${short(low)}/+${short(high)}`} ${hourUnit}`;
}

/** When it is expected to be empty, as one says it over the radio. */
export function emptyWords(point: PointState, nowMs: number, format: Format): string {
  const { endurance } = point;
  if (endurance.kind === "none") return "";
  const at = Date.parse(endurance.emptyAt);
  const low = (at - Date.parse(endurance.emptyEarliestAt)) / HOUR_MS;
  const high = (Date.parse(endurance.emptyLatestAt) - at) / HOUR_MS;
  return format.text("emptyAt", {
    time: format.farMoment(at, nowMs),
    margin: marginText(low, high, format.text("hourUnit")),
  });
}

const UNITS: Readonly<Record<string, string>> = { Pct: " %", Kw: " kW", V: " V", A: " A", C: " °C" };

export function readingWord({ name, value }: Pick<Reading, "name" | "value">, format: Format): string {
  if (typeof value === "string") return name === "phase" ? phaseWord(value, format) : coded(format, "word", value);
  if (name.startsWith("supplies.")) return format.text("scoreOf", { n: format.whole(value) });
  const unit = /(Pct|Kw|V|A|C)$/.exec(name)?.[1] ?? "";
  return `${format.decimal(value)}${UNITS[unit] ?? ""}`;
}

export function readingName(name: string, format: Format): string {
  const [group, field = ""] = name.split(".");
  return group === "supplies" ? coded(format, "supply", field) : coded(format, "reading", name);
}

/** A statement in one line, as it is read back over the radio. */
export function saidWords(statement: Statement, format: Format): string {
  switch (statement.kind) {
    case "phase":
      return phaseWord(statement.phase, format);
    case "count":
      return format.text("said-people", { n: format.whole(statement.people) });
    case "dip":
      return statement.litres === undefined
        ? format.text("said-dip-mm", { n: format.decimal(statement.mm ?? 0) })
        : format.text("said-dip-litres", { n: format.decimal(statement.litres) });
    case "delivery":
      return format.text("said-delivery", { n: format.decimal(statement.litres) });
    case "no-delivery":
      return format.text("said-no-delivery");
    case "note":
      return statement.text;
    case "power":
      return powerWords(statement, format);
    case "supplies":
      return Object.entries(statement)
        .flatMap(([name, score]) => (typeof score === "number" ? [`${coded(format, "supply", name)} ${score}`] : []))
        .join(", ");
  }
}

function powerWords(statement: Extract<Statement, { kind: "power" }>, format: Format): string {
  const { mains, generator, loadKw, stateOfChargePct } = statement;
  const parts = [
    mains === undefined ? "" : format.text("said-mains", { word: coded(format, "word", mains) }),
    generator === undefined ? "" : format.text("said-generator", { word: coded(format, "word", generator) }),
    loadKw === undefined ? "" : format.text("said-load", { n: format.decimal(loadKw) }),
    stateOfChargePct === undefined ? "" : format.text("said-charge", { n: format.decimal(stateOfChargePct) }),
  ];
  return parts.filter((part) => part !== "").join(", ");
}
