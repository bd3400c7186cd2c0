// The gateway of the blackout proof: the code that judges, decides, stores and answers is the product's own, over a journal on disk;
// only the wires are virtual. It goes down and comes up again with nothing but its file.
import { createRandom } from "../../firmware/simulator/random.ts";
import type { Schedule } from "../../firmware/simulator/schedule.ts";
import { type Clock, isPlausibleWallTime } from "../../gateway/clock.ts";
import type { AckWindow, AppendOutcome, CheckedFrame } from "../../gateway/domain/record.ts";
import { coverWindows } from "../../gateway/ingress/acks.ts";
import { createLorawanIngress, type LorawanIngress } from "../../gateway/ingress/lorawan.ts";
import { judgeUplink } from "../../gateway/ingress/uplink.ts";
import { createTagger, encodeAck, sealFrame, uplinkTopic } from "../../protocol/wire.ts";
import { sha256 } from "../fixtures.ts";

/** What stores frames: the journal, or a control in its place. */
export interface Store {
  append(frame: CheckedFrame): Promise<AppendOutcome>;
  close(): Promise<void>;
}

/** How it dies: before what has come in is committed, or after that and before anybody is told. */
export type Death = "before-commit" | "before-answer";

export interface Answers {
  puback(): void;
  /** A sealed downlink. */
  publish(payload: Uint8Array): void;
}

export interface BlackoutGateway {
  start(): Promise<void>;
  /** Dies at the next frame that comes in, or after some minutes without one; `down` is called when it is gone. */
  die(death: Death, down: () => void): void;
  isUp(): boolean;
  takeMqtt(payload: Uint8Array, answers: Answers): void;
  /** One LoRaWAN payload; the answer comes before the receive windows, or never. */
  takeLorawan(payload: Uint8Array, answer: (ack: Uint8Array) => void): void;
  /** Wall clock: true time, off by so many milliseconds, or never set. */
  setClock(offMs: number | "unset"): void;
  isBusy(): boolean;
  /** Waits for the disk; virtual time stands still. */
  settle(): Promise<void>;
  stop(): Promise<void>;
  readonly counts: { mqtt: number; lorawan: number; restarts: number; refused: Record<string, number> };
}

export interface BlackoutGatewayOptions {
  readonly schedule: Schedule;
  readonly seed: number;
  readonly startUnixMs: number;
  readonly deviceId: string;
  readonly key: Uint8Array;
  readonly openStore: (clock: Clock) => Promise<Store>;
  /** A control: a PUBACK counts as delivered, and does not wait for the commit. */
  readonly isPubackEnough?: boolean;
}

/** Frames that come in while a commit is under way go into the next one. */
const COMMIT_MS = 12;
/** One that is to die at a frame does not wait for it longer than this. */
const DEATH_MS_MAX = 300_000;

interface Arrival {
  readonly payload: Uint8Array;
  readonly answers: Answers;
}

export function createBlackoutGateway(options: BlackoutGatewayOptions): BlackoutGateway {
  const { schedule, deviceId, key } = options;
  const random = createRandom(options.seed);
  const counts = { mqtt: 0, lorawan: 0, restarts: -1, refused: {} as Record<string, number> };
  let store: Store | undefined;
  let lorawan: LorawanIngress | undefined;
  let offMs: number | "unset" = 0;
  let arrivals: Arrival[] = [];
  let work: Promise<void>[] = [];
  let death: { kind: Death; down: () => void } | undefined;

  const timer = (forget: () => void) => ({ stop: forget });
  const clock: Clock = {
    nowMs: () => schedule.nowMs() + (offMs === "unset" ? 0 : options.startUnixMs + offMs),
    monotonicMs: () => schedule.nowMs(),
    after: (delayMs, run) => timer(schedule.after(delayMs, run)),
    every: () => timer(() => undefined),
  };
  const isClockTrusted = () => isPlausibleWallTime(clock.nowMs());

  function refuse(reason: string): void {
    counts.refused[reason] = (counts.refused[reason] ?? 0) + 1;
  }

  /** True when the gateway goes down here. */
  function dies(at: Death): boolean {
    if (death?.kind !== at) return false;
    goDown();
    return true;
  }

  function goDown(): void {
    const mine = death;
    const gone = store;
    death = store = lorawan = undefined;
    arrivals = [];
    if (gone !== undefined) work.push(gone.close());
    mine?.down();
  }

  /** One commit over MQTT, as the ingress has it: PUBACK when it is on disk, and the ack frames that name it. */
  async function commit(): Promise<void> {
    const mine = arrivals;
    arrivals = [];
    if (store === undefined || dies("before-commit")) return;
    const windows: AckWindow[] = [];
    const last = (mine.at(-1) as Arrival).answers;
    const topic = uplinkTopic(deviceId);
    const receipt = {
      deviceId,
      uplinkTopic: topic,
      tagger: createTagger(sha256, key),
      receivedMs: clock.nowMs(),
      clockTrusted: isClockTrusted(),
    };
    const appended = mine.map(async ({ payload }) => {
      const verdict = judgeUplink(topic, payload, receipt);
      if (verdict.kind === "refused") {
        refuse(verdict.reason);
        return;
      }
      const outcome = await (store as Store).append(verdict.frame);
      if (outcome.outcome === "replay") refuse("replay");
      if (outcome.ack !== undefined) windows.push(outcome.ack);
    });
    await Promise.all(appended);
    if (dies("before-answer")) return;
    if (options.isPubackEnough !== true) for (const { answers } of mine) answers.puback();
    const time = isClockTrusted() ? Math.floor(clock.nowMs() / 1000) : 0;
    for (const window of coverWindows(windows)) last.publish(sealFrame(sha256, key, encodeAck({ time, ...window })));
  }

  async function answerLorawan(payload: Uint8Array, answer: (ack: Uint8Array) => void): Promise<void> {
    if (lorawan === undefined || dies("before-commit")) return;
    const ack = await lorawan.takeUplink(deviceId, payload);
    if (dies("before-answer") || ack === undefined) return;
    answer(ack);
  }

  return {
    counts,
    start: async () => {
      counts.restarts++;
      store = await options.openStore(clock);
      lorawan = createLorawanIngress({
        journal: store,
        clock,
        isClockTrusted,
        isWelcome: (id) => id === deviceId,
        onRefusal: ({ reason }) => refuse(reason),
      });
    },
    die: (kind, down) => {
      if (death !== undefined) return;
      const mine = { kind, down };
      death = mine;
      schedule.after(DEATH_MS_MAX, () => {
        if (death === mine) goDown();
      });
    },
    isUp: () => store !== undefined,
    takeMqtt: (payload, answers) => {
      if (store === undefined) return;
      counts.mqtt++;
      if (options.isPubackEnough === true) {
        answers.puback();
        // What the device of this control makes of a PUBACK.
        const sequence = ((payload[1] as number) << 8) | (payload[2] as number);
        const time = isClockTrusted() ? Math.floor(clock.nowMs() / 1000) : 0;
        answers.publish(sealFrame(sha256, key, encodeAck({ time, baseSequence: sequence, bitmap: 0x80000000 })));
      }
      arrivals.push({ payload, answers });
      if (arrivals.length > 1) return;
      schedule.after(COMMIT_MS * (0.5 + random.next()), () => {
        if (arrivals.length > 0) work.push(commit());
      });
    },
    takeLorawan: (payload, answer) => {
      if (lorawan === undefined) return;
      counts.lorawan++;
      work.push(answerLorawan(payload, answer));
    },
    setClock: (off) => {
      offMs = off;
    },
    isBusy: () => work.length > 0,
    settle: async () => {
      while (work.length > 0) {
        const waiting = work;
        work = [];
        await Promise.all(waiting);
      }
    },
    stop: async () => {
      await store?.close();
      store = undefined;
    },
  };
}
