// A network server of somebody else as a source of uplinks: what it says goes to the application, and what comes back into its queue.
import type { Clock } from "../../../clock.ts";
import { withoutTime } from "../application/application.ts";
import type { Eui, NetworkDownlink, UplinkTaker } from "../interfaces.ts";
import type { Dialect, ServerEvent } from "./dialect.ts";
import { type Link, type LinkOptions, openLink } from "./link.ts";

/** Downlinks of one device that wait in that server's queue; a device that gets none asks again. */
const WAITING_MAX = 2;
/** A downlink of which nothing was heard for so long is given up. */
const WAITING_MS_MAX = 10 * 60_000;
/** After the windows of an uplink, and before the next one of any device: an ack frame in it says the time. */
const EXPIRES_MS = 5_000;
/** Devices of which something is kept; the one longest quiet is forgotten first. */
const DEVICES_MAX = 4_096;

export interface ServerDevice {
  readonly uplinks: number;
  readonly joins: number;
  readonly marginDb?: number;
  readonly batteryPct?: number;
}

export interface ServerState {
  readonly network: Dialect["network"];
  readonly isConnected: boolean;
  readonly reason?: string;
  /** Events by kind, and those refused by reason. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface NetworkServer {
  state(): ServerState;
  device(devEui: Eui): ServerDevice | undefined;
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly dialect: Dialect;
  readonly link: Omit<LinkOptions, "topics" | "qos" | "clock" | "take">;
  readonly qos: 0 | 1;
  /** That server drops a downlink that is late (`expiresAt`): then an ack frame may say the time. */
  readonly expires: boolean;
  readonly taker: UplinkTaker;
  readonly clock: Clock;
  onRefusal?(refusal: { readonly reason: string; readonly sender?: string; readonly bytes: Uint8Array }): void;
}

interface Row extends ServerDevice {
  /** Monotonic moments of downlinks of which nothing was heard yet. */
  readonly waiting: readonly number[];
}

const NEW: Row = { uplinks: 0, joins: 0, waiting: [] };

export function startServer(options: ServerOptions): NetworkServer {
  const { dialect, clock, taker } = options;
  const counts = new Map<string, number>();
  const devices = new Map<Eui, Row>();
  let link: Link | undefined;
  let saidQos = false;

  const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);

  function note(devEui: Eui, change: (row: Row) => Partial<Row>): Row {
    const before = devices.get(devEui) ?? NEW;
    const row = { ...before, ...change(before) };
    devices.delete(devEui);
    devices.set(devEui, row);
    if (devices.size > DEVICES_MAX) devices.delete(devices.keys().next().value as Eui);
    return row;
  }

  function send({ uplink, address }: ServerEvent & { kind: "uplink" }, downlink: NetworkDownlink): void {
    const { devEui, atMs } = uplink;
    const nowMs = clock.monotonicMs();
    const young = (row: Row) => row.waiting.filter((sentMs) => nowMs - sentMs < WAITING_MS_MAX);
    if (young(devices.get(devEui) ?? NEW).length >= WAITING_MAX) return void count("downlink-held-back");
    // By that server's clock: where it is not ours, or the event has waited for us, nobody could tell what is late.
    const isYoung = atMs !== undefined && Math.abs(clock.nowMs() - atMs) < EXPIRES_MS;
    const mayTell = downlink.isTimely && options.expires && isYoung;
    const to = { devEui, address, ...(mayTell ? { expiresMs: atMs + EXPIRES_MS } : {}) };
    const { topic, payload } = dialect.downlink(to, mayTell ? downlink : withoutTime(downlink));
    if (link?.publish(topic, payload) !== true) return void count("downlink-lost");
    count("downlink");
    note(devEui, (row) => ({ waiting: [...young(row), nowMs] }));
  }

  async function takeUplink(event: ServerEvent & { kind: "uplink" }, qos: number): Promise<void> {
    if (qos < options.qos && !saidQos) {
      saidQos = true;
      options.link.log?.(
        "events come with QoS 0: what happens while the gateway is down is lost; set qos to 1 there",
        {},
      );
    }
    const downlinks = await taker.take(event.uplink);
    note(event.uplink.devEui, (row) => ({ uplinks: row.uplinks + 1 }));
    for (const downlink of downlinks) send(event, downlink);
  }

  async function take(topic: string, payload: Uint8Array, qos: number): Promise<void> {
    const event = dialect.read(topic, payload);
    if (event.kind === "uplink") await takeUplink(event, qos);
    count(event.kind === "refused" || event.kind === "trouble" ? event.reason : event.kind);
    switch (event.kind) {
      case "refused":
        options.onRefusal?.({
          reason: event.reason,
          bytes: payload,
          ...(event.sender === undefined ? {} : { sender: event.sender }),
        });
        break;
      case "trouble":
        if (event.isAlert) options.onRefusal?.({ reason: event.reason, sender: event.devEui, bytes: payload });
        break;
      case "join":
        // Its queue there is of the old session.
        note(event.devEui, (row) => ({ joins: row.joins + 1, waiting: [] }));
        break;
      case "sent":
        note(event.devEui, (row) => ({ waiting: row.waiting.slice(1) }));
        break;
      case "status": {
        const { kind: _kind, devEui, ...told } = event;
        note(devEui, () => told);
        break;
      }
      case "uplink":
      case "other":
        break;
    }
  }

  link = openLink({ ...options.link, topics: dialect.topics, qos: options.qos, clock, take });
  const open = link;
  return {
    state: () => ({
      network: dialect.network,
      isConnected: open.isConnected,
      ...(open.reason === undefined ? {} : { reason: open.reason }),
      counts: Object.fromEntries(counts),
    }),
    device: (devEui) => {
      const row = devices.get(devEui);
      if (row === undefined) return undefined;
      const { waiting: _waiting, ...known } = row;
      return known;
    },
    close: () => open.close(),
  };
}
