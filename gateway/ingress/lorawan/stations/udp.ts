// The socket of the base stations: one, on loopback or one address of this machine. What it cannot send is lost, as UDP is.
import { createSocket } from "node:dgram";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { GatewayError } from "../../../errors.ts";
import { listenFault } from "../../../listen-fault.ts";
import type { Source } from "./admission.ts";
import { createStations, type Stations, type StationsOptions } from "./stations.ts";

/** Of the kernel: more than a second of base stations at their most. */
const RECEIVE_BYTES = 1 << 20;

export interface UdpStationsOptions extends Omit<StationsOptions, "send"> {
  /** An address of this machine, or the name of one of its interfaces. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** The socket has failed; base stations are not heard any more. */
  onFailure?(cause: Error): void;
}

export interface UdpStations extends Stations {
  readonly address: Source;
  stop(): Promise<void>;
}

/**
 * Its first address, IPv4 before IPv6; what is no interface is an address already. Interfaces are asked for only where one is named:
 * a sandbox that has no netlink sockets keeps them from the gateway, and then it throws what the system says.
 */
export function addressOf(host: string, interfaces = networkInterfaces): string | undefined {
  if (isIP(host) !== 0) return host;
  if (host === "localhost") return "127.0.0.1";
  const found = interfaces()[host] ?? [];
  return (found.find((one) => one.family === "IPv4") ?? found[0])?.address;
}

function knownAddressOf(host: string): string {
  let cause: unknown;
  try {
    const address = addressOf(host);
    if (address !== undefined) return address;
  } catch (error) {
    cause = error;
  }
  throw new GatewayError("ADDRESS_UNKNOWN", { host }, { cause });
}

/** Throws ADDRESS_IN_USE, ADDRESS_UNKNOWN, ADDRESS_NOT_ALLOWED. */
export async function startUdpStations(options: UdpStationsOptions): Promise<UdpStations> {
  const { host, port } = options;
  const address = knownAddressOf(host);
  const socket = createSocket({ type: isIP(address) === 6 ? "udp6" : "udp4" });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (cause) => reject(listenFault(cause, { host, port })));
    socket.bind({ address, port, exclusive: true }, resolve);
  });
  socket.removeAllListeners("error");
  socket.setRecvBufferSize(RECEIVE_BYTES);
  let isOpen = true;
  const stations = createStations({
    ...options,
    // An address that cannot be reached shows as a downlink without an answer.
    send: (bytes, to) => {
      if (isOpen) socket.send(bytes, to.port, to.address, () => undefined);
    },
  });
  socket.on("message", (bytes, from) => stations.take(bytes, { address: from.address, port: from.port }));
  socket.on("error", (cause) => options.onFailure?.(cause));
  const bound = socket.address();
  return {
    ...stations,
    address: { address: bound.address, port: bound.port },
    stop: () => {
      isOpen = false;
      stations.close();
      return new Promise((resolve) => socket.close(() => resolve()));
    },
  };
}
