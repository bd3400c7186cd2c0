// Base stations that speak the Semtech UDP protocol: takes their datagrams, acknowledges before it looks further, hands frames on, has
// them send, and keeps what is known of each. It has no socket: `udp.ts` has.
import type { Clock, Timer } from "../../../clock.ts";
import type { Eui, HeardFrame, Radio, Transmission, TransmitOutcome } from "../interfaces.ts";
import {
  createRateLimit,
  type Pin,
  type PinReason,
  SOURCE_RATE,
  SOURCES_MAX,
  type Source,
  STATION_RATE,
  stepPin,
} from "./admission.ts";
import {
  type DatagramFault,
  type DatagramHeader,
  encodeAnswer,
  encodePullResp,
  type PacketFault,
  parseHeader,
  parsePushData,
  parseTxAck,
  type StationStatus,
} from "./gwmp.ts";

/** A forwarder answers when it has put the frame in its queue, which is at once; the rest is the way there and back. */
export const TX_ACK_MS_MAX = 3_000;
/** Transmissions that wait for their answer. */
export const PENDING_MAX = 256;
/** A base station that has asked for downlinks within this can be given one. */
export const CONNECTED_MS = 60_000;
/** It sends a status every 30 s and asks for downlinks more often. */
export const SILENT_MS = 180_000;

export interface StationEntry {
  readonly eui: Eui;
  readonly name: string;
  /** Path that its devices' silence is told of by. */
  readonly path?: string | undefined;
  readonly address?: string | undefined;
}

export type RefusalReason =
  | DatagramFault
  | PacketFault
  | Extract<PinReason, "other-address" | "other-port">
  | "unknown-station"
  | "rate-source"
  | "rate-station"
  | "token";
export type Counts<K extends string> = Readonly<Partial<Record<K, number>>>;

export interface StationState extends StationEntry {
  /** Wall clock, milliseconds; undefined: not since the start. */
  readonly lastHeardMs?: number;
  /** Where it is heard from. */
  readonly heardFrom?: string;
  /** It has asked for downlinks of late. */
  readonly isConnected: boolean;
  readonly isSilent: boolean;
  readonly framesHeard: number;
  readonly status?: StationStatus;
  readonly transmissions: Counts<TransmitOutcome>;
  readonly refused: Counts<RefusalReason>;
}

export interface StationsOptions {
  readonly stations: readonly StationEntry[];
  readonly clock: Clock;
  /** 0 to 65,535; who does not see a downlink must not guess its token. */
  randomToken(): number;
  send(bytes: Uint8Array, to: Source): void;
  /** A base station is heard for the first time, or from elsewhere. */
  onPinned?(stationId: Eui, reason: "first" | "moved", source: Source): void;
}

export interface Stations extends Radio {
  /** One datagram. Never throws for what stands in it. */
  take(bytes: Uint8Array, source: Source): void;
  states(): StationState[];
  /** What no base station can be blamed for. */
  refused(): Counts<RefusalReason>;
  /** Ends what waits for an answer. */
  close(): void;
}

interface Station {
  readonly entry: StationEntry;
  pin: Pin | undefined;
  lastHeardMs: number | undefined;
  framesHeard: number;
  status: StationStatus | undefined;
  readonly transmissions: Partial<Record<TransmitOutcome, number>>;
  readonly refused: Partial<Record<RefusalReason, number>>;
}

interface Pending {
  readonly station: Station;
  readonly timer: Timer;
  readonly end: (outcome: TransmitOutcome) => void;
}

function count<K extends string>(counts: Partial<Record<K, number>>, key: K): void {
  counts[key] = ((counts[key] as number | undefined) ?? 0) + 1;
}

export function createStations(options: StationsOptions): Stations {
  const { clock } = options;
  const startedMs = clock.monotonicMs();
  const stations = new Map(options.stations.map((entry) => [entry.eui, emptyStation(entry)]));
  const strangers: Partial<Record<RefusalReason, number>> = {};
  const mayPass = {
    source: createRateLimit(SOURCE_RATE, SOURCES_MAX),
    station: createRateLimit(STATION_RATE, stations.size),
  };
  const pending = new Map<number, Pending>();
  const listeners: ((frame: HeardFrame) => void)[] = [];

  /** The base station that this datagram is from, or undefined when it is refused. */
  function admit(header: DatagramHeader, source: Source): Station | undefined {
    const nowMs = clock.monotonicMs();
    const station = stations.get(header.eui);
    if (station === undefined) return void count(strangers, "unknown-station");
    const { pin, reason } = stepPin(station.pin, {
      kind: header.kind,
      source,
      nowMs,
      fixedAddress: station.entry.address,
    });
    if (reason === "other-address" || reason === "other-port") return void count(station.refused, reason);
    // Behind the pin: what others send in its name uses nothing of its allowance.
    if (!mayPass.station(header.eui, nowMs)) return void count(station.refused, "rate-station");
    station.pin = pin;
    station.lastHeardMs = clock.nowMs();
    if (reason !== "same") options.onPinned?.(header.eui, reason, source);
    return station;
  }

  function takePush(station: Station, bytes: Uint8Array): void {
    const push = parsePushData(bytes, station.entry.eui);
    if (typeof push === "string") {
      count(station.refused, push);
      return;
    }
    for (const fault of push.faults) count(station.refused, fault);
    if (push.status !== undefined) station.status = push.status;
    station.framesHeard += push.frames.length;
    for (const frame of push.frames) for (const listener of listeners) listener(frame);
  }

  function takeTxAck(station: Station, token: number, bytes: Uint8Array): void {
    const waiting = pending.get(token);
    const outcome = waiting?.station === station ? parseTxAck(bytes) : "token";
    // One that cannot be read leaves the transmission to its time-out.
    if (isRefused(outcome)) count(station.refused, outcome);
    else waiting?.end(outcome);
  }

  function take(bytes: Uint8Array, source: Source): void {
    const header = mayPass.source(source.address, clock.monotonicMs()) ? parseHeader(bytes) : "rate-source";
    if (typeof header === "string") {
      count(strangers, header);
      return;
    }
    const station = admit(header, source);
    if (station === undefined) return;
    if (header.kind === "tx-ack") {
      takeTxAck(station, header.token, bytes);
      return;
    }
    // The forwarder waits 100 ms for it, and counts what it misses.
    options.send(encodeAnswer(header), source);
    if (header.kind === "push-data") takePush(station, bytes);
  }

  function freshToken(): number {
    let token = options.randomToken() & 0xffff;
    while (pending.has(token)) token = (token + 1) & 0xffff;
    return token;
  }

  function ask(station: Station, to: Source, transmission: Transmission): Promise<TransmitOutcome> {
    return new Promise((resolve) => {
      const token = freshToken();
      const end = (outcome: TransmitOutcome) => {
        if (!pending.delete(token)) return;
        timer.stop();
        count(station.transmissions, outcome);
        resolve(outcome);
      };
      const timer = clock.after(TX_ACK_MS_MAX, () => end("no-answer"));
      pending.set(token, { station, timer, end });
      options.send(encodePullResp(token, transmission), to);
    });
  }

  function stateOf(station: Station): StationState {
    const { entry, pin, lastHeardMs, status } = station;
    const nowMs = clock.monotonicMs();
    return {
      ...entry,
      ...(lastHeardMs === undefined ? {} : { lastHeardMs }),
      ...(pin === undefined ? {} : { heardFrom: pin.address }),
      isConnected: isConnected(pin, nowMs),
      isSilent: nowMs - (pin?.heardMs ?? startedMs) >= SILENT_MS,
      framesHeard: station.framesHeard,
      ...(status === undefined ? {} : { status }),
      transmissions: { ...station.transmissions },
      refused: { ...station.refused },
    };
  }

  return {
    onHeard: (listener) => void listeners.push(listener),
    take,
    transmit: async (transmission) => {
      const station = stations.get(transmission.stationId);
      if (station === undefined) return "not-connected";
      const { pin } = station;
      const isReachable = isConnected(pin, clock.monotonicMs());
      if (isReachable && pending.size < PENDING_MAX)
        return ask(station, { address: pin.address, port: pin.pull.port }, transmission);
      const outcome = isReachable ? "failed" : "not-connected";
      count(station.transmissions, outcome);
      return outcome;
    },
    states: () => [...stations.values()].map(stateOf),
    refused: () => ({ ...strangers }),
    close: () => {
      for (const waiting of [...pending.values()]) waiting.end("no-answer");
    },
  };
}

function emptyStation(entry: StationEntry): Station {
  const nothing = { pin: undefined, lastHeardMs: undefined, status: undefined };
  return { entry, ...nothing, framesHeard: 0, transmissions: {}, refused: {} };
}

function isConnected(pin: Pin | undefined, nowMs: number): pin is Pin & Required<Pick<Pin, "pull">> {
  return pin?.pull !== undefined && nowMs - pin.pull.heardMs < CONNECTED_MS;
}

const TX_ACK_FAULTS: ReadonlySet<string> = new Set<RefusalReason>(["json", "not-an-object", "token"]);

function isRefused(outcome: TransmitOutcome | RefusalReason): outcome is RefusalReason {
  return TX_ACK_FAULTS.has(outcome);
}
