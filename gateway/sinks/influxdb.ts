// InfluxDB 2.x as a sink. The client's write API batches and retries by itself and loses lines without a word, and takes a
// 201 (some lines written) for all of them; so each batch is one request on the client's transport, judged here.
import { HttpError, InfluxDB, setLogger } from "@influxdata/influxdb-client";
import type { Clock } from "../clock.ts";
import type { JournalRecord } from "../domain/record.ts";
import type { HttpAnswer, NoAnswer } from "../http-post.ts";
import { type HttpRules, jsonObject, judgeAnswer } from "./answers.ts";
import { type LineContext, lineOf } from "./lines.ts";
import type { Delivery, Sink } from "./pump.ts";
import { inSlices } from "./slices.ts";

const GZIP_BYTES_MIN = 1_000;

// The client writes failures to the console by itself; the runner reports them once, with their reason.
setLogger({ error: () => undefined, warn: () => undefined });

export interface InfluxOptions {
  readonly url: string;
  readonly org: string;
  readonly bucket: string;
  readonly token: string;
  /** PEM of the authority behind https, when the system does not know it. */
  readonly ca?: string;
  readonly batchRowsMax: number;
  /** Of a whole request: an answer that trickles in for ever ends here too. */
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, "after">;
  readonly context: LineContext;
}

const RULES: HttpRules = {
  // Nothing else: 200 and 202 come from what stands before it, 201 says that only some lines are written.
  acceptedStatuses: [204],
  pausedStatuses: [401, 403, 404],
  condemnation: ({ status, body }) => {
    const said = jsonObject(body);
    if (typeof said?.["code"] !== "string") return undefined;
    const message = typeof said["message"] === "string" ? said["message"] : said["code"];
    // 2.0 says 500 where later versions say 422: that lines were dropped is what tells it from a failure.
    return status === 400 || status === 422 || (status === 500 && /\bdropped=\d/.test(message)) ? message : undefined;
  },
};

export function createInfluxSink(options: InfluxOptions): Sink {
  const { url, token, ca, org, bucket, timeoutMs, clock, context } = options;
  const influx = new InfluxDB({ url, token, timeout: timeoutMs, transportOptions: ca === undefined ? {} : { ca } });
  const path = `/api/v2/write?${new URLSearchParams({ org, bucket, precision: "ns" })}`;
  let underWay: AbortController | undefined;
  let closed = false;

  async function deliver(rows: readonly JournalRecord[]): Promise<Delivery> {
    const body = (await inSlices(rows, (row) => lineOf(row, context))).join("\n");
    if (closed) return { kind: "retry", reason: "the sink is being stopped" };
    const abort = new AbortController();
    let timedOut = false;
    const deadline = clock.after(timeoutMs, () => {
      timedOut = true;
      abort.abort();
    });
    underWay = abort;
    const answer = await send(influx, { path, body, signal: abort.signal });
    deadline.stop();
    underWay = undefined;
    if ("failure" in answer && timedOut) {
      return judgeAnswer({ failure: `no answer in ${timeoutMs} ms`, timedOut: true }, RULES);
    }
    return judgeAnswer(answer, RULES);
  }

  const close = () => {
    closed = true;
    underWay?.abort();
  };
  return { name: "influxdb", batchRowsMax: options.batchRowsMax, deliver, close };
}

function send(
  influx: InfluxDB,
  { path, body, signal }: { readonly path: string; readonly body: string; readonly signal: AbortSignal },
): Promise<HttpAnswer | NoAnswer> {
  return new Promise((resolve) => {
    let status = 0;
    const headers = { "content-type": "text/plain; charset=utf-8" };
    influx.transport.send(
      path,
      body,
      { method: "POST", headers, gzipThreshold: GZIP_BYTES_MIN, signal },
      {
        responseStarted: (_, statusCode) => {
          status = statusCode ?? 0;
        },
        complete: () => resolve({ status, headers: {}, body: "" }),
        error: (error) => resolve(answerOf(error)),
      },
    );
  });
}

function answerOf(error: Error): HttpAnswer | NoAnswer {
  if (!(error instanceof HttpError)) {
    const { code } = error as { code?: unknown };
    const failure = error.message === "" ? String(code ?? error.name) : error.message;
    return { failure, timedOut: error.name === "RequestTimedOutError" };
  }
  return { status: error.statusCode, headers: error.headers ?? {}, body: error.body ?? "" };
}
