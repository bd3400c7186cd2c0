// One connection to the broker of a network server, over and over. A message is answered by PUBACK after it has been taken, one at a
// time: what the journal does not take stays at the broker.
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import type { Clock, Timer } from "../../../clock.ts";

export interface LinkOptions {
  /** `mqtt://` or `mqtts://`. */
  readonly url: string;
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly topics: readonly string[];
  /** 1: the broker keeps the session, and what comes in while nobody is connected. */
  readonly qos: 0 | 1;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Resolves when the message may be forgotten; rejects when it has to come again. */
  take(topic: string, payload: Uint8Array, qos: number): Promise<void>;
  log?(event: string, detail: Readonly<Record<string, string | number>>): void;
}

export interface Link {
  readonly isConnected: boolean;
  /** Why not; undefined while connected, and before the first try is over. */
  readonly reason: string | undefined;
  /** False when it is not connected: nothing is kept for later. */
  publish(topic: string, payload: string): boolean;
  close(): Promise<void>;
}

const KEEPALIVE_S = 30;
/** Tries follow after 1, 2, 4 … 60 s. */
const BACK_OFF_MS_MIN = 1_000;
const BACK_OFF_MS_MAX = 60_000;
/** A message that cannot be taken is tried so often before the connection is dropped. */
const TRIES = 5;
const TRY_AGAIN_MS = 1_000;
/** A journal that cannot write keeps nobody from stopping: what it has not taken stays at the broker. */
const STOP_MS_MAX = 2_000;
const STOPPING = "the gateway is being stopped";

export function openLink(options: LinkOptions): Link {
  const { clock } = options;
  let client: MqttClient | undefined;
  let reason: string | undefined;
  let backOffMs = BACK_OFF_MS_MIN;
  let timer: Timer | undefined;
  let underWay: Promise<void> = Promise.resolve();
  let closed = false;

  function drop(why: string): void {
    const mine = client;
    client = undefined;
    mine?.end(true);
    if (why !== reason && why !== STOPPING) options.log?.("no connection to the network server", { reason: why });
    reason = why;
    if (closed || timer !== undefined) return;
    timer = clock.after(backOffMs, () => {
      timer = undefined;
      connect();
    });
    backOffMs = Math.min(BACK_OFF_MS_MAX, 2 * backOffMs);
  }

  async function takeMessage(topic: string, payload: Uint8Array, qos: number): Promise<boolean> {
    for (let attempt = 1; !closed; attempt++) {
      try {
        await options.take(topic, payload, qos);
        return true;
      } catch (error) {
        if (attempt === TRIES) {
          drop(`a message cannot be taken: ${error instanceof Error ? error.message : String(error)}`);
          return false;
        }
        await new Promise<void>((resolve) => clock.after(TRY_AGAIN_MS, resolve));
      }
    }
    return false;
  }

  function connect(): void {
    const mine = mqtt.connect(options.url, clientOptions(options));
    client = mine;
    const isMine = () => client === mine;
    mine.handleMessage = (packet, done) => {
      const { topic, payload, qos } = packet as unknown as { topic: string; payload: Uint8Array; qos: number };
      underWay = takeMessage(topic, payload, qos).then((taken) => {
        if (taken && isMine()) done();
      });
    };
    mine.on("connect", () => {
      if (!isMine()) return;
      mine.subscribe([...options.topics], { qos: options.qos }, (error, granted) => {
        if (!isMine()) return;
        const refused = error?.message ?? granted?.find((one) => one.qos > 2)?.topic;
        if (refused !== undefined) return drop(`the broker refuses the subscription: ${refused}`);
        reason = undefined;
        backOffMs = BACK_OFF_MS_MIN;
      });
    });
    mine.on("error", (error) => isMine() && drop(error.message === "" ? String(error) : error.message));
    mine.on("close", () => isMine() && drop("the connection was closed"));
  }

  connect();
  return {
    get isConnected() {
      return client?.connected === true && reason === undefined;
    },
    get reason() {
      return reason;
    },
    publish(topic, payload) {
      if (client?.connected !== true) return false;
      client.publish(topic, payload, { qos: options.qos });
      return true;
    },
    async close() {
      closed = true;
      timer?.stop();
      drop(STOPPING);
      await Promise.race([underWay, new Promise<void>((resolve) => clock.after(STOP_MS_MAX, resolve))]);
    },
  };
}

function clientOptions({ clientId, username, password, ca, cert, key, qos, timeoutMs }: LinkOptions): IClientOptions {
  return {
    clientId,
    protocolVersion: 4,
    clean: qos === 0,
    // The back-off here is the only one.
    reconnectPeriod: 0,
    connectTimeout: timeoutMs,
    keepalive: KEEPALIVE_S,
    resubscribe: false,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
}
