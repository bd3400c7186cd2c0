// The live picture: one stream a browser, shared by its tabs, and a clock that follows the gateway's.
import { computed, signal } from "@preact/signals";
import type {
  Alert,
  GatewayState,
  HelpRequest,
  Overview,
  PointState,
  Session,
} from "../../../protocol/schema/index.ts";

/** Without a word for so long the gateway counts as out of reach. */
const SILENT_MS = 15_000;
const CHANNEL = "waakvlam-live";
const LOCK = "waakvlam-stream";

export const session = signal<Session | undefined>(undefined);
export const signedOut = signal(false);
export const gateway = signal<GatewayState | undefined>(undefined);
export const points = signal<ReadonlyMap<string, PointState>>(new Map());
export const alerts = signal<ReadonlyMap<string, Alert>>(new Map());
/** Requests for help: the open ones, and what was closed since the screen knows of it. */
export const requests = signal<ReadonlyMap<string, HelpRequest>>(new Map());
/** Milliseconds of the screen's own clock at the last word from the gateway. */
const heardAt = signal(0);
const tick = signal(0);
/** The gateway's clock minus the screen's. */
const offsetMs = signal(0);

export const nowMs = computed(() => tick.value + offsetMs.value);
export const isOutOfReach = computed(() => heardAt.value > 0 && tick.value - heardAt.value > SILENT_MS);
export const heardMs = computed(() => heardAt.value + offsetMs.value);

type LiveEvent =
  | { readonly kind: "overview"; readonly data: Overview }
  | { readonly kind: "point"; readonly data: PointState }
  | { readonly kind: "alert"; readonly data: Alert }
  | { readonly kind: "request"; readonly data: HelpRequest }
  | { readonly kind: "gateway"; readonly data: GatewayState };

function apply(event: LiveEvent): void {
  heardAt.value = Date.now();
  tick.value = Date.now();
  switch (event.kind) {
    case "overview":
      points.value = new Map(event.data.points.map((point) => [point.pointId, point]));
      alerts.value = new Map(event.data.alerts.map((alert) => [alert.alertId, alert]));
      requests.value = new Map((event.data.requests ?? []).map((one) => [one.requestId, one]));
      takeGateway(event.data.gateway);
      break;
    case "point":
      applyPoint(event.data);
      break;
    case "alert":
      applyAlert(event.data);
      break;
    case "request":
      applyRequest(event.data);
      break;
    case "gateway":
      takeGateway(event.data);
      break;
  }
}

export function applyPoint(point: PointState): void {
  points.value = new Map(points.value).set(point.pointId, point);
}

export function applyAlert(alert: Alert): void {
  const next = new Map(alerts.value);
  if (alert.state === "normal") next.delete(alert.alertId);
  else next.set(alert.alertId, alert);
  alerts.value = next;
}

export function applyRequest(request: HelpRequest): void {
  requests.value = new Map(requests.value).set(request.requestId, request);
}

function takeGateway(state: GatewayState): void {
  gateway.value = state;
  offsetMs.value = Date.parse(state.asOf) - Date.now();
}

let stream: EventSource | undefined;
let channel: BroadcastChannel | undefined;

function openStream(): void {
  stream?.close();
  stream = new EventSource("v1/stream");
  for (const kind of ["overview", "point", "alert", "request", "gateway"] as const) {
    stream.addEventListener(kind, (message) => {
      const event = { kind, data: JSON.parse((message as MessageEvent<string>).data) } as LiveEvent;
      apply(event);
      channel?.postMessage(event);
    });
  }
  stream.addEventListener("error", () => void whoAmI());
}

/** Starts the stream in one tab of the browser; the others hear of it there. */
export function goLive(): void {
  setInterval(() => {
    tick.value = Date.now();
  }, 1000);
  tick.value = Date.now();
  if ("BroadcastChannel" in window) {
    channel = new BroadcastChannel(CHANNEL);
    channel.addEventListener("message", (message) => {
      if (message.data === "anybody?") {
        const state = gateway.value;
        if (stream === undefined || state === undefined) return;
        const data = {
          gateway: state,
          points: [...points.value.values()],
          alerts: [...alerts.value.values()],
          requests: [...requests.value.values()],
        };
        channel?.postMessage({ kind: "overview", data } satisfies LiveEvent);
      } else apply(message.data as LiveEvent);
    });
    channel.postMessage("anybody?");
  }
  if (navigator.locks !== undefined && channel !== undefined) {
    void navigator.locks.request(LOCK, () => {
      openStream();
      // Held until this tab closes; then the next one takes the stream over.
      return new Promise(() => undefined);
    });
  } else openStream();
}

/** Who is signed in; undefined also ends the picture. */
export async function whoAmI(): Promise<Session | undefined> {
  try {
    const answer = await fetch("v1/session");
    if (answer.ok) session.value = (await answer.json()) as Session;
    else if (answer.status === 401) {
      signedOut.value = session.value !== undefined;
      session.value = undefined;
      stream?.close();
      stream = undefined;
    }
  } catch {
    // Out of reach: the stream's own silence says so over the whole width.
  }
  return session.value;
}
