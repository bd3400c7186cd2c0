// What a person does, as requests to the gateway. Failures come back as words.
import type {
  Alert,
  DeviceState,
  Entry,
  HelpRequest,
  NewEntry,
  NewHelpRequest,
  NewMute,
  NewRequestStep,
  Notices,
  PointHistory,
  PointState,
  Problem,
  Session,
} from "../../../protocol/schema/index.ts";
import { applyAlert, applyPoint, applyRequest, session, signedOut } from "./live.ts";

export type Outcome =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly status: number; readonly what: string };

async function send(method: string, path: string, body?: unknown): Promise<Response | undefined> {
  try {
    const init =
      body === undefined
        ? { method }
        : { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    return await fetch(path, init);
  } catch {
    return undefined;
  }
}

async function failure(answer: Response | undefined): Promise<Extract<Outcome, { kind: "failed" }>> {
  if (answer === undefined) return { kind: "failed", status: 0, what: "" };
  const problem = (await answer.json().catch(() => undefined)) as Problem | undefined;
  const problems = problem?.problems ?? [];
  const what = problems.length > 0 ? problems.join("; ") : (problem?.detail ?? String(answer.status));
  return { kind: "failed", status: answer.status, what };
}

export async function signIn(name: string, password: string): Promise<Outcome> {
  const answer = await send("POST", "v1/session", { name, password });
  if (answer?.ok !== true) return failure(answer);
  session.value = (await answer.json()) as Session;
  signedOut.value = false;
  return { kind: "done" };
}

export async function signOut(): Promise<void> {
  await send("DELETE", "v1/session");
  location.reload();
}

export async function acknowledge(alertId: string, note: string): Promise<Outcome> {
  const body = note.trim() === "" ? {} : { note: note.trim() };
  const answer = await send("POST", `v1/alerts/${encodeURIComponent(alertId)}/acknowledgements`, body);
  if (answer?.ok !== true) return failure(answer);
  applyAlert((await answer.json()) as Alert);
  return { kind: "done" };
}

/** What can be done to an alert beside seeing it: the last word of its path, and what comes with it. */
export type AlertDeed =
  | { readonly path: "shelvings"; readonly body: { readonly until: string; readonly reason: string } }
  | { readonly path: "removals"; readonly body: { readonly reason: string } }
  | { readonly path: "unshelvings" | "returns" | "resets" };

export async function actOn(alertId: string, deed: AlertDeed): Promise<Outcome> {
  const body = "body" in deed ? deed.body : undefined;
  const answer = await send("POST", `v1/alerts/${encodeURIComponent(alertId)}/${deed.path}`, body);
  if (answer?.ok !== true) return failure(answer);
  applyAlert((await answer.json()) as Alert);
  return { kind: "done" };
}

/** Recorded when it is answered; the answer is the point as it is then. An id that was sent before counts once. */
export async function addEntry(pointId: string, entry: NewEntry): Promise<Outcome> {
  const answer = await send("POST", `v1/points/${encodeURIComponent(pointId)}/entries`, entry);
  if (answer?.ok !== true) return failure(answer);
  const point = (await answer.json().catch(() => undefined)) as PointState | undefined;
  if (point !== undefined) applyPoint(point);
  return { kind: "done" };
}

async function changeRequest(path: string, body: NewHelpRequest | NewRequestStep): Promise<Outcome> {
  const answer = await send("POST", path, body);
  if (answer?.ok !== true) return failure(answer);
  applyRequest((await answer.json()) as HelpRequest);
  return { kind: "done" };
}

/** An id that was sent before asks once. */
export function askForHelp(pointId: string, ask: NewHelpRequest): Promise<Outcome> {
  return changeRequest(`v1/points/${encodeURIComponent(pointId)}/requests`, ask);
}

export function stepRequest(requestId: string, step: NewRequestStep): Promise<Outcome> {
  return changeRequest(`v1/requests/${encodeURIComponent(requestId)}/steps`, step);
}

/** Also those that are closed, into the picture. */
export async function fetchRequests(): Promise<void> {
  for (const request of (await get<readonly HelpRequest[]>("v1/requests?state=all")) ?? []) applyRequest(request);
}

async function get<T>(path: string): Promise<T | undefined> {
  const answer = await send("GET", path);
  return answer?.ok === true ? ((await answer.json().catch(() => undefined)) as T | undefined) : undefined;
}

/** Who was told of what; undefined when it could not be asked. */
export function noticesNow(): Promise<Notices | undefined> {
  return get("v1/notices");
}

export async function mute(ask: NewMute): Promise<Outcome> {
  const answer = await send("POST", "v1/mutes", ask);
  return answer?.ok === true ? { kind: "done" } : failure(answer);
}

export async function unmute(recipientId: string): Promise<Outcome> {
  const answer = await send("DELETE", `v1/mutes/${encodeURIComponent(recipientId)}`);
  return answer?.ok === true ? { kind: "done" } : failure(answer);
}

/** A step is half an hour: longer than a device may be silent. */
const HISTORY_STEPS = 144;
export const FUEL_FIELD = "power.fuelLevelPct";
export const PEOPLE_FIELD = "occupancy.occupancy";

export function pointHistory(pointId: string): Promise<PointHistory | undefined> {
  const query = `fields=${FUEL_FIELD},${PEOPLE_FIELD}&points=${HISTORY_STEPS}`;
  return get(`v1/points/${encodeURIComponent(pointId)}/history?${query}`);
}

export async function devicesOf(pointId: string): Promise<readonly DeviceState[] | undefined> {
  const all = await get<readonly DeviceState[]>("v1/devices");
  return all?.filter((device) => device.pointId === pointId);
}

const ENTRIES_SHOWN = 10;

/** What people told of a point, the newest first; undefined when it could not be asked. */
export function entriesOf(pointId: string): Promise<readonly Entry[] | undefined> {
  return get(`v1/points/${encodeURIComponent(pointId)}/entries?limit=${ENTRIES_SHOWN}`);
}
