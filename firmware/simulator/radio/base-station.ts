// A base station with its packet forwarder: hears what the air brings, tells the server, and sends what it is told when its own counter says
// so. It sends one frame at a time and hears nothing meanwhile. It has no socket: what it says is handed on, what it is told is handed in.
import type { Random } from "../random.ts";
import type { Schedule } from "../schedule.ts";
import type { Air, Emission, Signal } from "./air.ts";
import { timeOnAirMs } from "./airtime.ts";
import {
  buildPullData,
  buildPushData,
  buildStatus,
  buildTxAck,
  readServerPacket,
  type TransmitOrder,
  type TxError,
} from "./forwarder-packets.ts";

const PULL_MS = 10_000;
const STATUS_MS = 30_000;
/** What its queue needs to set up a transmission (jitqueue.c: 30 ms, 1.5 ms and 1 ms). */
const LEAD_MS = 32.5;
const ADVANCE_MS_MAX = 128_000;
const POWER_DBM_MAX = 27;
const BAND_HZ = [863_000_000, 870_000_000] as const;
const COUNTER = 2 ** 32;

/** Packets and what asks for downlinks go through a socket each. */
export type Socket = "push" | "pull";

export interface BaseStationOptions {
  readonly schedule: Schedule;
  readonly random: Random;
  readonly air: Air;
  /** 16 hexadecimal digits. */
  readonly eui: string;
  send(bytes: Uint8Array, socket: Socket): void;
}

export interface BaseStation {
  /** A datagram of the server. */
  take(bytes: Uint8Array): void;
  setPower(isOn: boolean): void;
  /** What it answered to orders to transmit. */
  readonly answers: Readonly<Record<TxError, number>>;
  /** Frames that it heard, and that it sent. */
  readonly counts: { heard: number; sent: number };
}

interface Planned {
  readonly startMs: number;
  readonly endMs: number;
}

export function createBaseStation(options: BaseStationOptions): BaseStation {
  const { schedule, random, air, eui } = options;
  const answers: Record<TxError, number> = {
    NONE: 0,
    TOO_LATE: 0,
    TOO_EARLY: 0,
    COLLISION_PACKET: 0,
    TX_FREQ: 0,
    TX_POWER: 0,
  };
  const counts = { heard: 0, sent: 0 };
  const since = { heard: 0, orders: 0, sent: 0, pushed: 0, acknowledged: 0 };
  let isOn = false;
  let power = 0;
  let zeroMs = 0;
  let token = 0;
  let planned: Planned[] = [];

  const counterAt = (ms: number) => Math.floor((ms - zeroMs) * 1000) % COUNTER;

  /** Work that a loss of power makes undone. */
  function later(ms: number, work: () => void): void {
    const mine = power;
    schedule.after(ms, () => {
      if (isOn && mine === power) work();
    });
  }

  function nextToken(): number {
    token = (token + 1) & 0xffff;
    return token;
  }

  function every(ms: number, work: () => void): void {
    work();
    later(ms, () => every(ms, work));
  }

  function tellStatus(): void {
    // What is acknowledged late counts for the next interval.
    const ackr = since.pushed === 0 ? 100 : Math.min(100, Math.round((1000 * since.acknowledged) / since.pushed) / 10);
    const { heard, orders, sent } = since;
    const tally = { rxnb: heard, rxok: heard, rxfw: heard, ackr, dwnb: orders, txnb: sent };
    Object.assign(since, { heard: 0, orders: 0, sent: 0, pushed: 1, acknowledged: 0 });
    options.send(buildStatus(eui, nextToken(), tally), "push");
  }

  function setPower(on: boolean): void {
    if (on === isOn) return;
    isOn = on;
    power++;
    planned = [];
    if (!on) return;
    // Its counter begins somewhere.
    zeroMs = schedule.nowMs() - random.between(0, COUNTER / 1000);
    every(PULL_MS, () => options.send(buildPullData(eui, nextToken()), "pull"));
    every(STATUS_MS, tellStatus);
  }

  function heard(emission: Emission, signal: Signal): void {
    const { phy, frequencyHz, dataRate, endMs } = emission;
    counts.heard++;
    since.heard++;
    since.pushed++;
    const packet = { phy, frequencyHz, dataRate, signal, counterUs: counterAt(endMs) };
    options.send(buildPushData(eui, nextToken(), packet), "push");
  }

  /** Milliseconds until its counter is there; negative when that was before. */
  function untilMs(counterUs: number): number {
    const nowUs = (schedule.nowMs() - zeroMs) * 1000;
    const aheadUs = (((counterUs - nowUs) % COUNTER) + COUNTER) % COUNTER;
    return (aheadUs > COUNTER / 2 ? aheadUs - COUNTER : aheadUs) / 1000;
  }

  function judge(order: TransmitOrder): TxError {
    const waitMs = untilMs(order.counterUs);
    if (order.frequencyHz < BAND_HZ[0] || order.frequencyHz > BAND_HZ[1]) return "TX_FREQ";
    if (order.powerDbm > POWER_DBM_MAX) return "TX_POWER";
    if (waitMs < LEAD_MS) return "TOO_LATE";
    if (waitMs > ADVANCE_MS_MAX) return "TOO_EARLY";
    const startMs = schedule.nowMs() + waitMs;
    const endMs = startMs + timeOnAirMs(order.phy.length, order.dataRate, "without");
    planned = planned.filter((one) => one.endMs > schedule.nowMs());
    if (planned.some((one) => one.startMs < endMs + LEAD_MS && one.endMs > startMs - LEAD_MS))
      return "COLLISION_PACKET";
    planned.push({ startMs, endMs });
    return "NONE";
  }

  function obey(order: TransmitOrder): TxError {
    const answer = judge(order);
    since.orders++;
    if (answer !== "NONE") return answer;
    const { phy, frequencyHz, dataRate, powerDbm } = order;
    later(untilMs(order.counterUs), () => {
      counts.sent++;
      since.sent++;
      air.emit({ sender: eui, isDown: true, phy, frequencyHz, dataRate, powerDbm });
    });
    return answer;
  }

  air.addStation({ id: eui, isOn: () => isOn, heard });
  return {
    take: (bytes) => {
      const packet = isOn ? readServerPacket(bytes) : undefined;
      if (packet?.kind === "push-ack") since.acknowledged++;
      if (packet?.kind !== "pull-resp") return;
      const answer = obey(packet.order);
      answers[answer]++;
      options.send(buildTxAck(eui, packet.token, answer), "pull");
    },
    setPower,
    answers,
    counts,
  };
}
