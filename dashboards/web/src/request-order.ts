// Requests for help on the screen: which come first, what can be done to each, and what they say. Pure.
import type { HelpRequest, RequestStepState } from "../../../protocol/schema/index.ts";
import type { Format } from "./format.ts";

export function isOpenRequest({ state }: HelpRequest): boolean {
  return state !== "delivered" && state !== "declined";
}

function rankOf({ kind }: HelpRequest): number {
  return kind === "medical" || kind === "police" ? 1 : 2;
}

/** What somebody waits for longest first; what is a matter of life before the rest. */
export function requestOrder(a: HelpRequest, b: HelpRequest): number {
  return rankOf(a) - rankOf(b) || Date.parse(a.askedAt) - Date.parse(b.askedAt);
}

const FORWARD: readonly RequestStepState[] = ["promised", "under-way", "delivered"];

/** Forward only, the likeliest first; what is closed has none. */
export function stepsFor(request: HelpRequest): readonly RequestStepState[] {
  if (!isOpenRequest(request)) return [];
  const at = FORWARD.indexOf(request.state as RequestStepState);
  return [...FORWARD.slice(at + 1), "declined"];
}

export function quantityWords({ kind, quantity }: HelpRequest, format: Format): string {
  if (quantity === undefined) return "";
  return format.text(kind === "staff" ? "peopleN" : "litresN", { n: format.decimal(quantity) });
}

/** How much, by when, how often: in one line. */
export function detailWords(request: HelpRequest, nowMs: number, format: Format): string {
  const { neededBy, pressed, late } = request;
  return [
    quantityWords(request, format),
    neededBy === undefined
      ? ""
      : format.text("requestNeededBy", { time: format.farMoment(Date.parse(neededBy), nowMs) }),
    pressed > 1 ? format.text("requestPressed", { n: pressed }) : "",
    late === true ? format.text("requestLate") : "",
  ]
    .filter((part) => part !== "")
    .join(" · ");
}
