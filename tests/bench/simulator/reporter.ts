// What a device tells of its point: the sensors' errors, the interval, the silences, and what comes late.

import type { JournalRecord } from "../../../gateway/domain/record.ts";
import { FIRST_CYCLE_BASE } from "../../../gateway/domain/sequence.ts";
import { encodeReport, type Report } from "../../../protocol/index.ts";
import { voltsOf } from "./accumulator.ts";
import { type Course, createCourse, type Moment, STEP_H } from "./course.ts";
import { createRandom } from "./random.ts";
import type { Site, Spell } from "./site.ts";
import { heightShare } from "./tank.ts";

const HOUR_MS = 3_600_000;
/** What was kept over a silence is sent at this pace. */
const LATE_EACH_MS = 4_000;
const FIRST_SEQUENCE = 1_000;
/** At the end of a charge a monitor finds so much of its error, by the voltage. */
const FOUND_SHARE = 0.5;

export type Arrival = Omit<JournalRecord, "id">;

export interface Reporter {
  readonly course: Course;
  /** Goes on to this hour and gives what arrived by then, in the order of arrival. */
  until(hour: number): Arrival[];
}

function isIn(spells: readonly Spell[], hour: number): boolean {
  return spells.some(({ fromH, toH }) => hour >= fromH && hour < toH);
}

/** Readings of the level and of the battery's monitor, whose errors have a memory. */
function createInstruments(site: Site) {
  const random = createRandom(site.seed ^ 0x5eed);
  const { level, monitor, plant } = site;
  let lastPct: number | undefined;
  let shownCharge = plant.battery?.startCharge ?? 0;
  let countedH: number | undefined;
  let wasRunning = false;

  function levelPct(now: Moment): number | "absent" | "open-circuit" {
    const { fuel } = plant;
    if (fuel === undefined || level.kind === "none") return "absent";
    if (level.kind === "broken" || isIn(level.dropouts, now.hour)) return "open-circuit";
    if (lastPct !== undefined && isIn(level.stuck, now.hour)) return lastPct;
    const height = 100 * heightShare(fuel.shape, now.litres / fuel.capacityL);
    const slosh = now.isRunning ? level.sloshPct : 0;
    const noise = random.normal(0, Math.hypot(level.noisePct, slosh));
    const seen = height + level.offsetPct + level.driftPctPerH * now.hour + noise;
    const stepped = Math.round(seen / level.stepPct) * level.stepPct;
    lastPct = Math.min(100, Math.max(0, Math.round(stepped * 10) / 10));
    return lastPct;
  }

  /** The monitor counts for itself, with the capacity that it was told. */
  function count(now: Moment): void {
    const { battery } = plant;
    if (battery === undefined) return;
    const hours = countedH === undefined ? 0 : now.hour - countedH;
    countedH = now.hour;
    const ratedKwh = battery.capacityKwh * monitor.capacityGain;
    const kw = now.batteryKw * monitor.gain;
    const relative = (kw * 20) / ratedKwh;
    const share = kw < 0 ? kw * 0.95 : kw * Math.max(1, relative) ** (monitor.peukert - 1);
    shownCharge -= (share * hours) / ratedKwh;
    if (wasRunning && !now.isRunning) shownCharge += FOUND_SHARE * (now.charge - shownCharge);
    shownCharge = Math.min(1, Math.max(0, shownCharge));
    wasRunning = now.isRunning;
  }

  function batteryGroup(now: Moment): Report["battery"] {
    const { battery } = plant;
    if (battery === undefined) return undefined;
    const volts = voltsOf(battery, now.charge, now.batteryKw);
    const amperes = (-now.batteryKw * 1000) / volts;
    return {
      batteryV: Math.round(volts * 100) / 100,
      batteryA: Math.round((amperes * monitor.gain + monitor.offsetA) * 10) / 10,
      stateOfChargePct: monitor.hasCharge ? Math.round(shownCharge * 200) / 2 : "absent",
    };
  }

  function powerGroup(now: Moment): NonNullable<Report["power"]> {
    const { set } = plant;
    const word =
      set === undefined ? "absent" : now.isRunning ? "running" : now.isDry && !now.mains ? "failed" : "stopped";
    const kw = now.mains ? now.loadKw : now.isRunning ? now.setKw : 0;
    return {
      fuelLevelPct: levelPct(now),
      generator: site.saysRunning || set === undefined ? word : "absent",
      mains: now.mains ? "present" : "lost",
      loadKw: site.measuresLoad && set !== undefined ? Math.max(0, Math.round(kw * site.loadGain * 10) / 10) : "absent",
      starterBatteryV: set === undefined ? "absent" : now.isRunning ? 13.8 : 12.6,
    };
  }

  return { count, powerGroup, batteryGroup };
}

export function createReporter(site: Site, startMs: number): Reporter {
  const course = createCourse(site.plant, -site.leadH);
  const instruments = createInstruments(site);
  const kept: Arrival[] = [];
  let waiting: Arrival[] = [];
  let number = FIRST_SEQUENCE;
  const everyMinutes = Math.max(1, Math.round(site.intervalS / 60));
  let minute = 0;

  function sample(now: Moment): Arrival {
    const timeMs = startMs + Math.round(now.hour * 60) * 60_000;
    const sequence = ++number;
    const battery = instruments.batteryGroup(now);
    const report: Report = {
      sequence: sequence & 0xffff,
      time: timeMs / 1000,
      flags: { clockSynced: true },
      phase: now.mains ? "standby" : "open",
      power: instruments.powerGroup(now),
      ...(battery === undefined ? {} : { battery }),
    };
    return {
      deviceId: `${site.view.pointId}-d1`,
      sequence: FIRST_CYCLE_BASE + sequence,
      receivedMs: timeMs + 1_000,
      timeMs,
      timeQuality: "synced",
      link: "mqtt",
      frame: encodeReport(report),
    };
  }

  function take(now: Moment, into: Arrival[]): void {
    instruments.count(now);
    if (minute++ % everyMinutes !== 0) return;
    const arrival = sample(now);
    const silence = site.silences.find(({ fromH, toH }) => now.hour >= fromH && now.hour < toH);
    if (silence !== undefined) {
      if (silence.isKept) kept.push(arrival);
      return;
    }
    into.push(arrival);
    // The newest goes first, and then what lies behind it.
    for (const [i, late] of kept.splice(0).entries()) {
      into.push({ ...late, receivedMs: arrival.receivedMs + (i + 1) * LATE_EACH_MS });
    }
  }

  return {
    course,
    until(hour) {
      const made: Arrival[] = waiting;
      if (minute === 0 && site.hasDevice) take(course.moment(), made);
      while (course.moment().hour + STEP_H / 2 < hour && !course.moment().isEmpty) {
        const now = course.step();
        if (site.hasDevice && !now.isEmpty) take(now, made);
        else minute++;
      }
      const byMs = startMs + hour * HOUR_MS;
      const arrived = made.filter((one) => one.receivedMs <= byMs).sort((a, b) => a.receivedMs - b.receivedMs);
      waiting = made.filter((one) => one.receivedMs > byMs);
      return arrived;
    },
  };
}
