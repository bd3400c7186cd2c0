// What a person does, as requests to the gateway. Failures come back as words.
import type { Alert, Problem, Session } from "../../../protocol/schema/index.ts";
import { applyAlert, session, signedOut } from "./live.ts";

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

async function failure(answer: Response | undefined): Promise<Outcome> {
  if (answer === undefined) return { kind: "failed", status: 0, what: "" };
  const problem = (await answer.json().catch(() => undefined)) as Problem | undefined;
  return { kind: "failed", status: answer.status, what: problem?.detail ?? String(answer.status) };
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
