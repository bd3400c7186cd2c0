// LoRaWAN: the application that takes what networks hand on, the network of our own, and the servers of others that are configured.
import { isPlausibleWallTime } from "../clock.ts";
import { noteRefusal } from "../domain/refusal-log.ts";
import type { NetworkFacts } from "../domain/self.ts";
import type { Commands } from "../ingress/commands.ts";
import { createKeyedTagger } from "../ingress/keyed-hash.ts";
import { createApplication, type LorawanDevice, type Refusal } from "../ingress/lorawan/application/application.ts";
import type { UplinkTaker } from "../ingress/lorawan/interfaces.ts";
import { createChirpstack } from "../ingress/lorawan/servers/chirpstack.ts";
import {
  type NetworkServer,
  type ServerOptions,
  type ServerState,
  startServer,
} from "../ingress/lorawan/servers/server.ts";
import { createThingsStack } from "../ingress/lorawan/servers/things-stack.ts";
import type { MqttIngress } from "../ingress/mqtt.ts";
import { rowOfEui, rowsByEui } from "../registry/lorawan-eui.ts";
import { INTERVAL_S_DEFAULT } from "../registry/view.ts";
import { type OwnNetwork, startOwnNetwork } from "./lorawan-network.ts";
import { type Parts, readPem } from "./parts.ts";

/** Of a refused payload as much is kept for a look. */
const KEPT_BYTES_MAX = 250;
const NOTHING = new Uint8Array(0);

export interface Lorawan {
  readonly taker: UplinkTaker;
  readonly servers: readonly NetworkServer[];
  /** Undefined where base stations are not ours. */
  readonly own: OwnNetwork | undefined;
  /** Of those servers, for the gateway's watch over itself. */
  networks(): readonly NetworkFacts[];
  stop(): Promise<void>;
}

type Refuse = (
  refusal: Omit<Refusal, "reason" | "sender"> & { readonly reason: string; readonly sender?: string },
) => void;

/** Throws FILE_UNREADABLE for a password or certificate that is not there, ADDRESS_IN_USE and ADDRESS_UNKNOWN for base stations. */
export async function startLorawan(
  parts: Parts,
  { ingress, commands }: { readonly ingress: MqttIngress; readonly commands: Commands },
): Promise<Lorawan> {
  const { journal, clock, store } = parts;
  const deviceOf = deviceLookup(parts);
  const refuse = refusalsOf(parts, ingress, deviceOf);
  const taker = createApplication({
    journal,
    clock,
    isClockTrusted: () => isPlausibleWallTime(clock.nowMs()),
    deviceOf,
    taggerOf: (deviceId) => {
      const key = store.key(deviceId);
      return key === undefined ? undefined : createKeyedTagger(key);
    },
    commands,
    onRefusal: refuse,
  });
  const own = await startOwnNetwork(parts, taker, ({ reason, devEui }) =>
    refuse({ reason, sender: devEui, topic: "lorawan", bytes: NOTHING }),
  );
  let servers: readonly NetworkServer[];
  try {
    servers = startServers(parts, taker, refuse);
  } catch (error) {
    await own?.stop();
    throw error;
  }
  return {
    ...{ taker, servers, own },
    networks: () => servers.map((one) => factsOf(one.state())),
    stop: async () => {
      await Promise.all([own?.stop(), ...servers.map((one) => one.close())]);
    },
  };
}

function factsOf({ network, isConnected, reason = "it has not answered yet" }: ServerState): NetworkFacts {
  return { name: network, ...(isConnected ? {} : { reason }) };
}

/** By the registry in force: a new one is looked at when it is there. */
function deviceLookup({ store, clock }: Parts): (devEui: string) => LorawanDevice | undefined {
  let registry = store.registry();
  let rows = rowsByEui(registry);
  return (devEui) => {
    if (store.registry() !== registry) {
      registry = store.registry();
      rows = rowsByEui(registry);
    }
    const found = rowOfEui(rows, devEui, clock.nowMs());
    if (found === undefined) return undefined;
    const { deviceId, model, sensing, disabled, reportIntervalS = INTERVAL_S_DEFAULT } = found;
    return {
      deviceId,
      reportIntervalS,
      ...(model === undefined ? {} : { model }),
      ...(sensing === undefined ? {} : { sensing }),
      ...(disabled === undefined ? {} : { disabled }),
    };
  };
}

/** Counted and kept beside what MQTT refuses; of a registered device an alert has its name. */
function refusalsOf(
  { clock, engine }: Parts,
  { refusals }: MqttIngress,
  deviceOf: ReturnType<typeof deviceLookup>,
): Refuse {
  return ({ reason, sender, topic, bytes }) => {
    const name = sender === undefined ? {} : { sender: deviceOf(sender)?.deviceId ?? sender };
    noteRefusal(refusals, { atMs: clock.nowMs(), reason, topic, bytes: bytes.slice(0, KEPT_BYTES_MAX), ...name });
    engine.note({ kind: "refusal", reason, ...name });
  };
}

/** Files are read before anything is opened: one that is missing leaves nothing behind. */
function startServers({ config, clock, logs }: Parts, taker: UplinkTaker, refuse: Refuse): NetworkServer[] {
  const { chirpstack, thingsStack } = config;
  const wanted: ServerOptions[] = [];
  if (chirpstack !== undefined) {
    wanted.push({
      ...{ taker, clock, qos: 1, expires: chirpstack.expiresAt, dialect: createChirpstack(chirpstack.applicationId) },
      link: { ...linkOf(chirpstack), log: logs.area("chirpstack").warn },
      onRefusal: (refusal) => refuse({ topic: "chirpstack", ...refusal }),
    });
  }
  if (thingsStack !== undefined) {
    wanted.push({
      ...{ taker, clock, qos: 0, expires: false, dialect: createThingsStack(thingsStack.username) },
      link: { ...linkOf(thingsStack), log: logs.area("things-stack").warn },
      onRefusal: (refusal) => refuse({ topic: "things-stack", ...refusal }),
    });
  }
  return wanted.map(startServer);
}

interface BrokerConfig {
  readonly url: string;
  readonly clientId: string;
  readonly timeoutMs: number;
  readonly username?: string;
  readonly passwordFile?: string;
  readonly caFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

function linkOf({ url, clientId, timeoutMs, username, passwordFile, caFile, tlsCert, tlsKey }: BrokerConfig) {
  return {
    ...{ url, clientId, timeoutMs },
    ...(username === undefined ? {} : { username }),
    ...(passwordFile === undefined ? {} : { password: readPem(passwordFile).trim() }),
    ...(caFile === undefined ? {} : { ca: readPem(caFile) }),
    ...(tlsCert === undefined || tlsKey === undefined ? {} : { cert: readPem(tlsCert), key: readPem(tlsKey) }),
  };
}
