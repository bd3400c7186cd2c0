// When alerts stood, and what differs between two accounts of the same time. Pure.
import type { Alert } from "../../../protocol/index.ts";

/** One time that a rule's condition held at something, as people were told. */
export interface Spell {
  readonly ruleId: string;
  readonly on: string;
  readonly fromMs: number;
  /** Undefined while it goes on. */
  untilMs?: number;
}

/** What an alert is about: of a point's critical processes, which one. */
export function whereOf({ subject, values }: Pick<Alert, "subject" | "values">): string {
  const { processId } = values;
  return processId === undefined ? subject.id : `${subject.id}/${processId}`;
}

export interface SpellLog {
  note(alert: Alert, nowMs: number): void;
  spells(): readonly Spell[];
}

const ACTIVE: readonly Alert["state"][] = ["unacknowledged", "acknowledged"];
/** So many spells are kept; what comes after is counted as left out by the caller's own account. */
export const SPELLS_MAX = 100_000;

export function createSpellLog(): SpellLog {
  const all: Spell[] = [];
  const open = new Map<string, Spell>();
  return {
    note(alert, nowMs) {
      const { alertId, ruleId, state, returnedAt } = alert;
      const before = open.get(alertId);
      const isOver = state === "normal" || returnedAt !== undefined;
      // Hidden, it goes on as it was; risen into another rule of its matter, it is another.
      const isOther = before !== undefined && before.ruleId !== ruleId;
      if (before !== undefined && (isOver || isOther)) {
        before.untilMs = nowMs;
        open.delete(alertId);
      }
      if (isOver || !ACTIVE.includes(state) || open.has(alertId) || all.length >= SPELLS_MAX) return;
      const spell: Spell = { ruleId, on: whereOf(alert), fromMs: nowMs };
      all.push(spell);
      open.set(alertId, spell);
    },
    spells: () => all,
  };
}

export interface SpellChange {
  readonly kind: "new" | "gone" | "earlier" | "later" | "longer" | "shorter";
  readonly ruleId: string;
  readonly on: string;
  readonly fromMs: number;
  readonly untilMs?: number;
  /** Of one that both have: by so much. */
  readonly byMs?: number;
}

/** Spells of the same rule at the same place that overlap, or lie within this, are the same one. */
const NEAR_MS = 3_600_000;
/** Less is the turn of a tick. */
const SAME_MS = 15_000;

/** What the second account has that the first has not, and the other way round; in the order of time. */
export function spellDifference(before: readonly Spell[], after: readonly Spell[], endMs: number): SpellChange[] {
  const changes: SpellChange[] = [];
  const left = new Set(before);
  for (const next of after) {
    const old = matching(left, next, endMs);
    if (old === undefined) {
      changes.push({ kind: "new", ...next });
      continue;
    }
    left.delete(old);
    const startMs = next.fromMs - old.fromMs;
    const stopMs = (next.untilMs ?? endMs) - (old.untilMs ?? endMs);
    if (Math.abs(startMs) > SAME_MS)
      changes.push({ ...next, kind: startMs < 0 ? "earlier" : "later", byMs: Math.abs(startMs) });
    else if (Math.abs(stopMs) > SAME_MS)
      changes.push({ ...next, kind: stopMs > 0 ? "longer" : "shorter", byMs: Math.abs(stopMs) });
  }
  for (const one of left) changes.push({ kind: "gone", ...one });
  const inOrder = (a: string, b: string) => (a < b ? -1 : Number(a > b));
  return changes.sort((a, b) => a.fromMs - b.fromMs || inOrder(a.ruleId, b.ruleId) || inOrder(a.on, b.on));
}

function matching(left: ReadonlySet<Spell>, next: Spell, endMs: number): Spell | undefined {
  let best: Spell | undefined;
  for (const old of left) {
    if (old.ruleId !== next.ruleId || old.on !== next.on) continue;
    const gapMs = Math.max(old.fromMs - (next.untilMs ?? endMs), next.fromMs - (old.untilMs ?? endMs));
    if (gapMs > NEAR_MS) continue;
    const far = Math.abs(old.fromMs - next.fromMs);
    if (best === undefined || far < Math.abs(best.fromMs - next.fromMs)) best = old;
  }
  return best;
}
