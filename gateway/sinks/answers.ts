// What an HTTP answer, or the lack of one, means for a batch. What differs between receivers is which answer takes all of it
// and which one condemns a row.
import { type HttpAnswer, isWebPage, type NoAnswer } from "../http-post.ts";
import type { Delivery } from "./pump.ts";

export interface HttpRules {
  readonly acceptedStatuses: readonly number[];
  /** What a person must mend. */
  readonly pausedStatuses: readonly number[];
  /** The receiver's own word that a row can never be taken; undefined for other answers, and when a proxy may have said it. */
  condemnation(answer: HttpAnswer): string | undefined;
}

const RETRY_AFTER_S_MAX = 300;
const REASON_LENGTH_MAX = 200;

export function judgeAnswer(answer: HttpAnswer | NoAnswer, rules: HttpRules): Delivery {
  if ("failure" in answer) {
    return { kind: "retry", reason: answer.failure, ...(answer.timedOut ? { timedOut: true as const } : {}) };
  }
  const { status } = answer;
  if (rules.acceptedStatuses.includes(status)) {
    return isWebPage(answer) ? { kind: "retry", reason: `HTTP ${status} with a web page` } : { kind: "accepted" };
  }
  const condemned = rules.condemnation(answer);
  if (condemned !== undefined) return { kind: "refused", code: String(status), message: condemned };
  if (status === 413) return { kind: "too-large" };
  const reason = reasonOf(answer);
  // An address that sends us elsewhere is wrong in the configuration: a secret follows nobody.
  if (rules.pausedStatuses.includes(status) || (status >= 300 && status < 400)) return { kind: "paused", reason };
  const afterMs = retryAfterMs(answer.headers["retry-after"]);
  return { kind: "retry", reason, ...(afterMs === undefined ? {} : { afterMs }) };
}

/** Seconds (RFC 9110 section 10.2.3); the form with a date is left to the back-off, since clocks differ. */
function retryAfterMs(header: unknown): number | undefined {
  if (typeof header !== "string" || !/^\s*\d+\s*$/.test(header)) return undefined;
  const seconds = Number(header);
  return seconds > 0 ? Math.min(seconds, RETRY_AFTER_S_MAX) * 1000 : undefined;
}

function reasonOf({ status, body }: HttpAnswer): string {
  const said = jsonObject(body);
  const words = [said?.["message"], said?.["detail"], said?.["title"]].find((one) => typeof one === "string");
  return words === undefined ? `HTTP ${status}` : `HTTP ${status} ${String(words).slice(0, REASON_LENGTH_MAX)}`;
}

export function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // A proxy's page, not the receiver's word.
    return undefined;
  }
}
