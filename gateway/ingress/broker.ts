// The broker as a transport: Aedes, and around it what Aedes lacks. A size guard, a gate that stops the reading of a socket,
// answers in the order of the packets, hooks that cannot throw. Who may do what, and what a publish comes to, is the policy's.
import { createServer as createPlainServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions, Server as TlsServer } from "node:tls";
import { Aedes, type Client, type PublishPacket } from "aedes";
import type { Clock } from "../clock.ts";
import { listenFault } from "../listen-fault.ts";
import { type Answerable, createAnswers, type Delivery } from "./answers.ts";
import { type Connections, createConnections } from "./connections.ts";
import { createFlow, FLOW_LIMITS, type Flow, type FlowLimits } from "./flow.ts";
import { guardConnection } from "./guard.ts";
import { createLaggards, DELIVERIES_AT_ONCE, type Laggards } from "./laggards.ts";
import { createPersistence } from "./retained.ts";
import { createShortWay } from "./short-way.ts";
import { CONNACK } from "./sign-in.ts";

const CONNECTIONS_MAX = 4_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** A reader that takes nothing for so long is closed; one that holds up the others much sooner. */
const DRAIN_TIMEOUT_MS = 5_000;
/** A connection may be silent for one and a half times this (MQTT 3.1.1 §3.1.2.10). */
export const KEEPALIVE_S_MAX = 300;
const TOPIC_LEVELS_MAX = 8;

/** Why a connection ended before anybody asked who it is. */
export type TurnedAway = "too-many-connections" | "tls" | "keep-alive" | "mqtt-version";
/** CONNACK return codes of Aedes' own; MQTT 3.1.1 has no word for a keep-alive, and clients show the second as unknown. */
const TURNED_AWAY: Readonly<Record<number, TurnedAway>> = { 1: "mqtt-version", 6: "keep-alive" };

/** A message as it came. */
export interface Publish {
  readonly topic: string;
  readonly payload: string | Buffer;
}

export interface BrokerPolicy {
  /** 0, or the CONNACK return code of the refusal. */
  welcome(client: Client, said: { readonly name: string; readonly password: string }): Promise<number>;
  /** What a publish comes to. `finish` is called once; only then it is acknowledged, and with an error it never is. */
  take(client: Client, packet: Publish, finish: (error?: Error) => void): void;
  /** The one topic that this client may publish to, once it is known; absent, or undefined, where there is none. */
  ownTopic?(client: Client): string | undefined;
  /** What goes to this client behind the answers of a commit, past the search for who subscribes: where it does not, nothing. */
  alongside?(client: Client): readonly Delivery[];
  /** Absent, what clients publish is for nobody but `take`: it is not looked for who else wants it. */
  readonly handsOn?: true;
  maySubscribe(client: Client, filter: string): boolean;
  mayReceive(client: Client, topic: string): boolean;
  /** A packet announced more than may come in: the connection is closed. */
  oversized(): void;
  turnedAway?(reason: TurnedAway): void;
}

export interface BrokerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: TlsOptions;
  readonly clock: Clock;
  /** How long a publish waited for its answer, from the hook on. */
  observePuback?(ms: number): void;
  /** Benches measure the path and not the limit. */
  readonly flowLimits?: FlowLimits;
  /** 0: a client may be silent for ever. */
  readonly keepaliveSMax?: number;
  readonly connectionsMax?: number;
}

export interface Broker {
  readonly address: { readonly host: string; readonly port: number };
  /** Retained for those that subscribe; an empty payload clears the topic. */
  publishRetained(topic: string, payload: Buffer): void;
  /** For whoever listens now. */
  publish(topic: string, payload: Buffer): void;
  /** Ends every connection that came with this client identifier, also one whose sign-in is under way. */
  closeClient(clientId: string): void;
  connected(): number;
  clients(): Iterable<Client>;
  isListening(): boolean;
  /** For connections that come from now on; one that began without TLS stays so. */
  setTls(files: Pick<TlsOptions, "cert" | "key">): void;
  /** Whether who publishes is read. */
  hold(held: boolean): void;
  close(): Promise<void>;
}

/** Starts to listen. Throws ADDRESS_IN_USE, ADDRESS_UNKNOWN, ADDRESS_NOT_ALLOWED. */
export async function startBroker(options: BrokerOptions, policy: BrokerPolicy): Promise<Broker> {
  const connections = createConnections();
  const laggards = createLaggards(options.clock);
  const aedes = createAedes(options, policy, { connections, laggards });
  aedes.on("clientReady", connections.isReady);
  aedes.on("connectionError", (_, error) => {
    const reason = TURNED_AWAY[(error as { errorCode?: number }).errorCode ?? 0];
    if (reason !== undefined) policy.turnedAway?.(reason);
  });
  routeClients(aedes, policy.handsOn === true);
  await aedes.listen();
  aedes.subscribe("#", laggards.pass, () => undefined);
  const server = await listen(options, connections.accept, (socket) =>
    welcomeSocket(socket, { aedes, connections, options, policy }),
  );
  server.on("drop", () => policy.turnedAway?.("too-many-connections"));
  // Who only looks whether the port is open goes away in the middle of the handshake: that is no refusal of either side.
  server.on("tlsClientError", ({ code = "" }: NodeJS.ErrnoException) => {
    if (code.startsWith("ERR_SSL_")) policy.turnedAway?.("tls");
  });
  const found = server.address();
  const port = typeof found === "object" && found !== null ? found.port : options.port;
  return {
    address: { host: options.host, port },
    publish: (topic, payload) => {
      aedes.publish({ cmd: "publish", topic, payload, qos: 0, retain: false, dup: false }, laggards.began());
    },
    publishRetained: (topic, payload) => {
      aedes.publish({ cmd: "publish", topic, payload, qos: 0, retain: true, dup: false }, laggards.began());
    },
    closeClient: connections.closeClient,
    connected: connections.count,
    clients: connections.clients,
    setTls: (files) => {
      if (server instanceof TlsServer) server.setSecureContext({ ...options.tls, ...files });
    },
    isListening: () => server.listening,
    hold: connections.hold,
    close: async () => {
      const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
      laggards.stop();
      // Aedes knows only clients that signed in: it would leave the others to their timeouts.
      connections.closeAll();
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      await stopped;
    },
  };
}

/** Aedes keeps what its clients subscribe to in an object that its types do not show. */
function isSubscribed(client: Client, topic: string): boolean {
  return (client as unknown as { subscriptions: Record<string, unknown> }).subscriptions[topic] !== undefined;
}

/** What the broker itself publishes comes without a client and is routed; what clients do only where it is handed on. */
function routeClients(aedes: Aedes, handsOn: boolean): void {
  type Routed = PublishPacket & { readonly messageId?: number };
  type Done = (error?: Error | null) => void;
  type Route = (packet: Routed, client?: unknown, done?: Done) => void;
  const router = aedes as unknown as { publish: Route };
  const route = router.publish.bind(aedes);
  router.publish = (packet, client, done) => {
    if (typeof client === "function") route(packet, client);
    // An identifier says that it came at QoS 1 and has been answered.
    else if (handsOn)
      route(packet.messageId === undefined ? packet : { ...packet, qos: packet.qos || 1 }, client, done);
    else done?.(null);
  };
}

interface Watching {
  readonly connections: Connections;
  readonly laggards: Laggards;
}

function createAedes(options: BrokerOptions, policy: BrokerPolicy, { connections, laggards }: Watching): Aedes {
  return new Aedes({
    persistence: createPersistence(),
    concurrency: DELIVERIES_AT_ONCE,
    connectTimeout: CONNECT_TIMEOUT_MS,
    drainTimeout: DRAIN_TIMEOUT_MS,
    keepaliveLimit: options.keepaliveSMax ?? KEEPALIVE_S_MAX,
    maxTopicLevels: TOPIC_LEVELS_MAX,
    preConnect: (client, packet, done) => {
      Object.assign(client, { withoutId: packet.clientId === "" });
      done(null, true);
    },
    authenticate: (client, name, password, done) => {
      const refuseWith = (returnCode: number) => done(Object.assign(new Error("refused"), { returnCode }), false);
      // A session cannot be kept for a client without a name (MQTT-3.1.3-8).
      if ((client as unknown as { withoutId: boolean }).withoutId && !client.clean) {
        refuseWith(CONNACK.identifierRejected);
        return;
      }
      policy.welcome(client, { name: name ?? "", password: password?.toString() ?? "" }).then(
        (returnCode) => (returnCode === 0 ? done(null, true) : refuseWith(returnCode)),
        () => refuseWith(CONNACK.unavailable),
      );
    },
    authorizePublish: (client, packet, done) => {
      const flow = client === null ? undefined : connections.flowOf(client);
      // A throw in a hook would take the whole process down.
      try {
        if (client === null || flow === undefined) done(new Error("a publish without a connection"));
        else policy.take(client, packet, flow.enter({ packet, done }));
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    },
    authorizeSubscribe: (client, subscription, done) => {
      // Null answers 0x80 and keeps the connection (MQTT 3.1.1 §3.9.3). Shared subscriptions would be taken by their letter.
      const allowed = !subscription.topic.startsWith("$share/") && policy.maySubscribe(client, subscription.topic);
      done(null, allowed ? subscription : null);
    },
    authorizeForward: (client, packet) => {
      if (!policy.mayReceive(client, packet.topic)) return null;
      laggards.reads(client);
      return packet;
    },
  });
}

interface Welcoming {
  readonly aedes: Aedes;
  readonly connections: Connections;
  readonly options: BrokerOptions;
  readonly policy: BrokerPolicy;
}

function welcomeSocket(socket: Socket, { aedes, connections, options, policy }: Welcoming): void {
  socket.on("error", () => undefined);
  const gate = guardConnection(socket, {
    oversized: policy.oversized,
    publishCame: () => connections.publishCame(client),
    pass: (read) => pass(read),
  });
  const client = aedes.handle(socket);
  const { clock, flowLimits = FLOW_LIMITS, observePuback } = options;
  const flow: Flow<Answerable> = createFlow({ gate, clock, limits: flowLimits, leave: (run) => answer(run) });
  const answer = createAnswers({
    conn: socket,
    clock,
    drainTimeoutMs: DRAIN_TIMEOUT_MS,
    block: flow.block,
    alongside: () => (policy.alongside?.(client) ?? []).filter(({ topic }) => isSubscribed(client, topic)),
    observe: observePuback,
  });
  const pass = shortWayOf(client, flow, policy);
  connections.add(client, flow);
}

function shortWayOf(client: Client, flow: Flow<Answerable>, policy: BrokerPolicy): (read: Buffer) => Buffer {
  let own: { readonly topic: string; readonly bytes: Buffer } | undefined;
  const done = (error?: Error | null) => {
    if (error) client.emit("error", error);
  };
  return createShortWay({
    ownTopic: () => {
      // While it signs in, what it publishes waits its turn in the broker.
      if (!client.connected || client.closed || policy.handsOn === true) return undefined;
      if (own === undefined) {
        const topic = policy.ownTopic?.(client);
        if (topic !== undefined) own = { topic, bytes: Buffer.from(topic) };
      }
      return own?.bytes;
    },
    take: (messageId, payload) => {
      const finish = flow.enter({ packet: { qos: 1, messageId }, done });
      try {
        policy.take(client, { topic: own?.topic ?? "", payload }, finish);
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    },
  });
}

async function listen(
  options: BrokerOptions,
  onAccept: (socket: Socket) => void,
  onConnection: (socket: Socket) => void,
): Promise<Server> {
  const { host, port } = options;
  const server =
    options.tls === undefined
      ? createPlainServer({ noDelay: true }, onConnection)
      : createTlsServer({ ...options.tls, handshakeTimeout: CONNECT_TIMEOUT_MS }, onConnection);
  server.on("connection", onAccept);
  server.maxConnections = options.connectionsMax ?? CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(listenFault(cause, { host, port })));
    server.listen(port, host, resolve);
  });
  return server;
}
