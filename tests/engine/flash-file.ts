// The flash of an engine under test: the board's own Storage, with the test's prelude behind it, booted before the loader.

import { type BoardTable, STORAGE_HEADER_BYTES } from "../../firmware/boards/table.ts";
import { bundle } from "../../firmware/build/bundle.ts";
import type { EngineKind } from "./kind.ts";

const LOADER = ".boot0";
/** Tells what the prelude takes, before the loader runs. */
const TELL = ".boot1";
const TELL_CODE = "__do(5)";
const LOADER_MOVED = ".boot2";

let prelude: Promise<Uint8Array> | undefined;

export function preludeBytes(): Promise<Uint8Array> {
  prelude ??= bundle("tests/engine/prelude.ts", true).then(({ tokens }) => tokens);
  return prelude;
}

interface StoredFile {
  readonly name: string;
  readonly headerAt: number;
  readonly endAt: number;
}

/** The files of a Storage in the order of their places. */
export function filesOf(storage: Uint8Array, pageBytes: number): StoredFile[] {
  const view = new DataView(storage.buffer, storage.byteOffset, storage.length);
  const found: StoredFile[] = [];
  let at = 0;
  while (at + STORAGE_HEADER_BYTES <= storage.length) {
    const size = view.getUint32(at, true);
    if (size === 0xffffffff) {
      // The rest of this page is free; a file can still begin with the next one.
      const next = Math.ceil((at + 1) / pageBytes) * pageBytes;
      if (next >= storage.length || view.getUint32(next, true) === 0xffffffff) break;
      at = next;
      continue;
    }
    const name = Buffer.from(storage.subarray(at + 4, at + STORAGE_HEADER_BYTES)).toString("latin1");
    const endAt = at + STORAGE_HEADER_BYTES + Math.ceil((size & 0xffffff) / 4) * 4;
    found.push({ name: name.replace(/\0.*$/s, ""), headerAt: at, endAt });
    at = endAt;
  }
  return found;
}

function putHeader(file: Buffer, at: number, name: string, size: number): void {
  file.writeUInt32LE(size, at);
  file.fill(0, at + 4, at + STORAGE_HEADER_BYTES);
  file.write(name, at + 4, "latin1");
}

/** The engine's flash file for a board's Storage. */
export async function flashFile(kind: EngineKind, table: BoardTable, storage: Uint8Array): Promise<Uint8Array> {
  const file = Buffer.alloc(kind.fileBytes, 255);
  const code = await preludeBytes();
  const files = filesOf(storage, table.pageBytes);
  const end = files.at(-1)?.endAt ?? 0;
  const at = kind.storageAt + end;
  // Only what lies behind all files may be cut off, on an engine with less flash than the board.
  const tellAt = at + STORAGE_HEADER_BYTES + Math.ceil(code.length / 4) * 4;
  if (tellAt + STORAGE_HEADER_BYTES + TELL_CODE.length > file.length)
    throw new Error(`the engine's flash of ${file.length} bytes does not hold the pages of ${table.name}`);
  file.set(storage.subarray(0, Math.min(storage.length, file.length - kind.storageAt)), kind.storageAt);
  const loader = files.find((one) => one.name === LOADER);
  if (loader !== undefined) file.write(LOADER_MOVED, kind.storageAt + loader.headerAt + 4, "latin1");
  putHeader(file, at, LOADER, code.length);
  file.set(code, at + STORAGE_HEADER_BYTES);
  putHeader(file, tellAt, TELL, TELL_CODE.length);
  file.write(TELL_CODE, tellAt + STORAGE_HEADER_BYTES, "latin1");
  return file;
}

/** The board's Storage as it lies in the engine's flash file, with the loader in its own place again. */
export function storageOf(kind: EngineKind, table: BoardTable, file: Uint8Array): Uint8Array {
  const whole = new Uint8Array(table.storagePages * table.pageBytes).fill(255);
  whole.set(file.subarray(kind.storageAt, kind.storageAt + whole.length));
  for (const { name, headerAt, endAt } of filesOf(whole, table.pageBytes)) {
    if (name === LOADER || name === TELL) whole.fill(255, headerAt, endAt);
  }
  const moved = filesOf(whole, table.pageBytes).find((one) => one.name === LOADER_MOVED);
  if (moved !== undefined) whole.set(Buffer.from(LOADER, "latin1"), moved.headerAt + 4);
  return whole;
}

/** A Storage with nothing in it but this program, run at boot. It may be longer than the board's own. */
export function storageWith(table: BoardTable, code: Uint8Array): Uint8Array {
  const storage = Buffer.alloc(Math.max(table.storagePages * table.pageBytes, code.length + table.pageBytes), 255);
  putHeader(storage, 0, LOADER, code.length);
  storage.set(code, STORAGE_HEADER_BYTES);
  return storage;
}
