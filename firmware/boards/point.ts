// The sensors of profile `point`: fuel probe, generator inputs, battery monitor and door counter, as far as they are fitted.
import {
  BACKLOG_BATTERY,
  BACKLOG_OCCUPANCY,
  BACKLOG_PHASE,
  BACKLOG_POWER,
  GENERATOR_STATES,
  MAINS_STATES,
  takeCodes,
} from "../../protocol/wire.ts";
import { batteryAlarms, peopleAlarms, powerAlarms, type Tell } from "../device/alarms.ts";
import { changesIn } from "../device/changes.ts";
import {
  BATTERY_A,
  BATTERY_V,
  CHARGE,
  codeOf,
  FUEL_LEVEL,
  groupsOf,
  peopleCodes,
  STARTER,
  wordOf,
} from "../device/frames.ts";
import type { DeviceOptions, Probe } from "../device/options.ts";
import type { DeviceConfig } from "../device/settings.ts";
import { createDoorCounter, type DoorCounter } from "../drivers/door-counter.ts";
import { createFuelProbe } from "../drivers/fuel-probe-4-20ma.ts";
import { createGeneratorInputs } from "../drivers/generator-inputs.ts";
import { createVeDirect } from "../drivers/ve-direct.ts";
import type { SerialLine } from "../hal.ts";
import { delay, uptime, watchPin } from "./compose.ts";

const REFERENCE_V = 3.3;
/** Bits of the groups in a report. */
const POWER = 1;
const BATTERY = 2;
const PEOPLE = 4;
/** Bits of SENSORS. */
const FUEL_PROBE = 1;
const GENERATOR_INPUTS = 2;
const BATTERY_MONITOR = 8;
const PEOPLE_COUNTER = 16;
/** The code for absent of a field of ten bits: nobody here measures the load. */
const NO_LOAD = 1023;

export interface PointPins {
  readonly fuel: Pin;
  readonly starter: Pin;
  /** High: mains present, charging, oil pressure. */
  readonly mains: Pin;
  readonly charge: Pin;
  readonly oil: Pin;
  /** High while the beam arrives: outside, inside. */
  readonly beamA: Pin;
  readonly beamB: Pin;
}

export interface PointSensors
  extends Required<Pick<DeviceOptions, "groupBits" | "row" | "probes" | "sensors" | "alarms" | "changes" | "recount">> {
  /** Goes on from the last report before the restart. */
  readonly restore: (newest: Uint8Array | undefined) => void;
}

function fuelProbe(config: DeviceConfig, pins: PointPins, from: number): Probe {
  const probe = createFuelProbe({
    input: () => analogRead(pins.fuel),
    delay: delay,
    uptime: uptime,
    shuntOhm: config.shuntOhm,
    referenceV: REFERENCE_V,
  });
  return { from: from, count: 1, start: (done) => probe.sample((level) => done([codeOf(level, FUEL_LEVEL)])) };
}

function generatorInputs(config: DeviceConfig, pins: PointPins, from: number): Probe {
  const inputs = createGeneratorInputs({
    mains: () => !!digitalRead(pins.mains),
    charge: () => !!digitalRead(pins.charge),
    oil: () => !!digitalRead(pins.oil),
    starter: () => analogRead(pins.starter),
    starterFullScaleV: config.starterFullScaleV,
    delay: delay,
    uptime: uptime,
  });
  return {
    from: from,
    count: 4,
    start: (done) => {
      inputs.sample((sample) => {
        const generator = wordOf(GENERATOR_STATES, sample.generator, 3);
        done([generator, wordOf(MAINS_STATES, sample.mains, 2), NO_LOAD, codeOf(sample.starterBatteryV, STARTER)]);
      });
    },
  };
}

function batteryMonitor(line: Pick<SerialLine, "open" | "close">, from: number): Probe {
  const monitor = createVeDirect({ line: line, delay: delay });
  return {
    from: from,
    count: 3,
    start: (done) => {
      monitor.sample((sample) => {
        const charge = codeOf(sample.stateOfChargePct, CHARGE);
        done([codeOf(sample.batteryV, BATTERY_V), codeOf(sample.batteryA, BATTERY_A), charge]);
      });
    },
  };
}

function doorCounter(pins: PointPins): DoorCounter {
  return createDoorCounter({
    watchA: (listener) => watchPin(pins.beamA, listener),
    watchB: (listener) => watchPin(pins.beamB, listener),
    beamA: () => !!digitalRead(pins.beamA),
    beamB: () => !!digitalRead(pins.beamB),
    uptime: uptime,
    delay: delay,
  });
}

function peopleCounter(counter: DoorCounter, from: number): Probe {
  return {
    from: from,
    count: 2,
    start: (done) => {
      counter.sample((isStuck, inside, entries) => done(peopleCodes(isStuck, inside, entries)));
    },
  };
}

export function createPoint(
  config: DeviceConfig,
  pins: PointPins,
  battery: Pick<SerialLine, "open" | "close">,
): PointSensors {
  const fitted = config.sensors;
  const probes: Probe[] = [];
  let row = BACKLOG_PHASE;
  let groupBits = 0;
  let sensors = 0;
  /** Where the codes of each group begin; 0 for a group that is not there. */
  let power = 0;
  let charge = 0;
  let people = 0;
  const counter = doorCounter(pins);
  if (fitted.fuelProbe || fitted.generatorInputs) {
    power = row.length;
    groupBits |= POWER;
    row = row.concat(BACKLOG_POWER);
    if (fitted.fuelProbe) {
      sensors |= FUEL_PROBE;
      probes.push(fuelProbe(config, pins, power));
    }
    if (fitted.generatorInputs) {
      sensors |= GENERATOR_INPUTS;
      probes.push(generatorInputs(config, pins, power + 1));
    }
  }
  if (fitted.batteryMonitor) {
    charge = row.length;
    groupBits |= BATTERY;
    sensors |= BATTERY_MONITOR;
    row = row.concat(BACKLOG_BATTERY);
    probes.push(batteryMonitor(battery, charge));
  }
  if (fitted.peopleCounter) {
    people = row.length;
    groupBits |= PEOPLE;
    sensors |= PEOPLE_COUNTER;
    row = row.concat(BACKLOG_OCCUPANCY);
    probes.push(peopleCounter(counter, people));
  }
  return {
    groupBits: groupBits,
    row: row,
    probes: probes,
    sensors: sensors,
    alarms: (standing: number, codes: Uint16Array, settings: readonly number[], tell: Tell) => {
      let next = standing;
      if (power) next = powerAlarms(next, codes, power, settings, tell);
      if (charge) next = batteryAlarms(next, codes, charge, settings, tell);
      return people ? peopleAlarms(next, codes, people, settings, tell) : next;
    },
    changes: (before: Uint16Array, now: Uint16Array, tell: Tell) => {
      if (power) changesIn(before, now, power, tell);
    },
    recount: (inside) => {
      counter.setOccupancy(inside);
      return people > 0;
    },
    restore: (newest) => {
      const codes = new Uint16Array(row.length);
      if (!people || !newest || groupsOf(newest) !== groupBits) return;
      takeCodes(newest, row, codes);
      counter.restore(codes[people] as number, codes[people + 1] as number);
    },
  };
}
