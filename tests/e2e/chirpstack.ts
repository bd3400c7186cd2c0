// A ChirpStack that follows its documented topics and JSON (chirpstack.io/docs: integrations/mqtt, integrations/events): the half that
// is seen from its broker. Frames on the air, keys and counters are left to its word.
import { randomBytes, randomUUID } from "node:crypto";
import mqtt, { type MqttClient } from "mqtt";

export const APPLICATION = "17c82e96-be03-4f38-aef3-f83d48582d97";
/** It gathers what several base stations heard, and decides on a downlink a little later. */
const DECIDES_MS = 300;

interface Item {
  readonly id: string;
  readonly fPort: number;
  readonly data: Buffer;
  readonly expiresMs: number | undefined;
}

interface Session {
  devAddr: string;
  fCnt: number;
  fCntDown: number;
  isJoined: boolean;
}

export interface Chirpstack {
  /** An uplink of a device; resolves with what it gets in its windows, when they are over. */
  uplink(
    devEui: string,
    payload: Uint8Array,
    part?: { readonly fPort?: number; readonly time?: Date },
  ): Promise<Uint8Array | undefined>;
  /** The same event once more, as a broker sends what it got no PUBACK for. */
  again(): Promise<void>;
  /** The device joins anew: its counters begin at 0. */
  join(devEui: string): void;
  event(devEui: string, name: string, more: object): Promise<void>;
  /** Commands that were not what the documentation says. */
  readonly faults: readonly string[];
  queued(devEui: string): number;
  stop(): Promise<void>;
}

const TOPIC = new RegExp(`^application/${APPLICATION}/device/([0-9a-f]{16})/command/down$`);

export async function startChirpstack(options: {
  readonly url: string;
  readonly password: string;
  readonly ca?: string;
  /** From 4.14 on it knows `expiresAt`. */
  readonly expires: boolean;
}): Promise<Chirpstack> {
  const client = await mqtt.connectAsync(options.url, {
    ...{ clientId: "chirpstack", username: "chirpstack", password: options.password, protocolVersion: 5 },
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
  const faults: string[] = [];
  const sessions = new Map<string, Session>();
  const queues = new Map<string, Item[]>();
  let last: { topic: string; json: string } | undefined;

  await client.subscribeAsync("application/+/device/+/command/+", { qos: 1 });
  client.on("message", (topic, payload) => {
    const read = readCommand(topic, payload, options.expires);
    if (typeof read === "string") faults.push(read);
    else queues.set(read.devEui, [...(queues.get(read.devEui) ?? []), read.item]);
  });

  const topicOf = (devEui: string, name: string) => `application/${APPLICATION}/device/${devEui}/event/${name}`;
  async function event(devEui: string, name: string, more: object): Promise<void> {
    const json = JSON.stringify({ time: new Date().toISOString(), deviceInfo: infoOf(devEui), ...more });
    if (name === "up") last = { topic: topicOf(devEui, name), json };
    await client.publishAsync(topicOf(devEui, name), json, { qos: 1 });
  }

  /** The first in the queue that has not expired goes into the windows. */
  async function decide(devEui: string, session: Session): Promise<Uint8Array | undefined> {
    const queue = queues.get(devEui) ?? [];
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      if (item.expiresMs !== undefined && item.expiresMs < performance.timeOrigin + performance.now()) {
        await event(devEui, "log", { level: "WARNING", code: "EXPIRED", description: "Device queue-item discarded" });
        continue;
      }
      await event(devEui, "txack", { downlinkId: 1, queueItemId: item.id, fCntDown: session.fCntDown++ });
      return new Uint8Array(item.data);
    }
    return undefined;
  }

  return {
    faults,
    event,
    queued: (devEui) => queues.get(devEui)?.length ?? 0,
    join: (devEui) => void sessions.set(devEui, newSession()),
    again: async () => {
      if (last !== undefined) await client.publishAsync(last.topic, last.json, { qos: 1 });
    },
    uplink: async (devEui, payload, { fPort = 10, time } = {}) => {
      const session = sessions.get(devEui) ?? newSession();
      sessions.set(devEui, session);
      // It tells of a join with the first uplink after it.
      if (session.isJoined) await event(devEui, "join", { devAddr: session.devAddr });
      session.isJoined = false;
      const up = upOf(session, { fPort, payload });
      await event(devEui, "up", time === undefined ? up : { ...up, time: time.toISOString() });
      await new Promise((resolve) => setTimeout(resolve, DECIDES_MS));
      return decide(devEui, session);
    },
    stop: () => end(client),
  };
}

async function end(client: MqttClient): Promise<void> {
  await client.endAsync(true);
}

function newSession(): Session {
  return { devAddr: randomBytes(4).toString("hex"), fCnt: 0, fCntDown: 0, isJoined: true };
}

function infoOf(devEui: string): object {
  return {
    tenantId: "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
    tenantName: "Regio",
    applicationId: APPLICATION,
    applicationName: "punten",
    deviceProfileId: "14855bf7-d10d-4aee-b618-ebfcb64dc7ad",
    deviceProfileName: "EU868 class A",
    deviceName: devEui,
    devEui,
    deviceClassEnabled: "CLASS_A",
    tags: {},
  };
}

/** Fields of its own messages are all there; inside rxInfo and txInfo what is zero is left out. */
function upOf(session: Session, { fPort, payload }: { fPort: number; payload: Uint8Array }): object {
  return {
    deduplicationId: randomUUID(),
    devAddr: session.devAddr,
    adr: false,
    dr: 3,
    fCnt: session.fCnt++,
    fPort,
    confirmed: false,
    data: Buffer.from(payload).toString("base64"),
    rxInfo: [
      {
        gatewayId: "0016c001f153a14c",
        uplinkId: 4217106255,
        rssi: -101,
        snr: 4.5,
        context: "E3OWOQ==",
        crcStatus: "CRC_OK",
      },
      { gatewayId: "0016c001f153a14d", uplinkId: 77, rssi: -115, context: "E3OWOQ==" },
    ],
    txInfo: {
      frequency: 867100000,
      modulation: { lora: { bandwidth: 125000, spreadingFactor: 9, codeRate: "CR_4_5" } },
    },
    regionConfigId: "eu868",
  };
}

/** As its command topic takes it, or what is wrong with it. */
function readCommand(topic: string, payload: Buffer, expires: boolean): { devEui: string; item: Item } | string {
  const devEui = TOPIC.exec(topic)?.[1];
  if (devEui === undefined) return `nobody listens to ${topic}`;
  const json = JSON.parse(payload.toString()) as Record<string, unknown>;
  const { fPort, data, expiresAt, confirmed, ...rest } = json;
  if (rest["devEui"] !== devEui) return "the DevEUI is not that of the topic";
  if (Object.keys(rest).some((key) => !["devEui", "id", "object"].includes(key)))
    return `unknown: ${Object.keys(rest)}`;
  if (typeof fPort !== "number" || fPort < 1 || fPort > 223) return `fPort ${String(fPort)}`;
  if (typeof confirmed !== "boolean" || typeof data !== "string") return "confirmed or data is missing";
  if (expiresAt !== undefined && !expires) return "expiresAt is not known before 4.14";
  const expiresMs = expiresAt === undefined ? undefined : Date.parse(String(expiresAt));
  if (Number.isNaN(expiresMs)) return `expiresAt ${String(expiresAt)}`;
  return { devEui, item: { id: randomUUID(), fPort, data: Buffer.from(data, "base64"), expiresMs } };
}
