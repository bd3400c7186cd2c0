// The devices of the LoRaWAN proof: the firmware's bundle on virtual boards, each behind a scripted modem that is on the same air.
import type { BoardTable } from "../../firmware/boards/table.ts";
import { numberedSettings } from "../../firmware/build/image.ts";
import type { DeviceConfig } from "../../firmware/device/settings.ts";
import { createModem, type Modem } from "../../firmware/simulator/modem.ts";
import { PINS } from "../../firmware/simulator/pins.ts";
import { createPointPhysics } from "../../firmware/simulator/point-physics.ts";
import type { Air } from "../../firmware/simulator/radio/air.ts";
import { createClassA } from "../../firmware/simulator/radio/class-a.ts";
import { createRandom, type Random } from "../../firmware/simulator/random.ts";
import type { ScenarioPoint } from "../../firmware/simulator/scenario.ts";
import type { Schedule } from "../../firmware/simulator/schedule.ts";
import { createSignals, STARTER_FULL_SCALE_V } from "../../firmware/simulator/signals.ts";
import type { Network, Wiring } from "../../firmware/simulator/virtual-board.ts";
import type { Identities, Identity } from "../../gateway/ingress/lorawan/network/identities.ts";
import { tableOf } from "../engine/program.ts";
import { type BlackoutBoard, createBlackoutBoard } from "./blackout-board.ts";
import { POINT } from "./blackout-case.ts";
import type { Program } from "./devicepowercut-board.ts";

const SERIAL = "Serial1";
const JOIN_EUI = "8000000000000006";
const RADIO_POWER_MS = 300;

export interface FleetMember {
  readonly deviceId: string;
  readonly devEui: string;
  readonly appKey: string;
}

export function memberOf(index: number): FleetMember {
  const number = String(index + 1).padStart(3, "0");
  const devEui = (0x2cf7_f120_0000_0000n + BigInt(index + 1)).toString(16);
  // Each its own, and the same for a seed's sake.
  const appKey = Buffer.from(Array.from({ length: 16 }, (_, i) => (i * 37 + index * 11 + 5) & 255)).toString("hex");
  return { deviceId: `rad-${number}-d1`, devEui, appKey };
}

export function identitiesOf(members: readonly FleetMember[]): Identities {
  const all = members.map(({ deviceId, devEui, appKey }): Identity => {
    return { deviceId, devEui, appKey, joinEui: JOIN_EUI, version: "1.0.3", isEnabled: true };
  });
  const byEui = new Map(all.map((one) => [one.devEui, one]));
  return { byDevEui: (eui) => byEui.get(eui), all: () => all };
}

export interface FleetDeviceOptions {
  readonly member: FleetMember;
  readonly schedule: Schedule;
  readonly air: Air;
  readonly seed: number;
  readonly boardName: string;
  readonly program: Program;
  readonly intervalS: number;
  /** Usual data rate. */
  readonly rate: number;
  readonly outageMs: () => number;
  /** A board that also has MQTT. */
  readonly network?: Network;
  readonly troubles?: Partial<Modem["troubles"]>;
}

export interface FleetDevice {
  readonly member: FleetMember;
  readonly board: BlackoutBoard;
  boot(): void;
  /** Takes its power for so long, with its modem's. */
  cut(offMs: number, isTorn: boolean): void;
}

const NO_NETWORK: Network = {
  isReachable: () => false,
  connect: () => ({ write: () => undefined, end: () => undefined }),
};

function configOf({ member, intervalS, rate, network }: FleetDeviceOptions): DeviceConfig {
  return {
    deviceId: member.deviceId,
    key: "5a".repeat(32),
    ...(network === undefined ? {} : { wifi: { ssid: "waakvlam", password: "" } }),
    host: "gateway",
    port: 1883,
    lorawan: { devEui: member.devEui.toUpperCase(), joinEui: JOIN_EUI, appKey: member.appKey.toUpperCase(), rate },
    settings: numberedSettings({ reportIntervalS: intervalS, ackEvery: 4, capacity: 150 }),
    sensors: { fuelProbe: true, batteryMonitor: false, peopleCounter: true, generatorInputs: true },
    shuntOhm: 150,
    starterFullScaleV: STARTER_FULL_SCALE_V,
  };
}

/** A point with few people: what is tried is its radio. */
const CALM: ScenarioPoint = { ...POINT, crowd: 0.1 };

function wiringOf(options: FleetDeviceOptions, random: Random, modem: Modem): Wiring {
  const { schedule, outageMs, boardName } = options;
  const physics = createPointPhysics(CALM, random, 13);
  const signals = createSignals({ point: CALM, physics, schedule, random, outageMs });
  signals.start();
  const pins = PINS[boardName] ?? {};
  const at = (pin: string) => pins[pin] ?? pin;
  return {
    analog: (pin) => signals.analog(at(pin)),
    digital: (pin) => (pin === "D22" && boardName === "esp32" ? true : signals.digital(at(pin))),
    watch: (pin, edge) => signals.watch(at(pin), edge),
    openSerial: (port, baud, data) => (port === SERIAL ? modem.open(data) : signals.openSerial(port, baud, data)),
    writeSerial: (port, text) => {
      if (port === SERIAL) modem.write(text);
    },
  };
}

/** Flash chips are larger than what the firmware uses of them: two hundred whole ones would fill this machine. */
function slim(table: BoardTable): BoardTable {
  const pages = Math.ceil((table.dataAddress - table.storageAddress + table.ringOffset) / table.pageBytes);
  return { ...table, storagePages: Math.min(table.storagePages, pages + table.ringPages + 8) };
}

export function createFleetDevice(options: FleetDeviceOptions): FleetDevice {
  const { schedule, air, member, boardName, program } = options;
  const random = createRandom(options.seed);
  const modem = createModem({ schedule, random, radio: (parts) => createClassA(air, parts) });
  Object.assign(modem.troubles, options.troubles ?? {});
  const board = createBlackoutBoard({
    table: slim(tableOf(boardName)),
    program,
    config: configOf(options),
    firstSequence: 1,
    schedule,
    random,
    wiring: wiringOf(options, random, modem),
    network: options.network ?? NO_NETWORK,
  });
  return {
    member,
    board,
    boot: board.boot,
    cut: (offMs, isTorn) =>
      board.cut(isTorn, () => {
        modem.setPower(false);
        schedule.after(offMs, () => {
          schedule.after(RADIO_POWER_MS, () => modem.setPower(true));
          board.boot();
        });
      }),
  };
}
