// One live stream a browser (Server-Sent Events): the whole picture first, then what changes, at most once a second.
import type { ServerResponse } from "node:http";
import type { Alert, GatewayState, PointState } from "../../protocol/index.ts";
import type { Clock, Timer } from "../clock.ts";
import type { ApiEngine } from "./interfaces.ts";

export const STREAMS_MAX = 200;
const FLUSH_MS = 1_000;
/** The gateway's own state is the heartbeat: after three of them a screen knows that it is alone. */
const HEARTBEAT_MS = 5_000;
/** A screen this far behind is let go: it comes back to a fresh picture. */
const BEHIND_BYTES_MAX = 4 * 1024 * 1024;

interface Stream {
  readonly response: ServerResponse;
  isAllowed(): boolean;
}

export interface StreamHub {
  /** False when there are too many. */
  open(stream: Stream): boolean;
  size(): number;
  close(): void;
}

function eventText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

export function createStreamHub(engine: ApiEngine, clock: Clock): StreamHub {
  const streams = new Set<Stream>();
  const points = new Map<string, PointState>();
  const alerts = new Map<string, Alert>();
  let gateway: GatewayState | undefined;
  let flushing: Timer | undefined;

  function send(stream: Stream, text: string): void {
    if (!stream.isAllowed()) {
      stream.response.end();
      return;
    }
    if (stream.response.writableLength > BEHIND_BYTES_MAX) {
      stream.response.destroy();
      return;
    }
    stream.response.write(text);
  }

  function flush(): void {
    flushing = undefined;
    let text = "";
    for (const point of points.values()) text += eventText("point", point);
    for (const alert of alerts.values()) text += eventText("alert", alert);
    if (gateway !== undefined) text += eventText("gateway", gateway);
    points.clear();
    alerts.clear();
    gateway = undefined;
    if (text !== "") for (const stream of streams) send(stream, text);
  }

  const unsubscribe = engine.onChange((change) => {
    if (streams.size === 0) return;
    for (const point of change.points) points.set(point.pointId, point);
    for (const alert of change.alerts) alerts.set(alert.alertId, alert);
    if (change.gateway !== undefined) gateway = change.gateway;
    flushing ??= clock.after(FLUSH_MS, flush);
  });
  const heartbeat = clock.every(HEARTBEAT_MS, () => {
    if (streams.size === 0) return;
    const text = eventText("gateway", engine.gateway());
    for (const stream of streams) send(stream, text);
  });

  return {
    open(stream) {
      if (streams.size >= STREAMS_MAX) return false;
      const { response } = stream;
      response.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
        connection: "keep-alive",
      });
      response.write(`retry: 2000\n\n${eventText("overview", engine.overview())}`);
      streams.add(stream);
      response.on("close", () => streams.delete(stream));
      response.on("error", () => streams.delete(stream));
      return true;
    },
    size: () => streams.size,
    close() {
      unsubscribe();
      heartbeat.stop();
      flushing?.stop();
      for (const { response } of streams) response.end();
    },
  };
}
