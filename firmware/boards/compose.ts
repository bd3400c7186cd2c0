// What all boards are put together from: flash, configuration, time, pins, and the device on top once its ring is recovered.
import { createBacklogEncoder } from "../../protocol/wire.ts";
import { createDevice, type Device } from "../device/device.ts";
import type { DeviceOptions } from "../device/options.ts";
import { type DeviceConfig, settingsOf } from "../device/settings.ts";
import { isFatal } from "../device/supervisor.ts";
import type { Delay, EdgeWatch } from "../hal.ts";
import { readConfigText } from "../store/config.ts";
import { createRing, type Ring } from "../store/ring.ts";
import { confirmBoot, isUnconfirmed } from "../store/slots.ts";

declare function require<M extends keyof EspruinoModules>(name: M): EspruinoModules[M];
declare const process: {
  memory(collect: boolean): { free: number; total: number };
  on(event: "uncaughtException", listener: () => void): void;
};
/** Number of the slot that runs; the loader says so. */
declare const wkSlot: number;

const DATA_FILE = "wk.data";
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

/** Both edges of a pin: it has no other wish. */
export function watchPin(pin: Pin, listener: Parameters<EdgeWatch>[0]): void {
  setWatch((event) => listener(event.state, event.time), pin, { repeat: true, debounce: DEBOUNCE_MS });
}

const flash = require("Flash");

/** Flash by its offset in the data file. */
function readAt(board: BoardNumbers, at: number, length: number): Uint8Array {
  return flash.read(length, (board.dataAddress + at) | 0);
}

function writeAt(board: BoardNumbers, at: number, bytes: Uint8Array): void {
  flash.write(bytes, (board.dataAddress + at) | 0);
}

/** The configuration of the bench. When it does not check the program ends here, and the loader's watchdog starts the board anew. */
export function readConfig(board: BoardNumbers): DeviceConfig {
  const text = readConfigText({
    read: (offset, length) => readAt(board, board.configOffset + offset, length),
    textAt: (offset, length) => require("Storage").read(DATA_FILE, board.configOffset + offset, length) as string,
    crc32: (data) => E.CRC32(data),
  });
  return JSON.parse(text as string) as DeviceConfig;
}

/** The board's ring, not yet recovered. */
export function openRing(board: BoardNumbers): Ring {
  return createRing(
    {
      pageBytes: board.pageBytes,
      pages: board.ringPages,
      read: (at, length) => readAt(board, board.ringOffset + at, length),
      write: (at, bytes) => writeAt(board, board.ringOffset + at, bytes),
      erase: (page) => flash.erasePage((board.dataAddress + board.ringOffset + page * board.pageBytes) | 0),
    },
    board.ringSlotBytes,
    crc32,
  );
}

/** Recovers the ring a piece a turn, and goes on in one of its own. */
export function recover(ring: Ring, then: () => void): void {
  delay(1, ring.recover() ? then : () => recover(ring, then));
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
  const slotAt = wkSlot * board.slotBytes;
  const slots = {
    read: (at: number, length: number) => readAt(board, at, length),
    write: (at: number, bytes: Uint8Array) => writeAt(board, at, bytes),
  };
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
      // What nobody holds is free already, but for rings of objects: looking for those takes tens of milliseconds.
      const memory = process.memory(false);
      return (memory.free * 100) / memory.total;
    },
    faults: () => faults,
    isUpdated: isUnconfirmed(slots, slotAt),
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
