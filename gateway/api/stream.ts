// One live stream a browser (Server-Sent Events): the whole picture first, then what changes, each point and alert at
// most once a second. What a screen missed it gets anew: one that falls behind is let go, and comes back.
import type { ServerResponse } from "node:http";
import type { Alert, GatewayState, HelpRequest, PointState } from "../../protocol/index.ts";
import type { Clock, Timer } from "../clock.ts";
import type { ApiEngine } from "./interfaces.ts";

export const STREAMS_MAX = 200;
export const FLUSH_MS = 1_000;
/** The gateway's own state is the heartbeat: after three of them a screen knows that it is alone. */
export const HEARTBEAT_MS = 5_000;
/** Bytes that may wait for one screen: a picture of a thousand points, and a little. */
export const WAITING_BYTES_MAX = 8 * 1024 * 1024;
/** How long something may wait for one screen; on a working line it is gone in milliseconds. */
export const BEHIND_MS_MAX = 10_000;
const RETRY_MS = 2_000;

/** The part of a response that a stream needs. */
export type StreamResponse = Pick<
  ServerResponse,
  "writeHead" | "write" | "end" | "destroy" | "on" | "writableLength" | "destroyed"
>;

export interface StreamClient {
  readonly response: StreamResponse;
  isAllowed(): boolean;
}

export interface StreamHub {
  open(client: StreamClient): void;
  isFull(): boolean;
  size(): number;
  close(): void;
}

interface Stream extends StreamClient {
  /** Since when bytes wait without a moment in which all were gone. */
  behindSinceMs: number | undefined;
}

export function eventText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** What waits to be told: only the newest of each. */
function createNews(overview: () => unknown) {
  const points = new Map<string, PointState>();
  const alerts = new Map<string, Alert>();
  const requests = new Map<string, HelpRequest>();
  let gateway: GatewayState | undefined;
  let isLess = false;
  return {
    take(news: Parameters<Parameters<ApiEngine["onChange"]>[0]>[0]): void {
      for (const point of news.points) points.set(point.pointId, point);
      for (const alert of news.alerts) alerts.set(alert.alertId, alert);
      for (const request of news.requests ?? []) requests.set(request.requestId, request);
      gateway = news.gateway ?? gateway;
      isLess ||= (news.gone ?? []).length > 0;
    },
    /** All of it as events; then there is none. Where points are gone it is the whole picture anew. */
    drain(): string {
      let text = isLess ? eventText("overview", overview()) : "";
      isLess = false;
      for (const point of points.values()) text += eventText("point", point);
      for (const alert of alerts.values()) text += eventText("alert", alert);
      for (const request of requests.values()) text += eventText("request", request);
      if (gateway !== undefined) text += eventText("gateway", gateway);
      points.clear();
      alerts.clear();
      requests.clear();
      gateway = undefined;
      return text;
    },
  };
}

export function createStreamHub(engine: Pick<ApiEngine, "overview" | "gateway" | "onChange">, clock: Clock): StreamHub {
  const streams = new Set<Stream>();
  const news = createNews(engine.overview);
  let flushing: Timer | undefined;

  /** True when this screen has not taken what was sent for too long, or too much of it. */
  function isBehind(stream: Stream): boolean {
    const waiting = stream.response.writableLength;
    if (waiting === 0) stream.behindSinceMs = undefined;
    else stream.behindSinceMs ??= clock.monotonicMs();
    const sinceMs = stream.behindSinceMs ?? clock.monotonicMs();
    return waiting > WAITING_BYTES_MAX || clock.monotonicMs() - sinceMs >= BEHIND_MS_MAX;
  }

  function send(text: string): void {
    for (const stream of [...streams]) {
      if (!stream.isAllowed()) leave(stream, () => stream.response.end());
      else if (isBehind(stream)) leave(stream, () => stream.response.destroy());
      else stream.response.write(text);
    }
  }

  function leave(stream: Stream, how: () => void): void {
    streams.delete(stream);
    how();
  }

  function flush(): void {
    flushing = undefined;
    const text = news.drain();
    if (text !== "") send(text);
  }

  const unsubscribe = engine.onChange((change) => {
    if (streams.size === 0) return;
    news.take(change);
    flushing ??= clock.after(FLUSH_MS, flush);
  });
  const heartbeat = clock.every(HEARTBEAT_MS, () => {
    if (streams.size > 0) send(eventText("gateway", engine.gateway()));
  });

  return {
    open(client) {
      const stream: Stream = { ...client, behindSinceMs: undefined };
      const { response } = client;
      response.on("close", () => streams.delete(stream));
      response.on("error", () => streams.delete(stream));
      // X-Accel-Buffering: a proxy in front must not save events up.
      response.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
        connection: "keep-alive",
      });
      response.write(`retry: ${RETRY_MS}\n\n${eventText("overview", engine.overview())}`);
      streams.add(stream);
    },
    isFull: () => streams.size >= STREAMS_MAX,
    size: () => streams.size,
    close() {
      unsubscribe();
      heartbeat.stop();
      flushing?.stop();
      for (const stream of [...streams]) leave(stream, () => stream.response.end());
    },
  };
}
