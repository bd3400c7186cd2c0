// The bounded LoRaWAN network server of a coordination point: class A, EU868, LoRaWAN 1.0.x, by join or personalised, ADR off.
//
// To wire it: `const server = createNetworkServer({ radio, taker, identities, store: journal, clock, random,
// isClockTrusted, onRefusal, onConcern, onDownlink })`, `await server.start()` once the journal is open and before base stations are let in, and
// `await server.stop()` before the journal closes. `radio` is all base stations, `taker` the application, `identities` is asked at each
// frame. Sessions out of a copy are found by the journal's new name, and their counters jump at the start.
import type { Clock, Timer } from "../../../clock.ts";
import { GatewayError, invariant } from "../../../errors.ts";
import type { Eui, HeardFrame, Radio, UplinkTaker } from "../interfaces.ts";
import { type DownlinkNote, expire } from "./answers.ts";
import { type Concern, createConcerns } from "./concerns.ts";
import { type Copy, createDedupe } from "./dedupe.ts";
import { createDevices, type Devices, type Held } from "./devices.ts";
import { addDownlink, type DownlinkAsk, KEEP_MS, PORT_MAX, type QueueRefusal } from "./downlink-queue.ts";
import { CHANNELS_HZ, isDataRate } from "./eu868.ts";
import type { Identities } from "./identities.ts";
import { judgeJoin, judgeJoiner, takeJoin } from "./joins.ts";
import { type AirtimeRow, createLedger } from "./ledger.ts";
import { BAD_MICS, createLimit, DEVICE_JOINS, STATION_JOINS } from "./limits.ts";
import { type DataUplink, type JoinRequest, parseUplink } from "./phy.ts";
import { type Counted, createTally, type Refusal, type RefusalNote } from "./reasons.ts";
import { createSender } from "./sender.ts";
import { jumpCounters, NEW_DEVICE } from "./session.ts";
import { type DeviceStatus, statusOf } from "./status.ts";
import { keep, keepStart, type NetworkStore, readKept } from "./store.ts";
import { judgeAll, takeUplink } from "./uplinks.ts";

export type { DownlinkNote } from "./answers.ts";
export type { Concern } from "./concerns.ts";
export type { Identities, Identity } from "./identities.ts";
export type { AirtimeRow } from "./ledger.ts";
export type { Refusal, RefusalNote } from "./reasons.ts";
export type { DeviceStatus } from "./status.ts";
export type { NetworkStore } from "./store.ts";

/** Seconds to the first window of devices that join: time for a commit on a slow disk. */
const RX_DELAY_S = 5;
/** SF9 in place of SF12: a seventh of the airtime, at 500 mW. */
const RX2_DATA_RATE = 3;
/** A downlink is told to be too old within this. */
const SWEEP_MS = 60_000;
/** What is in hand at a stop; a journal that takes nothing must not hold it up. */
const STOP_MS = 5_000;

export interface NetworkServerOptions {
  readonly radio: Radio;
  readonly taker: UplinkTaker;
  readonly identities: Identities;
  readonly store: NetworkStore;
  readonly clock: Clock;
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
  isClockTrusted(): boolean;
  onRefusal?: (note: RefusalNote) => void;
  /** Of what is refused, that which somebody has to look at. */
  onConcern?: (concern: Concern) => void;
  onDownlink?: (note: DownlinkNote) => void;
}

export type QueueAnswer =
  | { readonly id: string }
  | { readonly refused: QueueRefusal | "unknown-device" | "port-reserved" };

export interface NetworkServer {
  /** Reads what was kept, and takes what is heard from then on. */
  start(): Promise<void>;
  /** Takes nothing more; resolves when what was in hand is done, or after five seconds. */
  stop(): Promise<void>;
  /** Resolves when it is kept; it goes out after an uplink of the device. Rejects when the journal does not take it. */
  queueDownlink(
    devEui: Eui,
    ask: Omit<DownlinkAsk, "expiresMs"> & { readonly expiresMs?: number },
  ): Promise<QueueAnswer>;
  /** Takes back what waits; false when it is not there (any more). */
  cancelDownlink(devEui: Eui, id: string): Promise<boolean>;
  /** An operator's act for a device that lost count: each DevNonce can join again. */
  flushNonces(devEui: Eui): Promise<void>;
  /** An operator's act: it must join again; one that is personalised may begin its counters anew. */
  forgetSession(devEui: Eui): Promise<void>;
  states(): readonly DeviceStatus[];
  /** What each base station has had on the air in the last hour. */
  airtime(): readonly AirtimeRow[];
  /** Since the start, by name. */
  counts(): Readonly<Partial<Record<Counted, number>>>;
}

export function createNetworkServer(options: NetworkServerOptions): NetworkServer {
  const { radio, identities, store, clock } = options;
  const concerns = createConcerns(clock, (concern) => options.onConcern?.(concern));
  const tally = createTally((note) => {
    options.onRefusal?.(note);
    concerns.refused(note);
  });
  const ledger = createLedger(() => clock.monotonicMs());
  const sender = createSender(radio, ledger, clock);
  const badMics = createLimit(clock, BAD_MICS);
  const stationJoins = createLimit(clock, STATION_JOINS);
  const deviceJoins = createLimit(clock, DEVICE_JOINS);
  const settings = { rxDelayS: RX_DELAY_S, rx2DataRate: RX2_DATA_RATE };
  const dedupe = createDedupe(clock, route);
  let devices: Devices | undefined;
  let isRunning = false;
  let sweep: Timer | undefined;

  radio.onHeard((frame) => {
    if (!isRunning) return;
    const copy = { ...frame, heardMs: clock.monotonicMs() };
    const why = judgeHeard(copy) ?? dedupe.take(copy);
    if (why !== undefined) refuse(why, copy);
  });

  function refuse(reason: Refusal, { phy, reception: { stationId } }: Copy): void {
    const parsed = parseUplink(phy);
    const devAddr = parsed.kind === "data" ? parsed.devAddr : undefined;
    tally.refuse({ reason, stationId, devAddr, devEui: parsed.kind === "join" ? parsed.devEui : undefined });
  }

  /** What can be said before anything is computed: most of what is on the air is not ours. */
  function judgeHeard({ phy, frequencyHz, dataRate, reception: { stationId } }: HeardFrame): Refusal | undefined {
    const parsed = parseUplink(phy);
    if (parsed.kind === "fault") return parsed.fault;
    if (!CHANNELS_HZ.includes(frequencyHz)) return "frequency";
    if (!isDataRate(dataRate)) return "data-rate";
    if (!badMics.has(stationId)) return "too-many-bad-mics";
    if (parsed.kind === "data") {
      const found = running().find(parsed.devAddr);
      return typeof found === "string" ? found : undefined;
    }
    const why = judgeJoiner(identities.byDevEui(parsed.devEui));
    if (why !== undefined) return why;
    return stationJoins.take(stationId) ? undefined : "too-many-joins";
  }

  function running(): Devices {
    invariant(devices !== undefined, "the network server was not started");
    return devices;
  }

  /** A frame as all base stations heard it. What is forged is refused here, as it must not keep a device's own frames waiting. */
  function route(copies: readonly Copy[]): void {
    const [best] = copies;
    const parsed = best === undefined ? undefined : parseUplink(best.phy);
    if (best === undefined || parsed === undefined || parsed.kind === "fault" || !isRunning) return;
    const owner = parsed.kind === "join" ? joinerOf(parsed) : ownerOf(parsed);
    if ("refusal" in owner) {
      if (owner.refusal === "bad-mic") badMics.take(best.reception.stationId);
      refuse(owner.refusal, best);
      return;
    }
    const held = running().heldOf(owner.devEui);
    if (!running().inTurn(held, () => takeFrame(held, parsed, copies))) refuse("device-busy", best);
  }

  type Owner = { readonly devEui: Eui } | { readonly refusal: Refusal };

  function joinerOf(request: JoinRequest): Owner {
    const refusal = judgeJoin(identities.byDevEui(request.devEui), request);
    return refusal === undefined ? { devEui: request.devEui } : { refusal };
  }

  /** Of devices with the same address the one whose key the frame was made with. */
  function ownerOf(frame: DataUplink): Owner {
    const found = running().find(frame.devAddr);
    if (typeof found === "string") return { refusal: found };
    const { candidate, verdict } = judgeAll(found, frame, clock.nowMs()) ?? {};
    const isForged = verdict === undefined || (verdict.kind === "refused" && verdict.reason === "bad-mic");
    return candidate === undefined || isForged ? { refusal: "bad-mic" } : { devEui: candidate.devEui };
  }

  function takeFrame(held: Held, frame: DataUplink | JoinRequest, copies: readonly Copy[]): Promise<void> {
    const parts = {
      ...options,
      devices: running(),
      ledger,
      sender,
      tally,
      deviceJoins,
      settings,
      heard: concerns.heard,
    };
    return frame.kind === "join" ? takeJoin(parts, held, frame, copies) : takeUplink(parts, held.devEui, frame, copies);
  }

  /** In turn with the frames of the device. */
  function act<T>(devEui: Eui, run: (held: Held) => Promise<T>): Promise<T> {
    const held = running().heldOf(devEui);
    return new Promise<T>((resolve, reject) => {
      const isTaken = running().inTurn(held, () => run(held).then(resolve, reject));
      if (!isTaken) reject(new GatewayError("JOURNAL_BUSY", { devEui }));
    });
  }

  return {
    async start() {
      const kept = await readKept(store);
      const made = createDevices(kept, identities, options.random);
      if (kept.isCopy) for (const held of made.known().values()) made.set(held, jumpCounters(held.state));
      for (const { stationId, text } of kept.airtime) ledger.read(stationId, text, clock.nowMs());
      await keepStart(store, kept.isCopy ? made.known() : new Map());
      devices = made;
      isRunning = true;
      sweep = clock.every(SWEEP_MS, () => {
        for (const held of made.known().values())
          if (held.queue.items.length > 0) made.inTurn(held, async () => expire(options, held));
      });
    },
    async stop() {
      isRunning = false;
      sweep?.stop();
      dedupe.stop();
      await new Promise<void>((resolve) => {
        const timer = clock.after(STOP_MS, resolve);
        void (devices?.settled() ?? Promise.resolve()).then(() => {
          timer.stop();
          resolve();
        });
      });
    },
    async queueDownlink(devEui, { port, payload, expiresMs = clock.nowMs() + KEEP_MS }) {
      if (identities.byDevEui(devEui) === undefined) return { refused: "unknown-device" };
      if (!Number.isInteger(port) || port < 1 || port > PORT_MAX) return { refused: "port-reserved" };
      return act(devEui, async (held): Promise<QueueAnswer> => {
        expire(options, held);
        const added = addDownlink(held.queue, { port, payload, expiresMs });
        if (typeof added === "string") return { refused: added };
        await keep(store, { devEui, queue: added.queue });
        held.queue = added.queue;
        return { id: added.id };
      });
    },
    cancelDownlink: (devEui, id) =>
      act(devEui, async (held) => {
        const items = held.queue.items.filter((one) => one.id !== id);
        if (items.length === held.queue.items.length) return false;
        const queue = { ...held.queue, items };
        await keep(store, { devEui, queue });
        held.queue = queue;
        return true;
      }),
    flushNonces: (devEui) =>
      act(devEui, async (held) => {
        await keep(store, { devEui, nonces: null });
        held.nonces = undefined;
      }),
    forgetSession: (devEui) =>
      act(devEui, async (held) => {
        const state = { ...NEW_DEVICE, sessions: held.state.sessions };
        await keep(store, { devEui, state });
        running().set(held, state);
      }),
    states: () =>
      identities.all().map((identity) => statusOf(identity, devices?.heldOf(identity.devEui), clock.nowMs())),
    airtime: () => ledger.rows(),
    counts: tally.counts,
  };
}
