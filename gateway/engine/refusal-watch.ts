// Refused frames as alerts: one a sender that is registered, one for all others together. They end when it is quiet.
import type { Alert } from "../../protocol/index.ts";
import type { Profile } from "../domain/profile.ts";
import { applyVerdict, lifeOf } from "./alerts.ts";
import type { Signal } from "./interfaces.ts";
import type { Draft } from "./state.ts";

interface Watched {
  count: number;
  reason: string;
  /** Refusals since the last look. */
  fresh: number;
  lastMs: number;
}

/** Senders that are not registered share one row: their number is not ours to bound. */
const OTHERS = "gateway";

export interface RefusalWatch {
  note(signal: Signal): void;
  /** Raises, renews and ends alerts; called on every tick. */
  apply(draft: Draft, nowMs: number, subjectOf: (deviceId: string) => Alert["subject"] | undefined): void;
}

export function createRefusalWatch(profile: () => Profile): RefusalWatch {
  const noted: Signal[] = [];
  const watched = new Map<string, Watched>();
  const NOTED_MAX = 10_000;

  return {
    note(signal) {
      if (noted.length < NOTED_MAX) noted.push(signal);
    },
    apply(draft, nowMs, subjectOf) {
      for (const signal of noted.splice(0)) {
        const registered = signal.sender !== undefined && subjectOf(signal.sender) !== undefined;
        const id = registered ? (signal.sender as string) : OTHERS;
        const row = watched.get(id) ?? { count: 0, reason: signal.reason, fresh: 0, lastMs: nowMs };
        watched.set(id, { count: row.count + 1, reason: signal.reason, fresh: row.fresh + 1, lastMs: nowMs });
      }
      for (const [id, row] of watched) {
        const subject = subjectOf(id) ?? ({ kind: "gateway", id: OTHERS, name: OTHERS } as const);
        const about = { matter: `refused/${id}`, subject, nowMs };
        if (nowMs - row.lastMs > profile().refusalsQuietS * 1000) {
          watched.delete(id);
          applyVerdict(draft, about, { kind: "clear" });
        } else if (row.fresh > 0) {
          row.fresh = 0;
          const values = { count: row.count, reason: row.reason };
          applyVerdict(draft, about, { kind: "breach", finding: { ruleId: "frames-refused", priority: 3, values } });
        }
      }
      // After a restart nobody remembers the sender: an alert without one ends by itself.
      for (const [alertId, open] of draft.base.alerts) {
        if (!open.matter.startsWith("refused/") || watched.has(open.matter.slice("refused/".length))) continue;
        if (draft.alerts.has(alertId) || !lifeOf(open).isActive) continue;
        if (nowMs - Date.parse(open.alert.updatedAt) <= profile().refusalsQuietS * 1000) continue;
        applyVerdict(draft, { matter: open.matter, subject: open.alert.subject, nowMs }, { kind: "clear" });
      }
    },
  };
}
