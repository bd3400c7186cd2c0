// InfluxDB 2.x as a sink. The client's write API batches and retries by itself and loses lines without a word, and takes a
// 201 (some lines written) for all of them; so each batch is one request on the client's transport, judged here.
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { HttpError, InfluxDB, setLogger } from "@influxdata/influxdb-client";
import type { Clock } from "../clock.ts";
import type { JournalRecord } from "../domain/record.ts";
import type { HttpAnswer, NoAnswer } from "../http-post.ts";
import { type HttpRules, jsonObject, judgeAnswer } from "./answers.ts";
import { guardedRequest } from "./influx-request.ts";
import { type LineContext, lineOf } from "./lines.ts";
import type { Delivery, Sink } from "./pump.ts";
import { inSlices } from "./slices.ts";

const GZIP_BYTES_MIN = 1_000;

// The client writes failures to the console by itself; the runner reports them once, with their reason.
setLogger({ error: () => undefined, warn: () => undefined });

/** The place that the client has for other requests than those of Node. */
const REQUESTS = {
  "follow-redirects": {
    http: { request: guardedRequest(requestPlain) },
    https: { request: guardedRequest(requestTls) },
  },
};

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
  const transportOptions = { ...REQUESTS, ...(ca === undefined ? {} : { ca }) };
  const influx = new InfluxDB({ url, token, timeout: timeoutMs, transportOptions });
  const path = `/api/v2/write?${new URLSearchParams({ org, bucket, precision: "ns" })}`;
  let underWay: AbortController | undefined;
  let closed = false;

  async function deliver(rows: readonly JournalRecord[]): Promise<Delivery> {
    const body = (await inSlices(rows, (row) => lineOf(row, context))).join("\n");
    if (closed) return { kind: "retry", reason: "the sink is being stopped" };
    const abort = new AbortController();
    underWay = abort;
    const deadline = clock.after(timeoutMs, () => abort.abort());
    const answer = await send(influx, { path, body, signal: abort.signal });
    deadline.stop();
    underWay = undefined;
    if (!("failure" in answer)) return judgeAnswer(answer, RULES);
    // What the client gave up by itself may still have a connection.
    const timedOut = abort.signal.aborted && !closed;
    abort.abort();
    return judgeAnswer(timedOut ? { failure: `no answer in ${timeoutMs} ms`, timedOut } : answer, RULES);
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
    const broken = () => resolve({ failure: "it was broken off", timedOut: false });
    // The client hears of it as well, but not while it compresses.
    signal.addEventListener("abort", broken, { once: true });
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
