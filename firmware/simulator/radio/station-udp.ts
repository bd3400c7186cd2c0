// The real sockets of a virtual base station: one for packets, one for what asks for downlinks, as packet forwarders have them. Data come in
// real time: `atStationTime` brings the station there first.
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import type { Socket } from "./base-station.ts";

export interface StationUdpOptions {
  readonly host: string;
  readonly port: number;
  /** A datagram of the server. */
  received(bytes: Uint8Array): void;
  atStationTime(work: () => void): void;
}

export interface StationUdp {
  send(bytes: Uint8Array, socket: Socket): void;
  close(): void;
}

export function openStationUdp(options: StationUdpOptions): StationUdp {
  const { host, port } = options;
  const open = (): UdpSocket => {
    const socket = createSocket("udp4");
    socket.on("message", (bytes) => options.atStationTime(() => options.received(new Uint8Array(bytes))));
    // Nobody there: it asks again, as a forwarder does.
    socket.on("error", () => undefined);
    return socket;
  };
  const sockets = { push: open(), pull: open() };
  return {
    send: (bytes, socket) => sockets[socket].send(bytes, port, host, () => undefined),
    close: () => {
      sockets.push.close();
      sockets.pull.close();
    },
  };
}
