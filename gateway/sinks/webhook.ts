// A webhook as a sink: CloudEvents over HTTP (HTTP 1.1 Web Hooks for Event Delivery), one a request as the NL GOV guideline
// asks, or a batch. Signed as Standard Webhooks does, with a bearer token, or both.
import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import type { CloudEvent } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import type { JournalRecord } from "../domain/record.ts";
import { post } from "../http-post.ts";
import { signingHeaders } from "../http-signature.ts";
import { type HttpRules, jsonObject, judgeAnswer } from "./answers.ts";
import { cloudEventOf, type EventOptions, isAskedFor } from "./events.ts";
import type { Delivery, Sink } from "./pump.ts";
import { inSlices } from "./slices.ts";

export interface WebhookOptions extends EventOptions {
  readonly url: string;
  readonly form: "structured" | "batch";
  readonly token?: string;
  /** Key of the signature, as bytes. */
  readonly secret?: Uint8Array;
  readonly ca?: string;
  readonly batchRowsMax: number;
  /** Of one request. */
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, "after" | "nowMs">;
}

const RULES: HttpRules = {
  acceptedStatuses: [200, 201, 202, 204],
  // 410: the address is retired; 415: it does not speak CloudEvents.
  pausedStatuses: [401, 403, 404, 405, 406, 410, 415],
  condemnation: ({ status, headers, body }) => {
    if (status !== 400 && status !== 422) return undefined;
    // RFC 9457, which the API Design Rules ask for: no proxy answers so of itself.
    if (!String(headers["content-type"] ?? "").startsWith("application/problem+json")) return undefined;
    const said = jsonObject(body);
    if (said === undefined) return undefined;
    return [said["detail"], said["title"]].find((one) => typeof one === "string") ?? "refused";
  },
};

const TYPES = {
  structured: "application/cloudevents+json; charset=utf-8",
  batch: "application/cloudevents-batch+json; charset=utf-8",
} as const;
export function createWebhookSink(options: WebhookOptions): Sink {
  const url = new URL(options.url);
  const agent = new (url.protocol === "https:" ? TlsAgent : Agent)({ keepAlive: true, maxSockets: 1 });
  let breakOff: (() => void) | undefined;
  let closed = false;

  async function send(name: string, body: string): Promise<Delivery> {
    if (closed) return { kind: "retry", reason: "the sink is being stopped" };
    const { ca, timeoutMs, clock } = options;
    const headers = headersOf(options, name, body);
    const call = post({ url, headers, body, agent, ca, timeoutMs, clock });
    breakOff = call.break;
    const answer = await call.answer;
    breakOff = undefined;
    return judgeAnswer(answer, RULES);
  }

  async function deliverOneByOne(rows: readonly JournalRecord[]): Promise<Delivery> {
    for (let delivered = 0; delivered < rows.length; delivered++) {
      const event = cloudEventOf(rows[delivered] as JournalRecord, options);
      if (event === undefined) continue;
      const delivery = await send(event.id, JSON.stringify(event));
      if (delivery.kind === "refused") return { ...delivery, alone: true, delivered };
      // One alone that is too large is a row that can never be taken.
      if (delivery.kind === "too-large") {
        return { kind: "refused", code: "413", message: "one event is too large", alone: true, delivered };
      }
      if (delivery.kind !== "accepted") return { ...delivery, delivered };
    }
    return { kind: "accepted" };
  }

  async function deliverAtOnce(rows: readonly JournalRecord[]): Promise<Delivery> {
    const events = (await inSlices(rows, (row) => cloudEventOf(row, options))).filter((one) => one !== undefined);
    const [first, last] = [events[0], events[events.length - 1]];
    if (first === undefined || last === undefined) return { kind: "accepted" };
    return send(`${first.id}-${last.id}`, JSON.stringify(events satisfies CloudEvent[]));
  }

  return {
    name: "webhook",
    batchRowsMax: options.batchRowsMax,
    deliver: options.form === "batch" ? deliverAtOnce : deliverOneByOne,
    wants: (row) => isAskedFor(row, options),
    close: () => {
      closed = true;
      breakOff?.();
      agent.destroy();
    },
  };
}

function headersOf(options: WebhookOptions, id: string, body: string): Record<string, string> {
  const { form } = options;
  return { "content-type": TYPES[form], "user-agent": "waakvlam", ...signingHeaders(options, id, body) };
}
