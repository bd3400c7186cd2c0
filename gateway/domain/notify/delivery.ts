// The way of one notice: through the recipient's channels in order, again after a pause, until somebody was reached or its time is
// over. Pure.
import type { ChannelType, Notice } from "../../../protocol/index.ts";
import { toInstant } from "../instant.ts";
import type { Part } from "./message.ts";

/** What a channel says of one try. */
export type Outcome =
  | { readonly kind: "delivered"; readonly detail?: string }
  /** Handed on; whether somebody saw or heard it nobody says. */
  | { readonly kind: "handed-on"; readonly detail?: string }
  /** Time can cure it. `isDown`: the way itself is gone, and trying again at once is of no use. */
  | { readonly kind: "failed"; readonly reason: string; readonly isDown?: boolean }
  /** It will never take this, such as a number that does not exist. */
  | { readonly kind: "refused"; readonly reason: string };

/** A notice and where it is on its way. */
export interface KeptNotice {
  readonly notice: Notice;
  /** What it is about, as `alert@occurrence`; the rest of very many left out. */
  readonly about: readonly string[];
  readonly language: "nl" | "en";
  /** Of the headline. */
  readonly parts: readonly Part[];
  /** Index of the channel that is next. */
  readonly at: number;
  /** Tries of this channel in this round. */
  readonly tries: number;
  /** Times that all channels have been gone through. */
  readonly rounds: number;
  readonly nextMs: number;
  /** Some channel has taken it, and does not say whether it reached anybody. */
  readonly isHandedOn: boolean;
  /** Channels that refused it for good. */
  readonly refusedBy: readonly number[];
}

export const TRIES_MAX = 2;
export const ATTEMPTS_KEPT = 40;
const PAUSE_MS_FIRST = 15_000;
export const PAUSE_MS_MAX = 600_000;
const DETAIL_LENGTH_MAX = 200;

export interface DeliveryContext {
  readonly channels: readonly { readonly type: ChannelType }[];
  readonly nowMs: number;
  /** 0..1, for the jitter. */
  readonly chance: number;
}

export function isDone({ state }: Notice): boolean {
  return state === "delivered" || state === "failed" || state === "expired";
}

/** Its time is over, or its recipient is no longer there. A notice under way is judged when it comes back. */
export function stepExpiry(kept: KeptNotice, channels: number, nowMs: number): KeptNotice {
  const { notice } = kept;
  if (notice.state !== "waiting") return kept;
  if (channels === 0) return done(kept, "failed");
  if (nowMs < Date.parse(notice.expiresAt)) return kept;
  return done(kept, kept.isHandedOn ? "delivered" : "expired");
}

export function stepDelivery(kept: KeptNotice, outcome: Outcome, context: DeliveryContext): KeptNotice {
  const { nowMs } = context;
  const tried = withAttempt(kept, outcome, context);
  switch (outcome.kind) {
    case "delivered":
      return done(tried, "delivered");
    case "handed-on":
      return next({ ...tried, isHandedOn: true }, context);
    case "refused":
      return next({ ...tried, refusedBy: [...new Set([...kept.refusedBy, kept.at])] }, context);
    case "failed": {
      const tries = kept.tries + 1;
      // Alone, a channel that is down is waited for; beside others the next one may work.
      if (outcome.isDown === true || tries >= TRIES_MAX) return next({ ...tried, tries: 0 }, context);
      return paused({ ...tried, tries }, PAUSE_MS_FIRST, context, nowMs);
    }
  }
}

/** The next channel; after the last one, with a pause, the first again. */
function next(kept: KeptNotice, context: DeliveryContext): KeptNotice {
  const { channels, nowMs } = context;
  for (let at = kept.at + 1; at < channels.length; at++) {
    if (!kept.refusedBy.includes(at)) return { ...waiting(kept), at, tries: 0, nextMs: nowMs };
  }
  if (kept.isHandedOn) return done(kept, "delivered");
  const first = channels.findIndex((_, at) => !kept.refusedBy.includes(at));
  if (first < 0) return done(kept, "failed");
  const grown = Math.min(PAUSE_MS_MAX, PAUSE_MS_FIRST * 2 ** Math.min(kept.rounds, 10));
  return paused({ ...kept, at: first, tries: 0, rounds: kept.rounds + 1 }, grown, context, nowMs);
}

function paused(kept: KeptNotice, pauseMs: number, { chance }: DeliveryContext, nowMs: number): KeptNotice {
  const nextMs = nowMs + Math.round(pauseMs * (0.5 + chance / 2));
  const made = waiting(kept);
  return { ...made, nextMs, notice: { ...made.notice, nextAt: toInstant(nextMs) } };
}

function waiting(kept: KeptNotice): KeptNotice {
  const { nextAt: _, ...notice } = kept.notice;
  return { ...kept, notice: { ...notice, state: "waiting" } };
}

function done(kept: KeptNotice, state: "delivered" | "failed" | "expired"): KeptNotice {
  const { nextAt: _, ...notice } = kept.notice;
  return { ...kept, notice: { ...notice, state } };
}

function withAttempt(kept: KeptNotice, outcome: Outcome, { channels, nowMs }: DeliveryContext): KeptNotice {
  const channel = channels[kept.at]?.type;
  if (channel === undefined) return kept;
  const words = "reason" in outcome ? outcome.reason : outcome.detail;
  const detail = words === undefined ? {} : { detail: words.slice(0, DETAIL_LENGTH_MAX) };
  const attempt = { at: toInstant(nowMs), channel, outcome: outcome.kind, ...detail };
  const attempts = [...kept.notice.attempts, attempt].slice(-ATTEMPTS_KEPT);
  return { ...kept, notice: { ...kept.notice, attempts } };
}
