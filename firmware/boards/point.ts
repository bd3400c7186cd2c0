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
import type { DeviceOptions, Probe } from "../device/device.ts";
import {
  BATTERY_A,
  BATTERY_V,
  CHARGE,
  codeOf,
  ENTRIES,
  FUEL_LEVEL,
  groupsOf,
  OCCUPANCY,
  STARTER,
  wordOf,
} from "../device/frames.ts";
import type { DeviceConfig } from "../device/settings.ts";
import { createDoorCounter } from "../drivers/door-counter.ts";
import { createFuelProbe } from "../drivers/fuel-probe-4-20ma.ts";
import { createGeneratorInputs } from "../drivers/generator-inputs.ts";
import { createVeDirect } from "../drivers/ve-direct.ts";
import type { SerialLine } from "../hal.ts";
import { delay, uptime, watchOf } from "./compose.ts";

const REFERENCE_V = 3.3;
/** Bits of the groups in a report. */
const POWER = 1;
const BATTERY = 2;
const PEOPLE = 4;

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
  extends Required<Pick<DeviceOptions, "groupBits" | "row" | "probes" | "alarms" | "changes" | "recount">> {
  /** Goes on from the last report before the restart. */
  readonly restore: (newest: Uint8Array | undefined) => void;
}

type Done = (codes: readonly number[]) => void;

export function createPoint(
  config: DeviceConfig,
  pins: PointPins,
  battery: Pick<SerialLine, "open" | "close">,
): PointSensors {
  const fitted = config.sensors;
  const probes: Probe[] = [];
  let row = BACKLOG_PHASE;
  /** Where the codes of each group begin; 0 for a group that is not there. */
  let power = 0;
  let charge = 0;
  let people = 0;
  let groupBits = 0;
  let recount = (_people: number): boolean => false;
  let restore = (_newest: Uint8Array | undefined): void => {};
  if (fitted.fuelProbe || fitted.generatorInputs) {
    power = row.length;
    groupBits |= POWER;
    row = row.concat(BACKLOG_POWER);
  }
  if (fitted.batteryMonitor) {
    charge = row.length;
    groupBits |= BATTERY;
    row = row.concat(BACKLOG_BATTERY);
  }
  if (fitted.peopleCounter) {
    people = row.length;
    groupBits |= PEOPLE;
    row = row.concat(BACKLOG_OCCUPANCY);
  }
  if (fitted.fuelProbe) {
    const probe = createFuelProbe({
      input: () => analogRead(pins.fuel),
      delay: delay,
      uptime: uptime,
      shuntOhm: config.shuntOhm,
      referenceV: REFERENCE_V,
    });
    const start = (done: Done): void => probe.sample((level) => done([codeOf(level, FUEL_LEVEL)]));
    probes.push({ sensor: 0, from: power, count: 1, start: start });
  }
  if (fitted.generatorInputs) {
    const inputs = createGeneratorInputs({
      mains: () => digitalRead(pins.mains) === 1,
      charge: () => digitalRead(pins.charge) === 1,
      oil: () => digitalRead(pins.oil) === 1,
      starter: () => analogRead(pins.starter),
      starterFullScaleV: config.starterFullScaleV,
      delay: delay,
      uptime: uptime,
    });
    const words = (done: Done): void => {
      inputs.sample((sample) => {
        const generator = wordOf(GENERATOR_STATES, sample.generator, 3);
        // The load between them is measured by nobody here.
        done([generator, wordOf(MAINS_STATES, sample.mains, 2), 1023, codeOf(sample.starterBatteryV, STARTER)]);
      });
    };
    probes.push({ sensor: 1, from: power + 1, count: 4, start: words });
  }
  if (fitted.batteryMonitor) {
    const monitor = createVeDirect({ line: battery, delay: delay });
    const start = (done: Done): void => {
      monitor.sample((sample) => {
        done([
          codeOf(sample.batteryV, BATTERY_V),
          codeOf(sample.batteryA, BATTERY_A),
          codeOf(sample.stateOfChargePct, CHARGE),
        ]);
      });
    };
    probes.push({ sensor: 3, from: charge, count: 3, start: start });
  }
  if (fitted.peopleCounter) {
    const counter = createDoorCounter({
      watchA: watchOf(pins.beamA),
      watchB: watchOf(pins.beamB),
      beamA: () => digitalRead(pins.beamA) === 1,
      beamB: () => digitalRead(pins.beamB) === 1,
      uptime: uptime,
      delay: delay,
    });
    const start = (done: Done): void => {
      counter.sample((inside, entries) => done([codeOf(inside, OCCUPANCY), codeOf(entries, ENTRIES)]));
    };
    probes.push({ sensor: 4, from: people, count: 2, start: start });
    restore = (newest) => {
      const codes = new Uint16Array(row.length);
      if (newest !== undefined && groupsOf(newest) === groupBits) takeCodes(newest, row, codes);
      counter.restore(codes[people] as number, codes[people + 1] as number);
    };
    recount = (inside) => {
      counter.setOccupancy(inside);
      return true;
    };
  }
  return {
    groupBits: groupBits,
    row: row,
    probes: probes,
    alarms: (standing: number, codes: Uint16Array, settings: readonly number[], tell: Tell) => {
      let next = standing;
      if (power) next = powerAlarms(next, codes, power, settings, tell);
      if (charge) next = batteryAlarms(next, codes, charge, settings, tell);
      return people ? peopleAlarms(next, codes, people, settings, tell) : next;
    },
    changes: (before: Uint16Array, now: Uint16Array, tell: Tell) => {
      if (power) changesIn(before, now, power, tell);
    },
    recount: recount,
    restore: restore,
  };
}
