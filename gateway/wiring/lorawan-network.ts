// The gateway's own LoRaWAN: base stations over UDP, and the network server behind them. Refusals that an operator has to know of are
// told of by device; what strangers have on the air is counted alone.
import { randomInt } from "node:crypto";
import { isPlausibleWallTime } from "../clock.ts";
import type { UplinkTaker } from "../ingress/lorawan/interfaces.ts";
import { type Concern, createNetworkServer, type NetworkServer } from "../ingress/lorawan/network/server.ts";
import type { StationState } from "../ingress/lorawan/stations/stations.ts";
import { startUdpStations, type UdpStations } from "../ingress/lorawan/stations/udp.ts";
import type { LorawanWays } from "./lorawan-desk.ts";
import type { Parts } from "./parts.ts";

const RANDOM_STEPS = 2 ** 32;
const TOKENS = 2 ** 16;
/** The path of base stations that name none, as that of devices that name none. */
const PATH = "lorawan";

export interface OwnNetwork extends LorawanWays {
  readonly network: NetworkServer;
  readonly stations: UdpStations;
  readonly address: string;
  stop(): Promise<void>;
}

/** Throws ADDRESS_IN_USE, ADDRESS_UNKNOWN. */
export async function startOwnNetwork(
  { config, clock, logs, journal, store }: Parts,
  taker: UplinkTaker,
  onConcern: (concern: Concern) => void,
): Promise<OwnNetwork | undefined> {
  const { lorawan } = config;
  if (lorawan === undefined) return undefined;
  const log = logs.area("lorawan");
  const stations = await startUdpStations({
    ...{ host: lorawan.udpHost, port: lorawan.udpPort, stations: lorawan.stations, clock },
    randomToken: () => randomInt(TOKENS),
    onPinned: (stationId, reason, { address }) => log.info("base station heard", { stationId, reason, address }),
    onFailure: ({ message }) =>
      log.error("base stations are not heard any more: restart the gateway", { reason: message }),
  });
  const network = createNetworkServer({
    ...{ radio: stations, taker, identities: store.lorawan, store: journal, clock },
    random: () => randomInt(RANDOM_STEPS) / RANDOM_STEPS,
    isClockTrusted: () => isPlausibleWallTime(clock.nowMs()),
    onConcern,
  });
  try {
    await network.start();
  } catch (error) {
    await stations.stop();
    throw error;
  }
  const { address, port } = stations.address;
  return {
    ...{ network, stations, address: `${address}:${port}` },
    stop: async () => {
      await network.stop();
      await stations.stop();
    },
  };
}

/** Paths of which no base station is heard: they bring nobody. */
export function silentPaths(states: readonly Pick<StationState, "path" | "isSilent">[]): ReadonlySet<string> {
  const heard = new Set(states.filter((one) => !one.isSilent).map(({ path = PATH }) => path));
  return new Set(states.map(({ path = PATH }) => path).filter((path) => !heard.has(path)));
}
