// What the channels of a device that is not ours stand for, as the groups of a report: pure. A channel that has a reason instead of a
// number gives that reason; one that is not there is not known; what the device has no sensor for is absent.
import {
  DEVICE_MODELS,
  type DeviceModelName,
  type Quantity,
  type Report,
  type Sensing,
} from "../../../../protocol/index.ts";
import { ENTRIES_MODULO } from "../../../domain/people/counters.ts";
import { type Channels, loopMa } from "../decoders/decoder.ts";

/** A level this far beyond empty or full is one of a little more fuel than the table knows; further off the sensor is wrong. */
const BEYOND_PCT_MAX = 5;
/** A counter at a door misses a few; one that has seen so many more go out than come in hangs the wrong way round. */
const MISSED_MAX = 20;

export type Groups = Pick<Report, "power" | "battery" | "occupancy" | "environment">;

interface Readings {
  /** Of this uplink, and of the last ones where they are young enough. */
  of(channel: string): Quantity;
  /** True when this uplink holds it. */
  isNew(channel: string): boolean;
}

/** The groups that this uplink says something of. `before` are channels of the uplinks before it that still hold. */
export function groupsOf(
  device: { readonly model: DeviceModelName; readonly sensing?: Sensing },
  channels: Channels,
  before: Channels = {},
): Groups {
  const { model, sensing = {} } = device;
  const readings: Readings = {
    of: (channel) => channels[channel] ?? before[channel] ?? "unknown",
    isNew: (channel) => channels[channel] !== undefined,
  };
  const kind = DEVICE_MODELS[model];
  const level = "level" in kind ? kind.level : undefined;
  return {
    ...powerOf(sensing, level, readings),
    ...batteryOf(sensing, readings),
    ...("people" in kind ? occupancyOf(model, sensing.lines ?? 1, readings) : {}),
    ...environmentOf(sensing, readings),
  };
}

function powerOf(sensing: Sensing, level: string | undefined, readings: Readings): Pick<Groups, "power"> {
  const { fuelLevelPct, generator, generatorFailed, mains, loadKw, starterBatteryV } = sensing;
  const from = fuelLevelPct === undefined ? undefined : (fuelLevelPct.from ?? level);
  const channels = [from, generator?.from, generatorFailed?.from, mains?.from, loadKw?.from, starterBatteryV?.from];
  if (!channels.some((one) => one !== undefined && readings.isNew(one))) return {};
  return {
    power: {
      fuelLevelPct:
        fuelLevelPct === undefined || from === undefined ? "absent" : levelPct(from, fuelLevelPct, readings),
      generator: generatorWord(sensing, readings),
      mains: wordOf(mains, readings, { yes: "present", no: "lost" }),
      loadKw: linear(loadKw, readings),
      starterBatteryV: linear(starterBatteryV, readings),
    },
  };
}

function batteryOf({ batteryV, batteryA, stateOfChargePct }: Sensing, readings: Readings): Pick<Groups, "battery"> {
  if (![batteryV, batteryA, stateOfChargePct].some((one) => one !== undefined && readings.isNew(one.from))) return {};
  return {
    battery: {
      batteryV: linear(batteryV, readings),
      batteryA: linear(batteryA, readings),
      stateOfChargePct: linear(stateOfChargePct, readings),
    },
  };
}

function environmentOf({ temperatureC }: Sensing, readings: Readings): Pick<Groups, "environment"> {
  if (temperatureC === undefined || !readings.isNew(temperatureC.from)) return {};
  return { environment: { temperatureC: linear(temperatureC, readings) } };
}

/** A sensor that sees people counts them; one that sees them pass knows who came in less who went out. */
function occupancyOf(model: DeviceModelName, lines: number, readings: Readings): Pick<Groups, "occupancy"> {
  if (model === "VS121") {
    if (!["people", "totalIn"].some(readings.isNew)) return {};
    const entered = readings.of("totalIn");
    return {
      occupancy: { occupancy: readings.of("people"), entries: counted(entered === "unknown" ? "absent" : entered) },
    };
  }
  const numbers = Array.from({ length: lines }, (_, i) => i + 1);
  if (!numbers.some((i) => readings.isNew(`totalIn${i}`) || readings.isNew(`totalOut${i}`))) return {};
  const sum = (name: string) => numbers.reduce<Quantity>((total, i) => added(total, readings.of(`${name}${i}`)), 0);
  const [entered, left] = [sum("totalIn"), sum("totalOut")];
  return { occupancy: { occupancy: inside(entered, left), entries: counted(entered) } };
}

function added(a: Quantity, b: Quantity): Quantity {
  if (typeof a !== "number") return a;
  return typeof b === "number" ? a + b : b;
}

function inside(entered: Quantity, left: Quantity): Quantity {
  if (typeof entered !== "number") return entered;
  if (typeof left !== "number") return left;
  if (left - entered > MISSED_MAX) return "untrusted";
  return Math.max(0, entered - left);
}

function counted(entered: Quantity): Quantity {
  return typeof entered === "number" ? entered % ENTRIES_MODULO : entered;
}

/** A current is that of a loop (4 to 20 mA), which says itself when it is broken. */
function channelOf(channel: string, readings: Readings): Quantity {
  const value = readings.of(channel);
  return typeof value === "number" && channel.endsWith("Ma") ? loopMa(value) : value;
}

function levelPct(
  from: string,
  { empty, full }: { readonly empty: number; readonly full: number },
  readings: Readings,
): Quantity {
  const value = channelOf(from, readings);
  if (typeof value !== "number") return value;
  const pct = (100 * (value - empty)) / (full - empty);
  if (!(pct >= -BEYOND_PCT_MAX && pct <= 100 + BEYOND_PCT_MAX)) return "out-of-range";
  return Math.min(100, Math.max(0, pct));
}

type LinearRule = NonNullable<Sensing["loadKw"]>;

function linear(rule: LinearRule | undefined, readings: Readings): Quantity {
  if (rule === undefined) return "absent";
  const value = readings.of(rule.from);
  return typeof value === "number" ? value * (rule.scale ?? 1) + (rule.offset ?? 0) : value;
}

type SwitchRule = NonNullable<Sensing["mains"]>;

/** Undefined where there is no number to go by. */
function isOn({ from, atLeast, below }: SwitchRule, readings: Readings): boolean | undefined {
  const value = readings.of(from);
  if (typeof value !== "number") return undefined;
  return atLeast === undefined ? value < (below ?? 0) : value >= atLeast;
}

function wordOf(
  rule: SwitchRule | undefined,
  readings: Readings,
  words: { readonly yes: string; readonly no: string },
): string {
  if (rule === undefined) return "absent";
  const on = isOn(rule, readings);
  if (on === undefined) return "unknown";
  return on ? words.yes : words.no;
}

function generatorWord({ generator, generatorFailed }: Sensing, readings: Readings): string {
  if (generatorFailed !== undefined && isOn(generatorFailed, readings) === true) return "failed";
  return wordOf(generator, readings, { yes: "running", no: "stopped" });
}
