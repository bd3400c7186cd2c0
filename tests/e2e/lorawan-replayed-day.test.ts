// A day of datagrams that is sent again after a restart, in its order and in disorder: nothing is stored twice, no session is broken, and nobody is
// told of anything. Boards with the firmware's bundle and two devices of others are heard by two base stations; base-station protocol, network
// server, application, journal, engine and outbox are the gateway's own, in virtual time. Two gateways that are broken on purpose are
// caught.
import { cpSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findProfile } from "../../firmware/build/profiles.ts";
import type { ModemMemory } from "../../firmware/simulator/modem-radio.ts";
import { type Air, createAir } from "../../firmware/simulator/radio/air.ts";
import { type BaseStation, createBaseStation } from "../../firmware/simulator/radio/base-station.ts";
import { createClassA } from "../../firmware/simulator/radio/class-a.ts";
import { createRandom, type Random, seedOf } from "../../firmware/simulator/random.ts";
import { createSchedule, type Schedule } from "../../firmware/simulator/schedule.ts";
import type { RegistryView } from "../../gateway/domain/point.ts";
import { CONCEPT_2026 } from "../../gateway/domain/profile.ts";
import { createEngine, type Engine } from "../../gateway/engine/engine.ts";
import type { Journal } from "../../gateway/journal/journal.ts";
import { POINT } from "../engine-fixtures.ts";
import { judge } from "../fault/blackout-judge.ts";
import { buildProgram } from "../fault/devicepowercut-board.ts";
import { startNotices } from "../fault/incident-notices.ts";
import { createFleetDevice, type FleetDevice, identitiesOf, memberOf } from "../fault/lorawan-fleet.ts";
import { type Broken, createProofGateway, type ProofGateway } from "../fault/lorawan-gateway.ts";
import { rowsByDevice } from "../fault/lorawan-measures.ts";
import { temporaryFolder } from "../fixtures.ts";
import { dataUplink } from "../lorawan-air.ts";

const SEED = 20_261_127;
const H = 3_600_000;
const DAY_MS = 24 * H;
const START_UNIX_MS = Date.UTC(2026, 10, 24, 12, 0, 0);
const STATIONS = ["0016c001f153a14c", "0016c001f153a14d"] as const;
const BOARDS = 3;
/** The other devices, one that joins by the rules of LoRaWAN 1.0.4 and one that is personalised. */
const JOINER = { deviceId: "tank-104-d1", devEui: "24e124713d490104", appKey: "8d3e4cc4b7a05a2d1f96e0c7335b9a41" };
const ABP = {
  ...{ deviceId: "tank-abp-d1", devEui: "24e124713d490abb" },
  abp: {
    devAddr: "01ab2c3d",
    nwkSKey: "5f0e8ad91c274b63b8e1d4c0729f3a56",
    appSKey: "c1b2473e9a6f05d8e3741b90df2c8a65",
  },
};
const TANK_EVERY_MS = 1_200_000;
const TANK_PORT = 85;
const SENSING = { fuelLevelPct: { empty: 1_100, full: 100 } } as const;
/** The slower forwarder gathers for so long what it sends at once. */
const GATHER_MS = 700;
const LOSS = 0.05;
/** Between datagrams that are sent again, of both base stations: within what each may send. */
const AGAIN_MS = 13;
const DIES_H = 20;

interface Datagram {
  readonly bytes: Uint8Array;
  readonly source: { readonly address: string; readonly port: number };
}
interface Down {
  readonly devAddr: string;
  readonly counter: number;
}

/** The address and counter of a data frame down; undefined of a join-accept. */
function downOf(phy: Uint8Array): Down | undefined {
  const bytes = Buffer.from(phy);
  if (bytes.readUInt8(0) >> 5 === 1) return undefined;
  return { devAddr: bytes.readUInt32LE(1).toString(16).padStart(8, "0"), counter: bytes.readUInt16LE(6) };
}

/** Frames and status of several datagrams in one, as a forwarder that looks less often sends them. */
function gathered(datagrams: readonly Uint8Array[]): Uint8Array {
  const parts = datagrams.map((one) => JSON.parse(Buffer.from(one.subarray(12)).toString()) as { rxpk?: object[] });
  const rxpk = parts.flatMap((part) => part.rxpk ?? []);
  const body = { ...Object.assign({}, ...parts), ...(rxpk.length === 0 ? {} : { rxpk }) };
  return new Uint8Array(
    Buffer.concat([(datagrams[0] as Uint8Array).subarray(0, 12), Buffer.from(JSON.stringify(body))]),
  );
}

/** A level sensor that tells of it in confirmed frames, and joins twice a day. */
function startJoiner(schedule: Schedule, air: Air, random: Random): void {
  const { devEui, appKey } = JOINER;
  const memory: ModemMemory = {
    ...{ devEui, appEui: "0000000000000000", appKey, mode: "LWOTAA", band: "EU868", channels: 3, isAdr: false },
    ...{ port: TANK_PORT, retry: 3, isDutyCycle: true, isLowPower: false, hasTimeout: false, dataRate: 5, nonce: 40 },
  };
  let isBusy = false;
  const modem = createClassA(air, {
    ...{ schedule, random, memory, say: () => undefined, power: () => 0 },
    later: (ms, work) => void schedule.after(ms, work),
    isBusy: () => isBusy,
    busy: (now) => {
      isBusy = now;
    },
  });
  const turn = (count: number) => {
    if (!modem.isJoined() || count === 36) modem.join(true);
    else modem.send("CMSGHEX", tankPayload(count), true);
    schedule.after(TANK_EVERY_MS, () => turn(count + 1));
  };
  schedule.after(TANK_EVERY_MS, () => turn(0));
}

/** The same, personalised: it hears nothing. */
function startPersonalised(schedule: Schedule, air: Air): void {
  const { devAddr, nwkSKey, appSKey } = ABP.abp;
  const keys = { nwkSKey: Buffer.from(nwkSKey, "hex"), appSKey: Buffer.from(appSKey, "hex") };
  const turn = (counter: number) => {
    const payload = Buffer.from(tankPayload(counter), "hex");
    const phy = dataUplink(devAddr, keys, { counter, port: TANK_PORT, payload, isConfirmed: counter % 2 === 0 });
    air.emit({ sender: ABP.devEui, isDown: false, phy, frequencyHz: 868_500_000, dataRate: 5, powerDbm: 14 });
    schedule.after(TANK_EVERY_MS, () => turn(counter + 1));
  };
  schedule.after(TANK_EVERY_MS, () => turn(900));
}

/** EM500-UDL: battery, and a distance that grows. */
function tankPayload(count: number): string {
  const distance = Buffer.alloc(2);
  distance.writeUInt16LE(300 + 2 * (count % 200));
  return `0175640382${distance.toString("hex")}`.toUpperCase();
}

interface World {
  /** Data of the gateway. */
  readonly dir: string;
  readonly schedule: Schedule;
  readonly air: Air;
  readonly devices: readonly FleetDevice[];
  /** Every datagram that the base stations have sent, in order. */
  readonly sent: Datagram[];
  readonly downs: Down[];
  /** Whom the base stations speak to. */
  gateway: ProofGateway | undefined;
}

async function createWorld(dir: string): Promise<World> {
  const schedule = createSchedule();
  const random = createRandom(seedOf(SEED, "replayed day"));
  const lossDb = (device: string, station: string) => createRandom(seedOf(SEED, device + station)).between(95, 118);
  const air = createAir({ schedule, random: createRandom(SEED), lossDb });
  air.settings.lossUp = air.settings.lossDown = LOSS;
  const world: World = { dir, schedule, air, devices: [], sent: [], downs: [], gateway: undefined };
  const noting: Air = {
    ...air,
    emit: (frame) => {
      const down = downOf(frame.phy);
      if (down !== undefined) world.downs.push(down);
      return air.emit(frame);
    },
  };
  const stations: BaseStation[] = STATIONS.map((eui, i) => {
    const send = (bytes: Uint8Array, socket: "push" | "pull") => {
      const datagram = { bytes, source: { address: `10.0.0.${i + 1}`, port: socket === "push" ? 1_701 : 1_702 } };
      world.sent.push(datagram);
      world.gateway?.take(datagram.bytes, datagram.source);
    };
    const slow = slowed(schedule, send);
    return createBaseStation({
      schedule,
      random: createRandom(SEED + i),
      air: noting,
      eui,
      send: i === 0 ? send : slow,
    });
  });
  answerTo = (bytes, { address }) => {
    schedule.after(random.between(5, 40), () => stations[Number(address.at(-1)) - 1]?.take(bytes));
  };
  for (const station of stations) station.setPower(true);
  const program = await buildProgram(findProfile("xiaoble", "point")?.entry as string, false);
  const devices = Array.from({ length: BOARDS }, (_, i) =>
    createFleetDevice({
      ...{ member: memberOf(i), schedule, air, seed: seedOf(SEED, `board ${i}`), boardName: "xiaoble", program },
      ...{ intervalS: 900, rate: 5, outageMs: () => schedule.nowMs() - 6 * H },
    }),
  );
  for (const [i, device] of devices.entries()) {
    schedule.after(i * 90_000, device.boot);
    // A power cut: it joins again.
    schedule.after((8 + 3 * i) * H, () => device.cut(120_000, i % 2 === 0));
  }
  schedule.after(DIES_H * H, () => devices[BOARDS - 1]?.cut(10 * DAY_MS, false));
  startJoiner(schedule, air, random);
  startPersonalised(schedule, air);
  return Object.assign(world, { devices });
}
/** Of the world: the base stations are there before the gateway and after it. */
let answerTo: (bytes: Uint8Array, to: { readonly address: string }) => void = () => undefined;

function slowed(schedule: Schedule, send: (bytes: Uint8Array, socket: "push" | "pull") => void): typeof send {
  let waiting: Uint8Array[] = [];
  return (bytes, socket) => {
    if (socket === "pull") return send(bytes, socket);
    waiting.push(bytes);
    if (waiting.length > 1) return;
    schedule.after(GATHER_MS, () => {
      send(gathered(waiting), "push");
      waiting = [];
    });
  };
}

const MEMBERS = Array.from({ length: BOARDS }, (_, i) => memberOf(i));
const OURS = identitiesOf(MEMBERS).all();
const ALL = [
  ...OURS,
  { ...JOINER, version: "1.0.4", isEnabled: true } as const,
  { ...ABP, version: "1.0.3", isEnabled: true } as const,
];
const BY_EUI = new Map(ALL.map((one) => [one.devEui, one]));
const VIEWS = ALL.map(({ deviceId }) => ({ ...POINT, pointId: deviceId.slice(0, -3) }));
const REGISTRY: RegistryView = {
  points: () => VIEWS,
  devices: () =>
    ALL.map(({ deviceId, devEui }) => {
      const reportIntervalS = OURS.some((one) => one.devEui === devEui) ? 900 : TANK_EVERY_MS / 1000;
      return { deviceId, pointId: deviceId.slice(0, -3), link: "lorawan", reportIntervalS, path: "roof" } as const;
    }),
  nextChangeMs: () => Number.POSITIVE_INFINITY,
};

/** A gateway over this folder, and what can be seen of it. */
interface Watched {
  readonly gateway: ProofGateway;
  seen(): Promise<Seen>;
}

interface Seen {
  readonly rows: readonly string[];
  readonly alerts: readonly string[];
  readonly acts: readonly string[];
  readonly notices: number;
  /** Of each device: the session that it speaks in and how far up it is, and its used nonces. */
  readonly sessions: readonly string[];
  readonly countersDown: ReadonlyMap<string, number>;
  readonly counts: Readonly<Record<string, number>>;
}

interface KeptSession {
  readonly current?: {
    readonly id: string;
    readonly devAddr: string;
    readonly nextUp: number;
    readonly nextDown: number;
  };
}

function watchedGateway(world: World, dir: string, broken: Broken = {}): Watched {
  let parts: { readonly journal: Journal; readonly engine: Engine; notices(): number } | undefined;
  const gateway = createProofGateway({
    ...{ schedule: world.schedule, seed: SEED, startUnixMs: START_UNIX_MS, dir, broken },
    identities: { byDevEui: (eui) => BY_EUI.get(eui), all: () => ALL },
    stations: STATIONS.map((eui, i) => ({ eui, name: `Base station ${i + 1}`, path: "roof" })),
    deviceOf: (devEui) => {
      const found = BY_EUI.get(devEui);
      if (found === undefined) return undefined;
      const { deviceId } = found;
      if (OURS.includes(found as (typeof OURS)[number])) return { deviceId, reportIntervalS: 900 };
      return { deviceId, reportIntervalS: TANK_EVERY_MS / 1000, model: "EM500-UDL", sensing: SENSING };
    },
    beside: async (journal, clock) => {
      const surroundings = { refusals: () => ({}), sinks: () => [], isClockTrusted: () => true };
      const engineOptions = { journal, registry: REGISTRY, profile: CONCEPT_2026, clock, surroundings };
      const engine = createEngine({ ...engineOptions, gatewayId: "test", version: "0" });
      await engine.start();
      const outbox = await startNotices(
        { journal, engine, clock },
        { at: () => undefined, sent: () => undefined },
        false,
      );
      parts = { journal, engine, notices: () => outbox.list().length };
      return {
        concern: (sender, reason) => engine.note({ kind: "refusal", reason, sender }),
        stop: async () => {
          await outbox.stop();
          await engine.stop();
        },
      };
    },
    send: (bytes, to) => {
      if (world.gateway === gateway) answerTo(bytes, to);
    },
  });
  return {
    gateway,
    seen: async () => {
      if (parts === undefined) throw new Error("it was not started");
      const { journal, engine } = parts;
      const read = await Promise.all([journal.documents("lorawan-session"), journal.documents("lorawan-nonces")]);
      const [sessions, nonces] = read.map((rows) => rows.map(({ key, json }) => [key, json] as const));
      const kept = (sessions ?? []).map(([key, json]) => [key, (JSON.parse(json) as KeptSession).current] as const);
      return {
        rows: (await allRows(journal)).sort(),
        alerts: engine
          .alerts()
          .map(({ alertId, state, priority }) => `${alertId} ${state} ${priority}`)
          .sort(),
        acts: (await journal.acts(10_000)).map((act) => JSON.stringify(act)),
        notices: parts.notices(),
        sessions: [
          ...kept.map(([key, one]) => `${key} ${one?.id} ${one?.devAddr} ${one?.nextUp}`),
          ...(nonces ?? []).map(([key, json]) => `${key} ${json}`),
        ].sort(),
        countersDown: new Map(kept.map(([key, one]) => [key, one?.nextDown ?? 0])),
        counts: gateway.counts(),
      };
    },
  };
}

async function allRows(journal: Journal): Promise<string[]> {
  const rows: string[] = [];
  for (let afterId = 0; ; ) {
    const some = await journal.read(afterId, 5_000);
    rows.push(
      ...some.map((row) => `${row.id} ${row.deviceId} ${row.sequence} ${Buffer.from(row.frame).toString("hex")}`),
    );
    const last = some.at(-1);
    if (last === undefined) return rows;
    afterId = last.id;
  }
}

/** Steps to this moment; time stands still while the gateway works. */
async function runUntil(world: World, untilMs: number, gateway = world.gateway): Promise<void> {
  while (world.schedule.step(untilMs)) if (gateway?.isBusy() === true) await gateway.settle();
  world.schedule.moveTo(untilMs);
}

/** Sends it all again, at its pace, and waits until what that raises would be there. */
async function sendAgain(world: World, { gateway }: Watched, datagrams: readonly Datagram[]): Promise<void> {
  const { schedule } = world;
  const fromMs = schedule.nowMs();
  datagrams.forEach(({ bytes, source }, i) => {
    schedule.after(i * AGAIN_MS, () => gateway.takeAgain(bytes, source));
  });
  await runUntil(world, fromMs + datagrams.length * AGAIN_MS + 15_000, gateway);
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  const all = [...list];
  for (let i = all.length - 1; i > 0; i--) {
    const other = Math.floor(random.between(0, i + 1));
    [all[i], all[other]] = [all[other] as T, all[i] as T];
  }
  return all;
}

/** What is wrong after a replay, of each kind. */
function faults(before: Seen, after: Seen) {
  const fresh = <T>(from: readonly T[], to: readonly T[]) => to.filter((one) => !from.includes(one));
  return {
    handedOn: (after.counts["uplink-taken"] ?? 0) - (before.counts["uplink-taken"] ?? 0),
    stored: fresh(before.rows, after.rows),
    gone: fresh(after.rows, before.rows),
    sessions: fresh(before.sessions, after.sessions),
    countersBack: [...before.countersDown].filter(([eui, down]) => (after.countersDown.get(eui) ?? 0) < down),
    alerts: [...fresh(before.alerts, after.alerts), ...fresh(after.alerts, before.alerts)],
    acts: fresh(before.acts, after.acts),
    notices: after.notices - before.notices,
  };
}
const NO_FAULTS = {
  ...{ handedOn: 0, stored: [], gone: [], sessions: [], countersBack: [], alerts: [], acts: [], notices: 0 },
};

/** Why a frame that came again was not taken. */
const FRAME_REFUSALS = [
  ...["unknown-address", "nonce-used", "nonce-too-small", "counter-replayed", "counter-reset", "repeated", "late-copy"],
] as const;

function refusedBetween(before: Seen, after: Seen): number {
  return FRAME_REFUSALS.reduce((sum, name) => sum + (after.counts[name] ?? 0) - (before.counts[name] ?? 0), 0);
}

/** What was on the air, each frame once. */
function framesIn(datagrams: readonly Datagram[]): { readonly distinct: number; readonly together: number } {
  const frames = new Set<string>();
  let together = 0;
  for (const { bytes } of datagrams) {
    if (bytes[3] !== 0) continue;
    const { rxpk = [], stat } = JSON.parse(Buffer.from(bytes.subarray(12)).toString()) as {
      rxpk?: { readonly data: string }[];
      stat?: object;
    };
    for (const { data } of rxpk) frames.add(data);
    if (rxpk.length > 1 || (rxpk.length > 0 && stat !== undefined)) together++;
  }
  return { distinct: frames.size, together };
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
/** Of 24,000 datagrams in 2 MB nothing is kept; the rest is what boards and test write meanwhile. */
const HEAP_MORE_MAX = 4e6;

describe(`a day of datagrams sent again after a restart, seed ${SEED}`, () => {
  const folder = temporaryFolder();
  const dir = join(folder.path, "gateway");
  let world: World;
  let day: readonly Datagram[];
  let watched: Watched;
  let before: Seen;

  async function open(name: string, broken: Broken = {}): Promise<Watched> {
    const one = watchedGateway(world, join(folder.path, name), broken);
    await one.gateway.start();
    await runUntil(world, world.schedule.nowMs() + 30_000, one.gateway);
    return one;
  }

  beforeAll(async () => {
    world = await createWorld(dir);
    const { gateway } = watchedGateway(world, dir);
    world.gateway = gateway;
    await gateway.start();
    await runUntil(world, DAY_MS);
    await gateway.settle();
    await gateway.stop();
    world.gateway = undefined;
    day = [...world.sent];
    for (const name of ["forgets", "tells"]) cpSync(dir, join(folder.path, name), { recursive: true });
    // Nothing new of the devices arrives until they go on: what changes is the replay's doing.
    world.air.settings.lossUp = 1;
    watched = await open("gateway");
    world.gateway = watched.gateway;
    before = await watched.seen();
  }, 240_000);
  afterAll(async () => {
    await watched?.gateway.stop();
    folder.remove();
  });

  test("it was a day with joins, confirmed frames, packets that came together, and alerts that still stand", () => {
    const { distinct, together } = framesIn(day);
    expect(distinct).toBeGreaterThan(400);
    expect(together).toBeGreaterThan(5);
    expect(new Set(day.map(({ bytes }) => bytes[3]))).toEqual(new Set([0, 2, 5]));
    expect(before.rows.length).toBeGreaterThan(400);
    expect(before.alerts.some((one) => one.startsWith("silence-"))).toBe(true);
    expect(before.notices).toBeGreaterThan(0);
    // Those that were cut, and the one that joins twice, are in a later session than their first.
    const later = before.sessions.filter((one) => / [2-9] [0-9a-f]{8} /.test(one));
    expect(later.length).toBeGreaterThanOrEqual(BOARDS);
  });

  test("in its order: nothing is taken, kept, told or taken back", async () => {
    await sendAgain(world, watched, day);
    const after = await watched.seen();
    expect(faults(before, after)).toEqual(NO_FAULTS);
    expect(refusedBetween(before, after)).toBeGreaterThanOrEqual(framesIn(day).distinct);
    for (const { refused } of watched.gateway.stations()) expect(refused["rate-station"]).toBeUndefined();
  }, 120_000);

  test("in disorder, twice: the same, and no memory is used up", async () => {
    const random = createRandom(seedOf(SEED, "disorder"));
    await sendAgain(world, watched, shuffled(day, random));
    const heap = heapBytes();
    await sendAgain(world, watched, shuffled(day, random));
    expect(heapBytes() - heap).toBeLessThan(HEAP_MORE_MAX);
    expect(faults(before, await watched.seen())).toEqual(NO_FAULTS);
  }, 120_000);

  test("the devices go on in their sessions and are answered, while the day is sent once more", async () => {
    const atFirst = await watched.seen();
    const downsBefore = world.downs.length;
    world.air.settings.lossUp = LOSS;
    await sendAgain(world, watched, day);
    await runUntil(world, world.schedule.nowMs() + 3 * H);
    await watched.gateway.settle();
    const after = await watched.seen();
    const dead = MEMBERS[BOARDS - 1]?.devEui as string;
    for (const { devEui } of ALL) {
      if (devEui === dead) continue;
      const [was, is] = [atFirst, after].map((seen) => seen.sessions.find((one) => one.startsWith(`${devEui} `)));
      const [, id, devAddr, nextUp] = (was ?? "").split(" ");
      expect(is?.split(" ").slice(0, 3)).toEqual([devEui, id, devAddr]);
      expect(Number(is?.split(" ")[3])).toBeGreaterThan(Number(nextUp));
      expect(world.downs.slice(downsBefore).some((one) => one.devAddr === devAddr)).toBe(true);
    }
    expect(faults(before, after)).toMatchObject({ gone: [], countersBack: [], alerts: [], acts: [], notices: 0 });
    judgeAll(world, after);
  }, 240_000);

  test("a gateway that keeps no counters, and one that tells of every refusal, are caught", async () => {
    const forgets = await open("forgets", { forgets: true });
    const atFirst = await forgets.seen();
    await sendAgain(world, forgets, day);
    const found = faults(atFirst, await forgets.seen());
    await forgets.gateway.stop();
    expect(found.handedOn).toBeGreaterThan(0);
    expect(found.sessions.length).toBeGreaterThan(0);
    const tells = await open("tells", { tellsAll: true });
    const calm = await tells.seen();
    await sendAgain(world, tells, day);
    const told = faults(calm, await tells.seen());
    await tells.gateway.stop();
    expect(told.alerts.filter((one) => one.startsWith("refused-")).length).toBeGreaterThan(2);
    expect(told.acts.length).toBeGreaterThan(2);
  }, 120_000);
});

/** Each record of the boards once, and no counter down of a session on the air a second time. */
function judgeAll(world: World, { rows }: Seen): void {
  const stored = rowsByDevice(world.dir);
  const untilMs = DAY_MS;
  for (const { member, board } of world.devices) {
    const { written, boots } = board;
    const mine = stored.get(member.deviceId) ?? [];
    const verdict = judge({ written, boots, rows: mine, startUnixMs: START_UNIX_MS, untilMs, isTimeSure: true });
    expect(verdict).toMatchObject({ lost: 0, twice: 0, changed: 0, misplaced: 0 });
    expect(verdict.samples).toBeGreaterThan(50);
  }
  const last = new Map<string, number>();
  for (const { devAddr, counter } of world.downs) {
    expect(counter, devAddr).toBeGreaterThan(last.get(devAddr) ?? -1);
    last.set(devAddr, counter);
  }
  const names = rows.map((row) => row.split(" ").slice(1, 3).join(" "));
  expect(new Set(names).size).toBe(names.length);
}
