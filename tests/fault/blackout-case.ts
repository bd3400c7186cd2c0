// One case of the blackout proof: a board and its gateway from before an outage until all is drained, in virtual time.
import { numberedSettings } from "../../firmware/build/image.ts";
import { findProfile } from "../../firmware/build/profiles.ts";
import type { DeviceConfig } from "../../firmware/device/settings.ts";
import { PINS } from "../../firmware/simulator/pins.ts";
import { createPointPhysics } from "../../firmware/simulator/point-physics.ts";
import { createRandom, type Random, seedOf } from "../../firmware/simulator/random.ts";
import type { ScenarioPoint } from "../../firmware/simulator/scenario.ts";
import { createSchedule, type Schedule } from "../../firmware/simulator/schedule.ts";
import { createSignals, STARTER_FULL_SCALE_V } from "../../firmware/simulator/signals.ts";
import type { Wiring } from "../../firmware/simulator/virtual-board.ts";
import type { Clock } from "../../gateway/clock.ts";
import { openJournal } from "../../gateway/journal/journal.ts";
import { tableOf } from "../engine/program.ts";
import { temporaryFolder } from "../fixtures.ts";
import { type BlackoutBoard, createBlackoutBoard } from "./blackout-board.ts";
import { type BlackoutGateway, createBlackoutGateway, type Store } from "./blackout-gateway.ts";
import { judge, type Row, rowsOf, type Verdict } from "./blackout-judge.ts";
import { createMqttWay, createRadioWay, type MqttWay, RADIO_KEYS, type RadioWay } from "./blackout-links.ts";
import type { Program } from "./devicepowercut-board.ts";

const H = 3_600_000;
/** The links work for so long before the outage: the clock is set. */
export const BEFORE_H = 1.5;
const DRAIN_H_MAX = 72;
/** After the links are back power fails and frames are lost for so long; then all is calm. */
const TROUBLE_H = 6;
const LOOK_MS = 60_000;
const HELP_PIN = "D22";
const HELP_H = 4;
const START_UNIX_MS = Date.UTC(2026, 10, 24, 12, 0, 0);
const DEVICE_ID = "alm-01-d1";
const KEY = "5a".repeat(32);

export const POINT: ScenarioPoint = {
  pointId: "alm-01",
  capacity: 150,
  generator: { ratedKw: 8, tankL: 200, litres: 150, loadKw: 3 },
  battery: { kWh: 10, volts: 48, startPct: 90, loadKw: 0.4 },
  crowd: 0.7,
};

export interface BlackoutCase {
  readonly name: string;
  readonly board: string;
  readonly profile: string;
  readonly links: "mqtt" | "lorawan" | "both";
  readonly intervalS: number;
  readonly outageH: number;
  /** Power cuts of the device during the outage, and while it drains. */
  readonly cuts: readonly [outage: number, drain: number];
  /** Of the gateway, from half an hour on. */
  readonly restarts: number;
  /** The gateway's clock from an hour on: hours it is off, or a clock that was never set. */
  readonly clocks?: readonly (readonly [atH: number, offH: number | "unset"])[];
  /** The highest data rate that is heard. */
  readonly dataRateMax?: number;
  /** Both links: only MQTT fails. */
  readonly isRadioUp?: boolean;
  readonly firstSequence?: number;
}

/** A store other than the journal, and what it holds. */
export interface BrokenStore {
  open(clock: Clock): Promise<Store>;
  /** Undefined: what the journal holds. */
  rows?(): readonly Row[];
}

export interface CaseOptions {
  readonly seed: number;
  readonly program: Program;
  readonly broken?: (open: (clock: Clock) => Promise<Store>) => BrokenStore;
  readonly isPubackEnough?: boolean;
}

export interface CaseResult extends Verdict {
  readonly name: string;
  readonly seed: number;
  readonly boots: number;
  readonly restarts: number;
  readonly frames: number;
  readonly historyFrames: number;
  readonly thinnedFrames: number;
  /** Undefined: not drained in 72 hours. */
  readonly drainedH: number | undefined;
  readonly airtimeS: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly exceptions: readonly string[];
}

function configOf(one: BlackoutCase): DeviceConfig {
  const hasRadio = one.links !== "mqtt";
  const settings = { reportIntervalS: one.intervalS, ackEvery: 4, capacity: POINT.capacity };
  return {
    deviceId: DEVICE_ID,
    key: KEY,
    ...(one.links === "lorawan" ? {} : { wifi: { ssid: "waakvlam", password: "" } }),
    host: "gateway",
    port: 1883,
    ...(hasRadio ? { lorawan: RADIO_KEYS } : {}),
    settings: numberedSettings(settings),
    sensors: { fuelProbe: true, batteryMonitor: one.board === "esp32", peopleCounter: true, generatorInputs: true },
    shuntOhm: 150,
    starterFullScaleV: STARTER_FULL_SCALE_V,
  };
}

/** Somebody asks for help, every few hours. */
function pressHelp(schedule: Schedule, random: Random, edge: (isHigh: boolean) => void): void {
  schedule.after(random.wait(1 / (HELP_H * H)), () => {
    edge(false);
    schedule.after(400, () => edge(true));
    pressHelp(schedule, random, edge);
  });
}

function wiringOf(one: BlackoutCase, schedule: Schedule, random: Random, radio: RadioWay | undefined): Wiring {
  const outageMs = () => schedule.nowMs() - BEFORE_H * H;
  const physics = createPointPhysics(POINT, random, 13);
  const signals = createSignals({ point: POINT, physics, schedule, random, outageMs });
  signals.start();
  pressHelp(schedule, random, (edge) => help?.(edge));
  let help: ((isHigh: boolean) => void) | undefined;
  const pins = PINS[one.board] ?? {};
  const at = (pin: string) => pins[pin] ?? pin;
  return {
    analog: (pin) => signals.analog(at(pin)),
    digital: (pin) => (one.board === "esp32" && pin === HELP_PIN ? true : signals.digital(at(pin))),
    watch: (pin, edge) => {
      if (one.board === "esp32" && pin === HELP_PIN) help = edge;
      else signals.watch(at(pin), edge);
    },
    openSerial: (port, baud, data) => radio?.openSerial(port, data) ?? signals.openSerial(port, baud, data),
    writeSerial: (port, text) => radio?.write(port, text),
  };
}

interface World {
  readonly one: BlackoutCase;
  readonly schedule: Schedule;
  readonly random: Random;
  readonly board: BlackoutBoard;
  readonly gateway: BlackoutGateway;
  readonly mqtt: MqttWay;
  readonly radio: RadioWay | undefined;
}

function createWorld(one: BlackoutCase, options: CaseOptions, openStore: (clock: Clock) => Promise<Store>): World {
  const seed = seedOf(options.seed, one.name);
  const schedule = createSchedule();
  const random = createRandom(seed);
  const gateway = createBlackoutGateway({
    schedule,
    seed: seed + 1,
    startUnixMs: START_UNIX_MS,
    deviceId: DEVICE_ID,
    key: new Uint8Array(Buffer.from(KEY, "hex")),
    openStore,
    ...(options.isPubackEnough === true ? { isPubackEnough: true } : {}),
  });
  const losses = { up: 0.05, down: 0.05, late: 0.05 };
  const mqtt = createMqttWay(schedule, gateway, DEVICE_ID, { ...losses, up: 0.01 }, seed + 2);
  const radio = one.links === "mqtt" ? undefined : createRadioWay(schedule, gateway, losses, seed + 3);
  const board = createBlackoutBoard({
    table: tableOf(one.board),
    program: options.program,
    config: configOf(one),
    firstSequence: one.firstSequence ?? 1,
    schedule,
    random: createRandom(seed + 4),
    wiring: wiringOf(one, schedule, createRandom(seed + 5), radio),
    network: mqtt.network,
  });
  return { one, schedule, random, board, gateway, mqtt, radio };
}

function planLinks({ one, schedule, mqtt, radio }: World): void {
  const set = (isUp: boolean) => {
    if (one.links !== "lorawan") mqtt.setReachable(isUp);
    if (one.isRadioUp !== true) radio?.setUp(isUp);
  };
  if (one.dataRateMax !== undefined) radio?.setReach(one.dataRateMax + 1);
  set(true);
  schedule.after(BEFORE_H * H, () => set(false));
  schedule.after((BEFORE_H + one.outageH) * H, () => set(true));
}

/** Power goes at moments of the seed: for some seconds, or for up to forty minutes. */
function planCuts(world: World): void {
  const { one, schedule, random, board, mqtt, radio } = world;
  const cut = () => {
    board.cut(random.next() < 0.5, () => {
      mqtt.drop(false);
      radio?.setPower(false);
      const offMs = 1000 * (random.next() < 0.5 ? random.between(2, 60) : random.between(60, 2_400));
      schedule.after(offMs, () => {
        radio?.setPower(true);
        board.boot();
      });
    });
  };
  const [outage, drain] = one.cuts;
  for (let i = 0; i < outage; i++) schedule.after((BEFORE_H + one.outageH * ((i + random.next()) / outage)) * H, cut);
  const backH = BEFORE_H + one.outageH;
  for (let i = 0; i < drain; i++) schedule.after((backH + TROUBLE_H * ((i + random.next()) / drain)) * H, cut);
}

function planGateway({ one, schedule, random, gateway, mqtt }: World, work: (job: Promise<void>) => void): void {
  const restart = () => {
    if (!gateway.isUp()) return;
    gateway.die(random.next() < 0.5 ? "before-commit" : "before-answer", () => {
      mqtt.drop(true);
      schedule.after(1000 * random.between(3, 600), () => work(gateway.start()));
    });
  };
  // Half of them while it drains: that is when there is something under way.
  const backH = BEFORE_H + one.outageH;
  for (let i = 0; i < one.restarts; i++) {
    const atH = i % 2 === 0 ? backH + TROUBLE_H * random.next() ** 2 : random.between(0.5, backH);
    schedule.after(atH * H, restart);
  }
  for (const [atH, off] of one.clocks ?? [])
    schedule.after(atH * H, () => gateway.setClock(off === "unset" ? off : off * H));
}

/** Runs until all that was written before `untilMs` is marked; gives the moment, or undefined when the time is over. */
async function drain(world: World, untilMs: number, endMs: number, settle: () => Promise<void>) {
  const { schedule, board, gateway } = world;
  let from = 0;
  for (let lookMs = schedule.nowMs(); lookMs < endMs; lookMs += LOOK_MS) {
    while (schedule.step(lookMs)) if (gateway.isBusy()) await gateway.settle();
    schedule.moveTo(lookMs);
    await settle();
    const { written } = board;
    for (let record = written[from]; record !== undefined; record = written[++from])
      if (record.markedMs === undefined && !record.isOverwritten) break;
    const oldest = written[from];
    if (lookMs >= untilMs && (oldest === undefined || oldest.atMs >= untilMs)) return lookMs;
  }
  return undefined;
}

function figuresOf(world: World, drainedMs: number | undefined) {
  const { board, gateway, radio, one } = world;
  const { counts } = gateway;
  const frames = radio?.frames();
  return {
    name: one.name,
    boots: board.boots.length,
    restarts: counts.restarts,
    frames: counts.mqtt + counts.lorawan,
    historyFrames: frames?.history ?? 0,
    thinnedFrames: frames?.thinned ?? 0,
    drainedH: drainedMs === undefined ? undefined : Math.round((drainedMs / H - BEFORE_H - one.outageH) * 100) / 100,
    airtimeS: Math.round((radio?.airtimeMs() ?? 0) / 1000),
    refused: counts.refused,
    exceptions: board.printed,
  };
}

export async function playCase(one: BlackoutCase, options: CaseOptions): Promise<CaseResult> {
  if (findProfile(one.board, one.profile) === undefined) throw new Error(`no profile ${one.profile} for ${one.board}`);
  const folder = temporaryFolder();
  const openStore = (clock: Clock): Promise<Store> => openJournal({ dir: folder.path, clock });
  const broken = options.broken?.(openStore);
  try {
    const world = createWorld(one, options, broken?.open ?? openStore);
    let jobs: Promise<void>[] = [];
    const settle = async () => {
      const waiting = jobs;
      jobs = [];
      await Promise.all(waiting);
    };
    await world.gateway.start();
    planLinks(world);
    planCuts(world);
    planGateway(world, (job) => void jobs.push(job));
    world.board.boot();
    const backMs = (BEFORE_H + one.outageH) * H;
    const endMs = backMs + DRAIN_H_MAX * H;
    const drainedMs = await drain(world, backMs, endMs, settle);
    const untilMs = Math.max(world.schedule.nowMs(), backMs + TROUBLE_H * H);
    // What was sampled while it drained, too; live samples wait for the next that asks.
    if (drainedMs !== undefined) await drain(world, untilMs, untilMs + DRAIN_H_MAX * H, settle);
    await world.gateway.settle();
    await world.gateway.stop();
    const { written, boots } = world.board;
    const verdict = judge({
      written,
      boots,
      rows: broken?.rows?.() ?? rowsOf(folder.path),
      startUnixMs: START_UNIX_MS,
      untilMs,
      isTimeSure: !(one.clocks ?? []).some(([, off]) => off !== "unset" && off !== 0),
    });
    return { seed: options.seed, ...figuresOf(world, drainedMs), ...verdict };
  } finally {
    folder.remove();
  }
}
