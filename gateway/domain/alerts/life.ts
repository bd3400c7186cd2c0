// The life of one alert (ISA-18.2-2016 / IEC 62682 clause 11: states and transitions). Pure and total: every state takes every
// input, and says why it did what it did.
import type { Priority } from "../../../protocol/index.ts";

export type LifeState =
  | "normal"
  | "unacknowledged"
  | "acknowledged"
  | "returned-unacknowledged"
  | "latched-unacknowledged"
  | "latched-acknowledged"
  /** Put away by a person, for a reason and until a time. */
  | "shelved"
  /** Hidden by logic: it follows from something that has a line of its own. */
  | "suppressed"
  /** Taken out by a person, for work on what it watches. */
  | "out-of-service";

export interface Life {
  readonly state: LifeState;
  readonly priority: Priority;
  /** The condition holds; also while nobody is shown it. */
  readonly isActive: boolean;
  /** Hidden: what a person still has to do once it comes back, also when the condition has ceased. */
  readonly owes: "nothing" | "acknowledgement" | "reset";
  /** Hidden: a person had seen it, and it has not become more pressing since. */
  readonly isSeen: boolean;
}

export type LifeInput =
  /** The condition holds, at this priority. */
  | { readonly kind: "breach"; readonly priority: Priority }
  /** It holds and has become more than a person has seen: as pressing as it was, and wider. */
  | { readonly kind: "grow" }
  /** The condition has ceased; of a rule that latches, it stays until a person resets it. */
  | { readonly kind: "clear"; readonly latches?: boolean }
  /** A person has seen it. */
  | { readonly kind: "acknowledge" }
  /** A person ends a latched one, on the spot or here. */
  | { readonly kind: "reset" }
  | { readonly kind: "shelve" }
  /** A person takes it back, and so has seen it. */
  | { readonly kind: "unshelve" }
  /** Its time is over. */
  | { readonly kind: "shelf-end" }
  | { readonly kind: "suppress" }
  /** A person has seen the line that it is hidden behind, which counts and names it. */
  | { readonly kind: "cause-seen" }
  | { readonly kind: "release" }
  | { readonly kind: "take-out" }
  | { readonly kind: "put-back" };

export type LifeReason =
  | "raised"
  | "holding"
  | "escalated"
  | "de-escalated"
  | "grown"
  | "returned"
  | "latched"
  | "waiting-for-acknowledgement"
  | "waiting-for-reset"
  | "breached-again"
  | "acknowledged"
  | "acknowledged-already"
  | "handled"
  | "reset"
  | "still-holding"
  | "acknowledge-first"
  | "shelved"
  | "unshelved"
  | "shelf-over"
  | "suppressed"
  | "seen-with-cause"
  | "released"
  | "taken-out"
  | "put-back"
  | "hidden"
  | "nothing-to-do";

export interface LifeStep {
  readonly life: Life;
  readonly reason: LifeReason;
}

export const LIFE_STATES: readonly LifeState[] = [
  "normal",
  "unacknowledged",
  "acknowledged",
  "returned-unacknowledged",
  "latched-unacknowledged",
  "latched-acknowledged",
  "shelved",
  "suppressed",
  "out-of-service",
];

/** Nobody is shown these as something to do; whoever looks for them finds them. */
export const HIDDEN_STATES: readonly LifeState[] = ["shelved", "suppressed", "out-of-service"];

export function isHidden(state: LifeState): boolean {
  return HIDDEN_STATES.includes(state);
}

/** Before anything happened. */
export const NORMAL: Life = { state: "normal", priority: 3, isActive: false, owes: "nothing", isSeen: false };

export function stepLife(life: Life, input: LifeInput): LifeStep {
  switch (input.kind) {
    case "breach":
      return isHidden(life.state) ? hiddenBreach(life, input.priority) : breach(life, input.priority);
    case "grow":
      return grow(life);
    case "clear":
      return isHidden(life.state) ? hiddenClear(life, input.latches === true) : clear(life, input.latches === true);
    case "acknowledge":
      return acknowledge(life);
    case "reset":
      return reset(life);
    case "shelve":
      return hide(life, "shelved", ["suppressed"]);
    case "suppress":
      return hide(life, "suppressed", []);
    case "take-out":
      return hide(life, "out-of-service", ["shelved", "suppressed", "normal"]);
    case "unshelve":
      return show(life, "shelved", "unshelved");
    case "shelf-end":
      return show(life, "shelved", "shelf-over");
    case "cause-seen":
      return seenWithCause(life);
    case "release":
      return show(life, "suppressed", "released");
    case "put-back":
      return show(life, "out-of-service", "put-back");
  }
}

function open(state: LifeState, priority: Priority, isActive: boolean): Life {
  return { state, priority, isActive, owes: "nothing", isSeen: false };
}

function breach(life: Life, priority: Priority): LifeStep {
  switch (life.state) {
    case "normal":
      return { life: open("unacknowledged", priority, true), reason: "raised" };
    case "unacknowledged":
    case "acknowledged":
      // What became more pressing must be seen again; what became less so need not.
      if (priority < life.priority) return { life: open("unacknowledged", priority, true), reason: "escalated" };
      if (priority > life.priority) return { life: { ...life, priority }, reason: "de-escalated" };
      return { life, reason: "holding" };
    default:
      return { life: open("unacknowledged", priority, true), reason: "breached-again" };
  }
}

function grow(life: Life): LifeStep {
  if (life.state === "acknowledged") return { life: { ...life, state: "unacknowledged" }, reason: "grown" };
  if (isHidden(life.state)) return { life: { ...life, isSeen: false }, reason: "hidden" };
  return { life, reason: life.state === "unacknowledged" ? "holding" : "nothing-to-do" };
}

/** What was put away for a reason comes out when it becomes more pressing than the person knew. */
function hiddenBreach(life: Life, priority: Priority): LifeStep {
  if (life.state === "shelved" && priority < life.priority) {
    return { life: open("unacknowledged", priority, true), reason: "escalated" };
  }
  const isSeen = life.isSeen && priority >= life.priority;
  return { life: { ...life, priority, isActive: true, isSeen }, reason: "hidden" };
}

function hiddenClear(life: Life, latches: boolean): LifeStep {
  const owes = latches && life.isActive ? "reset" : life.owes;
  return { life: { ...life, isActive: false, owes }, reason: "hidden" };
}

function clear(life: Life, latches: boolean): LifeStep {
  switch (life.state) {
    case "unacknowledged":
      return latches
        ? { life: open("latched-unacknowledged", life.priority, false), reason: "latched" }
        : { life: open("returned-unacknowledged", life.priority, false), reason: "returned" };
    case "acknowledged":
      return latches
        ? { life: open("latched-acknowledged", life.priority, false), reason: "latched" }
        : { life: open("normal", life.priority, false), reason: "handled" };
    case "returned-unacknowledged":
      return { life, reason: "waiting-for-acknowledgement" };
    case "latched-unacknowledged":
    case "latched-acknowledged":
      return { life, reason: "waiting-for-reset" };
    default:
      return { life, reason: "nothing-to-do" };
  }
}

function acknowledge(life: Life): LifeStep {
  switch (life.state) {
    case "unacknowledged":
      return { life: { ...life, state: "acknowledged" }, reason: "acknowledged" };
    case "returned-unacknowledged":
      return { life: open("normal", life.priority, false), reason: "handled" };
    case "latched-unacknowledged":
      return { life: open("latched-acknowledged", life.priority, false), reason: "acknowledged" };
    case "acknowledged":
    case "latched-acknowledged":
      return { life, reason: "acknowledged-already" };
    case "normal":
      return { life, reason: "nothing-to-do" };
    default:
      return { life, reason: "hidden" };
  }
}

function reset(life: Life): LifeStep {
  switch (life.state) {
    case "latched-acknowledged":
      return { life: open("normal", life.priority, false), reason: "reset" };
    case "latched-unacknowledged":
      return { life, reason: "acknowledge-first" };
    case "unacknowledged":
    case "acknowledged":
      return { life, reason: "still-holding" };
    case "returned-unacknowledged":
      return { life, reason: "waiting-for-acknowledgement" };
    case "normal":
      return { life, reason: "nothing-to-do" };
    default:
      return { life, reason: "hidden" };
  }
}

const HIDDEN_REASONS = { shelved: "shelved", suppressed: "suppressed", "out-of-service": "taken-out" } as const;

/** From any state that is shown, and from those hidden ones that give way. */
function hide(life: Life, to: keyof typeof HIDDEN_REASONS, from: readonly LifeState[]): LifeStep {
  if (life.state === to) return { life, reason: "holding" };
  const mayGo = from.includes(life.state) || !(isHidden(life.state) || life.state === "normal");
  if (!mayGo) return { life, reason: isHidden(life.state) ? "hidden" : "nothing-to-do" };
  const isSeen = life.isSeen || life.state === "acknowledged" || life.state === "latched-acknowledged";
  return { life: { ...life, state: to, owes: owedBy(life), isSeen }, reason: HIDDEN_REASONS[to] };
}

function seenWithCause(life: Life): LifeStep {
  if (life.state !== "suppressed") return { life, reason: isHidden(life.state) ? "hidden" : "nothing-to-do" };
  return life.isSeen ? { life, reason: "holding" } : { life: { ...life, isSeen: true }, reason: "seen-with-cause" };
}

function owedBy({ state, owes }: Life): Life["owes"] {
  if (state === "returned-unacknowledged") return "acknowledgement";
  return state.startsWith("latched") ? "reset" : owes;
}

/** Back to what it is now: seen when a person brings it back (clause 11.7.3), or when it was hidden by logic and had been seen before. */
function show(life: Life, from: LifeState, reason: LifeReason): LifeStep {
  if (life.state !== from) return { life, reason: "nothing-to-do" };
  const { priority, isActive, owes } = life;
  const isSeen = reason === "unshelved" || (life.isSeen && from === "suppressed");
  const name = isSeen ? "acknowledged" : "unacknowledged";
  if (isActive) return { life: open(name, priority, true), reason };
  if (owes === "reset") return { life: open(`latched-${name}`, priority, false), reason };
  if (owes === "acknowledgement" && !isSeen) return { life: open("returned-unacknowledged", priority, false), reason };
  return { life: open("normal", priority, false), reason };
}
