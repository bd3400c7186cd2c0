// A device on a bench of its own: the real ring on a virtual flash, a link that is told how it goes, and a gateway that keeps what
// reaches it and answers. Time is virtual; nothing here decides anything for the device.
import type { BoardTable } from "../firmware/boards/table.ts";
import { batteryAlarms, peopleAlarms, powerAlarms } from "../firmware/device/alarms.ts";
import { changesIn } from "../firmware/device/changes.ts";
import { createDevice, type Device } from "../firmware/device/device.ts";
import type { DeviceOptions, Probe } from "../firmware/device/options.ts";
import { settingsOf, takeSettings } from "../firmware/device/settings.ts";
import type { FlashArea, Link } from "../firmware/hal.ts";
import { createFlash, type VirtualFlash } from "../firmware/simulator/flash.ts";
import { createRandom } from "../firmware/simulator/random.ts";
import { createSchedule, type Schedule } from "../firmware/simulator/schedule.ts";
import { createRing, type Ring } from "../firmware/store/ring.ts";
import {
  type Backlog,
  type BacklogEncoder,
  type BacklogRow,
  backlogRowOf,
  crc32,
  createBacklogEncoder,
  createTagger,
  decodeUplink,
  type EventFrame,
  encodeAck,
  encodeCommand,
  encodeConfig,
  type Info,
  openWith,
  type Report,
  sealWith,
  type Uplink,
} from "../protocol/wire.ts";
import { sha256 } from "./fixtures.ts";

export const KEY = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
export const TAGGER = createTagger(sha256, KEY);
/** Unix time when the bench is switched on. */
export const UNIX_S = 1_795_608_000;
export const POWER = 1;
export const BATTERY = 2;
export const PEOPLE = 4;

const SLOT_BYTES = 32;
const PAGE_BYTES = 1024;
export const SLOTS = Math.floor((PAGE_BYTES - 8) / SLOT_BYTES);

export function sequenceOf(frame: Uint8Array): number {
  return ((frame[1] as number) << 8) | (frame[2] as number);
}

/** A frame as it lies in the ring: without the two flags that belong to one sending of it. */
export function asStored(frame: Uint8Array): string {
  const out = Uint8Array.from(frame);
  out[7] = (out[7] as number) & ~0x60;
  return Buffer.from(out).toString("hex");
}

export function decoded(frame: Uint8Array): Uplink {
  const uplink = decodeUplink(frame);
  if (uplink.kind === "fault") throw new Error(`${uplink.fault}: ${Buffer.from(frame).toString("hex")}`);
  return uplink;
}

export function flashOf(pages: number): VirtualFlash {
  const table = { name: "bench", storageAddress: 0, storagePages: pages, pageBytes: PAGE_BYTES } as BoardTable;
  return createFlash(table);
}

export function areaOf(flash: VirtualFlash, pages: number): FlashArea {
  return {
    pageBytes: PAGE_BYTES,
    pages: pages,
    read: (offset, length) => flash.read(length, offset),
    write: (offset, bytes) => flash.write(bytes, offset),
    erase: (page) => flash.erasePage(page * PAGE_BYTES),
  };
}

export function ringOf(flash: VirtualFlash, pages: number): Ring {
  const ring = createRing(areaOf(flash, pages), SLOT_BYTES, crc32);
  while (!ring.recover());
  return ring;
}

export interface Sent {
  readonly atS: number;
  readonly frame: Uint8Array;
  readonly uplink: Uplink;
  readonly isConfirmed: boolean;
  readonly asks: boolean;
}

/** How the link is, to be changed at any time. */
export interface LinkScript {
  isUp: boolean;
  isSlow: boolean;
  roomBytes: number;
  /** Until a frame has left. */
  leaveMs: number;
  /** Frames under way at once. */
  most: number;
  /** Seconds of waiting that a byte costs history; 0 for none. */
  costS: number;
  takes: boolean;
  /** The next frame fails with an exception, as a line or a hash can. */
  fails?: boolean;
}

export const FAST: LinkScript = {
  isUp: true,
  isSlow: false,
  roomBytes: 242,
  leaveMs: 100,
  most: 8,
  costS: 0,
  takes: true,
};
export const SLOW: LinkScript = { ...FAST, isSlow: true, roomBytes: 115, leaveMs: 3000, most: 1, costS: 0.5 };

export interface BenchOptions {
  /** One that another bench has left. */
  readonly flash?: VirtualFlash;
  readonly link?: Partial<LinkScript>;
  readonly pages?: number;
  readonly groups?: number;
  /** Codes of the sample's row behind the phase, by time. */
  readonly codes?: (nowS: number) => readonly number[];
  readonly settings?: readonly number[];
  readonly flightsMax?: number;
  readonly seed?: number;
  readonly options?: Partial<DeviceOptions>;
  /** What a profile makes of the ring. */
  readonly wire?: (ring: Ring, row: BacklogRow) => Partial<DeviceOptions>;
}

export interface Gateway {
  /** Nobody answers while false. */
  answers: boolean;
  answerMs: number;
  /** 0 for a clock that it does not trust. */
  unixS: () => number;
  /** Frames that do not arrive. */
  loses: (sent: Sent) => boolean;
  /** Records by sequence, as they lie in the ring. */
  readonly records: Map<number, string>;
  /** All frames that have arrived, info and backlog included. */
  readonly arrived: Sent[];
}

export interface Bench {
  readonly schedule: Schedule;
  readonly flash: VirtualFlash;
  readonly script: LinkScript;
  readonly gateway: Gateway;
  readonly sent: Sent[];
  readonly outputs: { lamp: boolean; buzzer: boolean; seen: boolean; lampChanges: number };
  readonly reboots: () => number;
  readonly kept: () => readonly number[] | undefined;
  /** Most samples given to the encoder, and most flash operations and reads, in one turn. */
  readonly worst: { samples: number; operations: number; reads: number };
  supply: number;
  codes: (nowS: number) => readonly number[];
  recounted: number;
  ring: () => Ring;
  device: () => Device;
  nowS(): number;
  uptimeS(): number;
  run(seconds: number): void;
  /** Anew on the same flash. */
  boot(): void;
  setLink(script: Partial<LinkScript>): void;
  receive(frame: Uint8Array): Uint8Array;
  receiveSealed(sealed: Uint8Array): void;
  command(counter: number, command: string, argument?: number): Uint8Array;
  config(counter: number, settings: Record<string, number>): Uint8Array;
  ack(base: number, bitmap: number, time?: number): void;
  events(): EventFrame[];
  infos(): Info[];
  reports(): Report[];
  backlogs(): Backlog[];
  /** What lies in the ring now, oldest first, marked or not. */
  stored(): { place: number; frame: Uint8Array; isMarked: boolean }[];
}

function createGateway(unixS: () => number): Gateway {
  return { answers: true, answerMs: 300, unixS, loses: () => false, records: new Map(), arrived: [] };
}

/** What a gateway answers to a frame: the 32 sequences up to it that have arrived. */
function answerTo(gateway: Gateway, sequence: number): Uint8Array {
  const base = (sequence - 31) & 0xffff;
  let bitmap = 0;
  const there = new Set(gateway.arrived.map((one) => sequenceOf(one.frame)));
  for (let i = 0; i < 32; i++) if (there.has((base + i) & 0xffff)) bitmap |= 1 << (31 - i);
  return encodeAck({ time: gateway.unixS(), baseSequence: base, bitmap: bitmap >>> 0 });
}

function take(gateway: Gateway, sent: Sent): void {
  gateway.arrived.push(sent);
  const { uplink, frame } = sent;
  if (uplink.kind === "report" || uplink.kind === "event") gateway.records.set(sequenceOf(frame), asStored(frame));
  if (uplink.kind === "backlog") {
    for (const report of uplink.value.reports) gateway.records.set(sequenceOf(report), asStored(report));
  }
}

function createScriptedLink(
  schedule: Schedule,
  script: LinkScript,
  changed: () => void,
  leaves: (frame: Uint8Array, isConfirmed: boolean) => void,
): Link {
  let underWay = 0;
  let paidMs = 0;
  const room = () => (script.isUp && underWay < script.most ? script.roomBytes : 0);
  return {
    isUp: () => script.isUp,
    room,
    spare: () => (schedule.nowMs() >= paidMs ? room() : 0),
    costS: (bytes) => bytes * script.costS,
    isSlow: () => script.isSlow,
    send: (frame, isConfirmed, done) => {
      if (script.fails) {
        script.fails = false;
        throw new Error("the serial line failed");
      }
      if (frame.length > room()) throw new Error(`a frame of ${frame.length} bytes where ${room()} are`);
      underWay++;
      leaves(frame, isConfirmed);
      paidMs = Math.max(paidMs, schedule.nowMs()) + frame.length * script.costS * 1000;
      const takes = script.takes;
      if (script.costS > 0) schedule.after(paidMs - schedule.nowMs(), changed);
      schedule.after(script.leaveMs, () => {
        underWay--;
        done(takes && script.isUp);
        changed();
      });
    },
  };
}

function probesOf(groups: number, codes: () => readonly number[]): Probe[] {
  const count = backlogRowOf(groups).length - 1;
  return [{ from: 1, count, start: (done) => done(codes()) }];
}

/** The rules of the groups that a sample has, as a profile wires them. */
function rulesOf(groups: number): Pick<DeviceOptions, "alarms" | "changes"> {
  const at = (bit: number) => (groups & bit ? backlogRowOf(groups & (bit - 1)).length : 0);
  const [power, battery, people] = [at(POWER), at(BATTERY), at(PEOPLE)];
  return {
    alarms: (standing, codes, settings, tell) => {
      let next = standing;
      if (power) next = powerAlarms(next, codes, power, settings, tell);
      if (battery) next = batteryAlarms(next, codes, battery, settings, tell);
      return people ? peopleAlarms(next, codes, people, settings, tell) : next;
    },
    changes: power ? (before, now, tell) => changesIn(before, now, power, tell) : undefined,
  };
}

export function createBench(given: BenchOptions = {}): Bench {
  const schedule = createSchedule();
  const pages = given.pages ?? 16;
  const flash = given.flash ?? flashOf(pages);
  const groups = given.groups ?? PEOPLE;
  const row = backlogRowOf(groups);
  const script: LinkScript = { ...FAST, ...given.link };
  const random = createRandom(given.seed ?? 1);
  const settings = settingsOf(given.settings ?? [], 60);
  let ring = ringOf(flash, pages);
  let device!: Device;
  let bootMs = 0;
  let life = 0;
  let reboots = 0;
  const sent: Sent[] = [];
  const nowS = () => schedule.nowMs() / 1000;
  const gateway = createGateway(() => Math.floor(UNIX_S + nowS()));

  const bench: Bench = {
    schedule,
    flash,
    script,
    gateway,
    sent,
    outputs: { lamp: false, buzzer: false, seen: false, lampChanges: 0 },
    reboots: () => reboots,
    kept: () => (ring.settings[0] ? takeSettings(ring.settings) : undefined),
    worst: { samples: 0, operations: 0, reads: 0 },
    supply: 1,
    codes: given.codes ?? ((now) => row.slice(1).map((_, i) => (i === 0 ? 100 + (Math.floor(now / 60) % 7) : 3))),
    recounted: -1,
    ring: () => ring,
    device: () => device,
    nowS,
    uptimeS: () => (schedule.nowMs() - bootMs) / 1000,
    run: (seconds) => schedule.runUntil(schedule.nowMs() + seconds * 1000),
    boot,
    setLink: (part) => {
      Object.assign(script, part);
      device.linkChanged();
    },
    receive: (frame) => {
      const sealed = sealWith(TAGGER, frame);
      device.received(sealed, false);
      return sealed;
    },
    receiveSealed: (sealed) => device.received(sealed, false),
    command: (counter, command, argument = 0) => bench.receive(encodeCommand({ counter, command, argument })),
    config: (counter, values) => bench.receive(encodeConfig({ counter, settings: values })),
    ack: (baseSequence, bitmap, time = gateway.unixS()) => {
      bench.receive(encodeAck({ time, baseSequence, bitmap }));
    },
    events: () => sent.flatMap((one) => (one.uplink.kind === "event" ? [one.uplink.value] : [])),
    infos: () => sent.flatMap((one) => (one.uplink.kind === "info" ? [one.uplink.value] : [])),
    reports: () => sent.flatMap((one) => (one.uplink.kind === "report" ? [one.uplink.value] : [])),
    backlogs: () => sent.flatMap((one) => (one.uplink.kind === "backlog" ? [one.uplink.value] : [])),
    stored,
  };

  function stored(): { place: number; frame: Uint8Array; isMarked: boolean }[] {
    const found = [];
    for (let place = ring.oldest(); place < ring.head(); place++) {
      const frame = ring.read(place, true);
      // State records are the ring's own.
      if (frame === undefined || ((frame[0] as number) & 15) === 0) continue;
      found.push({ place, frame, isMarked: ring.read(place, false) === undefined });
    }
    return found;
  }

  function leaves(frame: Uint8Array, isConfirmed: boolean): void {
    const copy = Uint8Array.from(frame);
    const asks = ((copy[7] as number) & 0x40) !== 0;
    const one: Sent = { atS: nowS(), frame: copy, uplink: decoded(copy), isConfirmed, asks };
    sent.push(one);
    const mine = life;
    if (!script.isUp || gateway.loses(one)) return;
    schedule.after(gateway.answerMs, () => {
      take(gateway, one);
      if (!gateway.answers || !one.asks || mine !== life) return;
      const ack = answerTo(gateway, sequenceOf(copy));
      if (script.isSlow) device.received(ack, true);
      else bench.receive(ack);
    });
  }

  /** A turn of the device: what it does in it is counted. */
  function turn(run: () => void): void {
    const operations = flash.operations();
    counted = { samples: 0, reads: 0 };
    run();
    bench.worst.samples = Math.max(bench.worst.samples, counted.samples);
    bench.worst.reads = Math.max(bench.worst.reads, counted.reads);
    bench.worst.operations = Math.max(bench.worst.operations, flash.operations() - operations);
  }
  let counted = { samples: 0, reads: 0 };

  function boot(): void {
    life++;
    bootMs = schedule.nowMs();
    const mine = life;
    const boots = ringOf(flash, pages);
    const read: Ring["read"] = (place, isAll) => {
      counted.reads++;
      return boots.read(place, isAll);
    };
    ring = { ...boots, read };
    const encoder = createBacklogEncoder(row, 242);
    const add: BacklogEncoder["add"] = (report) => {
      counted.samples++;
      return encoder.add(report);
    };
    const options: DeviceOptions = {
      phase: 12345,
      board: 255,
      groupBits: groups,
      row,
      sensors: 1 << 4,
      ...rulesOf(groups),
      probes: probesOf(groups, () => bench.codes(nowS())),
      settings,
      ring,
      link: createScriptedLink(schedule, script, () => mine === life && device.linkChanged(), leaves),
      flightsMax: given.flightsMax ?? 24,
      thinning: undefined,
      encoder: { ...encoder, add },
      open: (sealed, done) => done(openWith(TAGGER, sealed)),
      crc32,
      delay: (ms, run) => schedule.after(ms, () => mine === life && turn(run)),
      uptime: bench.uptimeS,
      random: random.next,
      kick: () => undefined,
      reboot: () => reboots++,
      memoryFreePct: () => 40,
      faults: () => 0,
      isUpdated: false,
      ownSupply: () => bench.supply,
      lamp: (isOn) => {
        if (bench.outputs.lamp !== isOn) bench.outputs.lampChanges++;
        bench.outputs.lamp = isOn;
      },
      buzzer: (isOn) => {
        bench.outputs.buzzer = isOn;
      },
      seen: (isOn) => {
        bench.outputs.seen = isOn;
      },
      recount: (people) => {
        bench.recounted = people;
        return true;
      },
      ...given.wire?.(ring, row),
      ...given.options,
    };
    device = createDevice(options);
    device.start();
  }

  boot();
  return bench;
}
