// MQTT ingress: Aedes with the journal commit in `authorizePublish`, the only hook it waits for before PUBACK. Nothing
// but this reads the broker.
import { createServer as createPlainServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { Aedes, type Client } from "aedes";
import type { Sha256 } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import { isLoopback, mayReadTopic } from "../domain/permission.ts";
import type { AppendOutcome, CheckedFrame } from "../domain/record.ts";
import {
  createRefusalLog,
  isBanned,
  noteRefusal,
  type RefusalLog,
  type RefusalNote,
  strike,
} from "../domain/refusal-log.ts";
import { GatewayError } from "../errors.ts";
import { createDownlinks, type Downlinks } from "./downlinks.ts";
import { createFlow, FLOW_LIMITS, type Flow, type FlowLimits } from "./flow.ts";
import { guardConnection } from "./guard.ts";
import { CONNACK, type Identities, type Identity, type People, signIn } from "./sign-in.ts";
import { createUnreadableLimit, type UnreadableLimit } from "./unreadable.ts";
import { judgeUplink, type RefusalReason } from "./uplink.ts";

const CONNECTIONS_MAX = 4_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** A reader that does not take its messages is closed: it holds up all deliveries until then. */
const DRAIN_TIMEOUT_MS = 5_000;
const DELIVERIES_AT_ONCE = 2_000;
const KEEPALIVE_S_MAX = 300;
/** Above this many rows waiting for the journal no socket is read; below the low mark they are read again. */
const PENDING_HIGH = 20_000;
const PENDING_LOW = 10_000;

export interface IngressJournal {
  append(frame: CheckedFrame): Promise<AppendOutcome>;
  health(): { readonly pendingRows: number };
  onCommitted(listener: () => void): () => void;
}

export interface MqttIngressOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: TlsOptions;
  readonly journal: IngressJournal;
  readonly identities: Identities;
  readonly people: People;
  readonly clock: Clock;
  readonly sha256: Sha256;
  isClockTrusted(): boolean;
  /** How long an uplink waited for its PUBACK, from the hook on. */
  observePuback?(ms: number): void;
  /** Benches measure the path and not the limit. */
  readonly flowLimits?: FlowLimits;
  log?(event: string, detail: Readonly<Record<string, string | number>>): void;
}

export interface MqttIngress {
  readonly address: { readonly host: string; readonly port: number };
  readonly refusals: RefusalLog;
  onRefusal(listener: (note: RefusalNote) => void): () => void;
  /** Retained for readers; undefined clears the topic. */
  publishRetained(topic: string, json: string | undefined): void;
  /** Ends the connection of a device that was disabled or given another key. */
  closeDevice(deviceId: string): void;
  connected(): number;
  /** Connections of devices alone. */
  connectedDevices(): number;
  isListening(): boolean;
  close(): Promise<void>;
}

/** Starts to listen. Throws ADDRESS_IN_USE. */
export async function createMqttIngress(options: MqttIngressOptions): Promise<MqttIngress> {
  const session = await createSession(options);
  const server = await listen(options, session);
  const found = server.address();
  const port = typeof found === "object" && found !== null ? found.port : options.port;
  return {
    address: { host: options.host, port },
    refusals: session.refusals,
    onRefusal: (listener) => {
      session.refusalListeners.add(listener);
      return () => session.refusalListeners.delete(listener);
    },
    publishRetained: (topic, json) => {
      const payload = json === undefined ? Buffer.alloc(0) : Buffer.from(json);
      session.broker.publish({ cmd: "publish", topic, payload, qos: 0, retain: true, dup: false }, () => undefined);
    },
    closeDevice: (deviceId) => clientOf(session.broker, deviceId)?.close(),
    connected: () => session.flows.size,
    connectedDevices: () => {
      return [...session.flows.keys()].filter((client) => session.identities.get(client)?.kind === "device").length;
    },
    isListening: () => server.listening,
    close: () => closeAll(server, session),
  };
}

interface Session {
  readonly options: MqttIngressOptions;
  readonly broker: Aedes;
  readonly refusals: RefusalLog;
  readonly refusalListeners: Set<(note: RefusalNote) => void>;
  readonly identities: WeakMap<Client, Identity>;
  readonly flows: Map<Client, Flow>;
  readonly downlinks: Downlinks;
  readonly mayStoreUnreadable: UnreadableLimit;
  readonly hold: { check(): void; stop(): void };
}

export function clientOf(broker: Aedes, clientId: string): Client | undefined {
  return (broker as unknown as { clients: Record<string, Client | undefined> }).clients[clientId];
}

async function createSession(options: MqttIngressOptions): Promise<Session> {
  const { clock, journal, sha256, isClockTrusted } = options;
  const flows = new Map<Client, Flow>();
  // The hooks are called only when a client is there, long after `session` is.
  const broker = createBroker(() => session);
  const session: Session = {
    options,
    broker,
    refusals: createRefusalLog(),
    refusalListeners: new Set(),
    identities: new WeakMap(),
    flows,
    downlinks: createDownlinks({ broker, clock, sha256, isClockTrusted }),
    mayStoreUnreadable: createUnreadableLimit(clock),
    hold: holdWhenBehind(journal, flows),
  };
  await broker.listen();
  return session;
}

function createBroker(session: () => Session): Aedes {
  return new Aedes({
    concurrency: DELIVERIES_AT_ONCE,
    connectTimeout: CONNECT_TIMEOUT_MS,
    drainTimeout: DRAIN_TIMEOUT_MS,
    keepaliveLimit: KEEPALIVE_S_MAX,
    maxTopicLevels: 8,
    preConnect: (client, packet, done) => {
      Object.assign(client, { withoutId: packet.clientId === "" });
      done(null, true);
    },
    authenticate: (client, name, password, done) => {
      const refuseWith = (returnCode: number) => done(Object.assign(new Error("refused"), { returnCode }), false);
      welcome(session(), client, { name: name ?? "", password: password?.toString() ?? "" }).then(
        (returnCode) => (returnCode === 0 ? done(null, true) : refuseWith(returnCode)),
        () => refuseWith(CONNACK.unavailable),
      );
    },
    authorizePublish: (client, packet, done) => {
      // A throw in a hook would take the whole process down.
      try {
        takePublish(session(), client, packet, done);
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    },
    authorizeSubscribe: (client, subscription, done) => {
      const identity = session().identities.get(client);
      const allowed = identity !== undefined && maySubscribe(identity, subscription.topic);
      if (!allowed) session().options.log?.("subscription refused", { client: client.id, topic: subscription.topic });
      // Null answers 0x80 and keeps the connection (MQTT 3.1.1 §3.9.3).
      done(null, allowed ? subscription : null);
    },
    authorizeForward: (client, packet) => {
      const identity = session().identities.get(client);
      return identity !== undefined && mayReceive(identity, packet.topic) ? packet : null;
    },
  });
}

/** 0, or the CONNACK return code of the refusal. */
async function welcome(session: Session, client: Client, said: { name: string; password: string }): Promise<number> {
  const { options, refusals } = session;
  // A session cannot be kept for a client without a name (MQTT-3.1.3-8).
  if ((client as unknown as { withoutId: boolean }).withoutId && !client.clean) return CONNACK.identifierRejected;
  const isPrivate = options.tls !== undefined || isLoopback((client.conn as Socket).remoteAddress);
  const answer = await signIn(
    { clientId: client.id, ...said, isPrivate },
    {
      identities: options.identities,
      people: options.people,
      sha256: options.sha256,
      isBanned: (sender) => isBanned(refusals, sender, options.clock.monotonicMs()),
    },
  );
  if (answer.kind === "welcome") {
    session.identities.set(client, answer.identity);
    return 0;
  }
  refuse(session, { reason: answer.reason, sender: said.name.slice(0, 64), topic: "", bytes: new Uint8Array(0) });
  return answer.returnCode;
}

function maySubscribe(identity: Identity, filter: string): boolean {
  if (filter.startsWith("$")) return false;
  if (identity.kind === "device") return filter === `waakvlam/v1/devices/${identity.deviceId}/down`;
  return mayReadTopic(identity.role, filter);
}

function mayReceive(identity: Identity, topic: string): boolean {
  if (identity.kind === "device") return topic === `waakvlam/v1/devices/${identity.deviceId}/down`;
  return mayReadTopic(identity.role, topic);
}

/** The answer leaves in its turn: what is measured is what the device waits for. */
function observed({ observePuback, clock }: MqttIngressOptions, done: Answer): Answer {
  if (observePuback === undefined) return done;
  const sinceMs = clock.monotonicMs();
  return (error) => {
    if (error === undefined || error === null) observePuback(clock.monotonicMs() - sinceMs);
    done(error);
  };
}

type Answer = (error?: Error | null) => void;

interface Publish {
  topic: string;
  payload: string | Buffer;
  retain: boolean;
}

function takePublish(session: Session, client: Client | null, packet: Publish, done: Answer): void {
  const identity = client === null ? undefined : session.identities.get(client);
  const flow = client === null ? undefined : session.flows.get(client);
  if (client === null || identity === undefined || flow === undefined) {
    done(new Error("a publish without a connection"));
    return;
  }
  session.hold.check();
  const finish = flow.enter(observed(session.options, done));
  const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
  const { topic } = packet;
  packet.retain = false;
  const verdict = judge(session, identity, topic, payload);
  if (verdict.kind === "refused") {
    // Acknowledged, so that it is not sent for ever, and led where nobody listens.
    packet.topic = "refused";
    const sender = identity.kind === "device" ? identity.deviceId : identity.name;
    refuse(session, { reason: verdict.reason, sender, topic, bytes: payload });
    if (strike(session.refusals, sender, session.options.clock.monotonicMs())) {
      refuse(session, { reason: "banned", sender, topic, bytes: new Uint8Array(0) });
      finish(new Error("banned"));
    } else finish();
    return;
  }
  session.options.journal.append(verdict.frame).then(
    (outcome) => {
      if (outcome.outcome === "replay") {
        refuse(session, { reason: "replay", sender: verdict.frame.deviceId, topic, bytes: payload });
      }
      // A refused replay is answered with what is stored: a device whose clock was set wrong gets the right time by it.
      if (outcome.ack !== undefined && identity.kind === "device") {
        session.downlinks.acknowledge(identity, outcome.ack);
      }
      finish();
    },
    (error: unknown) => finish(error instanceof Error ? error : new Error(String(error))),
  );
}

function judge(session: Session, identity: Identity, topic: string, payload: Buffer): ReturnType<typeof judgeUplink> {
  if (identity.kind === "person") return { kind: "refused", reason: "not-a-device" };
  if (!topic.startsWith("waakvlam/v1/devices/")) return { kind: "refused", reason: "gateway-topic" };
  const { clock, sha256 } = session.options;
  const { deviceId, key } = identity;
  const verdict = judgeUplink(topic, payload, {
    deviceId,
    key,
    sha256,
    receivedMs: clock.nowMs(),
    clockTrusted: session.options.isClockTrusted(),
  });
  if (verdict.kind === "frame" && verdict.frame.header === undefined && !session.mayStoreUnreadable(deviceId)) {
    return { kind: "refused", reason: "too-many-unreadable" };
  }
  return verdict;
}

function refuse(session: Session, note: Omit<RefusalNote, "atMs"> & { readonly reason: RefusalReason }): void {
  const kept = {
    ...note,
    atMs: session.options.clock.nowMs(),
    bytes: note.bytes.slice(0, 250),
    topic: note.topic.slice(0, 128),
  };
  noteRefusal(session.refusals, kept);
  for (const listener of session.refusalListeners) listener(kept);
}

function holdWhenBehind(journal: IngressJournal, flows: Map<Client, Flow>): Session["hold"] {
  let held = false;
  const check = () => {
    const pending = journal.health().pendingRows;
    const next = held ? pending > PENDING_LOW : pending > PENDING_HIGH;
    if (next === held) return;
    held = next;
    for (const flow of flows.values()) flow.hold(held);
  };
  return { check, stop: journal.onCommitted(check) };
}

async function listen(options: MqttIngressOptions, session: Session): Promise<Server> {
  const onConnection = (socket: Socket) => {
    socket.on("error", () => undefined);
    const gate = guardConnection(socket, () => {
      refuse(session, { reason: "too-long", topic: "", bytes: new Uint8Array(0) });
    });
    const client = session.broker.handle(socket);
    session.flows.set(client, createFlow(gate, options.clock, options.flowLimits ?? FLOW_LIMITS));
    socket.once("close", () => {
      session.flows.get(client)?.close();
      session.flows.delete(client);
    });
  };
  const server =
    options.tls === undefined
      ? createPlainServer({ noDelay: true }, onConnection)
      : createTlsServer({ ...options.tls, handshakeTimeout: CONNECT_TIMEOUT_MS }, onConnection);
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const { host, port } = options;
      reject(
        new GatewayError(
          cause.code === "EADDRINUSE" ? "ADDRESS_IN_USE" : "ADDRESS_NOT_ALLOWED",
          { host, port },
          { cause },
        ),
      );
    });
    server.listen(options.port, options.host, resolve);
  });
  return server;
}

async function closeAll(server: Server, session: Session): Promise<void> {
  session.hold.stop();
  const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
  await new Promise<void>((resolve) => session.broker.close(() => resolve()));
  await stopped;
}
