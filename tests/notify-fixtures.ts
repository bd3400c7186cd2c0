// Alerts, recipients and a journal for what is told to people: defaults everywhere.
import type { NotifyInput, NotifyModel } from "../gateway/domain/notify/step.ts";
import { stepNotify } from "../gateway/domain/notify/step.ts";
import type { Alert, Channel, NotifyPlan, Recipient } from "../protocol/index.ts";
import { NOON_MS } from "./fixtures.ts";

export const SMS = { type: "sms", phone: "+31600000001" } satisfies Channel;
export const EMAIL = { type: "email", address: "officier@example.org" } satisfies Channel;

export function openAlert(part: Partial<Alert> & { pointId?: string } = {}): Alert {
  const { pointId = "alm-01", ...rest } = part;
  const at = new Date(NOON_MS).toISOString();
  const text = (what: string) => ({ what, consequence: "er zijn mensen binnen", action: "Stuur een aggregaat." });
  return {
    alertId: `power-${pointId}-1`,
    ruleId: "power-lost",
    priority: 1,
    state: "unacknowledged",
    subject: { kind: "point", id: pointId, name: pointId },
    raisedAt: at,
    updatedAt: at,
    values: {},
    text: { nl: text("Geen stroom"), en: text("No power") },
    ...rest,
  };
}

export function recipient(part: Partial<Recipient> = {}): Recipient {
  return { recipientId: "officier", role: "officier", channels: [SMS, EMAIL], ...part };
}

export function planWith(recipients: readonly Recipient[], part: Partial<NotifyPlan> = {}): NotifyPlan {
  return { recipients: [...recipients], ...part };
}

export const PLACES: NotifyInput["placeOf"] = (pointId) => ({
  name: `Wijkcentrum ${pointId}`,
  address: "Dorpsstraat 1",
  municipality: pointId.startsWith("alm") ? "Almere" : "Hilversum",
  region: pointId.startsWith("alm") ? "Flevoland" : "Gooi en Vechtstreek",
});

/** What people are told, second by second, with nothing sent. */
export function createTelling(plan: NotifyPlan) {
  const model = { watched: new Map(), trays: new Map(), notices: new Map(), mutes: new Map() };
  let nowMs = NOON_MS;
  const decisions: string[] = [];
  return {
    model: model as NotifyModel,
    plan,
    /** Looks every second for so long; gives the notices that were made, `recipient reason count`. */
    look(alerts: readonly Alert[], seconds = 1, use: NotifyPlan = plan): string[] {
      const made: string[] = [];
      for (let i = 0; i < seconds; i++) {
        const changes = stepNotify(model, { alerts, plan: use, nowMs, placeOf: PLACES });
        for (const name of ["watched", "trays", "notices", "mutes"] as const) {
          const map = model[name] as Map<string, unknown>;
          for (const [key, value] of changes[name]) {
            if (name === "notices" && !map.has(key)) {
              const { recipientId, reason, count } = (value as NonNullable<ReturnType<typeof changes.notices.get>>)
                .notice;
              made.push(`${recipientId} ${reason} ${count}`);
            }
            if (value === undefined) map.delete(key);
            else map.set(key, value);
          }
        }
        decisions.push(...changes.decisions.map((one) => one.why));
        nowMs += 1_000;
      }
      return made;
    },
    decisions,
    now: () => nowMs,
    go: (ms: number) => {
      nowMs += ms;
    },
    mute(recipientId: string, untilMs: number): void {
      const [at, until] = [nowMs, untilMs].map((ms) => new Date(ms).toISOString()) as [string, string];
      model.mutes.set(recipientId, { recipientId, by: "coordinator", at, until, reason: "in gesprek" });
    },
  };
}
