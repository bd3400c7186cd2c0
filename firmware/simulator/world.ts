// One virtual point: board, wires, physics, network, and its way from before the outage to now.
import { createHash } from "node:crypto";
import { downlinkTopic, type Sha256 } from "../../protocol/wire.ts";
import { ESP32 } from "../boards/table.ts";
import { createImage, numberedSettings } from "../build/image.ts";
import { bytesOfHex, type DeviceConfig } from "../device/settings.ts";
import { createFlash, loadImage, type VirtualFlash } from "./flash.ts";
import { createRehearsalGateway, createSwitchedNetwork, createTcpNetwork, NO_NETWORK } from "./networks.ts";
import { keepPace, type Pace } from "./paced.ts";
import { createPointPhysics } from "./point-physics.ts";
import { createRandom, seedOf } from "./random.ts";
import type { RealClock } from "./real-clock.ts";
import type { ScenarioPoint } from "./scenario.ts";
import { createSchedule } from "./schedule.ts";
import { createSignals, type Fault, STARTER_FULL_SCALE_V } from "./signals.ts";
import { createVirtualBoard, type VirtualBoard } from "./virtual-board.ts";

const HOUR_MS = 3_600_000;
/** The device has been running so long when the mains fail: its clock is set. */
const BEFORE_MS = 6 * 60_000;
/** Virtual time goes in steps of this between looks at the rest of the world. */
const SLICE_MS = 60_000;
/** Between reports over MQTT. */
const INTERVAL_S = 60;

export const sha256: Sha256 = (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest());

/** What all worlds of a fleet have in common. */
export interface Past {
  readonly seed: number;
  /** How long ago the outage began, when it goes live. */
  readonly pastHours: number;
  /** Unix time at which it goes live. */
  readonly liveUnixMs: number;
  readonly clock: RealClock;
}

export interface BoardProgram {
  readonly program: Uint8Array;
  readonly untokenise: (tokens: string) => string;
}

export interface WorldOptions extends Past, BoardProgram {
  readonly point: ScenarioPoint;
  readonly deviceId: string;
  readonly key: string;
  readonly print?: (line: string) => void;
}

export interface World {
  readonly deviceId: string;
  readonly board: VirtualBoard;
  readonly flash: VirtualFlash;
  people(): number;
  litres(): number;
  /** Runs the past without a link; one slice at a time, true when it has come to now. */
  runPast(): boolean;
  /** Goes on in real time, with this broker. */
  goLive(host: string, port: number): void;
  stop(): void;
}

export function configOf(
  point: ScenarioPoint,
  deviceId: string,
  key: string,
  reportIntervalS = INTERVAL_S,
): DeviceConfig {
  return {
    deviceId,
    key,
    wifi: { ssid: "waakvlam", password: "" },
    host: "gateway",
    port: 1883,
    settings: numberedSettings({ reportIntervalS, ackEvery: 4, capacity: point.capacity }),
    sensors: {
      fuelProbe: point.generator !== undefined,
      batteryMonitor: point.battery !== undefined,
      peopleCounter: point.capacity > 0,
      generatorInputs: true,
    },
    shuntOhm: 150,
    starterFullScaleV: STARTER_FULL_SCALE_V,
  };
}

export function createWorld(options: WorldOptions): World {
  const { point, deviceId, clock } = options;
  const random = createRandom(seedOf(options.seed, deviceId));
  const schedule = createSchedule();
  const key = bytesOfHex(options.key);
  const pastMs = options.pastHours * HOUR_MS + BEFORE_MS;
  const outageUnixMs = options.liveUnixMs - options.pastHours * HOUR_MS;
  const outageMs = () => schedule.nowMs() - BEFORE_MS;
  const localHour = (new Date(outageUnixMs).getUTCHours() + 1) % 24;
  const physics = createPointPhysics(point, random, localHour);
  const signals = createSignals({ point, physics, schedule, random, outageMs });
  const unixMs = () => outageUnixMs + outageMs();
  const rehearsal = createRehearsalGateway({ schedule, key, downlink: downlinkTopic(deviceId), sha256, unixMs });
  const network = createSwitchedNetwork(rehearsal);
  const flash = createFlash(ESP32);
  loadImage(flash, createImage(ESP32, options.program, configOf(point, deviceId, options.key)));
  const { untokenise, print } = options;
  const board = createVirtualBoard({
    table: ESP32,
    flash,
    schedule,
    wiring: signals,
    network,
    random,
    untokenise,
    ...(print === undefined ? {} : { print }),
  });
  board.boot();
  signals.start();
  // The link goes with the mains: what is sampled from now on stays on the device.
  schedule.after(BEFORE_MS, () => {
    network.use(NO_NETWORK);
    rehearsal.cut();
  });
  for (const fault of point.faults ?? [])
    if (fault.atH !== undefined) planFault(fault.kind, BEFORE_MS + fault.atH * HOUR_MS);

  function planFault(kind: Fault, atMs: number): void {
    schedule.after(atMs - schedule.nowMs(), () => {
      if (kind === "silent") network.use(NO_NETWORK);
      if (kind === "silent") board.powerOff();
      else signals.setFault(kind);
    });
  }

  let pace: Pace | undefined;
  let stopped = false;
  function live(host: string, port: number): void {
    if (stopped) return;
    const begun = keepPace(schedule, clock);
    pace = begun;
    network.use(createTcpNetwork(host, port, begun.at));
    for (const fault of point.faults ?? []) {
      if (fault.liveMin !== undefined) planFault(fault.kind, schedule.nowMs() + fault.liveMin * 60_000);
    }
    begun.at(() => undefined);
  }

  return {
    deviceId,
    board,
    flash,
    people: () => physics.people(),
    litres: () => physics.litres(),
    runPast: () => {
      schedule.runUntil(Math.min(pastMs, schedule.nowMs() + SLICE_MS * 60));
      return schedule.nowMs() >= pastMs;
    },
    goLive: live,
    stop: () => {
      stopped = true;
      pace?.stop();
      board.powerOff();
    },
  };
}
