// NOR flash as the engine shows it: writing clears bits, erasing a page sets them, addresses are whole multiples of four.
// A power cut can be set to fall within any one operation; then only part of its bytes are as they should be.
import { type BoardTable, STORAGE_HEADER_BYTES } from "../boards/table.ts";
import type { Image } from "../build/image.ts";

export class PowerCut extends Error {}

export interface VirtualFlash {
  read(length: number, address: number): Uint8Array;
  write(bytes: Uint8Array, address: number): void;
  erasePage(address: number): void;
  /** Files in Storage by name, with their bytes; one that was replaced is there without a name, as trash. */
  list(): ReadonlyMap<string, number>;
  /** Text of a Storage file, or undefined. */
  file(name: string): string | undefined;
  storeFile(name: string, bytes: Uint8Array, offset: number, size: number): boolean;
  /** Operations so far. */
  operations(): number;
  /** Cuts the power in the middle of this operation, counted from now. */
  cutAt(operations: number, share: number): void;
}

function checkAddress(address: number, length: number, table: BoardTable): void {
  if (!Number.isInteger(address)) throw new Error("Address should be an integer");
  if (address % 4 !== 0 || length % 4 !== 0) throw new Error("Data and address must be multiples of 4");
  const end = table.storageAddress + table.storagePages * table.pageBytes;
  if (address < table.storageAddress || address + length > end) throw new Error("Address out of range");
}

export function createFlash(table: BoardTable): VirtualFlash {
  const cells = new Uint8Array(table.storagePages * table.pageBytes).fill(255);
  const base = table.storageAddress;
  let operations = 0;
  let cut = { at: Number.POSITIVE_INFINITY, share: 0 };

  /** How many of `length` bytes this operation gets done. */
  function begin(length: number): number {
    operations++;
    return operations === cut.at ? Math.floor(length * cut.share) : length;
  }

  function write(bytes: Uint8Array, address: number): void {
    checkAddress(address, bytes.length, table);
    const done = begin(bytes.length);
    for (let i = 0; i < done; i++)
      cells[address - base + i] = (cells[address - base + i] as number) & (bytes[i] as number);
    if (done < bytes.length || operations === cut.at) throw new PowerCut();
  }

  function files(): Map<string, { start: number; size: number }> {
    const found = new Map<string, { start: number; size: number }>();
    let at = 0;
    while (at + STORAGE_HEADER_BYTES <= cells.length) {
      const size = new DataView(cells.buffer, at).getUint32(0, true);
      if (size === 0xffffffff) break;
      const name = Buffer.from(cells.subarray(at + 4, at + STORAGE_HEADER_BYTES))
        .toString("latin1")
        .replace(/\0.*$/, "");
      found.set(name, { start: at + STORAGE_HEADER_BYTES, size });
      at += STORAGE_HEADER_BYTES + Math.ceil(size / 4) * 4;
    }
    return found;
  }

  function freeAt(): number {
    let at = 0;
    for (const { start, size } of files().values()) at = Math.max(at, start + Math.ceil(size / 4) * 4);
    return at;
  }

  return {
    read: (length, address) => {
      checkAddress(address, length, table);
      return cells.slice(address - base, address - base + length);
    },
    write,
    erasePage: (address) => {
      checkAddress(address, 0, table);
      const page = Math.floor((address - base) / table.pageBytes) * table.pageBytes;
      cells.fill(255, page, page + begin(table.pageBytes));
      if (operations === cut.at) throw new PowerCut();
    },
    list: () => new Map([...files()].map(([name, { size }]) => [name, size])),
    file: (name) => {
      const entry = files().get(name);
      return entry === undefined
        ? undefined
        : Buffer.from(cells.subarray(entry.start, entry.start + entry.size)).toString("latin1");
    },
    storeFile: (name, bytes, offset, size) => {
      const known = files().get(name);
      if (known !== undefined && (offset > 0 || known.size === size)) {
        if (offset === 0) cells.fill(255, known.start, known.start + known.size);
        cells.set(bytes.subarray(0, known.size - offset), known.start + offset);
        return true;
      }
      const at = freeAt();
      if (at + STORAGE_HEADER_BYTES + size > cells.length) return false;
      const header = new Uint8Array(STORAGE_HEADER_BYTES);
      new DataView(header.buffer).setUint32(0, size, true);
      header.set(Buffer.from(name, "latin1").subarray(0, STORAGE_HEADER_BYTES - 5), 4);
      // A file of another size is a new one; the old one's name is cleared and its place is lost.
      if (known !== undefined) cells.fill(0, known.start - STORAGE_HEADER_BYTES + 4, known.start);
      cells.set(header, at);
      cells.set(bytes, at + STORAGE_HEADER_BYTES + offset);
      return true;
    },
    operations: () => operations,
    cutAt: (count, share) => {
      cut = { at: operations + count, share };
    },
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
