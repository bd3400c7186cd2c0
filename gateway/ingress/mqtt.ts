// MQTT ingress: Aedes with the journal commit in `authorizePublish`, the only hook it waits for before PUBACK. Nothing
// but this reads the broker.
import type { Socket } from "node:net";
import type { TlsOptions } from "node:tls";
import type { Client } from "aedes";
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
import { type Broker, type BrokerPolicy, type Publish, startBroker } from "./broker.ts";
import type { Commands } from "./commands.ts";
import { createDownlinks, type Downlinks, type Receiver } from "./downlinks.ts";
import type { FlowLimits } from "./flow.ts";
import { holdWhenBehind } from "./hold.ts";
import { type Identities, type Identity, type People, signIn } from "./sign-in.ts";
import { createUnreadableLimit, type UnreadableLimit } from "./unreadable.ts";
import { judgeUplink, type RefusalReason } from "./uplink.ts";

export interface IngressJournal {
  /** `settled` is called once, with an error when it is not stored. */
  take(frame: CheckedFrame, settled: (outcome: AppendOutcome | Error) => void): void;
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
  isClockTrusted(): boolean;
  /** Commands that wait for devices; absent: none do. */
  readonly commands?: Pick<Commands, "saw" | "due">;
  /** How long an uplink waited for its PUBACK, from the hook on. */
  observePuback?(ms: number): void;
  /** Benches measure the path and not the limit. */
  readonly flowLimits?: FlowLimits;
  readonly connectionsMax?: number;
  log?(event: string, detail: Readonly<Record<string, string | number>>): void;
}

export interface MqttIngress {
  readonly address: { readonly host: string; readonly port: number };
  readonly refusals: RefusalLog;
  onRefusal(listener: (note: RefusalNote) => void): () => void;
  /** Retained for readers; undefined clears the topic. */
  publishRetained(topic: string, json: string | undefined): void;
  /** For whoever is subscribed now. */
  publish(topic: string, json: string): void;
  /** Ends the connection of a device that was disabled or given another key. */
  closeDevice(deviceId: string): void;
  connected(): number;
  /** Connections of devices alone. */
  connectedDevices(): number;
  isListening(): boolean;
  setTls: Broker["setTls"];
  close(): Promise<void>;
}

/** Starts to listen. Throws as `startBroker`. */
export async function createMqttIngress(options: MqttIngressOptions): Promise<MqttIngress> {
  // The policy is called only when a client is there, long after `session` is.
  const broker = await startBroker(
    options,
    createPolicy(() => session),
  );
  const session = createSession(options, broker);
  return {
    address: broker.address,
    refusals: session.refusals,
    onRefusal: (listener) => {
      session.refusalListeners.add(listener);
      return () => session.refusalListeners.delete(listener);
    },
    publishRetained: (topic, json) => {
      broker.publishRetained(topic, json === undefined ? Buffer.alloc(0) : Buffer.from(json));
    },
    publish: (topic, json) => {
      broker.publish(topic, Buffer.from(json));
    },
    closeDevice: broker.closeClient,
    connected: broker.connected,
    connectedDevices: () => {
      return [...broker.clients()].filter((client) => session.identities.get(client)?.kind === "device").length;
    },
    isListening: broker.isListening,
    setTls: broker.setTls,
    close: async () => {
      session.hold.stop();
      await broker.close();
    },
  };
}

interface Session {
  readonly options: MqttIngressOptions;
  readonly refusals: RefusalLog;
  readonly refusalListeners: Set<(note: RefusalNote) => void>;
  readonly identities: WeakMap<Client, Identity>;
  readonly downlinks: Downlinks;
  readonly mayStoreUnreadable: UnreadableLimit;
  readonly hold: ReturnType<typeof holdWhenBehind>;
}

function createSession(options: MqttIngressOptions, broker: Broker): Session {
  const { clock, journal, isClockTrusted } = options;
  return {
    options,
    refusals: createRefusalLog(),
    refusalListeners: new Set(),
    identities: new WeakMap(),
    downlinks: createDownlinks({ clock, isClockTrusted }),
    mayStoreUnreadable: createUnreadableLimit(clock),
    hold: holdWhenBehind({ clock, journal, hold: broker.hold }),
  };
}

function createPolicy(session: () => Session): BrokerPolicy {
  return {
    welcome: (client, said) => welcome(session(), client, said),
    take: (client, packet, finish) => takePublish(session(), client, packet, finish),
    ownTopic: (client) => {
      const identity = session().identities.get(client);
      return identity?.kind === "device" ? identity.uplinkTopic : undefined;
    },
    alongside: (client) => {
      const { identities, downlinks } = session();
      const identity = identities.get(client);
      if (identity?.kind !== "device") return [];
      const topic = identity.downlinkTopic;
      return downlinks.take(identity).map((payload) => ({ topic, payload }));
    },
    maySubscribe: (client, filter) => {
      const { identities, options } = session();
      const identity = identities.get(client);
      const allowed = identity !== undefined && maySubscribe(identity, filter);
      if (!allowed) options.log?.("subscription refused", { client: client.id, topic: filter });
      return allowed;
    },
    mayReceive: (client, topic) => {
      const identity = session().identities.get(client);
      return identity !== undefined && mayReceive(identity, topic);
    },
    oversized: () => refuse(session(), { reason: "too-long", topic: "", bytes: new Uint8Array(0) }),
    turnedAway: (reason) => refuse(session(), { reason, topic: "", bytes: new Uint8Array(0) }),
  };
}

/** 0, or the CONNACK return code of the refusal. */
async function welcome(session: Session, client: Client, said: { name: string; password: string }): Promise<number> {
  const { options, refusals } = session;
  const isPrivate = options.tls !== undefined || isLoopback((client.conn as Socket).remoteAddress);
  const answer = await signIn(
    { clientId: client.id, ...said, isPrivate },
    {
      identities: options.identities,
      people: options.people,
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
  if (identity.kind === "device") return filter === identity.downlinkTopic;
  return mayReadTopic(identity.role, filter);
}

function mayReceive(identity: Identity, topic: string): boolean {
  if (identity.kind === "device") return topic === identity.downlinkTopic;
  return mayReadTopic(identity.role, topic);
}

function takePublish(session: Session, client: Client, packet: Publish, finish: (error?: Error) => void): void {
  const identity = session.identities.get(client);
  if (identity === undefined) {
    finish(new Error("a publish before the sign-in"));
    return;
  }
  session.hold.check();
  const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
  const { topic } = packet;
  const verdict = judge(session, identity, topic, payload);
  if (verdict.kind === "refused") {
    // Acknowledged, so that it is not sent for ever.
    const sender = identity.kind === "device" ? identity.deviceId : identity.name;
    refuse(session, { reason: verdict.reason, sender, topic, bytes: payload });
    if (strike(session.refusals, sender, session.options.clock.monotonicMs())) {
      refuse(session, { reason: "banned", sender, topic, bytes: new Uint8Array(0) });
      finish(new Error("banned"));
    } else finish();
    return;
  }
  session.options.journal.take(verdict.frame, (outcome) => {
    if (outcome instanceof Error) {
      finish(outcome);
      return;
    }
    if (outcome.outcome === "replay" || outcome.outcome === "too-many-devices") {
      refuse(session, { reason: outcome.outcome, sender: verdict.frame.deviceId, topic, bytes: payload });
    }
    if (identity.kind === "device" && outcome.outcome !== "too-many-devices") {
      // A refused replay is answered with what is stored: a device whose clock was set wrong gets the right time by it.
      if (outcome.ack !== undefined) session.downlinks.acknowledge(identity, outcome.ack);
      tellCommands(session, identity, verdict.frame.frame);
    }
    finish();
  });
}

/** A device that was just heard listens: what waits for it goes out behind its answer. */
function tellCommands({ options, downlinks }: Session, receiver: Receiver, frame: Uint8Array): void {
  const { commands } = options;
  if (commands === undefined) return;
  commands.saw(receiver.deviceId, frame);
  const due = commands.due(receiver.deviceId);
  if (due !== undefined) downlinks.send(receiver, due);
}

function judge(session: Session, identity: Identity, topic: string, payload: Buffer): ReturnType<typeof judgeUplink> {
  if (identity.kind === "person") return { kind: "refused", reason: "not-a-device" };
  if (!topic.startsWith("waakvlam/v1/devices/")) return { kind: "refused", reason: "gateway-topic" };
  const { clock } = session.options;
  const { deviceId, tagger, uplinkTopic } = identity;
  const verdict = judgeUplink(topic, payload, {
    deviceId,
    uplinkTopic,
    tagger,
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
