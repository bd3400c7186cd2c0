// One statement of a person, taken into the model of its point. What is older than what is known corrects the record and
// overrides nothing; nothing that is told raises an alert by itself. Pure.
import type { Entry } from "../../../protocol/index.ts";
import { MOVES, stepToldPhase } from "../lifecycle.ts";
import { type MainsSpan, mainsLostSince, withMains } from "../mains.ts";
import { withCount } from "../people/people.ts";
import type { PointView } from "../point.ts";
import type { PointModel } from "../point-model.ts";
import { withoutAhead } from "./ahead.ts";
import { whatCounts } from "./blend.ts";
import { withToldFuel } from "./fuel.ts";
import { readingsTold, toldBy, withToldReading } from "./told.ts";

export type EntryReason =
  /** It counts now, all of it or a part. */
  | "taken"
  /** Something newer is known of all that it says. */
  | "late"
  /** A note: it changes no picture. */
  | "noted";

export interface EntryStep {
  readonly model: PointModel;
  readonly reason: EntryReason;
  /** The phase is another one than before. */
  readonly moved: boolean;
}

/** `receivedMs`: when it was typed in. */
export function stepEntry(before: PointModel, view: PointView, entry: Entry, receivedMs: number): EntryStep {
  const { statement } = entry;
  if (statement.kind === "note") return { model: before, reason: "noted", moved: false };
  const atMs = Date.parse(entry.at);
  const model = heard(withoutAhead(before, receivedMs), atMs);
  switch (statement.kind) {
    case "phase": {
      const said = { phase: statement.phase, atMs, told: toldBy(entry) };
      const { lifecycle, reason } = stepToldPhase(model.lifecycle, said);
      const moved = MOVES.includes(reason);
      return { model: { ...model, lifecycle }, reason: reason === "late" ? "late" : "taken", moved };
    }
    case "count": {
      const made = { people: statement.people, atMs, receivedMs, told: toldBy(entry) };
      const people = withCount(model.people, made);
      const reason = people === model.people ? "late" : "taken";
      return { model: withReadings({ ...model, people }, entry, atMs).model, reason, moved: false };
    }
    case "power":
    case "supplies": {
      const { model: next, counted } = withReadings(model, entry, atMs);
      return { model: withToldMains(next, entry, atMs), reason: counted ? "taken" : "late", moved: false };
    }
    case "dip":
    case "delivery":
    case "no-delivery": {
      const { model: next, isLate } = withToldFuel(model, view, entry);
      return { model: next, reason: isLate ? "late" : "taken", moved: false };
    }
  }
}

function heard(model: PointModel, atMs: number): PointModel {
  return { ...model, told: { ...model.told, lastMs: Math.max(model.told.lastMs ?? 0, atMs) } };
}

function withReadings(model: PointModel, entry: Entry, atMs: number): { model: PointModel; counted: boolean } {
  let told = model.told;
  let counted = false;
  for (const [name, value] of readingsTold(entry.statement)) {
    const reading = { value, atMs, ...toldBy(entry) };
    const next = withToldReading(told, name, reading);
    counted ||= next !== told && whatCounts(model.readings[name], reading) === "told";
    told = next;
  }
  return { model: { ...model, told }, counted };
}

/** The outage begins or ends when a person says so, unless newer samples have said what was. */
function withToldMains(model: PointModel, { statement }: Entry, atMs: number): PointModel {
  if (statement.kind !== "power" || statement.mains === undefined) return model;
  const last = model.mains.at(-1) as MainsSpan | undefined;
  if (last !== undefined && atMs < last[1]) return model;
  const mains = withMains(model.mains, atMs, statement.mains === "lost" ? 1 : 0);
  return { ...model, mains, mainsLostMs: mainsLostSince(mains) };
}
