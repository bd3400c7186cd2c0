// The form as it stands, apart from the screen: going to another screen, signing in again or a gateway that is away loses nothing.
import { signal } from "@preact/signals";
import type { Entry, NewEntry } from "../../../protocol/schema/index.ts";
import { addEntry, entriesOf } from "./actions.ts";
import { checkDraft, type Draft, EMPTY_DRAFT, type Fault, nextDraft, saysTheSame } from "./entry-draft.ts";
import { nowMs, session } from "./live.ts";

/** What was entered in this tab, newest first. */
const SENT_MAX = 10;

/** Without crypto.randomUUID, which a page has over https only. */
export function newEntryId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export type Result =
  | { readonly kind: "none" }
  | { readonly kind: "faults"; readonly faults: readonly Fault[] }
  | { readonly kind: "failed"; readonly status: number; readonly what: string }
  /** Differs: under this id an earlier version had arrived, and that one counts. */
  | { readonly kind: "done"; readonly entry: Entry; readonly differs: boolean };

export const draft = signal<Draft>(EMPTY_DRAFT);
export const result = signal<Result>({ kind: "none" });
export const isSending = signal(false);
export const sent = signal<readonly Entry[]>([]);

/** When it was first sent: what is 'now' stays so however often it has to be sent. */
export const firstMs = signal<number | undefined>(undefined);
let entryId = newEntryId();
/** What was sent first without an answer: it may have arrived. */
let unanswered: Sending | undefined;

function beginForm(): void {
  entryId = newEntryId();
  firstMs.value = undefined;
  unanswered = undefined;
}

export function change(part: Partial<Draft>): void {
  draft.value = { ...draft.value, ...part };
  if (result.value.kind === "done") result.value = { kind: "none" };
}

export function clear(): void {
  draft.value = EMPTY_DRAFT;
  result.value = { kind: "none" };
  beginForm();
}

/** Sends the form; nothing when it is being sent already. */
export async function submit(detected: readonly string[]): Promise<void> {
  if (isSending.value) return;
  // What was meant for another point is another report.
  if (unanswered !== undefined && unanswered.pointId !== draft.value.pointId) beginForm();
  const checked = checkDraft(draft.value, { nowMs: firstMs.value ?? nowMs.value, entryId, detected });
  if (checked.kind === "faults") {
    result.value = checked;
    return;
  }
  firstMs.value ??= nowMs.value;
  isSending.value = true;
  const outcome = await addEntry(checked.pointId, checked.entry);
  if (outcome.kind === "failed") {
    if (outcome.status === 0) unanswered ??= checked;
    result.value = outcome;
  } else await take(checked);
  isSending.value = false;
}

interface Sending {
  readonly pointId: string;
  readonly entry: NewEntry;
}

async function take({ pointId, entry }: Sending): Promise<void> {
  const asked: Entry = { ...entry, entryId, pointId, at: entry.at ?? "", by: session.value?.name ?? "" };
  const counted = await earlierOf(asked);
  const told = counted ?? asked;
  sent.value = [told, ...sent.value.filter((one) => one.entryId !== told.entryId)].slice(0, SENT_MAX);
  beginForm();
  // A correction that the gateway does not have yet stays in the form.
  if (counted === undefined) draft.value = nextDraft(draft.value);
  result.value = { kind: "done", entry: told, differs: counted !== undefined };
}

/** Of a form that was changed after it was sent without an answer: what had arrived, if it says something else. */
async function earlierOf(asked: Entry): Promise<Entry | undefined> {
  if (unanswered === undefined || saysTheSame(unanswered.entry.statement, asked.statement)) return undefined;
  const told = (await entriesOf(asked.pointId))?.find((one) => one.entryId === asked.entryId);
  return told === undefined || saysTheSame(told.statement, asked.statement) ? undefined : told;
}
