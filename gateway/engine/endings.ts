// Ends alerts that no sample will ever clear: of points that left the registry, of devices that stand nowhere, of rules that are gone,
// and of a device that is understood again. Marks those that stand for so long that nobody sees them any more.
import { toInstant } from "../domain/instant.ts";
import { applyVerdict, lifeOf } from "./alerts.ts";
import type { Draft, OpenAlert } from "./state.ts";

/** A device that sent nothing unknown for so long is understood again. */
export const NEWER_QUIET_MS = 3_600_000;
/** Active for longer than this an alert is stale (ISA-18.2 16.5, EEMUA 191). */
export const STALE_MS = 24 * 3_600_000;

export interface EndingContext {
  readonly nowMs: number;
  isPoint(pointId: string): boolean;
  /** It stands at a point now. */
  isDevice(deviceId: string): boolean;
  /** Matters that rules judge a point by; undefined where nothing is known of it yet. */
  mattersAt(pointId: string): ReadonlySet<string> | undefined;
  /** A rule that makes groups. */
  isGroupRule(ruleId: string): boolean;
}

/** They return, and are closed when a person has seen them. */
export function endAlerts(draft: Draft, context: EndingContext): void {
  const { nowMs } = context;
  for (const [alertId, open] of draft.base.alerts) {
    if (!lifeOf(open).isActive || draft.alerts.has(alertId)) continue;
    const { matter, alert } = open;
    if (isOver(open, context)) applyVerdict(draft, { matter, subject: alert.subject, nowMs }, { kind: "clear" });
    else if (alert.staleAt === undefined && nowMs - activeSinceMs(open) > STALE_MS)
      draft.alerts.set(alertId, { ...open, alert: { ...alert, staleAt: toInstant(nowMs) } });
  }
}

function isOver(open: OpenAlert, context: EndingContext): boolean {
  const { alert } = open;
  const { pointId, kind, id } = alert.subject;
  if (pointId !== undefined && !context.isPoint(pointId)) return true;
  if (kind === "device" && !context.isDevice(id)) return true;
  if (kind === "group") return !context.isGroupRule(id);
  if (alert.ruleId === "device-newer") return context.nowMs - Date.parse(alert.updatedAt) > NEWER_QUIET_MS;
  if (open.isRuled !== true || pointId === undefined) return false;
  return context.mattersAt(pointId)?.has(matterOf(open.matter)) === false;
}

function matterOf(matter: string): string {
  return matter.slice(0, matter.indexOf("/"));
}

function activeSinceMs({ activeMs, alert }: OpenAlert): number {
  return activeMs ?? Date.parse(alert.raisedAt);
}
