// The gateway's alerts about itself. All are alerts as any other, but one: that the journal refuses cannot be stored, so
// it is held in memory, told of at once, and put on record when the journal takes it.
import type { Alert } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import { alertText } from "../domain/alert-text.ts";
import { toInstant } from "../domain/instant.ts";
import type { Profile } from "../domain/profile.ts";
import { stepMatter } from "../domain/rules.ts";
import { type SelfFacts, selfMatters } from "../domain/self.ts";
import { activeAlert, applyVerdict, lifeOf } from "./alerts.ts";
import type { Draft } from "./state.ts";

const SUBJECT = { kind: "gateway", id: "gateway", name: "gateway" } as const;
/** Numbers of alerts on record begin at 1. */
const UNSTORED_ID = "journal-gateway-0";
/** Matters of this watch: others about the gateway belong to other watches. */
const KINDS = ["disk", "clock", "supply", "config", "history", "sink", "notify", "network"];

export interface SelfWatchDeps {
  readonly clock: Clock;
  profile(): Profile;
  facts(): SelfFacts;
}

export interface SelfWatch {
  /** Raises, renews and ends; called on every tick. */
  apply(draft: Draft): void;
  /** Looks at the journal itself; gives the unstored alert when it changed. */
  look(): Alert | undefined;
  unstored(): Alert | undefined;
  /** Seen by a person; nothing of it can be stored now. Undefined when it is another alert. */
  acknowledge(alertId: string, by: string): Alert | undefined;
}

export function createSelfWatch({ clock, profile, facts }: SelfWatchDeps): SelfWatch {
  const conditions = new Map<string, Readonly<Record<string, number>>>();
  let failingSinceMs: number | undefined;
  let unstored: Alert | undefined;
  /** An outage of the journal that is over and not on record yet. */
  let over: { readonly raisedAt: string; readonly untilAt: string; readonly reason: string } | undefined;

  function stepMatters(draft: Draft, now: SelfFacts): void {
    const nowMs = clock.nowMs();
    const matters = selfMatters(now, profile(), (matter) => activeAlert(draft, matter)?.ruleId);
    for (const { matter, candidates, offDelayS } of matters) {
      const step = stepMatter(matter, candidates, {
        conditions: conditions.get(matter) ?? {},
        held: [],
        // A clock that jumps is one of the things watched: delays run on the other one.
        nowMs: clock.monotonicMs(),
        activePriority: activeAlert(draft, matter)?.priority,
        offDelayS,
      });
      if (Object.keys(step.conditions).length === 0) conditions.delete(matter);
      else conditions.set(matter, step.conditions);
      applyVerdict(draft, { matter, subject: SUBJECT, nowMs }, step.verdict);
    }
    endOthers(draft, new Set(matters.map((one) => one.matter)), nowMs);
  }

  /** A sink that is no longer configured has nothing left to say. */
  function endOthers(draft: Draft, known: ReadonlySet<string>, nowMs: number): void {
    for (const [alertId, open] of draft.base.alerts) {
      const { matter, alert } = open;
      if (alert.subject.kind !== "gateway" || known.has(matter) || draft.alerts.has(alertId)) continue;
      if (!KINDS.includes(matter.split("/")[0] ?? "") || !lifeOf(open).isActive) continue;
      conditions.delete(matter);
      applyVerdict(draft, { matter, subject: alert.subject, nowMs }, { kind: "clear" });
    }
  }

  /** What has happened and is over: raised and returned at once, handled when a person has seen it. */
  function record(draft: Draft, matter: string, finding: Parameters<typeof alertText>, priority: 1 | 2 | 3): void {
    const [ruleId, values] = finding;
    const about = { matter, subject: SUBJECT, nowMs: clock.nowMs() };
    applyVerdict(draft, about, { kind: "breach", finding: { ruleId, priority, values } });
    applyVerdict(draft, about, { kind: "clear" });
  }

  return {
    apply(draft) {
      const now = facts();
      const { gateway } = profile();
      stepMatters(draft, now);
      if (over !== undefined && now.journal.failing === undefined) {
        const values = { reason: over.reason, since: over.raisedAt, until: over.untilAt };
        record(draft, "journal/gateway", ["journal-refusing", values], gateway.journalRefusing.priority);
        over = undefined;
      }
      const { gapRows } = now.journal;
      if (gapRows > draft.gapRowsTold) {
        const values = { rows: gapRows - draft.gapRowsTold };
        record(draft, "gap/gateway", ["journal-gap", values], gateway.journalGap.priority);
        draft.gapRowsTold = gapRows;
      }
    },
    look() {
      const { failing } = facts().journal;
      const { priority, onDelayS } = profile().gateway.journalRefusing;
      if (failing === undefined) {
        failingSinceMs = undefined;
        if (unstored === undefined) return undefined;
        const ended: Alert = { ...unstored, state: "normal", updatedAt: toInstant(clock.nowMs()) };
        const reason = String(unstored.values["reason"] ?? "");
        over = { raisedAt: over?.raisedAt ?? unstored.raisedAt, untilAt: ended.updatedAt, reason };
        unstored = undefined;
        return ended;
      }
      failingSinceMs ??= clock.monotonicMs();
      if (unstored !== undefined || clock.monotonicMs() - failingSinceMs < onDelayS * 1000) return undefined;
      const at = toInstant(clock.nowMs());
      const values = { reason: failing.slice(0, 200) };
      const text = alertText("journal-refusing", values);
      const head = { alertId: UNSTORED_ID, ruleId: "journal-refusing", priority, subject: SUBJECT } as const;
      unstored = { ...head, state: "unacknowledged", raisedAt: at, values, text, updatedAt: at };
      return unstored;
    },
    unstored: () => unstored,
    acknowledge(alertId, by) {
      if (unstored === undefined || unstored.alertId !== alertId) return undefined;
      const at = toInstant(clock.nowMs());
      unstored = { ...unstored, state: "acknowledged", acknowledged: { by, at }, updatedAt: at };
      return unstored;
    },
  };
}
