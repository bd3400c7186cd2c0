// What the parts of the power-cut proof share: a virtual board that boots through its loader, and a run of the same work with the
// power going in each of its flash operations.
import { type BoardTable, dataBytes } from "../../firmware/boards/table.ts";
import { bundle, untokenise } from "../../firmware/build/bundle.ts";
import { createImage } from "../../firmware/build/image.ts";
import { createFlash, loadImage, PowerCut, type Tear, type VirtualFlash } from "../../firmware/simulator/flash.ts";
import { createRandom } from "../../firmware/simulator/random.ts";
import { createSchedule } from "../../firmware/simulator/schedule.ts";
import { createVirtualBoard } from "../../firmware/simulator/virtual-board.ts";
import { createRing, type Ring } from "../../firmware/store/ring.ts";
import { SLOT_CONFIRMED_WORD } from "../../protocol/console/slots.ts";
import { crc32 } from "../../protocol/wire.ts";

/** A program as it lies in flash, and the text that a virtual board runs for it. */
export interface Program {
  readonly bytes: Uint8Array;
  readonly text: string;
}

export interface Booted {
  /** Evaluates a line on the board; throws PowerCut when the power goes in it. */
  ask(line: string): string;
  /** Lets planned turns come, for so long. */
  run(ms: number): void;
  /** Exceptions that nobody caught, and reboots that the board wanted. */
  complaints(): readonly string[];
  isOn(): boolean;
}

/** A program of the proof's own keeps its names: it is spoken to by those of its calls. */
export async function buildProgram(entry: string, keepsNames = true): Promise<Program> {
  const { tokens } = await bundle(entry, keepsNames);
  return { bytes: tokens, text: await untokenise(Buffer.from(tokens).toString("latin1")) };
}

export function plainProgram(text: string): Program {
  return { bytes: Buffer.from(text, "latin1"), text };
}

/** A board as it leaves the bench, with its program confirmed. */
export function flashWith(table: BoardTable, program: Program, config: object = {}): VirtualFlash {
  const flash = createFlash(table);
  loadImage(flash, createImage(table, program.bytes, { deviceId: "alm-01-d1", ...config } as never));
  flash.write(new Uint8Array(4), table.dataAddress + 4 * SLOT_CONFIRMED_WORD);
  return flash;
}

/** Power on. Programs are told apart by their bytes; what is none of them runs as it is. */
export function bootBoard(
  table: BoardTable,
  flash: VirtualFlash,
  programs: readonly Program[],
  isButtonHeld = false,
): Booted {
  const schedule = createSchedule();
  const complaints: string[] = [];
  const texts = new Map(programs.map(({ bytes, text }) => [Buffer.from(bytes).toString("latin1"), text]));
  const board = createVirtualBoard({
    table,
    flash,
    schedule,
    wiring: {
      analog: () => 0,
      digital: () => isButtonHeld,
      watch: () => undefined,
      openSerial: () => () => undefined,
    },
    network: { isReachable: () => false, connect: () => ({ write: () => undefined, end: () => undefined }) },
    random: createRandom(1),
    untokenise: (text) => texts.get(text) ?? text,
    rebooting: (why) => void complaints.push(why),
    print: (line) => void complaints.push(line),
  });
  board.boot();
  return {
    ask: (line) => String(board.evaluate(line)),
    run: (ms) => schedule.runUntil(schedule.nowMs() + ms),
    complaints: () => complaints,
    isOn: board.isOn,
  };
}

/** The ring of a board that is off, recovered. */
export function ringIn(table: BoardTable, flash: VirtualFlash): Ring {
  const start = table.dataAddress + table.ringOffset;
  const area = {
    pageBytes: table.pageBytes,
    pages: table.ringPages,
    read: (offset: number, length: number) => flash.read(length, start + offset),
    write: (offset: number, bytes: Uint8Array) => flash.write(bytes, start + offset),
    erase: (page: number) => flash.erasePage(start + page * table.pageBytes),
  };
  const ring = createRing(area, table.ringSlotBytes, crc32);
  while (!ring.recover());
  return ring;
}

/** Runs this with the power going in the given operation; tells whether it went. */
export function isCutIn(flash: VirtualFlash, operation: number, tear: Tear, work: () => void): boolean {
  flash.cutAt(operation, tear);
  try {
    work();
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
    return true;
  }
  flash.cutAt(Number.POSITIVE_INFINITY, tear);
  return false;
}

const bytes = (share: number, part: Partial<Tear> = {}): Tear => ({ share, grain: 1, isFromEnd: false, ...part });

/** Nothing done, torn within a byte, the other half first, and all done with nobody told of it. */
export const SHORT_TEARS: readonly Tear[] = [
  bytes(0),
  bytes(0.4, { edgeBits: 0x3c }),
  bytes(0.6, { grain: 4, isFromEnd: true }),
  bytes(1),
];

export const LONG_TEARS: readonly Tear[] = [
  ...SHORT_TEARS,
  bytes(0.04),
  bytes(0.25, { grain: 4 }),
  bytes(0.5, { isFromEnd: true, edgeBits: 0xf0 }),
  bytes(0.8),
  bytes(0.97, { isFromEnd: true }),
  bytes(0.97, { grain: 4 }),
];

/** Parts of flash that work on one part must leave alone. */
export function othersOf(table: BoardTable, flash: VirtualFlash, from: number, pages: number): Uint8Array {
  const start = table.dataAddress + from;
  const end = start + pages * table.pageBytes;
  const before = flash.read(start - table.storageAddress, table.storageAddress);
  const behind = flash.read(table.dataAddress + dataBytes(table) - end, end);
  return Buffer.concat([before, behind]);
}

export interface Faults {
  /** Told that it is stored, and not there. */
  lost: number;
  /** Acknowledged, and open again; or one sequence for two records. */
  twice: number;
  /** Storage or another part of flash has changed. */
  damaged: number;
  /** Does not boot, or nothing can be stored any more. */
  dead: number;
}

export interface Tally extends Faults {
  cuts: number;
  /** Records, configurations and programs that somebody was told are stored. */
  acknowledged: number;
}

export function noFaults(): Tally {
  return { lost: 0, twice: 0, damaged: 0, dead: 0, cuts: 0, acknowledged: 0 };
}

export function addTo(sum: Tally, one: Tally): void {
  for (const key of Object.keys(sum) as (keyof Tally)[]) sum[key] += one[key];
}

export function addFaults(sum: Faults, one: Faults): void {
  for (const key of ["lost", "twice", "damaged", "dead"] as const) sum[key] += one[key];
}

export function faultsIn({ lost, twice, damaged, dead }: Faults): number {
  return lost + twice + damaged + dead;
}
