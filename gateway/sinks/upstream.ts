// Another MQTT broker as a sink: each record a CloudEvent (structured JSON, MQTT binding), QoS 1. The cursor moves over what a
// PUBACK has named, and nothing is kept in the client: what a broken connection leaves open comes again from the journal.
import mqtt, { type MqttClient } from "mqtt";
import { type CloudEvent, EVENT_TYPES } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import type { JournalRecord } from "../domain/record.ts";
import { cloudEventOf, type EventOptions, isAskedFor } from "./events.ts";
import type { Delivery, Sink } from "./pump.ts";
import { inSlices } from "./slices.ts";

export interface UpstreamOptions extends EventOptions {
  /** `mqtt://` or `mqtts://`. */
  readonly url: string;
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  readonly ca?: string;
  readonly topicPrefix: string;
  readonly batchRowsMax: number;
  /** Of connecting and of a whole batch. */
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, "after">;
}

const KEEPALIVE_S = 30;
/** CONNACK of MQTT 3.1.1: 3 is "server unavailable", which time can cure; the others a person must mend. */
const CONNACK_UNAVAILABLE = 3;
const CONNACK_MAX = 5;

/**
 * `PREFIX/points/POINT/devices/DEVICE/KIND`, the kind as in the configuration: samples, events, info, undecoded; of an entry
 * `PREFIX/points/POINT/entries`.
 */
export function upstreamTopic(prefix: string, event: CloudEvent): string {
  const kind = Object.entries(EVENT_TYPES).find(([, type]) => type === event.type)?.[0];
  const { pointId = "unknown", deviceId } = event.data;
  return `${prefix}/points/${pointId}/${deviceId === undefined ? "" : `devices/${deviceId}/`}${kind}`;
}

const STOPPING = "the sink is being stopped";

export function createUpstreamSink(options: UpstreamOptions): Sink {
  let client: MqttClient | undefined;
  let attempt: Attempt | undefined;
  let closed = false;

  function drop(): void {
    // By force: the client's own store of what is open is not to send anything later.
    client?.end(true);
    client = undefined;
  }

  function connect(): void {
    drop();
    const mine = connectTo(options, {
      // A client that was dropped may still say that it is closed: that is about nothing that is under way.
      connected: () => client === mine && attempt?.publish(mine),
      refused: (reason) => client === mine && attempt?.end({ kind: "paused", reason }),
      broken: (reason) => client === mine && attempt?.fail(reason),
    });
    client = mine;
  }

  async function deliver(rows: readonly JournalRecord[]): Promise<Delivery> {
    const events = await inSlices(rows, (row) => cloudEventOf(row, options));
    if (closed) return { kind: "retry", reason: STOPPING };
    if (events.every((event) => event === undefined)) return { kind: "accepted" };
    const mine = createAttempt(events, options);
    attempt = mine;
    if (client?.connected === true) mine.publish(client);
    else {
      try {
        connect();
      } catch (error) {
        // What Node refuses to connect to at all, such as an impossible port.
        mine.fail((error as Error).message);
      }
    }
    const delivery = await mine.ended;
    attempt = undefined;
    if (delivery.kind !== "accepted") drop();
    return delivery;
  }

  return {
    name: "upstream",
    batchRowsMax: options.batchRowsMax,
    deliver,
    wants: (row) => isAskedFor(row, options),
    close: () => {
      closed = true;
      attempt?.fail(STOPPING);
      drop();
    },
  };
}

/** One batch on its way: ends with the first of all acknowledged, refused, broken off, too late. */
interface Attempt {
  readonly ended: Promise<Delivery>;
  publish(client: MqttClient): void;
  fail(reason: string, timedOut?: true): void;
  end(delivery: Delivery): void;
}

/** `events` by row; undefined for a row that is not asked for. */
function createAttempt(events: readonly (CloudEvent | undefined)[], options: UpstreamOptions): Attempt {
  const { clock, timeoutMs, topicPrefix } = options;
  const acknowledged = events.map((event) => event === undefined);
  const delivered = () => (acknowledged.includes(false) ? acknowledged.indexOf(false) : events.length);
  let end: (delivery: Delivery) => void = () => undefined;
  const ended = new Promise<Delivery>((resolve) => {
    end = resolve;
  });
  const deadline = clock.after(timeoutMs, () => fail(`no answer in ${timeoutMs} ms`, true));
  function fail(reason: string, timedOut?: true): void {
    finish({ kind: "retry", reason, delivered: delivered(), ...(timedOut === undefined ? {} : { timedOut }) });
  }
  function finish(delivery: Delivery): void {
    deadline.stop();
    end(delivery);
  }
  function acknowledge(index: number): void {
    acknowledged[index] = true;
    if (delivered() === events.length) finish({ kind: "accepted" });
  }
  function publish(client: MqttClient): void {
    events.forEach((event, index) => {
      if (event === undefined) return;
      // The callback of QoS 1 comes with the PUBACK, or with what broke the connection.
      client.publish(upstreamTopic(topicPrefix, event), JSON.stringify(event), { qos: 1 }, (error) => {
        if (error == null) acknowledge(index);
        else fail(error.message);
      });
    });
  }
  return { ended, publish, fail, end: finish };
}

interface Listening {
  connected(): void;
  refused(reason: string): void;
  broken(reason: string): void;
}

function connectTo(options: UpstreamOptions, { connected, refused, broken }: Listening): MqttClient {
  const { url, clientId, username, password, ca, timeoutMs } = options;
  const client = mqtt.connect(url, {
    clientId,
    protocolVersion: 4,
    clean: true,
    // The pump's back-off is the only one.
    reconnectPeriod: 0,
    connectTimeout: timeoutMs,
    keepalive: KEEPALIVE_S,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
  });
  client.on("connect", connected);
  client.on("close", () => broken("the connection was closed"));
  client.on("error", (error) => {
    const { code } = error as { code?: unknown };
    if (typeof code === "number" && code > 0 && code <= CONNACK_MAX && code !== CONNACK_UNAVAILABLE) {
      refused(`the broker refuses: ${error.message}`);
    } else broken(error.message === "" ? String(code) : error.message);
  });
  return client;
}
