// A notice as a CloudEvent in one POST, signed as the sinks sign. The event has the id of the notice: it counts once however often
// it comes.
import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import type { Clock } from "../clock.ts";
import type { Outcome } from "../domain/notify/delivery.ts";
import { type HttpAnswer, isWebPage, type NoAnswer, post } from "../http-post.ts";
import { secretOf, signingHeaders } from "../http-signature.ts";
import type { Carrier } from "./channel.ts";

export interface WebhookCarrierDeps {
  readonly gatewayId: string;
  readonly clock: Pick<Clock, "after" | "nowMs">;
  /** Text of a token, key or certificate file. Throws when it cannot be read. */
  readFile(path: string): string;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const ACCEPTED = [200, 201, 202, 204];
/** Of this request: it will not become better. 401 and 403 a person can mend. */
const REFUSED = [400, 404, 405, 410, 413, 415, 422];

export function createWebhookCarrier(deps: WebhookCarrierDeps): Carrier<"webhook"> {
  const { clock, gatewayId, timeoutMs = TIMEOUT_MS } = deps;
  return {
    async deliver({ notice }, { url: address, tokenFile, secretFile, caFile }) {
      const url = new URL(address);
      let keys: { readonly token?: string; readonly secret?: Uint8Array; readonly ca?: string };
      try {
        keys = {
          ...(tokenFile === undefined ? {} : { token: deps.readFile(tokenFile).trim() }),
          ...(secretFile === undefined ? {} : { secret: secretOf(deps.readFile(secretFile)) }),
          ...(caFile === undefined ? {} : { ca: deps.readFile(caFile) }),
        };
      } catch {
        return { kind: "failed", reason: "its key cannot be read" };
      }
      const body = JSON.stringify({
        specversion: "1.0",
        id: notice.noticeId,
        source: `urn:nld:systeem:${gatewayId}`,
        type: "nl.noodsteunpunten.bericht-gemaakt",
        time: notice.createdAt,
        datacontenttype: "application/json",
        data: notice,
      });
      const headers = {
        "content-type": "application/cloudevents+json; charset=utf-8",
        "user-agent": "waakvlam",
        ...signingHeaders({ ...keys, clock }, notice.noticeId, body),
      };
      // A notice is rare: no connection is kept open for the next one.
      const agent = new (url.protocol === "https:" ? TlsAgent : Agent)({ keepAlive: false, maxSockets: 1 });
      const answer = await post({ url, headers, body, agent, ca: keys.ca, timeoutMs, clock }).answer;
      agent.destroy();
      return judge(answer);
    },
  };
}

function judge(answer: HttpAnswer | NoAnswer): Outcome {
  if ("failure" in answer) return { kind: "failed", reason: answer.failure, isDown: true };
  const { status } = answer;
  if (ACCEPTED.includes(status) && isWebPage(answer))
    return { kind: "failed", reason: `HTTP ${status} with a web page`, isDown: true };
  if (ACCEPTED.includes(status)) return { kind: "delivered", detail: `HTTP ${status}` };
  if (REFUSED.includes(status) || (status >= 300 && status < 400)) return { kind: "refused", reason: `HTTP ${status}` };
  return { kind: "failed", reason: `HTTP ${status}` };
}
