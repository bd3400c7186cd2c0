// MQTT client of a device: signs in, keeps alive and watches that it is answered, sends at QoS 1 with a bounded window,
// and comes back after a loss with a growing, jittered pause. One frame is one payload.
import type { Connect, Delay, Link, Stream } from "../../hal.ts";
import {
  bytesOf,
  type ConnectOptions,
  connectPacket,
  createPacketReader,
  type Incoming,
  type PacketReader,
  PINGREQ,
  publishPacket,
  stringOf,
  subscribePacket,
} from "./packets.ts";

/** Publishes under way: what a small board can hold, and enough to fill a slow path. */
export const IN_FLIGHT_MAX = 8;
/** With its tag a frame fills the 250 bytes that a payload may have. */
export const MQTT_FRAME_MAX = 242;
const ANSWER_MS = 15000;
/** Between two turns of work. */
const TURN_MS = 1;
const BACKOFF_MS_MIN = 2000;
const BACKOFF_MS_MAX = 120000;

export interface MqttLinkOptions {
  readonly connect: Connect;
  readonly delay: Delay;
  /** 0..1. */
  readonly random: () => number;
  readonly identity: ConnectOptions;
  readonly uplink: string;
  readonly downlink: string;
  /** A frame with its tag, later; those that are asked for first come first. */
  readonly seal: (frame: Uint8Array, done: (sealed: Uint8Array) => void) => void;
  /** The link can take frames, or no longer. */
  readonly changed: () => void;
  readonly received: (payload: Uint8Array) => void;
}

export interface MqttLink extends Link {
  start(): void;
  /** The network below is there again: does not sit out a long pause. */
  wake(): void;
  /** Connections lost so far. */
  losses(): number;
}

interface Flight {
  readonly id: number;
  readonly done: (taken: boolean) => void;
}

export function createMqttLink(options: MqttLinkOptions): MqttLink {
  const delay = options.delay;
  let stream: Stream | undefined;
  let reader: PacketReader = createPacketReader();
  let up = false;
  let flights: Flight[] = [];
  let lastId = 0;
  let backoffMs = BACKOFF_MS_MIN;
  let losses = 0;
  let generation = 0;
  let waitsForPing = false;
  let forgetTimer = (): void => {};
  let forgetPause = (): void => {};
  let isPausing = false;
  let isReading = false;

  function open(): void {
    isPausing = false;
    generation++;
    const mine = generation;
    // Nothing answers a stream that never opens, or a broker that never speaks.
    forgetTimer = delay(ANSWER_MS, () => {
      if (mine === generation) lose();
    });
    try {
      stream = options.connect({
        opened: () => {
          if (mine === generation) write(connectPacket(options.identity));
        },
        data: (data) => {
          if (mine !== generation) return;
          reader.take(data);
          if (!isReading) delay(TURN_MS, read);
          isReading = true;
        },
        closed: () => {
          if (mine === generation) lose();
        },
      });
    } catch {
      lose();
    }
  }

  /** One packet a turn. */
  function read(): void {
    // Whatever fails in here must not end the reading for good.
    isReading = false;
    const incoming = reader.next();
    isReading = incoming !== undefined;
    if (incoming === undefined) return;
    delay(TURN_MS, read);
    handle(incoming);
  }

  function write(data: string): void {
    const mine = generation;
    try {
      if (stream !== undefined) stream.write(data);
    } catch {
      delay(0, () => {
        if (mine === generation) lose();
      });
    }
  }

  function lose(): void {
    generation++;
    reader = createPacketReader();
    forgetTimer();
    const old = stream;
    stream = undefined;
    try {
      if (old) old.end();
    } catch {
      losses++;
    }
    losses++;
    const was = up;
    up = false;
    const waiting = flights;
    flights = [];
    for (const flight of waiting) flight.done(false);
    if (was) options.changed();
    // Half of the pause is chance: after an outage all devices come back at once.
    const pauseMs = backoffMs * (0.5 + options.random() / 2);
    backoffMs = Math.min(backoffMs * 2, BACKOFF_MS_MAX);
    isPausing = true;
    forgetPause = delay(pauseMs, open);
  }

  function keepAlive(mine: number): void {
    forgetTimer = delay((options.identity.keepAliveS * 1000) / 2, () => {
      if (mine !== generation) return;
      if (waitsForPing) {
        lose();
        return;
      }
      waitsForPing = true;
      write(PINGREQ);
      keepAlive(mine);
    });
  }

  function handle(incoming: Incoming): void {
    if (incoming.kind === "connack") {
      if (incoming.code !== 0) {
        lose();
        return;
      }
      forgetTimer();
      waitsForPing = false;
      write(subscribePacket(options.downlink, 65535));
      keepAlive(generation);
    } else if (incoming.kind === "suback") {
      up = true;
      backoffMs = BACKOFF_MS_MIN;
      options.changed();
    } else if (incoming.kind === "puback") taken(incoming.id);
    else if (incoming.kind === "pingresp") waitsForPing = false;
    else if (incoming.kind === "publish") {
      if (incoming.topic === options.downlink) options.received(bytesOf(incoming.payload));
    } else lose();
  }

  function taken(id: number): void {
    for (let i = 0; i < flights.length; i++) {
      const flight = flights[i] as Flight;
      if (flight.id !== id) continue;
      flights.splice(i, 1);
      flight.done(true);
      return;
    }
  }

  function room(): number {
    return up && flights.length < IN_FLIGHT_MAX ? MQTT_FRAME_MAX : 0;
  }

  return {
    start: open,
    wake: () => {
      // Also for an attempt that is still failing: its pause will be a short one.
      backoffMs = BACKOFF_MS_MIN;
      if (!isPausing) return;
      forgetPause();
      open();
    },
    isUp: () => up,
    room: room,
    spare: room,
    costS: () => 0,
    isSlow: () => false,
    send: (frame, _isConfirmed, done) => {
      lastId = (lastId % 65000) + 1;
      const id = lastId;
      flights.push({ id: id, done: done });
      const mine = generation;
      options.seal(frame, (sealed) => {
        if (mine === generation) write(publishPacket(options.uplink, stringOf(sealed), id, false));
      });
      delay(ANSWER_MS * 2, () => {
        if (mine !== generation) return;
        for (const flight of flights) if (flight.id === id) lose();
      });
    },
    losses: () => losses,
  };
}
