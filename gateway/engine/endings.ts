// Ends alerts that no sample will ever clear: of points that left the registry, and of a device that is understood again.
import { applyVerdict, lifeOf } from "./alerts.ts";
import type { Draft } from "./state.ts";

/** A device that sent nothing unknown for so long is understood again. */
export const NEWER_QUIET_MS = 3_600_000;

export interface EndingContext {
  readonly nowMs: number;
  isPoint(pointId: string): boolean;
}

/** They return, and are closed when a person has seen them. */
export function endAlerts(draft: Draft, context: EndingContext): void {
  for (const [alertId, open] of draft.base.alerts) {
    const { matter, alert } = open;
    if (!lifeOf(open).isActive || draft.alerts.has(alertId)) continue;
    const { pointId } = alert.subject;
    const isGone = pointId !== undefined && !context.isPoint(pointId);
    const quietMs = context.nowMs - Date.parse(alert.updatedAt);
    const isUnderstood = alert.ruleId === "device-newer" && quietMs > NEWER_QUIET_MS;
    if (!isGone && !isUnderstood) continue;
    applyVerdict(draft, { matter, subject: alert.subject, nowMs: context.nowMs }, { kind: "clear" });
  }
}
