// What stands in the form, and what it says: an entry for the gateway, or every fault with its field.
import type { Entry, NewEntry, Phase, Statement } from "../../../protocol/schema/index.ts";
import { readMoment } from "./local-moment.ts";
import type { TextKey } from "./nl.ts";
import type { What } from "./route.ts";

export const SUPPLIES = [
  "communications",
  "power",
  "food",
  "water",
  "warmth",
  "shelter",
  "sanitation",
  "medical",
  "safety",
] as const;
export type SupplyName = (typeof SUPPLIES)[number];
export const VIAS = ["voice", "runner", "visit", "screen"] as const satisfies readonly Entry["via"][];
export const MAINS = ["present", "lost"] as const;
export const GENERATORS = ["running", "stopped", "failed", "none"] as const;

export const PEOPLE_MAX = 2039;
export const NOTE_MAX = 280;
const MM_MAX = 10_000;
const LITRES_MAX = 100_000;
const KW_MAX = 5_000;
/** The choice of a delivery that the sensor did not see. */
export const NEW_DELIVERY = "new";

/** As typed: nothing is read before it is sent. */
export interface Draft {
  readonly pointText: string;
  readonly pointId?: string | undefined;
  readonly via: Entry["via"] | "";
  readonly what: What | "";
  readonly time: string;
  readonly phase: Phase | "";
  readonly people: string;
  readonly dipLitres: string;
  readonly dipMm: string;
  readonly litres: string;
  /** A detected delivery's id, or NEW_DELIVERY. */
  readonly delivery: string;
  readonly mains: string;
  readonly generator: string;
  readonly loadKw: string;
  readonly charge: string;
  readonly scores: Readonly<Partial<Record<SupplyName, string>>>;
  readonly note: string;
}

export const EMPTY_DRAFT: Draft = {
  pointText: "",
  via: "",
  what: "",
  time: "",
  phase: "",
  people: "",
  dipLitres: "",
  dipMm: "",
  litres: "",
  delivery: "",
  mains: "",
  generator: "",
  loadKw: "",
  charge: "",
  scores: {},
  note: "",
};

/** Who told it, of what point, stays for what that point tells next. */
export function nextDraft({ pointText, pointId, via, time }: Draft): Draft {
  return { ...EMPTY_DRAFT, pointText, pointId, via, time };
}

export interface Fault {
  /** The id of the field's input in the form. */
  readonly field: string;
  readonly text: TextKey;
  /** `ms` is shown as the moment that it is. */
  readonly values?: Readonly<Record<string, number>>;
}

export type Checked =
  | { readonly kind: "entry"; readonly pointId: string; readonly entry: NewEntry }
  | { readonly kind: "faults"; readonly faults: readonly Fault[] };

/** A number with comma or point; undefined when empty, NaN when it is none. A point before three figures could be either. */
export function readNumber(text: string): number | undefined {
  const tidy = text.trim();
  if (tidy === "") return undefined;
  return /^\d{1,7}(?:[.,]\d{1,2})?$/.test(tidy) ? Number(tidy.replace(",", ".")) : Number.NaN;
}

class Reader {
  readonly faults: Fault[] = [];

  fault(field: string, text: TextKey, values?: Fault["values"]): undefined {
    this.faults.push({ field, text, ...(values === undefined ? {} : { values }) });
    return undefined;
  }

  number(field: string, text: string, high: number): number | undefined {
    const value = readNumber(text);
    if (value === undefined || (value >= 0 && value <= high)) return value;
    return this.fault(field, "faultNumber", { low: 0, high });
  }
}

export interface Context {
  /** The moment that counts as now: it stays the same when a form is sent again. */
  readonly nowMs: number;
  readonly entryId: string;
  /** Deliveries that the sensor saw at the point, not yet confirmed. */
  readonly detected: readonly string[];
}

export function checkDraft(draft: Draft, context: Context): Checked {
  const reader = new Reader();
  const { pointId, via } = draft;
  if (pointId === undefined) reader.fault("point", "faultPoint");
  if (via === "") reader.fault("via-voice", "faultVia");
  if (draft.what === "") reader.fault("what-phase", "faultWhat");
  const statement = draft.what === "" ? undefined : statementOf(draft, draft.what, context, reader);
  const atMs = timeOf(draft, context, reader);
  const note = draft.what === "note" ? "" : noteOf(draft, reader);
  if (reader.faults.length > 0 || pointId === undefined || via === "" || statement === undefined)
    return { kind: "faults", faults: reader.faults };
  const at = new Date(Math.floor(atMs / 1000) * 1000).toISOString();
  const entry = { at, via, entryId: context.entryId, statement, ...(note === "" ? {} : { note }) };
  return { kind: "entry", pointId, entry };
}

function timeOf({ time }: Draft, { nowMs }: Context, reader: Reader): number {
  if (time.trim() === "") return nowMs;
  const read = readMoment(time, nowMs);
  if (read.kind === "moment") return read.ms;
  if (read.kind === "ahead") reader.fault("time", "faultTimeAhead", { ms: read.dayBeforeMs });
  else reader.fault("time", "faultTime");
  return nowMs;
}

function noteOf({ note }: Draft, reader: Reader): string {
  const tidy = note.trim();
  if (tidy.length > NOTE_MAX) reader.fault("note", "faultNoteLong", { n: tidy.length - NOTE_MAX });
  return tidy;
}

function statementOf(draft: Draft, what: What, context: Context, reader: Reader): Statement | undefined {
  switch (what) {
    case "phase":
      return draft.phase === "" ? reader.fault("phase-standby", "faultPhase") : { kind: "phase", phase: draft.phase };
    case "count": {
      const people = readNumber(draft.people);
      const isGood = people !== undefined && Number.isInteger(people) && people <= PEOPLE_MAX;
      return isGood ? { kind: "count", people } : reader.fault("people", "faultPeople");
    }
    case "dip":
      return dipOf(draft, reader);
    case "delivery":
      return deliveryOf(draft, context, reader);
    case "power":
      return powerOf(draft, reader);
    case "supplies":
      return suppliesOf(draft, reader);
    case "note": {
      const text = noteOf(draft, reader);
      return text === "" ? reader.fault("note", "faultNote") : { kind: "note", text };
    }
  }
}

function dipOf(draft: Draft, reader: Reader): Statement | undefined {
  const litres = reader.number("dip-litres", draft.dipLitres, LITRES_MAX);
  const mm = reader.number("dip-mm", draft.dipMm, MM_MAX);
  if (draft.dipLitres.trim() !== "" && draft.dipMm.trim() !== "") return reader.fault("dip-litres", "faultDipBoth");
  if (litres !== undefined) return { kind: "dip", litres };
  if (mm !== undefined) return { kind: "dip", mm };
  return reader.faults.some(({ field }) => field.startsWith("dip-"))
    ? undefined
    : reader.fault("dip-litres", "faultDip");
}

function deliveryOf(draft: Draft, { detected }: Context, reader: Reader): Statement | undefined {
  const litres = readNumber(draft.litres);
  const isGood = litres !== undefined && litres > 0 && litres <= LITRES_MAX;
  if (!isGood) reader.fault("litres", "faultLitres");
  const isOpen = detected.length > 0;
  const deliveryId = isOpen && detected.includes(draft.delivery) ? draft.delivery : undefined;
  if (isOpen && deliveryId === undefined && draft.delivery !== NEW_DELIVERY)
    reader.fault(`delivery-${detected[0]}`, "faultDelivery");
  return isGood ? { kind: "delivery", litres, ...(deliveryId === undefined ? {} : { deliveryId }) } : undefined;
}

function powerOf(draft: Draft, reader: Reader): Statement | undefined {
  const mains = MAINS.find((one) => one === draft.mains);
  const generator = GENERATORS.find((one) => one === draft.generator);
  const loadKw = reader.number("load", draft.loadKw, KW_MAX);
  const stateOfChargePct = reader.number("charge", draft.charge, 100);
  const said = {
    ...(mains === undefined ? {} : { mains }),
    ...(generator === undefined ? {} : { generator }),
    ...(loadKw === undefined ? {} : { loadKw }),
    ...(stateOfChargePct === undefined ? {} : { stateOfChargePct }),
  };
  const isEmpty = Object.keys(said).length === 0;
  if (isEmpty && draft.loadKw.trim() === "" && draft.charge.trim() === "")
    return reader.fault("mains-present", "faultPower");
  return isEmpty ? undefined : { kind: "power", ...said };
}

function suppliesOf(draft: Draft, reader: Reader): Statement | undefined {
  const said: Partial<Record<SupplyName, number>> = {};
  for (const name of SUPPLIES) {
    const text = (draft.scores[name] ?? "").trim();
    if (text === "") continue;
    if (/^[0-5]$/.test(text)) said[name] = Number(text);
    else reader.fault(`score-${name}`, "faultScore");
  }
  const isSaid = SUPPLIES.some((name) => (draft.scores[name] ?? "").trim() !== "");
  return isSaid ? { kind: "supplies", ...said } : reader.fault(`score-${SUPPLIES[0]}`, "faultScores");
}

/** Whether two statements say the same, whatever the order of their parts. */
export function saysTheSame(a: Statement, b: Statement): boolean {
  const parts = (statement: Statement) =>
    JSON.stringify(Object.entries(statement).sort(([x], [y]) => (x < y ? -1 : 1)));
  return parts(a) === parts(b);
}
