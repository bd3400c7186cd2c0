// Requests for help on the draft: pressed at a device, asked and stepped by people, each with its alert while nobody has taken it.
import type { HelpRequest, NewHelpRequest, NewRequestStep } from "../../protocol/index.ts";
import type { PointView } from "../domain/point.ts";
import {
  askedBy,
  faultOfAsk,
  forgettable,
  isOpenRequest,
  type KeptRequest,
  OPEN_PER_POINT_MAX,
  type Press,
  priorityOfRequest,
  stepRequest,
  takePress,
} from "../domain/requests.ts";
import { GatewayError } from "../errors.ts";
import { applyVerdict, transit } from "./alerts.ts";
import type { Doer } from "./deeds.ts";
import { type Draft, draftAlertOn, draftRequests } from "./state.ts";

const KIND = "help";

/** A button was pressed. One that comes late is recorded, and sounds nothing. */
export function pressHelp(draft: Draft, press: Press, name: string, receivedMs: number): void {
  const kept = takePress(draftRequests(draft), press);
  if (kept === undefined) return;
  keep(draft, kept, { by: press.deviceId, origin: "button" }, receivedMs);
  judge(draft, kept, name, receivedMs);
}

/** Asked by a person; sent again it asks once. Throws ASK_INVALID, REQUESTS_FULL. */
export function askHelp(
  draft: Draft,
  { pointId, name }: PointView,
  asked: NewHelpRequest,
  doer: Doer & { readonly nowMs: number },
): HelpRequest {
  const requestId = asked.requestId ?? `ask-${pointId}-${draft.counter + 1}`;
  const known = [...draftRequests(draft)];
  const same = known.find(({ request }) => request.requestId === requestId)?.request;
  if (same !== undefined) {
    if (same.pointId === pointId && same.kind === asked.kind) return same;
    throw new GatewayError("ASK_INVALID", { problems: ["requestId: another request has it"] });
  }
  const fault = faultOfAsk(asked, doer.nowMs);
  if (fault !== undefined) throw new GatewayError("ASK_INVALID", { problems: [fault] });
  const open = known.filter(({ request }) => request.pointId === pointId && isOpenRequest(request)).length;
  if (open >= OPEN_PER_POINT_MAX) throw new GatewayError("REQUESTS_FULL", { pointId, open });
  const kept = askedBy(asked, { pointId, requestId, by: doer.by, nowMs: doer.nowMs });
  keep(draft, kept, doer, doer.nowMs);
  judge(draft, kept, name, doer.nowMs);
  return kept.request;
}

/** A step by a person. Throws REQUEST_UNKNOWN, REQUEST_STEP_REFUSED. */
export function stepHelp(
  draft: Draft,
  requestId: string,
  asked: NewRequestStep,
  doer: Doer & { readonly nowMs: number },
): HelpRequest {
  const before = draft.base.requests.get(requestId);
  if (before === undefined) throw new GatewayError("REQUEST_UNKNOWN", { requestId });
  const { kept, life } = stepRequest(before, asked, doer);
  if (!life.isDone) {
    const { state } = before.request;
    throw new GatewayError("REQUEST_STEP_REFUSED", { requestId, state, step: asked.state, reason: life.reason });
  }
  keep(draft, kept, doer, doer.nowMs);
  endAlert(draft, requestId, doer);
  return kept.request;
}

/** What has been closed for long enough goes. */
export function forgetRequests(draft: Draft, nowMs: number): void {
  for (const requestId of forgettable(draft.base.requests.values(), nowMs)) draft.requests.set(requestId, undefined);
}

/** Free words stay in the request and go with it: the log of acts is kept for good. */
function keep(draft: Draft, kept: KeptRequest, { by, origin }: Doer, atMs: number): void {
  const { request } = kept;
  const { requestId, pointId, kind, state, quantity, neededBy, pressed, late } = request;
  draft.requests.set(requestId, kept);
  draft.acts.push({
    ...{ atMs, actor: by, action: `request-${state}`, object: requestId, result: state, origin },
    detail: JSON.stringify({ pointId, kind, quantity, neededBy, pressed, late, via: request.steps.at(-1)?.via }),
  });
}

/** An open request that nobody has taken is an alert. */
function judge(draft: Draft, { request }: KeptRequest, name: string, nowMs: number): void {
  const { requestId, pointId, kind, state, quantity, neededBy, pressed, late } = request;
  if (state !== "asked" || late === true) return;
  const subject = { kind: "point", id: pointId, name, pointId } as const;
  const values = {
    ...{ kind, pressed, requestId },
    ...(quantity === undefined ? {} : { quantity }),
    ...(neededBy === undefined ? {} : { neededBy }),
  };
  const respondBy = neededBy === undefined ? {} : { respondBy: neededBy };
  const finding = { ruleId: "help-requested", priority: priorityOfRequest(kind), values, ...respondBy };
  applyVerdict(draft, { matter: `${KIND}/${requestId}`, subject, nowMs }, { kind: "breach", finding });
}

/** Whoever takes a request has seen its alert, also where it was put away. */
function endAlert(draft: Draft, requestId: string, { by, origin, nowMs }: Doer & { readonly nowMs: number }): void {
  for (const kind of ["unshelve", "put-back", "acknowledge", "clear"] as const) {
    const open = draftAlertOn(draft, `${KIND}/${requestId}`);
    if (open !== undefined) transit(draft, open, { kind }, { nowMs, actor: by, origin });
  }
}
