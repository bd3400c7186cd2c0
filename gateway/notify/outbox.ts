// The durable outbox: looks at what is open every second and after every change, keeps what is to be sent in the journal's file, and
// sends it. At least once: what a crash left half done is sent again under its id. It acknowledges nothing.
import type {
  Alert,
  Channel,
  ChannelType,
  Mute,
  Notice,
  Notices,
  NotifyPlan,
  NotifyState,
} from "../../protocol/index.ts";
import type { Clock, Timer } from "../clock.ts";
import { toInstant } from "../domain/instant.ts";
import { isDone, type KeptNotice, type Outcome, PAUSE_MS_MAX, stepDelivery } from "../domain/notify/delivery.ts";
import { muteEnd, type PlaceOf } from "../domain/notify/recipients.ts";
import { stepNotify } from "../domain/notify/step.ts";
import { GatewayError } from "../errors.ts";
import { type Carriers, deliverBy } from "./channel.ts";
import { createKeeping, type NotifyJournal } from "./keeping.ts";

const TICK_MS = 1_000;
/** Messages under way at once by one kind of channel. */
const UNDER_WAY_MAX = 4;
/** A channel that failed is looked at so often, and one that works so often. */
const LOOK_FAILING_MS = 60_000;
const LOOK_MS = 300_000;
/** A notice that nobody got is told of so long. */
const UNDELIVERED_TOLD_MS = 3_600_000;

export interface OutboxDeps {
  readonly journal: NotifyJournal;
  readonly clock: Clock;
  /** Open alerts, hidden ones among them. */
  alerts(): readonly Alert[];
  readonly placeOf: PlaceOf;
  /** 0..1, for the jitter. */
  random(): number;
  log(event: string, detail: Readonly<Record<string, string | number>>): void;
}

export interface OutboxSetup {
  readonly plan: NotifyPlan;
  readonly carriers: Carriers;
}

export interface Outbox {
  start(): Promise<void>;
  /** Other recipients and channels, from now on; the old channels are closed. */
  use(setup: OutboxSetup): void;
  /** Alerts have changed. */
  wake(): void;
  state(): NotifyState;
  list(limit: number): Notices;
  /** Rejects with RECIPIENT_UNKNOWN, MUTE_INVALID, JOURNAL_UNUSABLE. */
  mute(
    ask: { readonly recipientId: string; readonly until: string; readonly reason: string },
    by: string,
  ): Promise<Mute>;
  unmute(recipientId: string, by: string): Promise<void>;
  stop(): Promise<void>;
}

export async function openOutbox(deps: OutboxDeps, first: OutboxSetup): Promise<Outbox> {
  const { clock, log } = deps;
  const keeping = await createKeeping(deps);
  const { model } = keeping;
  let setup = first;
  let stopped = false;
  let busy: Promise<unknown> = Promise.resolve();
  let isQueued = false;
  let timer: Timer | undefined;
  const underWay = new Map<string, { readonly type: ChannelType | undefined; readonly done: Promise<void> }>();
  const failing = new Map<ChannelType, string>();
  const lookedMs = new Map<ChannelType, number>();

  function exclusive<T>(work: () => Promise<T>): Promise<T> {
    const next = busy.then(work, work);
    busy = next.catch(() => undefined);
    return next;
  }

  async function turn(): Promise<void> {
    isQueued = false;
    if (stopped) return;
    const { plan } = setup;
    const changes = stepNotify(model, { alerts: deps.alerts(), plan, nowMs: clock.nowMs(), placeOf: deps.placeOf });
    for (const { why, alertId = "", recipientId = "" } of changes.decisions) log(why, { alertId, recipientId });
    await keeping.keep(changes);
    sendDue();
    lookAtChannels();
  }

  function wake(): void {
    if (isQueued || stopped) return;
    isQueued = true;
    exclusive(turn).catch((error: unknown) => log("notices could not be looked at", { reason: wordsOf(error) }));
  }

  /** The most pressing first; a way that is slow holds up no other. */
  function sendDue(): void {
    const nowMs = clock.nowMs();
    const due = [...model.notices.values()].filter(({ notice, nextMs }) => {
      if (isDone(notice) || underWay.has(notice.noticeId)) return false;
      // A clock that went back makes nobody wait longer than the longest pause.
      return notice.state === "sending" || nowMs >= nextMs || nextMs - nowMs > PAUSE_MS_MAX;
    });
    due.sort((a, b) => a.notice.priority - b.notice.priority || a.nextMs - b.nextMs);
    for (const kept of due) {
      const { noticeId, recipientId } = kept.notice;
      const channels = setup.plan.recipients.find((one) => one.recipientId === recipientId)?.channels ?? [];
      const type = channels[kept.at]?.type;
      if ([...underWay.values()].filter((one) => one.type === type).length >= UNDER_WAY_MAX) continue;
      const done = send(kept, channels).finally(() => {
        underWay.delete(noticeId);
        wake();
      });
      underWay.set(noticeId, { type, done });
    }
  }

  async function send(kept: KeptNotice, channels: readonly Channel[]): Promise<void> {
    const { notice, parts, language, at } = kept;
    const way = channels[at];
    // Recipients have changed: from the front again, or nobody is there.
    if (way === undefined) return set({ ...kept, at: 0, notice: { ...notice, state: "waiting" } });
    set({ ...kept, notice: { ...notice, state: "sending" } });
    const outcome = withoutAddress(
      await deliver(way.type, () => deliverBy(setup.carriers, { notice, parts, language }, way)),
      way,
    );
    const next = stepDelivery(kept, outcome, { channels, nowMs: clock.nowMs(), chance: deps.random() });
    if (isDone(next.notice)) log(`notice-${next.notice.state}`, { noticeId: notice.noticeId, channel: way.type });
    await exclusive(() => keeping.keep({ notices: new Map([[notice.noticeId, next]]) }));
  }

  function set(kept: KeptNotice): void {
    model.notices.set(kept.notice.noticeId, kept);
  }

  async function deliver(type: ChannelType, run: () => Promise<Outcome>): Promise<Outcome> {
    let outcome: Outcome;
    try {
      outcome = await run();
    } catch (error) {
      outcome = { kind: "failed", reason: wordsOf(error) };
    }
    if (outcome.kind === "failed" && outcome.isDown === true) fail(type, outcome.reason);
    else if (outcome.kind !== "failed") failing.delete(type);
    return outcome;
  }

  function fail(type: ChannelType, reason: string): void {
    if (!failing.has(type)) log("a way to people does not work", { channel: type, reason });
    failing.set(type, reason.slice(0, 200));
    lookedMs.set(type, clock.monotonicMs());
  }

  /** Before it is needed: that a modem has no network is told of while there is time. */
  function lookAtChannels(): void {
    const now = clock.monotonicMs();
    for (const [name, carrier] of Object.entries(setup.carriers)) {
      const type = name as ChannelType;
      const every = failing.has(type) ? LOOK_FAILING_MS : LOOK_MS;
      if (carrier.look === undefined || now - (lookedMs.get(type) ?? Number.NEGATIVE_INFINITY) < every) continue;
      lookedMs.set(type, now);
      carrier.look().then(
        (problem) => (problem === undefined ? void failing.delete(type) : fail(type, problem)),
        (error: unknown) => fail(type, wordsOf(error)),
      );
    }
  }

  function state(): NotifyState {
    const nowMs = clock.nowMs();
    const notices = [...model.notices.values()].map((kept) => kept.notice);
    const isLately = ({ state: now, expiresAt, createdAt, attempts }: Notice) => {
      const at = attempts.at(-1)?.at ?? (now === "expired" ? expiresAt : createdAt);
      return nowMs - Date.parse(at) < UNDELIVERED_TOLD_MS;
    };
    const isLost = (one: Notice) => one.state === "failed" || (one.state === "expired" && one.handled !== true);
    return {
      recipients: setup.plan.recipients.length,
      waiting: notices.filter((notice) => !isDone(notice)).length,
      undelivered: notices.filter((notice) => isLost(notice) && isLately(notice)).length,
      channels: (Object.keys(setup.carriers) as ChannelType[]).map((channel) => {
        const reason = failing.get(channel);
        return { channel, ...(reason === undefined ? {} : { failing: reason }) };
      }),
    };
  }

  return {
    async start() {
      timer = clock.every(TICK_MS, wake);
      await exclusive(turn);
    },
    use(next) {
      for (const carrier of Object.values(setup.carriers)) carrier.close?.();
      setup = next;
      failing.clear();
      lookedMs.clear();
      wake();
    },
    wake,
    state,
    list(limit) {
      const notices = [...model.notices.values()].map((kept) => kept.notice);
      notices.sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
      return { state: state(), notices: notices.slice(0, limit), mutes: [...model.mutes.values()] };
    },
    mute: async ({ recipientId, until, reason }, by) => {
      const recipient = setup.plan.recipients.find((one) => one.recipientId === recipientId);
      if (recipient === undefined) throw new GatewayError("RECIPIENT_UNKNOWN", { recipientId });
      const nowMs = clock.nowMs();
      const untilMs = muteEnd(recipient, setup.plan, { nowMs, untilMs: Date.parse(until) });
      if (!(untilMs > nowMs)) throw new GatewayError("MUTE_INVALID", { until });
      const mute: Mute = { recipientId, by, at: toInstant(nowMs), until: toInstant(untilMs), reason };
      await keeping.keepNow({ mutes: new Map([[recipientId, mute]]) }, actOf("notify-muted", mute, nowMs));
      return mute;
    },
    unmute: async (recipientId, by) => {
      const mute = model.mutes.get(recipientId);
      if (mute === undefined) throw new GatewayError("RECIPIENT_UNKNOWN", { recipientId });
      const act = actOf("notify-unmuted", { ...mute, by }, clock.nowMs());
      await keeping.keepNow({ mutes: new Map([[recipientId, undefined]]) }, act);
    },
    async stop() {
      stopped = true;
      timer?.stop();
      for (const carrier of Object.values(setup.carriers)) carrier.close?.();
      await Promise.all([...underWay.values()].map((one) => one.done));
      await busy;
    },
  };
}

function actOf(action: string, { recipientId, by, until, reason }: Mute, atMs: number) {
  const detail = JSON.stringify({ until, reason });
  return { atMs, actor: by, action, object: recipientId, result: "done", origin: "http", detail };
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Servers name whom they refuse; in notices stand no numbers and addresses. */
function withoutAddress(outcome: Outcome, way: Channel): Outcome {
  const address = way.type === "sms" ? way.phone : way.type === "email" ? way.address : undefined;
  if (address === undefined) return outcome;
  const clean = (words: string) => words.replaceAll(address, "…");
  if ("reason" in outcome) return { ...outcome, reason: clean(outcome.reason) };
  return outcome.detail === undefined ? outcome : { ...outcome, detail: clean(outcome.detail) };
}
