// What an operator at a shell asks of the gateway that runs: a file each in a folder of the data folder, taken up within seconds, or at
// the next start. Written whole, so that none is taken half; done at least once, so each may be done twice.
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { readWhole, writeWhole } from "./file.ts";

const FOLDER = "lorawan-requests";
const REQUEST = ".request.json";
const ANSWER = ".answer.json";
const MODE = 0o600;
/** Looked at in one turn. */
export const REQUESTS_MAX = 64;
const BYTES_MAX = 16_384;
/** Nobody waits for an answer any longer. */
const ANSWER_MS_MAX = 60_000;

/** A line for the log of acts. */
export interface AskedAct {
  readonly atMs: number;
  readonly actor: string;
  readonly action: string;
  readonly object: string;
  readonly detail: string;
}

/** `note` was done already, to files; `tell` wants to know how devices and base stations are. */
export type LorawanRequest =
  | { readonly kind: "flush-nonces" | "forget-session"; readonly devEui: string; readonly act: AskedAct }
  | { readonly kind: "note"; readonly act: AskedAct }
  | { readonly kind: "tell"; readonly atMs: number };

export interface WaitingRequest {
  readonly requestId: string;
  /** Undefined: it is none, and is to be ended. */
  readonly request: LorawanRequest | undefined;
}

function folderOf(dir: string): string {
  return join(dir, FOLDER);
}

/** Throws FILE_UNWRITABLE. `requestId`: letters, digits and hyphens. */
export function putRequest(dir: string, requestId: string, request: LorawanRequest): void {
  mkdirSync(folderOf(dir), { recursive: true, mode: 0o700 });
  writeWhole(join(folderOf(dir), `${requestId}${REQUEST}`), JSON.stringify(request), MODE);
}

function names(dir: string): string[] {
  try {
    return readdirSync(folderOf(dir)).sort();
  } catch {
    return [];
  }
}

/** Those that wait. */
export function listRequests(dir: string): WaitingRequest[] {
  const waiting = names(dir).filter((name) => name.endsWith(REQUEST));
  return waiting.slice(0, REQUESTS_MAX).map((name) => {
    const path = join(folderOf(dir), name);
    return { requestId: name.slice(0, -REQUEST.length), request: parse(path) };
  });
}

function parse(path: string): LorawanRequest | undefined {
  try {
    if (statSync(path).size > BYTES_MAX) return undefined;
    const request = JSON.parse(readWhole(path) ?? "") as LorawanRequest;
    return ["flush-nonces", "forget-session", "note", "tell"].includes(request.kind) ? request : undefined;
  } catch {
    return undefined;
  }
}

/** It is done, with what whoever asked may read. */
export function endRequest(dir: string, requestId: string, answer?: unknown): void {
  if (answer !== undefined) writeWhole(join(folderOf(dir), `${requestId}${ANSWER}`), JSON.stringify(answer), MODE);
  rmSync(join(folderOf(dir), `${requestId}${REQUEST}`), { force: true });
}

/** The answer, once; undefined while there is none. */
export function takeAnswer(dir: string, requestId: string): unknown {
  const path = join(folderOf(dir), `${requestId}${ANSWER}`);
  const text = readWhole(path);
  if (text === undefined) return undefined;
  rmSync(path, { force: true });
  return JSON.parse(text) as unknown;
}

/** Whoever asked and went away leaves an answer behind: those that were seen a minute ago go. On the monotonic clock. */
export function createAnswerSweep(dir: string): (monotonicMs: number) => void {
  const seen = new Map<string, number>();
  return (monotonicMs) => {
    const there = names(dir).filter((name) => name.endsWith(ANSWER));
    for (const name of [...seen.keys()]) if (!there.includes(name)) seen.delete(name);
    for (const name of there) {
      const sinceMs = seen.get(name) ?? monotonicMs;
      if (monotonicMs - sinceMs > ANSWER_MS_MAX) rmSync(join(folderOf(dir), name), { force: true });
      else seen.set(name, sinceMs);
    }
  };
}
