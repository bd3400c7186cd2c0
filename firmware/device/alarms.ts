// Alarms of the device itself, with no link needed: a lamp, a buzzer, and the bit that says so in every frame. Each goes on at
// its threshold and off only a good way behind it. Pure; a profile takes the rules of the groups that it has.
import { BATTERY_LOW, OVER_CAPACITY } from "./frames.ts";
import { CAPACITY, FUEL_CRITICAL, FUEL_LOW, SOC_CRITICAL, SOC_LOW } from "./settings.ts";

// Bits of the alarms that stand.
export const ALARM_FUEL_LOW = 1;
export const ALARM_FUEL_CRITICAL = 2;
export const ALARM_SOC_LOW = 4;
export const ALARM_SOC_CRITICAL = 8;
export const ALARM_OVER_CAPACITY = 16;
export const ALARM_GENERATOR_FAILED = 32;
/** Stay until somebody has cleared them, also when their cause is gone. */
export const LATCHED = ALARM_GENERATOR_FAILED;
/** These sound the buzzer. */
export const SOUNDING = ALARM_FUEL_CRITICAL | ALARM_SOC_CRITICAL | ALARM_GENERATOR_FAILED;

/** Percent of the span, and of the capacity, by which a value has to come back. */
const BACK_PCT = 5;
const GENERATOR_FAILED = 5;
// Codes from here on are reasons.
const LEVEL_REASONS = 1016;
const CHARGE_REASONS = 248;
const PEOPLE_REASONS = 2040;

export type Tell = (event: number, argument: number) => void;

/**
 * The alarms that stand after a sample, of one group whose codes begin at `from`. `settings` by their number; a threshold of 0
 * is none. A value that is no value changes nothing.
 */
export type AlarmRule = (
  standing: number,
  codes: Uint16Array,
  from: number,
  settings: readonly number[],
  tell: Tell,
) => number;

/** One bit by a share in percent, `perUnit` codes to one: on at the threshold or below, off a good way above it. */
function below(standing: number, bit: number, code: number, perUnit: number, thresholdPct: number): number {
  const on = thresholdPct * perUnit;
  if (on && code <= on) return standing | bit;
  return on && code < Math.min(thresholdPct + BACK_PCT, 100) * perUnit ? standing : standing & ~bit;
}

export const powerAlarms: AlarmRule = (standing, codes, from, settings) => {
  const level = codes[from] as number;
  let next = codes[from + 1] === GENERATOR_FAILED ? standing | ALARM_GENERATOR_FAILED : standing;
  if (level >= LEVEL_REASONS) return next;
  next = below(next, ALARM_FUEL_LOW, level, 10, settings[FUEL_LOW] as number);
  return below(next, ALARM_FUEL_CRITICAL, level, 10, settings[FUEL_CRITICAL] as number);
};

export const batteryAlarms: AlarmRule = (standing, codes, from, settings, tell) => {
  const charge = codes[from + 2] as number;
  if (charge >= CHARGE_REASONS) return standing;
  let next = below(standing, ALARM_SOC_LOW, charge, 2, settings[SOC_LOW] as number);
  next = below(next, ALARM_SOC_CRITICAL, charge, 2, settings[SOC_CRITICAL] as number);
  if (next & ~standing & ALARM_SOC_LOW) tell(BATTERY_LOW, 1);
  return next;
};

export const peopleAlarms: AlarmRule = (standing, codes, from, settings, tell) => {
  const people = codes[from] as number;
  const capacity = settings[CAPACITY] as number;
  if (capacity && people > capacity && people < PEOPLE_REASONS) {
    if (!(standing & ALARM_OVER_CAPACITY)) tell(OVER_CAPACITY, people);
    return standing | ALARM_OVER_CAPACITY;
  }
  const isBack = !capacity || people * 100 <= capacity * (100 - BACK_PCT);
  return isBack ? standing & ~ALARM_OVER_CAPACITY : standing;
};
