// One case of the LoRaWAN proof: devices, base stations and a gateway from their first minute until all is stored, in virtual time.
import { createAir } from "../../firmware/simulator/radio/air.ts";
import type { SubBand } from "../../firmware/simulator/radio/airtime.ts";
import { type BaseStation, createBaseStation } from "../../firmware/simulator/radio/base-station.ts";
import { createRandom, seedOf } from "../../firmware/simulator/random.ts";
import { createSchedule, type Schedule } from "../../firmware/simulator/schedule.ts";
import { temporaryFolder } from "../fixtures.ts";
import { judge, type Row, type Verdict } from "./blackout-judge.ts";
import { createMqttWay, type MqttWay, TROUBLES } from "./blackout-links.ts";
import type { Program } from "./devicepowercut-board.ts";
import { createFleetDevice, type FleetDevice, identitiesOf, memberOf } from "./lorawan-fleet.ts";
import { type Broken, createProofGateway, type ProofGateway } from "./lorawan-gateway.ts";
import { busyMin, drainedMinOf, liveShare, rowsByDevice, START_UNIX_MS } from "./lorawan-measures.ts";

const H = 3_600_000;
const MINUTE = 60_000;
/** The gateway and its base stations are not always on one table. */
const WAY_MS = [5, 40] as const;
const LOOK_MS = 60_000;
const STATIONS = ["0016c001f153a14c", "0016c001f153a14d"] as const;

export interface LorawanCase {
  readonly name: string;
  readonly devices: number;
  readonly board: "xiaoble" | "mdbt42q" | "esp32";
  /** Usual data rate: 5 is SF7, 3 SF9, 2 SF10. */
  readonly rate: number;
  readonly stations: 1 | 2;
  /** Before the base stations lose their power; without an outage, the whole case. */
  readonly hours: number;
  readonly outageH: number;
  /** Share of frames that are lost by chance, both ways. */
  readonly loss: number;
  /** Devices are switched on within so long. */
  readonly spreadMin: number;
  /** Between samples; 900 when left out. */
  readonly intervalS?: number;
  /** Of the gateway, each followed by a replay of what was captured before. */
  readonly kills?: number;
  /** Of each device. */
  readonly cuts?: number;
  /** Modems err and lose bytes as in the field. */
  readonly isTroubled?: boolean;
  /** MQTT is there half of the time. */
  readonly hasMqtt?: boolean;
}

export interface CaseOptions {
  readonly seed: number;
  readonly program: Program;
  readonly broken?: Broken;
}

type Duty = Partial<Record<SubBand, number>>;

export interface CaseResult extends Pick<Verdict, "samples" | "events" | "stored" | "acknowledged" | "lost" | "twice"> {
  readonly name: string;
  readonly seed: number;
  readonly devices: number;
  readonly changed: number;
  readonly misplaced: number;
  /** Payloads that were handed on again although the first was answered. */
  readonly handedOnTwice: number;
  /** From the return of the base station until everything of before is stored and the devices know it; undefined: never. */
  readonly drainedMin: number | undefined;
  /** The same for half of the devices, and for nine in ten. */
  readonly drainedMinHalf: number;
  readonly drainedMinMost: number;
  /** Of that, from a device's first frame of history to its last: the longest of all devices. */
  readonly busyMin: number;
  /** Samples taken while it drained, or in the whole case, that were stored within 15 minutes. */
  readonly liveShare: number;
  /** The same until nine in ten devices have drained: single ones that take longer make the air quiet, and the share better. */
  readonly liveShareMost: number;
  readonly stationDuty: Duty;
  readonly deviceDuty: Duty;
  readonly uplinks: number;
  readonly fates: Readonly<Record<string, number>>;
  readonly downlinks: Readonly<Record<string, number>>;
  readonly network: Readonly<Record<string, number>>;
  /** Downlinks through the base station that heard the uplink best, and through another. */
  readonly through: { readonly best: number; readonly other: number };
  readonly kills: number;
  readonly exceptions: readonly string[];
  readonly examples: readonly string[];
}

interface World {
  readonly one: LorawanCase;
  readonly schedule: Schedule;
  readonly gateway: ProofGateway;
  readonly stations: readonly BaseStation[];
  readonly devices: readonly FleetDevice[];
  readonly ways: readonly MqttWay[];
  readonly air: ReturnType<typeof createAir>;
  readonly jobs: Promise<void>[];
  readonly kills: { count: number };
}

/** Near enough for its usual rate, and not all as near: a base station in the middle, or two at the ends. */
function pathLosses(seed: number, one: LorawanCase): (device: string, station: string) => number {
  // What a rate bears (SX1276), with room for fading.
  const most = 14 + 117 + 5 - 3 * (one.rate - 2.5);
  return (device, station) => createRandom(seedOf(seed, `${device} ${station}`)).between(most - 35, most - 5);
}

function createWorld(one: LorawanCase, options: CaseOptions, dir: string): World {
  const seed = seedOf(options.seed, one.name);
  const schedule = createSchedule();
  const random = createRandom(seed);
  const losses = new Map<string, number>();
  const drawn = pathLosses(seed, one);
  const lossDb = (device: string, station: string) => {
    const key = `${device} ${station}`;
    const known = losses.get(key) ?? drawn(device, station);
    losses.set(key, known);
    return known;
  };
  const air = createAir({ schedule, random: createRandom(seed + 1), lossDb });
  air.settings.lossUp = air.settings.lossDown = one.loss;
  const members = Array.from({ length: one.devices }, (_, i) => memberOf(i));
  const euis = STATIONS.slice(0, one.stations);
  const later = (work: () => void) => void schedule.after(random.between(...WAY_MS), work);
  const gateway = createProofGateway({
    schedule,
    seed: seed + 2,
    startUnixMs: START_UNIX_MS,
    dir,
    identities: identitiesOf(members),
    stations: euis.map((eui, i) => ({ eui, name: `Base station ${i + 1}` })),
    ...(options.broken === undefined ? {} : { broken: options.broken }),
    send: (bytes, { address }) => later(() => stations[Number(address.at(-1)) - 1]?.take(bytes)),
  });
  const stations = euis.map((eui, i) => {
    const source = (socket: string) => ({ address: `10.0.0.${i + 1}`, port: socket === "push" ? 1_701 : 1_702 });
    const send = (bytes: Uint8Array, socket: string) => later(() => gateway.take(bytes, source(socket)));
    return createBaseStation({ schedule, random: createRandom(seed + 3 + i), air, eui, send });
  });
  const ways: MqttWay[] = [];
  const devices = members.map((member, i) => {
    const taker = {
      isUp: gateway.isUp,
      takeMqtt: (payload: Uint8Array, answers: Parameters<ProofGateway["takeMqtt"]>[2]) =>
        gateway.takeMqtt(member.deviceId, payload, answers),
    };
    const quiet = { up: 0.01, down: 0.05, late: 0 };
    const way = one.hasMqtt === true ? createMqttWay(schedule, taker, member.deviceId, quiet, seed + i) : undefined;
    if (way !== undefined) ways.push(way);
    return createFleetDevice({
      member,
      schedule,
      air,
      seed: seedOf(seed, member.deviceId),
      boardName: one.board,
      program: options.program,
      intervalS: one.intervalS ?? 900,
      rate: one.rate,
      outageMs: () => schedule.nowMs() - one.hours * H,
      ...(way === undefined ? {} : { network: way.network }),
      ...(one.isTroubled === true ? { troubles: TROUBLES } : {}),
    });
  });
  return { one, schedule, gateway, stations, devices, ways, air, jobs: [], kills: { count: 0 } };
}

function backMs({ hours, outageH }: LorawanCase): number {
  return (hours + outageH) * H;
}

function plan(world: World, seed: number): void {
  const { one, schedule, stations, devices, ways } = world;
  const random = createRandom(seed + 77);
  const set = (isOn: boolean) => {
    for (const station of stations) station.setPower(isOn);
  };
  set(true);
  if (one.outageH > 0) {
    schedule.after(one.hours * H, () => set(false));
    schedule.after(backMs(one), () => set(true));
  }
  for (const { boot } of devices) schedule.after(random.between(0, one.spreadMin * MINUTE), boot);
  for (const device of devices)
    for (let i = 0; i < (one.cuts ?? 0); i++) {
      const [offMs, isTorn] = [random.between(2_000, 900_000), random.next() < 0.5];
      schedule.after(random.between(one.hours * 0.1, one.hours * 0.9) * H, () => device.cut(offMs, isTorn));
    }
  for (const way of ways)
    for (let atMs = 0; atMs < one.hours * H; atMs += random.between(0.2, 0.8) * H) {
      const isReachable = random.next() < 0.5;
      schedule.after(atMs, () => way.setReachable(isReachable));
    }
  planKills(world, random);
}

/** It dies at a payload, comes up again some time later, and hears once more what it had heard before. */
function planKills(
  { one, schedule, gateway, ways, jobs, kills }: World,
  random: ReturnType<typeof createRandom>,
): void {
  const count = one.kills ?? 0;
  const revive = async () => {
    await gateway.start();
    const again = gateway.captured();
    // Slowly enough for the limit on datagrams of one base station; soon, for the last one was heard and not taken, and LoRaWAN cannot tell
    // how old it is: a sample without a clock is placed by when it comes.
    again.forEach(({ bytes, source }, i) => {
      schedule.after(30_000 + i * 25, () => gateway.takeAgain(bytes, source));
    });
  };
  for (let i = 0; i < count; i++) {
    const atH = one.hours * ((i + random.between(0.2, 0.9)) / count) * 0.95;
    schedule.after(atH * H, () => {
      gateway.die(random.next() < 0.5 ? "before-commit" : "before-answer", () => {
        kills.count++;
        for (const way of ways) way.drop(true);
        schedule.after(random.between(3_000, 60_000), () => void jobs.push(revive()));
      });
    });
  }
}

/** Steps to this moment; time stands still while the gateway works. */
async function runUntil(world: World, untilMs: number): Promise<void> {
  const { schedule, gateway, jobs } = world;
  while (schedule.step(untilMs)) {
    if (gateway.isBusy()) await gateway.settle();
    while (jobs.length > 0) {
      await jobs.shift();
      await gateway.settle();
    }
  }
  schedule.moveTo(untilMs);
}

/** Until all that was written before `beforeMs` is known to be stored; the moment, or undefined when the time is over. */
async function drain(world: World, beforeMs: number, endMs: number): Promise<number | undefined> {
  const { schedule, devices } = world;
  const from = devices.map(() => 0);
  const isDrained = ({ board: { written } }: FleetDevice, at: number) => {
    for (let record = written[from[at] as number]; record !== undefined; record = written[from[at] as number]) {
      if (record.markedMs === undefined && !record.isOverwritten) return record.atMs >= beforeMs;
      from[at] = (from[at] as number) + 1;
    }
    return true;
  };
  for (let lookMs = schedule.nowMs(); lookMs < endMs; lookMs += LOOK_MS) {
    await runUntil(world, lookMs);
    if (lookMs >= beforeMs && devices.every(isDrained)) return lookMs;
  }
  return undefined;
}

function judgeAll({ devices }: World, rows: ReadonlyMap<string, Row[]>, untilMs: number): Verdict[] {
  return devices.map(({ member, board: { written, boots } }) =>
    judge({
      written,
      boots,
      rows: rows.get(member.deviceId) ?? [],
      startUnixMs: START_UNIX_MS,
      untilMs,
      isTimeSure: true,
    }),
  );
}

/** Hours after the last moment that counts in which everything has to be there. */
const AFTER_H = 72;

export async function playCase(one: LorawanCase, options: CaseOptions): Promise<CaseResult> {
  const folder = temporaryFolder();
  try {
    const world = createWorld(one, options, folder.path);
    await world.gateway.start();
    plan(world, seedOf(options.seed, one.name));
    const back = backMs(one);
    const drainedMs = await drain(world, back, back + AFTER_H * H);
    // An hour more at the least: there has to be something live to count.
    const untilMs = Math.max(world.schedule.nowMs(), back + H);
    await runUntil(world, untilMs);
    await world.gateway.settle();
    await world.gateway.stop();
    const rows = rowsByDevice(folder.path);
    const verdicts = judgeAll(world, rows, back);
    return { ...resultOf(world, rows, verdicts, { drainedMs, untilMs }), seed: options.seed };
  } finally {
    folder.remove();
  }
}

function resultOf(
  { one, devices, stations, air, gateway, kills }: World,
  rows: ReadonlyMap<string, Row[]>,
  verdicts: readonly Verdict[],
  { drainedMs, untilMs }: { drainedMs: number | undefined; untilMs: number },
): Omit<CaseResult, "seed"> {
  const sum = (pick: (verdict: Verdict) => number) => verdicts.reduce((total, one) => total + pick(one), 0);
  const back = backMs(one);
  const end = drainedMs ?? untilMs;
  const downlinks: Record<string, number> = {};
  for (const { answers } of stations)
    for (const [name, count] of Object.entries(answers)) downlinks[name] = (downlinks[name] ?? 0) + count;
  const round = (value: number) => Math.round(value * 10) / 10;
  const drainedMinMost = drainedMinOf(devices, back, 0.9);
  const liveFrom = one.outageH > 0 ? back : 0;
  const live = (toMs: number) => round(1000 * liveShare(devices, rows, liveFrom, Math.max(toMs, back + H))) / 1000;
  return {
    name: one.name,
    devices: devices.length,
    samples: sum((verdict) => verdict.samples),
    events: sum((verdict) => verdict.events),
    stored: sum((verdict) => verdict.stored),
    acknowledged: sum((verdict) => verdict.acknowledged),
    lost: sum((verdict) => verdict.lost),
    twice: sum((verdict) => verdict.twice),
    changed: sum((verdict) => verdict.changed),
    misplaced: sum((verdict) => verdict.misplaced),
    handedOnTwice: gateway.twice(),
    drainedMin: drainedMs === undefined ? undefined : round((drainedMs - back) / MINUTE),
    drainedMinHalf: round(drainedMinOf(devices, back, 0.5)),
    drainedMinMost: round(drainedMinMost),
    busyMin: round(Math.max(...[...rows.values()].map((mine) => busyMin(mine, back, end)))),
    liveShare: live(end),
    liveShareMost: live(Math.min(end, back + drainedMinMost * MINUTE)),
    stationDuty: worst(STATIONS.map((eui) => air.airtime.busiest(eui))),
    deviceDuty: air.airtime.busiest("2cf7"),
    uplinks: Object.values(air.fates).reduce((total, count) => total + count, 0) / one.stations,
    fates: { ...air.fates },
    downlinks,
    network: gateway.counts(),
    through: gateway.through(),
    kills: kills.count,
    exceptions: devices.flatMap(({ board }) => board.printed).slice(0, 12),
    examples: verdicts.flatMap(({ examples }) => examples).slice(0, 12),
  };
}

function worst(duties: readonly Duty[]): Duty {
  const found: Duty = {};
  for (const duty of duties)
    for (const [band, share] of Object.entries(duty) as [SubBand, number][])
      found[band] = Math.max(found[band] ?? 0, share);
  return found;
}
