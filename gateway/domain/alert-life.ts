// The life of one alert (states of ISA-18.2 that this version can reach). Pure and total: every state takes every input,
// and says why it did what it did.
import type { Priority } from "../../protocol/index.ts";

export type LifeState = "normal" | "unacknowledged" | "acknowledged" | "returned-unacknowledged";

export interface Life {
  readonly state: LifeState;
  readonly priority: Priority;
}

export type LifeInput =
  /** The condition holds, at this priority. */
  | { readonly kind: "breach"; readonly priority: Priority }
  /** The condition has ceased. */
  | { readonly kind: "clear" }
  /** A person has seen it. */
  | { readonly kind: "acknowledge" };

export type LifeReason =
  | "raised"
  | "holding"
  | "escalated"
  | "de-escalated"
  | "returned"
  | "waiting-for-acknowledgement"
  | "breached-again"
  | "acknowledged"
  | "acknowledged-already"
  | "handled"
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
];

export function stepLife(life: Life, input: LifeInput): LifeStep {
  switch (input.kind) {
    case "breach":
      return breach(life, input.priority);
    case "clear":
      return clear(life);
    case "acknowledge":
      return acknowledge(life);
  }
}

function breach(life: Life, priority: Priority): LifeStep {
  switch (life.state) {
    case "normal":
      return { life: { state: "unacknowledged", priority }, reason: "raised" };
    case "returned-unacknowledged":
      return { life: { state: "unacknowledged", priority }, reason: "breached-again" };
    case "unacknowledged":
    case "acknowledged":
      // What became more pressing must be seen again; what became less so need not.
      if (priority < life.priority) return { life: { state: "unacknowledged", priority }, reason: "escalated" };
      if (priority > life.priority) return { life: { state: life.state, priority }, reason: "de-escalated" };
      return { life, reason: "holding" };
  }
}

function clear(life: Life): LifeStep {
  switch (life.state) {
    case "normal":
      return { life, reason: "nothing-to-do" };
    case "unacknowledged":
      return { life: { ...life, state: "returned-unacknowledged" }, reason: "returned" };
    case "acknowledged":
      return { life: { ...life, state: "normal" }, reason: "handled" };
    case "returned-unacknowledged":
      return { life, reason: "waiting-for-acknowledgement" };
  }
}

function acknowledge(life: Life): LifeStep {
  switch (life.state) {
    case "normal":
      return { life, reason: "nothing-to-do" };
    case "unacknowledged":
      return { life: { ...life, state: "acknowledged" }, reason: "acknowledged" };
    case "acknowledged":
      return { life, reason: "acknowledged-already" };
    case "returned-unacknowledged":
      return { life: { ...life, state: "normal" }, reason: "handled" };
  }
}
