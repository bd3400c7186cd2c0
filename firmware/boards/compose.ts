// What all boards are put together from: flash, configuration, time, pins, and the device on top once its ring is recovered.
import { createBacklogEncoder } from "../../protocol/wire.ts";
import { createDevice, type Device } from "../device/device.ts";
import type { DeviceOptions } from "../device/options.ts";
import { type DeviceConfig, settingsOf } from "../device/settings.ts";
import { isFatal } from "../device/supervisor.ts";
import type { Delay, EdgeWatch, FlashArea } from "../hal.ts";
import { readConfigText } from "../store/config.ts";
import { createRing, type Ring } from "../store/ring.ts";
import { confirmBoot } from "../store/slots.ts";

declare function require<M extends keyof EspruinoModules>(name: M): EspruinoModules[M];
declare const process: {
  memory(): { free: number; total: number };
  on(event: "uncaughtException", listener: () => void): void;
};
/** Number of the slot that runs; the loader says so. */
declare const wkSlot: number;

const DATA_FILE = "wk.data";
const CONFIRMED_AT = 20;
const DEBOUNCE_MS = 10;

/** Numbers of the board's page table, given one by one so that a bundle gets no others. */
export interface BoardNumbers {
  readonly code: number;
  readonly dataAddress: number;
  readonly pageBytes: number;
  readonly slotBytes: number;
  readonly configOffset: number;
  readonly ringOffset: number;
  readonly ringPages: number;
  readonly ringSlotBytes: number;
  /** Usual interval of samples. */
  readonly intervalS: number;
  readonly flightsMax: number;
  /** Largest backlog frame. */
  readonly frameBytesMax: number;
}

export const uptime = (): number => getTime() - startedS;
const startedS = getTime();

export const delay: Delay = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

/** Both edges of a pin. */
export function watchOf(pin: Pin): EdgeWatch {
  return (listener) => {
    setWatch((event) => listener(event.state, event.time), pin, { repeat: true, edge: "both", debounce: DEBOUNCE_MS });
  };
}

function areaAt(board: BoardNumbers, offset: number, pages: number): FlashArea {
  const start = board.dataAddress + offset;
  const flash = require("Flash");
  return {
    pageBytes: board.pageBytes,
    pages: pages,
    read: (at, length) => flash.read(length, (start + at) | 0),
    write: (at, bytes) => flash.write(bytes, (start + at) | 0),
    erase: (page) => flash.erasePage((start + page * board.pageBytes) | 0),
  };
}

/** The configuration of the bench. When it does not check the program ends here, and the loader's watchdog starts the board anew. */
export function readConfig(board: BoardNumbers): DeviceConfig {
  const text = readConfigText({
    read: areaAt(board, board.configOffset, 1).read,
    textAt: (offset, length) => require("Storage").read(DATA_FILE, board.configOffset + offset, length) as string,
    crc32: (data) => E.CRC32(data),
  });
  return JSON.parse(text as string) as DeviceConfig;
}

/** The board's ring, not yet recovered. */
export function openRing(board: BoardNumbers): Ring {
  return createRing(areaAt(board, board.ringOffset, board.ringPages), board.ringSlotBytes, crc32);
}

/** Recovers the ring a piece a turn, and goes on. */
export function recover(ring: Ring, then: () => void): void {
  if (ring.recover()) then();
  else delay(1, () => recover(ring, then));
}

function crc32(bytes: Uint8Array): number {
  return E.CRC32(bytes);
}

/** What a profile wires. */
export type Wired = Pick<
  DeviceOptions,
  | "groupBits"
  | "row"
  | "probes"
  | "sensors"
  | "alarms"
  | "changes"
  | "link"
  | "recount"
  | "thinning"
  | "open"
  | "ownSupply"
  | "lamp"
  | "buzzer"
  | "seen"
>;

/** Puts the device together; it starts when the ring is recovered. */
export function assembleDevice(board: BoardNumbers, config: DeviceConfig, ring: Ring, wired: Wired): Device {
  const slots = areaAt(board, 0, 0);
  const slotAt = wkSlot * board.slotBytes;
  let isConfirmed = false;
  let faults = 0;
  E.on("errorFlag", (flags) => {
    faults++;
    if (isFatal(flags)) E.reboot();
  });
  return createDevice({
    phase: E.CRC32(config.deviceId) & 65535,
    board: board.code,
    settings: settingsOf(config.settings, board.intervalS),
    ring: ring,
    flightsMax: board.flightsMax,
    encoder: createBacklogEncoder(wired.row, board.frameBytesMax),
    crc32: crc32,
    delay: delay,
    uptime: uptime,
    random: Math.random,
    // The first kick: every task has run, so the boot is complete.
    kick: () => {
      if (!isConfirmed) {
        confirmBoot(slots, slotAt);
        process.on("uncaughtException", () => faults++);
      }
      isConfirmed = true;
      E.kickWatchdog();
    },
    reboot: E.reboot,
    memoryFreePct: () => {
      const memory = process.memory();
      return (memory.free * 100) / memory.total;
    },
    faults: () => faults,
    isUpdated: slots.read(slotAt + CONFIRMED_AT, 4)[0] === 255,
    groupBits: wired.groupBits,
    row: wired.row,
    probes: wired.probes,
    sensors: wired.sensors,
    alarms: wired.alarms,
    changes: wired.changes,
    link: wired.link,
    recount: wired.recount,
    thinning: wired.thinning,
    open: wired.open,
    ownSupply: wired.ownSupply,
    lamp: wired.lamp,
    buzzer: wired.buzzer,
    seen: wired.seen,
  });
}
