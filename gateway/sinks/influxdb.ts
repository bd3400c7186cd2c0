// InfluxDB 2.x as a sink. The client's own batches and retries lose lines without a word, so each batch is one request of
// a writer of its own that retries nothing; whether it counts is decided here.
import { HttpError, InfluxDB, setLogger } from "@influxdata/influxdb-client";
import type { JournalRecord } from "../domain/record.ts";
import { type LineContext, lineOf } from "./lines.ts";
import type { Delivery, Sink } from "./pump.ts";

const BATCH_BYTES_MAX = 100_000_000;

// The client writes failures to the console by itself; the pump reports them once, with their reason.
setLogger({ error: () => undefined, warn: () => undefined });

export interface InfluxOptions {
  readonly url: string;
  readonly org: string;
  readonly bucket: string;
  readonly token: string;
  readonly batchRowsMax: number;
  readonly timeoutMs: number;
  readonly context: LineContext;
}

export function createInfluxSink(options: InfluxOptions): Sink {
  const { url, token, timeoutMs: timeout } = options;
  const influx = new InfluxDB({ url, token, timeout });
  return {
    name: "influxdb",
    batchRowsMax: options.batchRowsMax,
    deliver: (rows) => deliver(influx, options, rows),
  };
}

async function deliver(influx: InfluxDB, options: InfluxOptions, rows: readonly JournalRecord[]): Promise<Delivery> {
  const lines = rows.map((row) => lineOf(row, options.context));
  let acked = 0;
  let status = 0;
  const writer = influx.getWriteApi(options.org, options.bucket, "ns", {
    batchSize: lines.length + 1,
    maxBatchBytes: BATCH_BYTES_MAX,
    flushInterval: 0,
    maxRetries: 0,
    writeSuccess: (written) => {
      acked += written.length;
    },
    writeFailed: () => undefined,
  });
  try {
    writer.writeRecords(lines);
    await writer.flush();
    // Counted, not believed: the client resolves although lines were lost.
    return acked === lines.length
      ? { kind: "accepted" }
      : { kind: "retry", reason: `${acked} of ${lines.length} lines confirmed` };
  } catch (error) {
    if (error instanceof HttpError) status = error.statusCode;
    return judge(status, error);
  } finally {
    writer.dispose();
  }
}

interface InfluxBody {
  readonly code?: unknown;
  readonly message?: unknown;
}

function bodyOf(error: unknown): InfluxBody | undefined {
  if (!(error instanceof HttpError) || error.body === undefined) return undefined;
  try {
    const body: unknown = JSON.parse(error.body);
    return typeof body === "object" && body !== null ? body : undefined;
  } catch {
    // A proxy's page, not InfluxDB's word.
    return undefined;
  }
}

function judge(status: number, error: unknown): Delivery {
  const body = bodyOf(error);
  const said =
    typeof body?.message === "string" ? body.message : error instanceof Error ? error.message : String(error);
  const reason = status === 0 ? said : `${status} ${said}`;
  if (status === 401 || status === 403 || status === 404) return { kind: "paused", reason };
  if (status === 413) return { kind: "too-large" };
  if ((status === 400 || status === 422) && typeof body?.code === "string") {
    return { kind: "refused", code: String(status), message: said };
  }
  const header = error instanceof HttpError ? Number(error.headers?.["retry-after"]) : Number.NaN;
  // Seconds, whatever the client makes of it.
  return {
    kind: "retry",
    reason,
    ...(Number.isFinite(header) && header > 0 ? { afterMs: Math.min(header, 300) * 1000 } : {}),
  };
}
