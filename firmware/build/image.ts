// What is put on a board before it runs: the files of its Storage, in the order in which they are made, and what is written into
// them. The flash command and the virtual boards take the same image.
import type { FlashFile, FlashPart } from "../../protocol/console/flash.ts";
import { encodeSlotHeader, SLOT_HEADER_BYTES } from "../../protocol/console/slots.ts";
import type { SlotLayout } from "../../protocol/console/update.ts";
import { crc32, SETTINGS } from "../../protocol/wire.ts";
import { type BoardTable, dataBytes, FILES, STORAGE_HEADER_BYTES } from "../boards/table.ts";
import type { DeviceConfig } from "../device/settings.ts";
import { loaderOf } from "./loader.ts";

export interface Image {
  readonly files: readonly FlashFile[];
  readonly parts: readonly FlashPart[];
}

/** Settings as a board has them, by their number; 0 is none. Names that are no settings are left out. */
export function numberedSettings(named: Readonly<Record<string, number>>): number[] {
  return SETTINGS.map((name) => (name === "" ? 0 : (named[name] ?? 0)));
}

export class ImageError extends Error {}

const CONFIG_HEADER_BYTES = 8;

/** Text as its bytes in UTF-8: on a board a string is bytes. */
function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "utf8"));
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / 4) * 4).fill(255);
  whole.set(bytes);
  return whole;
}

/** The page of configuration, as `store/config.ts` reads it: length and CRC-32 of the text, the text. */
export function encodeConfig(text: string): Uint8Array {
  const body = bytesOf(text);
  const page = padded(Uint8Array.from([...new Uint8Array(CONFIG_HEADER_BYTES), ...body]));
  const view = new DataView(page.buffer);
  const words = [body.length, crc32(body)];
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word, true);
  return page;
}

export function encodeSlot(turn: number, program: Uint8Array): Uint8Array {
  return padded(Uint8Array.from([...encodeSlotHeader(turn, program), ...program]));
}

/** What a board says of itself, and how it is laid out; the rest of its file is erased flash. */
function idText(table: BoardTable): string {
  const { name, slots, slotBytes, configOffset, ringOffset, ringPages, ringSlotBytes } = table;
  return JSON.stringify({ board: name, slots, slotBytes, configOffset, ringOffset, ringPages, ringSlotBytes });
}

/** What the dialogues with a board have to know of where things lie. */
export function slotLayout(table: BoardTable): SlotLayout {
  return { ...table, board: table.name.toUpperCase(), file: FILES.data, idFile: FILES.id, id: idText(table) };
}

/** Bytes that a program may have on a board. */
export function programBytesMax(table: BoardTable): number {
  return table.slotBytes - SLOT_HEADER_BYTES;
}

/** The loader as it lies on a board, in whole words. */
export function loaderBytes(table: BoardTable): Uint8Array {
  const text = loaderOf(table);
  return bytesOf(text.padEnd(Math.ceil(text.length / 4) * 4));
}

export function createImage(table: BoardTable, program: Uint8Array, config: DeviceConfig): Image {
  const loader = loaderBytes(table);
  const loaderAddress = table.storageAddress + STORAGE_HEADER_BYTES;
  const idAddress = loaderAddress + loader.length + STORAGE_HEADER_BYTES;
  const id = padded(bytesOf(idText(table)));
  const idSize = table.dataAddress - STORAGE_HEADER_BYTES - idAddress;
  if (id.length > idSize) throw new ImageError(`${FILES.id} has no room beside the loader`);
  const settings = encodeConfig(JSON.stringify(config));
  if (program.length > programBytesMax(table)) {
    throw new ImageError(
      `a program of ${program.length} bytes; a slot of ${table.name} holds ${programBytesMax(table)}`,
    );
  }
  if (settings.length > table.pageBytes) throw new ImageError("the configuration is longer than a page");
  const inData = (name: string, offset: number, bytes: Uint8Array): FlashPart => {
    return { name, file: FILES.data, offset, address: table.dataAddress + offset, bytes };
  };
  return {
    files: [
      { name: FILES.loader, size: loader.length },
      { name: FILES.id, size: idSize },
      { name: FILES.data, size: dataBytes(table) },
    ],
    parts: [
      { name: FILES.loader, file: FILES.loader, offset: 0, address: loaderAddress, bytes: loader },
      { name: FILES.id, file: FILES.id, offset: 0, address: idAddress, bytes: id },
      inData("slot A", 0, encodeSlot(1, program)),
      inData("configuration", table.configOffset, settings),
    ],
  };
}
