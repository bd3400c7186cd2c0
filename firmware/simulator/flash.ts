// NOR flash as a chip has it: writing clears bits, erasing a page sets them, addresses are whole multiples of four, and some
// chips bear only so many writes to a word before it is erased again. A power cut can be set to fall within any one operation;
// then only part of it is done.
import type { BoardTable } from "../boards/table.ts";
import type { Image } from "../build/image.ts";
import { createStorage, FILE_HEADER_BYTES, type Storage } from "./storage.ts";

export class PowerCut extends Error {}

const WORD = 4;

/** What a cut operation has done when the power goes. */
export interface Tear {
  /** Share of it that is done, in whole grains. */
  readonly share: number;
  /** Bytes that a chip writes or erases at once. */
  readonly grain: 1 | 4;
  /** Chips differ in the end from which they erase, and a cell that is slow comes late wherever it is. */
  readonly isFromEnd: boolean;
  /** Bits that are done of the byte at the edge; of a whole grain none are. */
  readonly edgeBits?: number;
}

export interface VirtualFlash {
  read(length: number, address: number): Uint8Array;
  write(bytes: Uint8Array, address: number): void;
  erasePage(address: number): void;
  readonly storage: Storage;
  /** Files in Storage by name, with their bytes; those that were replaced are there without a name, as trash. */
  list(): ReadonlyMap<string, number>;
  /** Text of a Storage file, or undefined. */
  file(name: string): string | undefined;
  storeFile(name: string, bytes: Uint8Array, offset: number, size: number): boolean;
  /** Operations so far. */
  operations(): number;
  /** How often each page was erased. */
  erasures(): readonly number[];
  /** Cuts the power in the middle of this operation, counted from now. */
  cutAt(operations: number, tear: number | Tear): void;
  /** Another flash with the same content, worn as this one is. */
  copy(): VirtualFlash;
}

interface WriteLimits {
  readonly perWord: number;
  readonly blockBytes: number;
  readonly perBlock: number;
}

/** The nRF52832 bears 181 writes to a block of 512 bytes between erasures, the nRF52840 two to a word: both are kept. */
const CHIP_LIMITS: WriteLimits = { perWord: 2, blockBytes: 512, perBlock: 181 };
const NO_LIMITS: WriteLimits = {
  perWord: Number.POSITIVE_INFINITY,
  blockBytes: 512,
  perBlock: Number.POSITIVE_INFINITY,
};
/** Boards whose Storage is the chip's own flash; the others have flash chips beside it, which know no such limit. */
const CHIP_BOARDS = ["mdbt42q", "pixljs"];

function checkAddress(address: number, length: number, table: BoardTable): void {
  if (!Number.isInteger(address)) throw new Error("Address should be an integer");
  if (address % WORD !== 0 || length % WORD !== 0) throw new Error("Data and address must be multiples of 4");
  const end = table.storageAddress + table.storagePages * table.pageBytes;
  if (address < table.storageAddress || address + length > end) throw new Error("Address out of range");
}

interface Wear {
  /** A write that is torn counts for its block only: what it has left undone has to be done again. */
  write(at: number, length: number, isTorn: boolean): void;
  erase(at: number, length: number): void;
  copy(): Wear;
}

/** Counts writes of words since their last erasure, and throws at one too many. */
function createWear(limits: WriteLimits, words: Uint8Array, blocks: Uint16Array): Wear {
  const perBlock = limits.blockBytes / WORD;
  return {
    write: (at, length, isTorn) => {
      for (let word = at / WORD; word < (at + length) / WORD; word++) {
        const block = Math.floor(word / perBlock);
        if (!isTorn) words[word] = (words[word] as number) + 1;
        blocks[block] = (blocks[block] as number) + 1;
        if ((words[word] as number) > limits.perWord)
          throw new Error(`the word at ${word * WORD} is written too often`);
        if ((blocks[block] as number) > limits.perBlock) throw new Error(`block ${block} is written too often`);
      }
    },
    erase: (at, length) => {
      words.fill(0, at / WORD, (at + length) / WORD);
      blocks.fill(0, at / limits.blockBytes, Math.ceil((at + length) / limits.blockBytes));
    },
    copy: () => createWear(limits, words.slice(), blocks.slice()),
  };
}

function unworn(table: BoardTable): Wear {
  const limits = CHIP_BOARDS.includes(table.name) ? CHIP_LIMITS : NO_LIMITS;
  const bytes = table.storagePages * table.pageBytes;
  return createWear(limits, new Uint8Array(bytes / WORD), new Uint16Array(Math.ceil(bytes / limits.blockBytes)));
}

/** Runs over the bytes of an operation that are done: offset, and the bits of it that are. */
function tearOver(length: number, tear: Tear, done: (offset: number, bits: number) => void): void {
  const whole = Math.floor((length * tear.share) / tear.grain) * tear.grain;
  for (let i = 0; i < whole; i++) done(tear.isFromEnd ? length - 1 - i : i, 255);
  const { edgeBits = 0 } = tear;
  if (whole < length && edgeBits > 0) done(tear.isFromEnd ? length - 1 - whole : whole, edgeBits);
}

export function createFlash(table: BoardTable): VirtualFlash {
  const cells = new Uint8Array(table.storagePages * table.pageBytes).fill(255);
  return flashOf(table, cells, unworn(table));
}

function flashOf(table: BoardTable, cells: Uint8Array, wear: Wear): VirtualFlash {
  const { pageBytes, storageAddress: base } = table;
  const erasures = new Array<number>(table.storagePages).fill(0);
  let operations = 0;
  let cut: { at: number; tear: Tear } | undefined;

  /** The tear of this operation, if it is the one. */
  function begin(): Tear | undefined {
    operations++;
    if (cut === undefined || operations !== cut.at) return undefined;
    const { tear } = cut;
    cut = undefined;
    return tear;
  }

  function write(bytes: Uint8Array, address: number): void {
    checkAddress(address, bytes.length, table);
    const from = address - base;
    const tear = begin();
    wear.write(from, bytes.length, tear !== undefined);
    const clear = (offset: number, bits: number) => {
      const kept = (bytes[offset] as number) | (255 - bits);
      cells[from + offset] = (cells[from + offset] as number) & kept;
    };
    if (tear === undefined) {
      for (let i = 0; i < bytes.length; i++) clear(i, 255);
      return;
    }
    tearOver(bytes.length, tear, clear);
    throw new PowerCut();
  }

  function erasePage(address: number): void {
    checkAddress(address, WORD, table);
    const page = Math.floor((address - base) / pageBytes);
    const from = page * pageBytes;
    const tear = begin();
    erasures[page] = (erasures[page] as number) + 1;
    if (tear === undefined) {
      cells.fill(255, from, from + pageBytes);
      wear.erase(from, pageBytes);
      return;
    }
    tearOver(pageBytes, tear, (offset, bits) => {
      cells[from + offset] = (cells[from + offset] as number) | bits;
    });
    throw new PowerCut();
  }

  function read(length: number, address: number): Uint8Array {
    checkAddress(address, length, table);
    return cells.slice(address - base, address - base + length);
  }

  const storage = createStorage({ start: base, end: base + cells.length, pageBytes, read, write, erasePage });

  return {
    read,
    write,
    erasePage,
    storage,
    list: () => {
      const sizes = new Map<string, number>();
      for (const { name, size } of storage.files()) {
        const trash = Math.ceil(size / WORD) * WORD + FILE_HEADER_BYTES;
        sizes.set(name, name === "" ? (sizes.get(name) ?? 0) + trash : size);
      }
      return sizes;
    },
    file: (name) => {
      const bytes = storage.read(name);
      return bytes === undefined ? undefined : Buffer.from(bytes).toString("latin1");
    },
    storeFile: storage.write,
    operations: () => operations,
    erasures: () => erasures,
    cutAt: (count, tear) => {
      const whole: Tear = typeof tear === "number" ? { share: tear, grain: 1, isFromEnd: false } : tear;
      cut = Number.isFinite(count) ? { at: operations + count, tear: whole } : undefined;
    },
    copy: () => flashOf(table, cells.slice(), wear.copy()),
  };
}

export function loadImage(flash: VirtualFlash, image: Image): void {
  for (const file of image.files) flash.storeFile(file.name, Uint8Array.of(255), 0, file.size);
  for (const part of image.parts) flash.write(part.bytes, part.address);
}

/** Puts a whole Storage in place. */
export function loadCells(flash: VirtualFlash, table: BoardTable, storage: Uint8Array): void {
  for (let at = 0; at < storage.length; at += table.pageBytes)
    flash.write(storage.subarray(at, at + table.pageBytes), table.storageAddress + at);
}
