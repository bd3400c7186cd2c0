// Who is told in the incident of the proof: the real outbox over the journal, with ways to people that write down what they were
// given. The hasty variant counts a message as delivered before it has gone.
import { type Clock, systemClock } from "../../gateway/clock.ts";
import type { Outcome } from "../../gateway/domain/notify/delivery.ts";
import type { Engine } from "../../gateway/engine/engine.ts";
import type { Journal } from "../../gateway/journal/journal.ts";
import { type Outbox, openOutbox } from "../../gateway/notify/outbox.ts";
import type { Notice, NotifyPlan } from "../../protocol/index.ts";
import { REGISTRY } from "./incident-script.ts";

/** The variant sends so much later than it says that it has. */
const HASTY_MS = 2_000;
/** The journal answers in order: after so many, what the outbox had under way is kept. */
const ANSWERS = 4;

const PLAN: NotifyPlan = {
  recipients: [
    {
      recipientId: "duty",
      role: "duty",
      channels: [{ type: "sms", phone: "+31600000001" }],
      priorities: [1, 2],
      returns: true,
    },
    { recipientId: "technician", role: "technician", channels: [{ type: "email", address: "desk@example.org" }] },
    { recipientId: "commander", role: "commander", channels: [{ type: "sms", phone: "+31600000002" }] },
  ],
  escalation: [{ priorities: [1], steps: [{ afterMin: 6, roles: ["commander"] }] }],
};

export interface IncidentNotices {
  /** Waits for what it has under way. */
  settle(): Promise<void>;
  /** What was made, by what it is about and whether it arrived. */
  list(): readonly { readonly noticeId: string; readonly state: string }[];
  stop(): Promise<void>;
}

export interface NoticeWatch {
  /** A message is with a way to people, or has gone. */
  at(where: "sending" | "sent"): void;
  sent(notice: Notice): void;
}

export async function startNotices(
  { journal, engine, clock }: { journal: Journal; engine: Engine; clock: Clock },
  watch: NoticeWatch,
  isHasty: boolean,
): Promise<IncidentNotices> {
  const names = new Map(REGISTRY.points(clock.nowMs()).map((view) => [view.pointId, view]));
  const carrier = {
    deliver: async ({ notice }: { readonly notice: Notice }): Promise<Outcome> => {
      if (isHasty) {
        systemClock.after(HASTY_MS, () => watch.sent(notice));
        return { kind: "delivered" };
      }
      watch.at("sending");
      watch.sent(notice);
      watch.at("sent");
      return { kind: "delivered" };
    },
  };
  const outbox: Outbox = await openOutbox(
    {
      journal,
      clock,
      alerts: () => engine.alerts(),
      placeOf: (pointId) => names.get(pointId),
      random: () => 0,
      log: () => undefined,
    },
    { plan: PLAN, carriers: { sms: carrier, email: carrier } },
  );
  await outbox.start();
  const unsubscribe = engine.onChange(({ alerts }) => {
    if (alerts.length > 0) outbox.wake();
  });
  return {
    settle: async () => {
      for (let i = 0; i < ANSWERS; i++) await journal.documents("none");
    },
    list: () => outbox.list(Number.POSITIVE_INFINITY).notices,
    stop: () => {
      unsubscribe();
      return outbox.stop();
    },
  };
}
