// A device in a long outage, for property tests of the gateway: boots, links, clocks and acknowledgements come and go by
// chance. It keeps what it sampled until it is told that it is stored, live first, history in runs, as a board does.
import type { Random } from "../firmware/simulator/random.ts";
import type { CheckedFrame } from "../gateway/domain/record.ts";
import { encodeEvent } from "../protocol/index.ts";
import { backlogFrame, sampleFrame } from "./backlog-frames.ts";

const STEP_S = 60;
const RUN_MAX = 60;

export interface Sample {
  readonly sequence: number;
  readonly frame: Uint8Array;
  /** When it was really taken. */
  readonly trueS: number;
  readonly clockSynced: boolean;
  readonly boot: number;
}

/** What the gateway made of a frame: durable or refused; the device hears of it or not. */
export type Deliver = (
  frame: Omit<CheckedFrame, "receivedMs" | "clockTrusted">,
  trueS: number,
) => Promise<"stored" | "refused">;

export interface Chances {
  readonly cut: number;
  readonly linkChange: number;
  readonly lost: number;
  readonly sync: number;
  /** A run of history begins somewhere else than at the oldest. */
  readonly outOfOrder: number;
}

export interface OutageDevice {
  /** One sampling interval: sample, send live, send history. */
  step(): Promise<void>;
  /** Sends all that is open, over a link that loses nothing; false when something stays open. */
  drain(): Promise<boolean>;
  readonly samples: readonly Sample[];
  /** Sequences of other records. */
  readonly others: readonly number[];
}

export interface OutageOptions {
  readonly random: Random;
  readonly chances: Chances;
  readonly startS: number;
  readonly firstSequence: number;
  readonly deliver: Deliver;
  /** Seconds that the gateway's clock is off: a device that is set takes it over. Undefined: it says no time. */
  gatewayOffS(): number | undefined;
}

export function createOutageDevice(options: OutageOptions): OutageDevice {
  const { random, deliver } = options;
  let { chances } = options;
  const samples: Sample[] = [];
  const others: number[] = [];
  const open = new Set<Sample>();
  let nowS = options.startS;
  let sequence = options.firstSequence;
  let boot = 1;
  let bootS = nowS;
  let clockOffS: number | undefined;
  let isUp = true;

  const chance = (share: number) => random.next() < share;
  const stamp = () => (clockOffS === undefined ? nowS - bootS : nowS + clockOffS);

  async function send(frame: Uint8Array, timeS: number, clockSynced: boolean): Promise<boolean> {
    if (chance(chances.lost)) return false;
    const header = { sequence: ((frame[1] as number) << 8) | (frame[2] as number), timeS, clockSynced };
    const latencyS = Math.floor(random.next() * 3);
    const outcome = await deliver({ deviceId: "alm-01-d1", header, link: "mqtt", frame }, nowS + latencyS);
    const off = options.gatewayOffS();
    // Every answer carries the time; two that agree set the clock.
    if (off !== undefined && chance(chances.sync)) clockOffS = off;
    return outcome === "stored" && !chance(chances.lost);
  }

  async function sample(): Promise<void> {
    const clockSynced = clockOffS !== undefined;
    const frame = sampleFrame(sequence & 0xffff, stamp(), clockSynced);
    const made = { sequence: sequence++, frame, trueS: nowS, clockSynced, boot };
    samples.push(made);
    open.add(made);
    if (isUp && (await send(frame, stamp(), clockSynced))) open.delete(made);
  }

  async function event(): Promise<void> {
    const flags = { clockSynced: clockOffS !== undefined };
    const head = { sequence: sequence & 0xffff, time: stamp(), flags };
    const frame = encodeEvent({ ...head, event: "mains-lost", argument: 0 });
    others.push(sequence++);
    if (isUp) await send(frame, stamp(), flags.clockSynced);
  }

  async function history(): Promise<void> {
    const waiting = [...open];
    if (waiting.length === 0) return;
    const from = chance(chances.outOfOrder) ? Math.floor(random.next() * waiting.length) : 0;
    const first = waiting[from] as Sample;
    const isOfRun = (one: Sample) => one.boot === first.boot && one.clockSynced === first.clockSynced;
    const run: Sample[] = [];
    for (const one of waiting.slice(from, from + RUN_MAX)) {
      if (!isOfRun(one)) break;
      run.push(one);
    }
    const earlierBoot = first.boot !== boot;
    // Present time on the clock of the samples: uptime where they have none and their boot lasts.
    const clockSynced = clockOffS !== undefined && (first.clockSynced || earlierBoot);
    const timeS = clockSynced ? stamp() : nowS - bootS;
    const { frame, count } = backlogFrame(
      { sequence, timeS, clockSynced, boot: first.boot, earlierBoot },
      run.map((one) => one.frame),
    );
    others.push(sequence++);
    if (await send(frame, timeS, clockSynced)) for (const one of run.slice(0, count)) open.delete(one);
  }

  return {
    samples,
    others,
    async step() {
      nowS += STEP_S;
      if (chance(chances.linkChange)) isUp = !isUp;
      if (chance(chances.cut)) {
        nowS += Math.floor(random.next() * 2_400);
        boot++;
        bootS = nowS;
        clockOffS = undefined;
        await event();
      }
      await sample();
      if (chance(0.05)) await event();
      if (isUp) for (let i = 0; i < 3; i++) await history();
    },
    async drain() {
      isUp = true;
      chances = { ...chances, lost: 0, cut: 0, sync: 1 };
      for (let i = 0; i < 500 && open.size > 0; i++) {
        nowS += STEP_S;
        await sample();
        for (let frames = 0; frames < 10; frames++) await history();
      }
      return open.size === 0;
    },
  };
}
