// The gateway's half of the LoRaWAN proof: base stations' datagrams, network server, application and journal are the product's own, over a
// file on disk; only the wires and the time are virtual. It dies and comes up again with nothing but its file.
import { createRandom } from "../../firmware/simulator/random.ts";
import type { Schedule } from "../../firmware/simulator/schedule.ts";
import type { Clock } from "../../gateway/clock.ts";
import type { CheckedFrame } from "../../gateway/domain/record.ts";
import { coverWindows } from "../../gateway/ingress/acks.ts";
import { createApplication, type LorawanDevice } from "../../gateway/ingress/lorawan/application/application.ts";
import type { NetworkDownlink, NetworkUplink, Radio, UplinkTaker } from "../../gateway/ingress/lorawan/interfaces.ts";
import type { Identities } from "../../gateway/ingress/lorawan/network/identities.ts";
import {
  createNetworkServer,
  type NetworkServer,
  type RefusalNote,
} from "../../gateway/ingress/lorawan/network/server.ts";
import type { NetworkStore } from "../../gateway/ingress/lorawan/network/store.ts";
import type { Source } from "../../gateway/ingress/lorawan/stations/admission.ts";
import {
  createStations,
  type StationEntry,
  type StationState,
  type Stations,
} from "../../gateway/ingress/lorawan/stations/stations.ts";
import { judgeUplink } from "../../gateway/ingress/uplink.ts";
import { type Journal, openJournal } from "../../gateway/journal/journal.ts";
import { createTagger, encodeAck, sealFrame, uplinkTopic } from "../../protocol/wire.ts";
import { sha256 } from "../fixtures.ts";
import type { Answers } from "./blackout-gateway.ts";

/** Datagrams with packets that are kept for a replay. */
const CAPTURE_MAX = 2_000;
/** Of the control that keeps counters after the hand-on. */
const LATE_SAVE_MS = 120_000;
const KEY = new Uint8Array(32).fill(0x5a);
/** From an uplink to the moments at which it may be answered: joins, data, and what a session has by default. */
const ANSWER_DELAYS_S = [1, 2, 5, 6];

/** Controls: what is broken. */
export interface Broken {
  /** Saves of the network server count before they are done. */
  readonly savesLate?: boolean;
  /** What the network has confirmed counts as stored: the answer does not wait for the commit. */
  readonly confirmsAtOnce?: boolean;
  /** The network server finds nothing of what it has kept. */
  readonly forgets?: boolean;
  /** Every refusal of a device is told of, the first time that it comes. */
  readonly tellsAll?: boolean;
}

/** What else lives on the journal of this gateway. */
export interface Beside {
  /** Something that a device sent was refused, and somebody has to look at it. */
  concern(deviceId: string, reason: string): void;
  stop(): Promise<void>;
}

/** Before the payload is appended; or after that, and before anybody is told. */
export type Death = "before-commit" | "before-answer";

export interface GatewayOptions {
  readonly schedule: Schedule;
  readonly seed: number;
  readonly startUnixMs: number;
  readonly dir: string;
  readonly identities: Identities;
  readonly stations: readonly StationEntry[];
  readonly broken?: Broken;
  /** Boards of ours, each under its identity's name, when left out. */
  readonly deviceOf?: (devEui: string) => LorawanDevice | undefined;
  readonly beside?: (journal: Journal, clock: Clock) => Promise<Beside>;
  /** A datagram for the base station at this address. */
  send(bytes: Uint8Array, to: Source): void;
}

export interface ProofGateway {
  start(): Promise<void>;
  stop(): Promise<void>;
  isUp(): boolean;
  take(bytes: Uint8Array, source: Source): void;
  /** One that was captured, once more. */
  takeAgain(bytes: Uint8Array, source: Source): void;
  /** A sealed frame over MQTT. */
  takeMqtt(deviceId: string, payload: Uint8Array, answers: Answers): void;
  /** Dies at the next payload; `down` is called when it has. */
  die(death: Death, down: () => void): void;
  /** Something of it waits for the disk, or is to go on. */
  isBusy(): boolean;
  /** Virtual time stands still until all of that is done. */
  settle(): Promise<void>;
  /** Datagrams that brought packets, the oldest first. */
  captured(): readonly { readonly bytes: Uint8Array; readonly source: Source }[];
  /** Orders to transmit: through the base station that had heard the uplink best, and through another. */
  through(): { readonly best: number; readonly other: number };
  /** Payloads that were taken a second time though the first was answered. */
  twice(): number;
  counts(): Readonly<Record<string, number>>;
  stations(): readonly StationState[];
}

export function createProofGateway(options: GatewayOptions): ProofGateway {
  const { schedule, identities, broken = {} } = options;
  const random = createRandom(options.seed);
  const taken = new Set<string>();
  const captured: { bytes: Uint8Array; source: Source }[] = [];
  const sums: Record<string, number> = {};
  const pending = new Set<Promise<unknown>>();
  const through = { best: 0, other: 0 };
  let stirred = false;
  let isReplay = false;
  let life = 0;
  let twice = 0;
  let journal: Journal | undefined;
  let stations: Stations | undefined;
  let server: NetworkServer | undefined;
  let beside: Beside | undefined;
  let death: { kind: Death; down: () => void } | undefined;

  function track<T>(promise: Promise<T>): Promise<T> {
    pending.add(promise);
    const end = () => {
      pending.delete(promise);
      stirred = true;
    };
    promise.then(end, end);
    return promise;
  }

  /** What the process that has died had planned does not come. */
  function clockOf(mine: number): Clock {
    const planned = (delayMs: number, run: () => void) => ({
      stop: schedule.after(delayMs, () => {
        if (mine !== life) return;
        stirred = true;
        run();
      }),
    });
    return {
      nowMs: () => options.startUnixMs + schedule.nowMs(),
      monotonicMs: () => schedule.nowMs(),
      after: planned,
      every: (intervalMs, run) => {
        let timer = planned(intervalMs, turn);
        function turn(): void {
          timer = planned(intervalMs, turn);
          run();
        }
        return { stop: () => timer.stop() };
      },
    };
  }

  function dies(at: Death): boolean {
    if (death?.kind !== at) return false;
    const { down } = death;
    death = undefined;
    goDown();
    down();
    return true;
  }

  function goDown(): void {
    life++;
    addCounts();
    const gone = journal;
    journal = stations = server = undefined;
    // Killed, it would have to die with the rest.
    if (beside !== undefined) throw new Error("a gateway with something beside it is stopped, not killed");
    if (gone !== undefined) void track(gone.close());
  }

  function counts(): Record<string, number> {
    const all = { ...sums };
    for (const [name, count] of Object.entries(server?.counts() ?? {})) all[name] = (all[name] ?? 0) + (count ?? 0);
    return all;
  }

  function addCounts(): void {
    Object.assign(sums, counts());
  }

  /** The taker, with the deaths of its process, and a count of what is taken twice. */
  function takerOf(mine: number, application: UplinkTaker): UplinkTaker {
    return {
      take: async (uplink) => {
        if (mine !== life) throw new Error("it has died");
        if (broken.confirmsAtOnce === true) return confirmAtOnce(mine, application, uplink);
        if (dies("before-commit")) throw new Error("it has died");
        const answers = await application.take(uplink);
        if (mine !== life || dies("before-answer")) throw new Error("it has died");
        noteTaken(uplink);
        return answers;
      },
    };
  }

  function noteTaken({ devEui, session, counter }: NetworkUplink): void {
    const name = `${devEui} ${session} ${counter}`;
    if (taken.has(name)) twice++;
    taken.add(name);
  }

  /** What a device of this control makes of a confirmation: the frame is named as stored, whatever becomes of it. */
  function confirmAtOnce(mine: number, application: UplinkTaker, uplink: NetworkUplink): readonly NetworkDownlink[] {
    const { payload } = uplink;
    const baseSequence = ((payload[1] as number) << 8) | (payload[2] as number);
    const time = Math.floor((options.startUnixMs + schedule.nowMs()) / 1000);
    schedule.after(1_000, () => {
      if (mine !== life || dies("before-commit") || dies("before-answer")) return;
      void track(application.take(uplink).catch(() => undefined));
    });
    return [{ port: 10, payload: encodeAck({ time, baseSequence, bitmap: 0x80000000 }), isTimely: true }];
  }

  function storeOf(mine: number, opened: Journal): NetworkStore {
    const alive = async () => {
      if (mine !== life) throw new Error("it has died");
    };
    return {
      epoch: opened.epoch,
      documents: (kind) => (broken.forgets === true ? Promise.resolve([]) : alive().then(() => opened.documents(kind))),
      save: async (change) => {
        await alive();
        if (broken.savesLate !== true) return opened.save(change);
        schedule.after(LATE_SAVE_MS, () => {
          if (mine === life) void track(opened.save(change));
        });
      },
    };
  }

  /** Base stations as they are, with a look at which of them is chosen. */
  function watched(radio: Radio): Radio {
    const heard = new Map<string, string>();
    const best = new Map<string, { stationId: string; snr: number }>();
    return {
      onHeard: (listener) =>
        radio.onHeard((frame) => {
          listener(frame);
          if (isReplay) return;
          const { stationId, snr } = frame.reception;
          const phy = Buffer.from(frame.phy).toString("latin1");
          heard.set(`${stationId} ${frame.counterUs}`, phy);
          if (snr > (best.get(phy)?.snr ?? Number.NEGATIVE_INFINITY)) best.set(phy, { stationId, snr });
          for (const map of [heard, best]) if (map.size > CAPTURE_MAX) map.delete(map.keys().next().value as string);
        }),
      transmit: (transmission) => {
        const { stationId, counterUs } = transmission;
        for (const delayS of ANSWER_DELAYS_S) {
          const phy = heard.get(`${stationId} ${(counterUs - delayS * 1e6 + 2 ** 32) % 2 ** 32}`);
          if (phy !== undefined) through[best.get(phy)?.stationId === stationId ? "best" : "other"]++;
        }
        return radio.transmit(transmission);
      },
    };
  }

  function deviceOf(devEui: string): LorawanDevice | undefined {
    const found = identities.byDevEui(devEui);
    return found === undefined ? undefined : { deviceId: found.deviceId, reportIntervalS: 900 };
  }

  /** Time stands still while it works. */
  function tracked(opened: Journal): Journal {
    return {
      ...opened,
      append: (frame: CheckedFrame) => track(opened.append(frame)),
      documents: (kind) => track(opened.documents(kind)),
      save: (change) => track(opened.save(change)),
      read: (afterId, limit) => track(opened.read(afterId, limit)),
      cursor: (name) => track(opened.cursor(name)),
      setAside: (limit) => track(opened.setAside(limit)),
    };
  }

  function noteRefusal({ reason, devEui }: Pick<RefusalNote, "reason" | "devEui">): void {
    if (devEui !== undefined) beside?.concern(identities.byDevEui(devEui)?.deviceId ?? devEui, reason);
  }

  async function start(): Promise<void> {
    const mine = ++life;
    const clock = clockOf(mine);
    const opened = tracked(await openJournal({ dir: options.dir, clock }));
    beside = await options.beside?.(opened, clock);
    const made = createStations({
      stations: options.stations,
      clock,
      randomToken: () => Math.floor(random.between(0, 65_536)),
      send: (bytes, to) => {
        if (mine === life) options.send(bytes, to);
      },
    });
    const application = createApplication({
      journal: opened,
      clock,
      isClockTrusted: () => true,
      deviceOf: options.deviceOf ?? deviceOf,
      taggerOf: () => undefined,
      onRefusal: ({ reason, sender }) => beside?.concern(sender, reason),
    });
    const network = createNetworkServer({
      radio: watched(made),
      taker: takerOf(mine, application),
      identities,
      store: storeOf(mine, opened),
      clock,
      random: random.next,
      isClockTrusted: () => true,
      ...(broken.tellsAll === true ? { onRefusal: noteRefusal } : { onConcern: noteRefusal }),
    });
    await network.start();
    journal = opened;
    stations = made;
    server = network;
  }

  async function commitMqtt(deviceId: string, payload: Uint8Array, answers: Answers): Promise<void> {
    const mine = journal;
    const receivedMs = options.startUnixMs + schedule.nowMs();
    const topic = uplinkTopic(deviceId);
    const sender = { deviceId, uplinkTopic: topic, tagger: createTagger(sha256, KEY) };
    const verdict = judgeUplink(topic, payload, { ...sender, receivedMs, clockTrusted: true });
    if (mine === undefined || verdict.kind === "refused") return;
    const { ack } = await mine.append(verdict.frame);
    answers.puback();
    const time = Math.floor(receivedMs / 1000);
    for (const window of coverWindows(ack === undefined ? [] : [ack]))
      answers.publish(sealFrame(sha256, KEY, encodeAck({ time, ...window })));
  }

  return {
    start,
    stop: async () => {
      await server?.stop();
      await beside?.stop();
      const gone = journal;
      addCounts();
      life++;
      journal = stations = server = undefined;
      await gone?.close();
    },
    isUp: () => journal !== undefined,
    take: (bytes, source) => {
      // Packets, not the keep-alive.
      if (bytes[3] === 0 && bytes[14] === 0x72) {
        captured.push({ bytes, source });
        if (captured.length > CAPTURE_MAX) captured.shift();
      }
      stirred = true;
      stations?.take(bytes, source);
    },
    takeAgain: (bytes, source) => {
      stirred = true;
      isReplay = true;
      stations?.take(bytes, source);
      isReplay = false;
    },
    takeMqtt: (deviceId, payload, answers) => void track(commitMqtt(deviceId, payload, answers)),
    die: (kind, down) => {
      death ??= { kind, down };
    },
    isBusy: () => stirred || pending.size > 0,
    settle: async () => {
      while (stirred || pending.size > 0) {
        stirred = false;
        await new Promise<void>((resolve) => setImmediate(resolve));
        await Promise.allSettled([...pending]);
      }
    },
    captured: () => captured,
    through: () => through,
    twice: () => twice,
    counts,
    stations: () => stations?.states() ?? [],
  };
}
