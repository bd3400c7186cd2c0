// How a receiver over HTTP can tell who sends: a bearer token, a signature as Standard Webhooks makes it, or both.
import { createHmac } from "node:crypto";
import type { Clock } from "./clock.ts";

export interface Signing {
  readonly token?: string;
  /** Key of the signature, as bytes. */
  readonly secret?: Uint8Array;
  readonly clock: Pick<Clock, "nowMs">;
}

/** Whether a token can stand in a header: one line of plain characters. */
export function isHeaderToken(text: string): boolean {
  return /^[\x20-\x7e]+$/.test(text);
}

/** What is said of the file of one that cannot. */
export const NO_TOKEN = "is to hold a token and nothing else: one line, of ASCII characters";

const SECRET_PREFIX = "whsec_";

/** The key in a secret file: base64 behind `whsec_`, else the text itself. */
export function secretOf(text: string): Uint8Array {
  const line = text.trim();
  return line.startsWith(SECRET_PREFIX) ? Buffer.from(line.slice(SECRET_PREFIX.length), "base64") : Buffer.from(line);
}

/** `id` is the same when a message is sent again. */
export function signingHeaders({ token, secret, clock }: Signing, id: string, body: string): Record<string, string> {
  const headers: Record<string, string> = {};
  if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
  if (secret !== undefined) {
    const seconds = String(Math.floor(clock.nowMs() / 1000));
    const signature = createHmac("sha256", secret).update(`${id}.${seconds}.${body}`).digest("base64");
    Object.assign(headers, { "webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": `v1,${signature}` });
  }
  return headers;
}
