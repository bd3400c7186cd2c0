// A test message to one recipient, beside a gateway that runs: by those channels that need nothing of it.
import type { NotifyTester } from "../cli/notify-commands.ts";
import type { Clock } from "../clock.ts";
import { toInstant } from "../domain/instant.ts";
import { testMessage } from "../domain/notify/message.ts";
import { ownCarriers, planOf } from "../notify/carriers.ts";
import { deliverBy, type Outgoing } from "../notify/channel.ts";

const EXPIRE_MS = 600_000;

export function createNotifyTester(clock: Clock): NotifyTester {
  return async (config, recipientId, seen) => {
    const plan = planOf(config);
    const known = plan.recipients.map((one) => one.recipientId);
    const recipient = plan.recipients.find((one) => one.recipientId === recipientId);
    if (recipient === undefined) return { known, isDelivered: undefined };
    const carriers = ownCarriers(config, clock);
    const { role, language = "nl" } = recipient;
    const at = toInstant(clock.nowMs());
    const { parts, headline, lines } = testMessage(language, at);
    const message: Outgoing = {
      notice: {
        noticeId: `${recipientId}-test-${clock.nowMs()}`,
        recipientId,
        role,
        reason: "test",
        priority: 3,
        alertIds: [],
        count: 0,
        headline,
        lines: [...lines],
        state: "sending",
        createdAt: at,
        expiresAt: toInstant(clock.nowMs() + EXPIRE_MS),
        attempts: [],
      },
      parts,
      language,
    };
    try {
      for (const way of recipient.channels) {
        const channel = way.type;
        if (channel === "mqtt" || channel === "audible") {
          seen({ channel, outcome: "skipped", detail: "only the gateway that runs can do this" });
          continue;
        }
        const outcome = await deliverBy(carriers, message, way);
        const detail = "reason" in outcome ? outcome.reason : (outcome.detail ?? "");
        seen({ channel, outcome: outcome.kind, detail });
        if (outcome.kind === "delivered") return { known, isDelivered: true };
      }
      return { known, isDelivered: false };
    } finally {
      for (const carrier of Object.values(carriers)) carrier.close?.();
    }
  };
}
