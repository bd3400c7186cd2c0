// A board of the blackout proof: the firmware of a profile in its slot, booted by its loader, with every record noted at the moment
// at which it lies in the ring, whatever is sent of it afterwards.
import { type BoardTable, dataBytes } from "../../firmware/boards/table.ts";
import { createImage } from "../../firmware/build/image.ts";
import type { DeviceConfig } from "../../firmware/device/settings.ts";
import { createFlash, loadImage, type VirtualFlash } from "../../firmware/simulator/flash.ts";
import type { Random } from "../../firmware/simulator/random.ts";
import type { Schedule } from "../../firmware/simulator/schedule.ts";
import { createVirtualBoard, type Network, type Wiring } from "../../firmware/simulator/virtual-board.ts";
import { crc32, encodeEvent } from "../../protocol/wire.ts";
import { type Program, ringIn } from "./devicepowercut-board.ts";

const KIND_REPORT = 1;
const KIND_EVENT = 4;
const PAGE_HEADER = 8;
const LOOK_MS = 500;
/** An armed cut that meets no operation of the flash by then comes all the same. */
const CUT_MS_MAX = 120_000;

/** A record of the ring, as it was written. */
export interface Written {
  readonly sequence: number;
  readonly frame: Uint8Array;
  readonly isSample: boolean;
  readonly clockSynced: boolean;
  /** Milliseconds of the scenario. */
  readonly atMs: number;
  readonly boot: number;
  markedMs: number | undefined;
  /** Its page was needed before anybody had acknowledged it. */
  isOverwritten: boolean;
}

export interface BlackoutBoard {
  boot(): void;
  /** Takes the power away: at once, or in one of the next flash operations, torn. Calls back when it is off. */
  cut(isTorn: boolean, off: () => void): void;
  /** In the order of the ring. */
  readonly written: readonly Written[];
  /** When each boot began. */
  readonly boots: readonly number[];
  /** Lines that a program printed: exceptions. */
  readonly printed: readonly string[];
}

export interface BlackoutBoardOptions {
  readonly table: BoardTable;
  readonly program: Program;
  readonly config: DeviceConfig;
  readonly firstSequence: number;
  readonly schedule: Schedule;
  readonly random: Random;
  readonly wiring: Wiring;
  readonly network: Network;
}

/** The record of a slot when its checksum fits. */
function recordIn(slot: Uint8Array): Uint8Array | undefined {
  const size = slot[slot.length - 1] as number;
  const sum = (slot[0] as number) | ((slot[1] as number) << 8) | ((slot[2] as number) << 16);
  if (size > slot.length - 6 || sum !== (crc32(slot.subarray(4)) & 0xffffff)) return undefined;
  return slot.slice(4, 4 + size);
}

/** A ring that has been in use: its next sequence is the one that is asked for. */
function ageRing(flash: VirtualFlash, table: BoardTable, firstSequence: number): void {
  const ring = ringIn(table, flash);
  const sequence = (firstSequence - 1) & 0xffff;
  ring.mark(ring.append(encodeEvent({ sequence, time: 0, flags: {}, event: "recount", argument: 0 })));
}

/** The same flash, with what is written into the ring noted in `written`. */
function observe(flash: VirtualFlash, options: BlackoutBoardOptions, written: Written[], boot: () => number) {
  const { table, schedule } = options;
  const start = table.dataAddress + table.ringOffset;
  const bySlot = new Map<number, Written>();

  function noteSlot(address: number): void {
    const frame = recordIn(flash.read(table.ringSlotBytes, address));
    const kind = frame === undefined ? 0 : (frame[0] as number) & 15;
    if (frame === undefined || (kind !== KIND_REPORT && kind !== KIND_EVENT)) return;
    const record: Written = {
      sequence: ((frame[1] as number) << 8) | (frame[2] as number),
      frame,
      isSample: kind === KIND_REPORT,
      clockSynced: ((frame[7] as number) & 128) !== 0,
      atMs: schedule.nowMs(),
      boot: boot(),
      markedMs: undefined,
      isOverwritten: false,
    };
    written.push(record);
    bySlot.set(address, record);
  }

  function note(bytes: Uint8Array, address: number): void {
    if (address < start || address >= table.dataAddress + dataBytes(table)) return;
    if (bytes.length === table.ringSlotBytes) noteSlot(address);
    const record = bySlot.get(address);
    if (record !== undefined && bytes.length === 4 && flash.read(4, address)[3] !== 255)
      record.markedMs ??= schedule.nowMs();
  }

  return {
    ...flash,
    write: (bytes: Uint8Array, address: number) => {
      // Torn or whole: what can be read counts.
      try {
        flash.write(bytes, address);
      } finally {
        note(bytes, address);
      }
    },
    erasePage: (address: number) => {
      for (let at = address + PAGE_HEADER; at < address + table.pageBytes; at += table.ringSlotBytes) {
        const record = bySlot.get(at);
        if (record !== undefined && record.markedMs === undefined) record.isOverwritten = true;
        bySlot.delete(at);
      }
      flash.erasePage(address);
    },
  };
}

export function createBlackoutBoard(options: BlackoutBoardOptions): BlackoutBoard {
  const { table, program, schedule, random, wiring, network } = options;
  const flash = createFlash(table);
  loadImage(flash, createImage(table, program.bytes, options.config));
  ageRing(flash, table, options.firstSequence);
  const written: Written[] = [];
  const boots: number[] = [];
  const printed: string[] = [];
  const asText = Buffer.from(program.bytes).toString("latin1");
  const board = createVirtualBoard({
    table,
    flash: observe(flash, options, written, () => board.boots()),
    schedule,
    random,
    wiring,
    network,
    untokenise: (text) => {
      // A boot: the loader evaluates the program.
      if (text === asText) boots.push(schedule.nowMs());
      return text === asText ? program.text : text;
    },
    print: (line) => void printed.push(line),
  });

  function cut(isTorn: boolean, off: () => void): void {
    const end = () => {
      flash.cutAt(Number.POSITIVE_INFINITY, 0);
      board.powerOff();
      off();
    };
    if (!isTorn) {
      end();
      return;
    }
    const grain = random.next() < 0.5 ? 1 : 4;
    flash.cutAt(1 + Math.floor(random.between(0, 6)), { share: random.next(), grain, isFromEnd: random.next() < 0.3 });
    const untilMs = schedule.nowMs() + CUT_MS_MAX;
    const look = () => {
      if (!board.isOn() || schedule.nowMs() >= untilMs) end();
      else schedule.after(LOOK_MS, look);
    };
    look();
  }

  return { boot: board.boot, cut, written, boots, printed };
}
