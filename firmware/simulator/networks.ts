// What a virtual board can reach: nothing, a gateway of before the outage that is a few lines in this process, or a real
// broker over TCP.
import { connect as connectTcp, type Socket as TcpSocket } from "node:net";
import { decodeUplink, encodeAck, openFrame, type Sha256, sealFrame } from "../../protocol/wire.ts";
import { createPacketReaderOfBroker } from "./broker-packets.ts";
import type { Schedule } from "./schedule.ts";
import type { Network, Socket } from "./virtual-board.ts";

/** A network that can be exchanged while the board runs. */
export interface SwitchedNetwork extends Network {
  use(network: Network): void;
}

export function createSwitchedNetwork(first: Network): SwitchedNetwork {
  let now = first;
  return {
    use: (network) => {
      now = network;
    },
    isReachable: () => now.isReachable(),
    connect: (host, port, events) => now.connect(host, port, events),
  };
}

export const NO_NETWORK: Network = {
  isReachable: () => false,
  connect: () => {
    throw new Error("no network");
  },
};

export interface RehearsalOptions {
  readonly schedule: Schedule;
  readonly key: Uint8Array;
  readonly downlink: string;
  readonly sha256: Sha256;
  readonly unixMs: () => number;
}

/** The gateway of before the outage: takes reports, acknowledges them, and so sets the device's clock. */
export function createRehearsalGateway(options: RehearsalOptions): Network & { cut(): void } {
  const { schedule, key, sha256 } = options;
  const open = new Set<() => void>();
  return {
    isReachable: () => true,
    cut: () => {
      for (const close of [...open]) close();
    },
    connect: (_host, _port, events) => {
      let isOpen = true;
      const later = (work: () => void) => {
        schedule.after(20, () => {
          if (isOpen) work();
        });
      };
      const close = () => {
        if (!isOpen) return;
        isOpen = false;
        open.delete(close);
        schedule.after(0, events.closed);
      };
      open.add(close);
      const broker = createPacketReaderOfBroker({
        reply: (data) => later(() => events.data(data)),
        published: (payload) => {
          const frame = openFrame(sha256, key, payload);
          const decoded = frame === undefined ? undefined : decodeUplink(frame);
          if (decoded === undefined || decoded.kind === "fault") return;
          const ack = {
            time: Math.floor(options.unixMs() / 1000),
            baseSequence: decoded.value.sequence,
            bitmap: 0x80000000,
          };
          later(() => events.data(broker.publish(options.downlink, sealFrame(sha256, key, encodeAck(ack)))));
        },
      });
      later(events.opened);
      return { write: (data) => broker.take(data), end: close };
    },
  };
}

/** A real broker over TCP. Data comes in real time: `atBoardTime` brings the board there first. */
export function createTcpNetwork(host: string, port: number, atBoardTime: (work: () => void) => void): Network {
  return {
    isReachable: () => true,
    connect: (_host, _port, events) => {
      const socket: TcpSocket = connectTcp({ host, port, noDelay: true });
      socket.setEncoding("latin1");
      socket.on("connect", () => atBoardTime(events.opened));
      socket.on("data", (data) => atBoardTime(() => events.data(data.toString())));
      socket.on("error", () => undefined);
      socket.on("close", () => atBoardTime(events.closed));
      const opened: Socket = {
        write: (data) => void socket.write(data, "latin1"),
        end: () => socket.destroy(),
      };
      return opened;
    },
  };
}
