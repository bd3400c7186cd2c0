// The device: takes samples by plan, stores each once, reports it. What it runs on is handed in by the board.
import {
  BOARDS,
  configHash,
  encodeEvent,
  encodeInfo,
  encodeReport,
  type Flags,
  quantizeReport,
  type Report,
  SENSORS,
  type Sha256,
} from "../../protocol/wire.ts";
import type { Delay } from "../hal.ts";
import type { Ring } from "../store/ring.ts";
import { changesBetween } from "./changes.ts";
import { CLOCK_UNSET, stampOf, stepClock } from "./clock.ts";
import { nextSampleInS, phaseOf } from "./plan.ts";
import { createReporter, type Reporter, type ReporterLink } from "./reporter.ts";
import { SETTINGS_DEFAULT } from "./settings.ts";
import { createSupervisor, type Supervisor } from "./supervisor.ts";

export const FIRMWARE_VERSION = "0.1.0";
/** A driver that has not answered by then is unknown in this sample. */
const SAMPLE_MS_MAX = 9000;
const PUMP_MS = 5000;
const CHECK_MS = 10000;
const INFO_S = 86400;
const SUPERVISED_S = 180;
/** How far back the last info frame can lie: a day of records and some. */
const INFO_PAGES = 20;

/** One sensor of the board: fills its part of the report, and calls back exactly once. */
export interface Probe {
  readonly sensor: string;
  readonly group: "power" | "battery" | "occupancy" | "environment";
  /** What it measures: unknown until it has answered. */
  readonly fields: readonly string[];
  readonly start: (done: (part: { [field: string]: number | string }) => void) => void;
}

export interface DeviceOptions {
  readonly deviceId: string;
  readonly key: Uint8Array;
  readonly board: string;
  readonly settings: { readonly [name: string]: number };
  readonly probes: readonly Probe[];
  readonly ring: Ring;
  readonly link: ReporterLink;
  readonly sha256: Sha256;
  readonly delay: Delay;
  readonly uptime: () => number;
  readonly kick: () => void;
  readonly memoryFreePct: () => number;
  readonly faults: () => number;
}

export interface Device {
  start(): void;
  readonly reporter: Reporter;
}

/** Fields of a group whose sensor is not fitted. */
const ABSENT: { readonly [group: string]: readonly string[] } = {
  power: ["fuelLevelPct", "generator", "mains", "loadKw", "starterBatteryV"],
  battery: ["batteryV", "batteryA", "stateOfChargePct"],
  occupancy: ["occupancy", "entries"],
  environment: ["temperatureC"],
};

interface Sampling {
  readonly groups: { [group: string]: { [field: string]: number | string } };
  waiting: number;
  over: boolean;
}

export function createDevice(options: DeviceOptions): Device {
  const intervalS = options.settings["reportIntervalS"] || (SETTINGS_DEFAULT["reportIntervalS"] as number);
  const ackEvery = options.settings["ackEvery"] || (SETTINGS_DEFAULT["ackEvery"] as number);
  const phaseS = phaseOf(options.deviceId, intervalS);
  let clock = CLOCK_UNSET;
  let sequence = options.ring.lastSequence();
  let before: Report | undefined;
  let bootCount = 1;
  let isFirst = true;
  let infoAtS = 0;

  const reporter = createReporter({
    ring: options.ring,
    link: options.link,
    sha256: options.sha256,
    key: options.key,
    ackEvery: ackEvery,
    uptime: options.uptime,
    heard: (ack, answerS) => {
      clock = stepClock(clock, ack.time, options.uptime(), answerS).clock;
    },
  });
  const supervisor: Supervisor = createSupervisor({
    limitsS: { sample: Math.max(SUPERVISED_S, 3 * intervalS), pump: SUPERVISED_S },
    uptime: options.uptime,
    kick: options.kick,
  });

  function header(): { sequence: number; time: number; flags: Flags } {
    sequence = (sequence + 1) & 0xffff;
    const stamp = stampOf(clock, options.uptime());
    return { sequence: sequence, time: stamp.time, flags: { clockSynced: stamp.clockSynced, firstSinceBoot: isFirst } };
  }

  function sensors(): number {
    let bits = 0;
    for (let i = 0; i < options.probes.length; i++) {
      const at = (SENSORS as readonly string[]).indexOf((options.probes[i] as Probe).sensor);
      if (at >= 0) bits |= 1 << at;
    }
    return bits;
  }

  function sendInfo(): void {
    infoAtS = options.uptime();
    const head = header();
    reporter.add(
      encodeInfo({
        sequence: head.sequence,
        time: head.time,
        flags: head.flags,
        firmwareVersion: FIRMWARE_VERSION,
        configHash: configHash(options.settings),
        bootCount: bootCount,
        resetCause: "unknown",
        reportIntervalS: intervalS,
        board: BOARDS[options.board] || 0,
        sensors: sensors(),
        storageUsedPct: options.ring.usedPct(),
        memoryFreePct: options.memoryFreePct(),
        faultCount: options.faults() + reporter.ignored(),
      }),
    );
  }

  function finish(sampling: Sampling): void {
    if (sampling.over) return;
    sampling.over = true;
    const head = header();
    const raw = { sequence: head.sequence, time: head.time, flags: head.flags, phase: "absent" };
    const names = Object.keys(sampling.groups);
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      (raw as unknown as Record<string, unknown>)[name] = sampling.groups[name];
    }
    // Quantised once, here: what is compared, stored and sent is the same.
    const report = quantizeReport(raw);
    isFirst = false;
    reporter.add(encodeReport(report));
    const changes = changesBetween(before, report);
    before = report;
    for (let i = 0; i < changes.length; i++) {
      const change = changes[i] as { event: string; argument: number };
      const mine = header();
      reporter.add(
        encodeEvent({
          sequence: mine.sequence,
          time: mine.time,
          flags: mine.flags,
          event: change.event,
          argument: change.argument,
        }),
      );
    }
    if (options.uptime() - infoAtS > INFO_S) sendInfo();
    supervisor.ran("sample");
  }

  function sample(): void {
    const sampling: Sampling = { groups: {}, waiting: options.probes.length, over: false };
    for (let i = 0; i < options.probes.length; i++) {
      const probe = options.probes[i] as Probe;
      const fields = ABSENT[probe.group] as readonly string[];
      if (sampling.groups[probe.group] === undefined) {
        const group: { [field: string]: number | string } = {};
        for (let j = 0; j < fields.length; j++) group[fields[j] as string] = "absent";
        sampling.groups[probe.group] = group;
      }
      const own = sampling.groups[probe.group] as { [field: string]: number | string };
      for (let j = 0; j < probe.fields.length; j++) own[probe.fields[j] as string] = "unknown";
    }
    options.delay(SAMPLE_MS_MAX, () => {
      finish(sampling);
    });
    for (let i = 0; i < options.probes.length; i++) {
      const probe = options.probes[i] as Probe;
      probe.start((part) => {
        const group = sampling.groups[probe.group] as { [field: string]: number | string };
        const fields = Object.keys(part);
        for (let j = 0; j < fields.length; j++)
          group[fields[j] as string] = part[fields[j] as string] as number | string;
        sampling.waiting--;
        if (sampling.waiting === 0) finish(sampling);
      });
    }
  }

  function planSample(): void {
    const stamp = stampOf(clock, options.uptime());
    const now = stamp.clockSynced ? options.uptime() + (clock.offsetS as number) : options.uptime();
    options.delay(nextSampleInS(now, intervalS, phaseS) * 1000, () => {
      planSample();
      sample();
    });
  }

  function pumpOn(): void {
    options.delay(PUMP_MS, () => {
      pumpOn();
      reporter.pump();
      supervisor.ran("pump");
    });
  }

  function checkOn(): void {
    options.delay(CHECK_MS, () => {
      checkOn();
      supervisor.check();
    });
  }

  return {
    reporter: reporter,
    start: () => {
      const info = options.ring.findNewest(INFO_PAGES, (frame) => frame[0] === 0x12);
      if (info !== undefined) bootCount = ((((info[15] as number) << 8) | (info[16] as number)) + 1) & 0xffff;
      supervisor.ran("sample");
      supervisor.ran("pump");
      checkOn();
      pumpOn();
      sendInfo();
      planSample();
      sample();
    },
  };
}
