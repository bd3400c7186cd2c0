// Virtual points on LoRaWAN: boards behind modems on one air, and base stations that speak to a real gateway. A network that is scripted has
// answered the boards first, so that their clocks are set, as a gateway would have done days ago. Then they join by the base stations, which
// lose their power with the mains; what is sampled stays on the boards. Some time before now the base stations are back, and the
// boards bring what they have kept. All of that passes in step with the gateway, as fast as it answers, until virtual time has caught up
// with the real one.
import { type Credentials, decodeDownlink, decodeUplink, encodeAck } from "../../protocol/index.ts";
import { XIAOBLE } from "../boards/table.ts";
import { createImage } from "../build/image.ts";
import { createFlash, loadImage } from "./flash.ts";
import { createLorawanNetwork, type LorawanNetwork } from "./lorawan-network.ts";
import { createModem, type Modem } from "./modem.ts";
import { createModemRadio, type ModemRadio, type ModemRadioParts } from "./modem-radio.ts";
import { NO_NETWORK } from "./networks.ts";
import { keepPace, type Pace } from "./paced.ts";
import { PINS } from "./pins.ts";
import { createPointPhysics } from "./point-physics.ts";
import { type Air, createAir } from "./radio/air.ts";
import { createBaseStation } from "./radio/base-station.ts";
import { createClassA } from "./radio/class-a.ts";
import { createLockStep, type LockStep } from "./radio/lock-step.ts";
import { openStationUdp, type StationUdp } from "./radio/station-udp.ts";
import { createRandom, type Random, seedOf } from "./random.ts";
import type { ScenarioPoint } from "./scenario.ts";
import { createSchedule, type Schedule } from "./schedule.ts";
import { createSignals, type Fault } from "./signals.ts";
import { createVirtualBoard, type VirtualBoard, type Wiring } from "./virtual-board.ts";
import { type BoardProgram, configOf, type Past } from "./world.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** So long boards speak to the scripted network. */
const SCRIPTED_MS = 20 * MINUTE_MS;
/** The mains fail. */
const BEFORE_MS = 45 * MINUTE_MS;
/** The base stations have been back so long when virtual time has caught up: what was kept has been brought. In a shorter past they never left. */
const BACK_MS = 120 * MINUTE_MS;
/** Boards are switched on, and modems start anew, within this. */
const SPREAD_MS = 60_000;
/** Near enough for SF7. */
const USUAL_RATE = 5;
const LOSS_DB = [108, 130] as const;
const LOST_SHARE = 0.02;
const MODEM_LINE = "Serial1";
const INTERVAL_S = 900;

export interface RadioPoint {
  readonly point: ScenarioPoint;
  readonly deviceId: string;
  readonly key: string;
  readonly lorawan: NonNullable<Credentials["devices"][number]["lorawan"]>;
}

export interface RadioWorldOptions extends Past, BoardProgram {
  readonly points: readonly RadioPoint[];
  /** EUIs of the base stations. */
  readonly stations: readonly string[];
  readonly print: (deviceId: string, line: string) => void;
}

export interface RadioWorld {
  /** Base stations speak to this gateway; resolves when virtual time has caught up with real time, in which it goes on. */
  goLive(host: string, port: number): Promise<void>;
  stop(): void;
}

/** Acknowledges what it hears, and so sets clocks. */
function createRehearsal(random: Random, points: readonly RadioPoint[], unixMs: () => number): LorawanNetwork {
  const keys = new Map(points.map(({ lorawan }) => [lorawan.devEui.toUpperCase(), lorawan.appKey.toUpperCase()]));
  const network = createLorawanNetwork({
    ...{ random, keys },
    deliver: (devEui, payload) => {
      const decoded = decodeUplink(payload);
      if (decoded.kind === "fault") return;
      const ack = { time: Math.floor(unixMs() / 1000), baseSequence: decoded.value.sequence, bitmap: 0x80000000 };
      network.queue(devEui, encodeAck(ack));
    },
  });
  return network;
}

/** A gateway's answer says its time, which is the real one: a board that is still behind would be set ahead of all around it. */
function inWorldTime(line: string, lagMs: number): string {
  const [, head = "", hex = ""] = /^(.*PORT: 10; RX: ")([0-9A-F]+)"$/.exec(line) ?? [];
  const decoded = lagMs > 0 && hex !== "" ? decodeDownlink(new Uint8Array(Buffer.from(hex, "hex"))) : undefined;
  if (decoded?.kind !== "ack" || decoded.value.time === 0) return line;
  const ack = encodeAck({ ...decoded.value, time: decoded.value.time - Math.round(lagMs / 1000) });
  return `${head}${Buffer.from(ack).toString("hex").toUpperCase()}"`;
}

interface Surroundings {
  readonly options: RadioWorldOptions;
  readonly schedule: Schedule;
  readonly rehearsal: LorawanNetwork;
  readonly air: Air;
  readonly outageMs: () => number;
  readonly localHour: number;
  lagMs(): number;
}

/** On the scripted network first, then on the air. */
function createRadio({ rehearsal, air, schedule, lagMs }: Surroundings, parts: ModemRadioParts): ModemRadio {
  const before = createModemRadio(rehearsal, parts);
  const after = createClassA(air, { ...parts, say: (line) => parts.say(inWorldTime(line, lagMs())) });
  const now = () => (schedule.nowMs() < SCRIPTED_MS ? before : after);
  return {
    join: (isForced) => now().join(isForced),
    send: (name, hex, isConfirmed) => now().send(name, hex, isConfirmed),
    isJoined: () => now().isJoined(),
    forget: () => {
      before.forget();
      after.forget();
    },
    onAirMs: () => now().onAirMs(),
  };
}

interface RadioBoard {
  readonly board: VirtualBoard;
  readonly modem: Modem;
  readonly faults: NonNullable<ScenarioPoint["faults"]>;
  fail(kind: Fault): void;
}

function createRadioBoard(world: Surroundings, radioPoint: RadioPoint): RadioBoard {
  const { options, schedule, outageMs } = world;
  const { point, deviceId, key, lorawan } = radioPoint;
  const random = createRandom(seedOf(options.seed, deviceId));
  const physics = createPointPhysics(point, random, world.localHour);
  const signals = createSignals({ point, physics, schedule, random, outageMs });
  const modem = createModem({ schedule, random, radio: (parts) => createRadio(world, parts) });
  const pins = PINS[XIAOBLE.name] ?? {};
  const at = (pin: string) => pins[pin] ?? pin;
  const wiring: Wiring = {
    analog: (pin) => signals.analog(at(pin)),
    digital: (pin) => signals.digital(at(pin)),
    watch: (pin, edge) => signals.watch(at(pin), edge),
    openSerial: (port, baud, data) => (port === MODEM_LINE ? modem.open(data) : signals.openSerial(port, baud, data)),
    writeSerial: (port, text) => {
      if (port === MODEM_LINE) modem.write(text);
    },
  };
  const { wifi: _wifi, ...config } = configOf(point, deviceId, key, INTERVAL_S);
  const { devEui, joinEui, appKey } = lorawan;
  const upper = { devEui: devEui.toUpperCase(), joinEui: joinEui.toUpperCase(), appKey: appKey.toUpperCase() };
  const flash = createFlash(XIAOBLE);
  loadImage(flash, createImage(XIAOBLE, options.program, { ...config, lorawan: { ...upper, rate: USUAL_RATE } }));
  const board = createVirtualBoard({
    ...{ table: XIAOBLE, flash, schedule, wiring, network: NO_NETWORK, random, untokenise: options.untokenise },
    print: (line) => options.print(deviceId, line),
  });
  signals.start();
  const fail = (kind: Fault) => (kind === "silent" ? board.powerOff() : signals.setFault(kind));
  const { faults = [] } = point;
  for (const { kind, atH } of faults)
    if (atH !== undefined) schedule.after(BEFORE_MS + atH * HOUR_MS, () => fail(kind));
  return { board, modem, faults, fail };
}

export function createRadioWorld(options: RadioWorldOptions): RadioWorld {
  const { seed, clock } = options;
  const schedule = createSchedule();
  const random = createRandom(seedOf(seed, "radio"));
  const pastMs = options.pastHours * HOUR_MS;
  const outageUnixMs = options.liveUnixMs - pastMs;
  const outageMs = () => schedule.nowMs() - BEFORE_MS;
  const lossDb = (device: string, station: string) =>
    createRandom(seedOf(seed, `${device} ${station}`)).between(...LOSS_DB);
  const air = createAir({ schedule, random, lossDb: remembered(lossDb) });
  air.settings.lossUp = air.settings.lossDown = LOST_SHARE;
  const rehearsal = createRehearsal(random, options.points, () => outageUnixMs + outageMs());
  let step: LockStep | undefined;
  let pace: Pace | undefined;
  let isStopped = false;
  const sockets: StationUdp[] = [];
  const localHour = (new Date(outageUnixMs).getUTCHours() + 1) % 24;
  const world = { options, schedule, rehearsal, air, outageMs, localHour, lagMs: () => step?.lagMs() ?? 0 };
  const boards = options.points.map((one) => createRadioBoard(world, one));
  for (const { board, modem } of boards) {
    schedule.after(random.between(0, SPREAD_MS), board.boot);
    schedule.after(SCRIPTED_MS + random.between(0, SPREAD_MS), modem.restart);
  }

  function startStation(eui: string, host: string, port: number): void {
    const udp = openStationUdp({
      ...{ host, port },
      received: (bytes) => {
        station.take(bytes);
        step?.received(eui, bytes);
      },
      atStationTime: (work) => (pace === undefined ? work() : pace.at(work)),
    });
    sockets.push(udp);
    const station = createBaseStation({
      ...{ schedule, random, air, eui },
      send: (bytes, socket) => {
        step?.sent(eui, bytes);
        udp.send(bytes, socket);
      },
    });
    station.setPower(true);
    if (pastMs <= BACK_MS) return;
    schedule.after(BEFORE_MS, () => station.setPower(false));
    schedule.after(BEFORE_MS + pastMs - BACK_MS, () => station.setPower(true));
  }

  return {
    goLive: async (host, port) => {
      step = createLockStep({ schedule, clock, behindMs: clock.unixMs() - (outageUnixMs + outageMs()) });
      for (const eui of options.stations) startStation(eui, host, port);
      await step.catchUp(() => isStopped);
      if (isStopped) return;
      for (const { faults, fail } of boards)
        for (const { kind, liveMin } of faults)
          if (liveMin !== undefined) schedule.after(liveMin * MINUTE_MS, () => fail(kind));
      pace = keepPace(schedule, clock);
    },
    stop: () => {
      isStopped = true;
      pace?.stop();
      for (const socket of sockets) socket.close();
      for (const { board } of boards) board.powerOff();
    },
  };
}

function remembered(lossDb: (device: string, station: string) => number): typeof lossDb {
  const known = new Map<string, number>();
  return (device, station) => {
    const key = `${device} ${station}`;
    const loss = known.get(key) ?? lossDb(device, station);
    known.set(key, loss);
    return loss;
  };
}
