// Whole programs of the firmware under power cuts, with a network that is never there: the power goes in each of the first flash
// operations of a device's life, also where that life goes on at the end of a lap of its ring. After each cut it boots again,
// counts one boot more, and everything that was stored is there.
import { BOARD_TABLES, type BoardTable } from "../../firmware/boards/table.ts";
import { programBytesMax } from "../../firmware/build/image.ts";
import { type BuildProfile, PROFILES } from "../../firmware/build/profiles.ts";
import type { Tear, VirtualFlash } from "../../firmware/simulator/flash.ts";
import {
  type Booted,
  bootBoard,
  buildProgram,
  flashWith,
  noFaults,
  othersOf,
  type Program,
  ringIn,
  type Tally,
} from "./devicepowercut-board.ts";

/** Of the first life, in the short form and in the full one, and of the life after the cut. */
const SHORT_LIFE_MS = 10 * 60_000;
const LONG_LIFE_MS = 40 * 60_000;
const AFTER_MS = 3 * 60_000;
const PAGE_HEADER = 8;
const BOOT_AT = 3;
const CONFIG = {
  key: "2a".repeat(32),
  wifi: { ssid: "waakvlam", password: "" },
  lorawan: { devEui: "00".repeat(8), joinEui: "00".repeat(8), appKey: "00".repeat(16) },
  host: "gateway",
  port: 1883,
  settings: [0, 60],
  sensors: { fuelProbe: true, batteryMonitor: true, peopleCounter: true, generatorInputs: true },
  shuntOhm: 150,
  starterFullScaleV: 40,
};

export interface DeviceCase {
  readonly table: BoardTable;
  readonly profile: string;
  readonly program: Program;
}

/** Every profile whose program fits its slot, and those whose program does not. */
export async function deviceCases(): Promise<{ cases: DeviceCase[]; skipped: string[] }> {
  const cases: DeviceCase[] = [];
  const skipped: string[] = [];
  for (const { board, profile, entry } of PROFILES as readonly BuildProfile[]) {
    const table = BOARD_TABLES.find(({ name }) => name === board) as BoardTable;
    const program = await buildProgram(entry, false);
    if (program.bytes.length <= programBytesMax(table)) cases.push({ table, profile, program });
    else skipped.push(`${board} ${profile}`);
  }
  return { cases, skipped };
}

interface Found {
  readonly boot: number;
  readonly next: number;
  readonly oldest: number;
  /** Where the newest two pages begin; their records by place: bytes, and whether they are open. */
  readonly from: number;
  readonly records: ReadonlyMap<number, { readonly hex: string; readonly isOpen: boolean }>;
}

function slotsOf(table: BoardTable): number {
  return Math.floor((table.pageBytes - PAGE_HEADER) / table.ringSlotBytes);
}

function foundIn(table: BoardTable, flash: VirtualFlash): Found {
  const ring = ringIn(table, flash);
  const records = new Map<number, { hex: string; isOpen: boolean }>();
  const from = Math.max(ring.oldest(), ring.head() - 2 * slotsOf(table));
  for (let place = from; place < ring.head(); place++) {
    const frame = ring.read(place, true);
    if (frame === undefined) continue;
    const isOpen = ring.read(place, false) !== undefined;
    records.set(place, { hex: Buffer.from(frame).toString("hex"), isOpen });
  }
  const boot = ((ring.state[BOOT_AT] as number) << 8) | (ring.state[BOOT_AT + 1] as number);
  return { boot, next: ring.next(), oldest: ring.oldest(), from, records };
}

/** The ring at the end of its first lap, so that the device soon turns a page. */
function fill(table: BoardTable, flash: VirtualFlash): void {
  const ring = ringIn(table, flash);
  const records = table.ringPages * (slotsOf(table) - 1) - 6;
  for (let i = 0; i < records; i++) {
    const frame = new Uint8Array(table.ringSlotBytes - 10);
    frame.set([0x11, ring.next() >> 8, ring.next()]);
    ring.append(frame);
  }
}

/** What was there before and is not there after; a record that is needed no longer may go with its page. */
function compare(tally: Tally, before: Found, after: Found, table: BoardTable): void {
  if (after.boot < before.boot || after.oldest > before.oldest + slotsOf(table)) tally.lost++;
  if (((after.next - before.next) & 0xffff) > 0x7fff) tally.twice++;
  for (const [place, { hex, isOpen }] of before.records) {
    const now = after.records.get(place);
    if (now?.hex !== hex && place >= after.from) tally.lost++;
    if (now?.isOpen === true && !isOpen) tally.twice++;
  }
  const sequences = [...after.records.values()]
    .filter(({ hex }) => !hex.startsWith("10"))
    .map(({ hex }) => hex.slice(2, 6));
  tally.twice += sequences.length - new Set(sequences).size;
}

export function deviceTally({ table, program }: DeviceCase, tears: readonly Tear[], isFull: boolean): Tally {
  const tally = noFaults();
  const others = (flash: VirtualFlash) => othersOf(table, flash, table.ringOffset, table.ringPages);

  function live(flash: VirtualFlash, ms: number): Booted {
    const board = bootBoard(table, flash, [program]);
    board.run(ms);
    return board;
  }

  function cut(base: VirtualFlash, operation: number, tear: Tear): VirtualFlash | undefined {
    const flash = base.copy();
    flash.cutAt(operation, tear);
    const board = live(flash, isFull ? LONG_LIFE_MS : SHORT_LIFE_MS);
    flash.cutAt(Number.POSITIVE_INFINITY, tear);
    if (board.isOn()) return undefined;
    tally.cuts++;
    return flash;
  }

  function goOn(flash: VirtualFlash, before: Found, untouched: Uint8Array): void {
    const found = foundIn(table, flash);
    compare(tally, before, found, table);
    tally.acknowledged += before.records.size;
    const board = live(flash, AFTER_MS);
    const after = foundIn(table, flash);
    compare(tally, found, after, table);
    const isAlive = after.boot === found.boot + 1 && after.next !== found.next && board.complaints().length === 0;
    if (!board.isOn() || !isAlive) tally.dead++;
    if (!flash.storage.isValid() || Buffer.compare(others(flash), untouched) !== 0) tally.damaged++;
  }

  for (const isAtEnd of [false, true]) {
    const base = flashWith(table, program, CONFIG);
    if (isAtEnd) fill(table, base);
    const untouched = others(base);
    for (let operation = 1; ; operation++) {
      // Nothing of it done: so it was before.
      const nothing = cut(base, operation, { share: 0, grain: 1, isFromEnd: false });
      if (nothing === undefined) break;
      const before = foundIn(table, nothing);
      goOn(nothing, before, untouched);
      for (const [at, tear] of tears.entries()) {
        if (!isFull && at !== operation % tears.length) continue;
        const torn = cut(base, operation, tear);
        if (torn !== undefined) goOn(torn, before, untouched);
      }
    }
  }
  return tally;
}
