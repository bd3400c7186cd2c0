// The life of a request for help: asked, promised, under way, delivered or declined; never back. Pure and total: every state takes
// every input, and says why it did what it did.
import {
  type HelpRequest,
  type NewHelpRequest,
  type NewRequestStep,
  PRESSES_MAX,
  type Priority,
  REQUEST_KINDS,
  type RequestKind,
  type RequestState,
  type RequestStepState,
} from "../../protocol/index.ts";
import { toInstant } from "./instant.ts";

/** Open requests of one point: more than anybody asks, and a bound. */
export const OPEN_PER_POINT_MAX = 32;
/** What is closed is kept for so long, and no more of them than this. */
export const CLOSED_KEEP_MS = 7 * 86_400_000;
export const CLOSED_MAX = 2_000;

export type RequestInput = "ask" | RequestStepState;

export type RequestReason =
  | RequestStepState
  /** Asked once more while it is open. */
  | "asked-again"
  | "unchanged"
  | "goes-forward-only"
  | "closed"
  | "reason-needed";

export interface LifeOfRequest {
  readonly state: RequestState;
  readonly reason: RequestReason;
  /** False: nothing was done. */
  readonly isDone: boolean;
}

const RANK: Readonly<Record<RequestState, number>> = {
  asked: 0,
  promised: 1,
  "under-way": 2,
  delivered: 3,
  declined: 3,
};

export function isOpenRequest({ state }: Pick<HelpRequest, "state">): boolean {
  return state !== "delivered" && state !== "declined";
}

export function stepRequestState(state: RequestState, input: RequestInput, hasReason: boolean): LifeOfRequest {
  const refused = (reason: RequestReason) => ({ state, reason, isDone: false });
  if (!isOpenRequest({ state })) return refused("closed");
  if (input === "ask") return { state, reason: "asked-again", isDone: true };
  if (input === state) return refused("unchanged");
  if (RANK[input] < RANK[state]) return refused("goes-forward-only");
  if (input === "declined" && !hasReason) return refused("reason-needed");
  return { state: input, reason: input, isDone: true };
}

/** A request and what only the gateway needs to know of it. */
export interface KeptRequest {
  readonly request: HelpRequest;
  /** Presses that have been counted: sent again they count no second time. */
  readonly presses: readonly { readonly deviceId: string; readonly sequence: number }[];
  /** It was taken, and the devices of its point have not been asked to show it. */
  readonly lampDue?: true;
}

export interface Press {
  readonly deviceId: string;
  readonly pointId: string;
  readonly sequence: number;
  readonly atMs: number;
  readonly kind: RequestKind;
  readonly isLate: boolean;
}

/** Of event 9: a code that this gateway does not know is taken for the most pressing one. */
export function kindOf(argument: number): RequestKind {
  return REQUEST_KINDS[argument - 1] ?? "medical";
}

export function priorityOfRequest(kind: RequestKind): Priority {
  return kind === "medical" || kind === "police" ? 1 : 2;
}

/** What a press makes of the requests of its point; undefined when it was counted before. */
export function takePress(known: Iterable<KeptRequest>, press: Press): KeptRequest | undefined {
  const { deviceId, pointId, kind, sequence } = press;
  let open: KeptRequest | undefined;
  for (const kept of known) {
    if (kept.request.pointId !== pointId || kept.request.kind !== kind) continue;
    if (kept.presses.some((one) => one.deviceId === deviceId && one.sequence === sequence)) return undefined;
    if (isOpenRequest(kept.request)) open = kept;
  }
  return open === undefined ? firstPress(press) : pressedAgain(open, press);
}

function firstPress({ deviceId, pointId, kind, sequence, atMs, isLate }: Press): KeptRequest {
  const at = toInstant(atMs);
  const request: HelpRequest = {
    ...{ requestId: `help-${deviceId}-${sequence}`, pointId, kind, state: "asked", askedAt: at, updatedAt: at },
    ...{ pressed: 1, pressedAt: at, steps: [{ state: "asked", at, by: deviceId, via: "button" }] },
    ...(isLate ? { late: true } : {}),
  };
  return { request, presses: [{ deviceId, sequence }] };
}

/** Counts up. One that was only recorded is news once it is pressed now. */
function pressedAgain(kept: KeptRequest, { deviceId, sequence, atMs, isLate }: Press): KeptRequest {
  const { late, ...request } = kept.request;
  const at = toInstant(Math.max(atMs, Date.parse(request.pressedAt ?? request.askedAt)));
  return {
    ...kept,
    request: {
      ...request,
      pressed: request.pressed + 1,
      pressedAt: at,
      updatedAt: toInstant(Math.max(atMs, Date.parse(request.updatedAt))),
      ...(late === true && isLate ? { late } : {}),
    },
    presses: [...kept.presses, { deviceId, sequence }].slice(-PRESSES_MAX),
  };
}

const COUNTED: readonly RequestKind[] = ["fuel", "water", "staff"];

/** What is wrong with what a person asks; undefined when nothing is. */
export function faultOfAsk({ kind, quantity, neededBy }: NewHelpRequest, nowMs: number): string | undefined {
  if (quantity !== undefined && !COUNTED.includes(kind)) return `quantity: there is none of ${kind}`;
  if (kind === "staff" && quantity !== undefined && !Number.isInteger(quantity)) return "quantity: whole people";
  if (neededBy === undefined) return undefined;
  const byMs = Date.parse(neededBy);
  if (Number.isNaN(byMs)) return "neededBy: no moment";
  return byMs <= nowMs ? "neededBy: a moment after now" : undefined;
}

export interface Asker {
  readonly pointId: string;
  readonly requestId: string;
  readonly by: string;
  readonly nowMs: number;
}

export function askedBy({ kind, quantity, neededBy, via, note }: NewHelpRequest, asker: Asker): KeptRequest {
  const { pointId, requestId, by, nowMs } = asker;
  const at = toInstant(nowMs);
  const first = { state: "asked", at, by, via, ...(note === undefined ? {} : { note }) } as const;
  const request: HelpRequest = {
    ...{ requestId, pointId, kind, state: "asked", askedAt: at, updatedAt: at, pressed: 0, steps: [first] },
    ...(quantity === undefined ? {} : { quantity }),
    ...(neededBy === undefined ? {} : { neededBy }),
  };
  return { request, presses: [] };
}

/** One step by a person; the reason says whether it was done. Taken for the first time, its lamps are due. */
export function stepRequest(
  kept: KeptRequest,
  { state: to, via = "screen", note }: NewRequestStep,
  doer: { readonly by: string; readonly nowMs: number },
): { readonly kept: KeptRequest; readonly life: LifeOfRequest } {
  const { request } = kept;
  const life = stepRequestState(request.state, to, (note ?? "").trim() !== "");
  if (!life.isDone) return { kept, life };
  const at = toInstant(doer.nowMs);
  const step = { state: to, at, by: doer.by, via, ...(note === undefined ? {} : { note }) };
  const next: HelpRequest = { ...request, state: to, updatedAt: at, steps: [...request.steps, step] };
  const isSeenFirst = request.state === "asked" && kept.presses.length > 0;
  return { kept: { ...kept, request: next, ...(isSeenFirst ? { lampDue: true } : {}) }, life };
}

/** Points at which all that was pressed has been taken: 'seen' must not light while something pressed is not. */
export function lampsDue(known: Iterable<KeptRequest>): ReadonlyMap<string, readonly string[]> {
  const due = new Map<string, string[]>();
  const unseen = new Set<string>();
  for (const { request, presses, lampDue } of known) {
    const { pointId, requestId, state } = request;
    if (state === "asked" && presses.length > 0 && request.late !== true) unseen.add(pointId);
    if (lampDue === true) due.set(pointId, [...(due.get(pointId) ?? []), requestId]);
  }
  for (const pointId of unseen) due.delete(pointId);
  return due;
}

/** Closed for too long, or too many of them: the oldest first. */
export function forgettable(known: Iterable<KeptRequest>, nowMs: number): string[] {
  const closed = [...known].filter((kept) => !isOpenRequest(kept.request) && kept.lampDue !== true);
  const closedMs = ({ request }: KeptRequest) => Date.parse(request.updatedAt);
  closed.sort((a, b) => closedMs(b) - closedMs(a));
  return closed
    .filter((kept, i) => i >= CLOSED_MAX || nowMs - closedMs(kept) > CLOSED_KEEP_MS)
    .map(({ request }) => request.requestId);
}
