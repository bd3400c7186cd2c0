// Rows that people typed in: taken in order with those of devices, counted once, kept in a bounded list for those who read.
import { Value } from "typebox/value";
import { type Entry, EntrySchema } from "../../protocol/index.ts";
import { stepEntry } from "../domain/manual/entry.ts";
import { ofSet } from "../domain/point-model.ts";
import type { JournalRecord } from "../domain/record.ts";
import { assetsIn, keepDips } from "./assets.ts";
import { phaseAct } from "./phase-acts.ts";
import { type Draft, draftEntries, draftPoint, type EntryLog, type KeptEntry } from "./state.ts";
import type { RowResult, StepContext } from "./step.ts";

/** Of one point: more than a shift has, and as many as are known by their entryId. */
export const ENTRIES_MAX = 128;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The entry in a row. Throws on what is none: the caller sets the row aside. */
export function entryIn({ frame, deviceId }: Pick<JournalRecord, "frame" | "deviceId">): Entry {
  const value: unknown = JSON.parse(utf8.decode(frame));
  if (!Value.Check(EntrySchema, value)) throw new Error("the row is no entry by its schema");
  if (value.pointId !== deviceId) throw new Error("the entry is of another point than its row");
  if (Number.isNaN(Date.parse(value.at))) throw new Error("the entry's moment is none");
  return value;
}

/** Takes one entry into the draft. Throws on a row that is none. */
export function stepEntryRow(draft: Draft, record: JournalRecord, context: StepContext): RowResult {
  const entry = entryIn(record);
  const { pointId } = entry;
  const view = context.pointOf(pointId);
  if (view === undefined) return { kind: "unknown-device" };
  const log = draftEntries(draft, pointId);
  if (log.some((kept) => kept.entry.entryId === entry.entryId)) return { kind: "taken", pointId };
  const before = ofSet(draftPoint(draft, pointId), view, assetsIn(draft, view).tank);
  const { model, reason, moved } = stepEntry(before, view, entry, record.receivedMs);
  draft.points.set(pointId, model);
  if (model.fuel.dips !== before.fuel.dips) keepDips(draft, view, model);
  draft.entries.set(pointId, [...log, { id: record.id, entry }].slice(-ENTRIES_MAX));
  draft.acts.push(entryAct(entry, record.receivedMs, reason));
  if (moved) draft.acts.push(phaseAct(pointId, model.lifecycle, record.receivedMs));
  return { kind: "taken", pointId };
}

/** What a person typed in free words stays in the journal and goes with it: the log of acts is kept for good. */
function entryAct({ entryId, pointId, at, by, via, statement }: Entry, atMs: number, result: string) {
  const said = statement.kind === "note" ? { kind: statement.kind } : statement;
  return {
    ...{ atMs, actor: by, action: "entry-told", object: pointId, result, origin: via },
    detail: JSON.stringify({ entryId, at, ...said }),
  };
}

/** Without what the journal no longer keeps: notes are forgotten with their rows. Undefined when nothing has to go. */
export function withoutForgotten(log: EntryLog, oldestId: number): EntryLog | undefined {
  const [first] = log;
  return first === undefined || first.id >= oldestId ? undefined : log.filter(({ id }) => id >= oldestId);
}

/**
 * The newest first, by the moment of which they speak, from before `beforeMs`. Those of one moment stand on one page, so that
 * a page may be longer than `limit` and none is passed over.
 */
export function newestEntries(log: EntryLog, limit: number, beforeMs: number): Entry[] {
  const atOf = ({ entry }: KeptEntry) => Date.parse(entry.at);
  const found = log.filter((kept) => atOf(kept) < beforeMs).sort((a, b) => atOf(b) - atOf(a) || b.id - a.id);
  const last = found[limit - 1];
  return found
    .filter((kept, i) => i < limit || (last !== undefined && atOf(kept) === atOf(last)))
    .map((kept) => kept.entry);
}
