// What must be in a board's Storage before it runs: the ring's pages, configuration, program, its checksum, the loader.
// The flash command and the virtual boards take the same image.
import { crc32 } from "../../protocol/wire.ts";
import { type BoardTable, FILES, STORAGE_HEADER_BYTES } from "../boards/table.ts";
import type { DeviceConfig } from "../device/settings.ts";

export interface ImageFile {
  readonly name: string;
  /** What is written; the rest of `size` stays erased. */
  readonly bytes: Uint8Array;
  readonly size: number;
}

export interface Image {
  /** In the order in which they must be made: the first one's place is what the program counts on. */
  readonly files: readonly ImageFile[];
}

/**
 * The loader: checks the program's checksum and runs it at the root. It stays the same over programs, because what it
 * compares with stands in a file of its own.
 */
export const LOADER = [
  // Names that no shortened program has: the engine gives a function of the same name the insides of what is here.
  'var wkS=require("Storage"),wkA=wkS.read("wk.app"),wkI=wkS.readJSON("wk.id",1);',
  "if(wkA&&wkI&&E.CRC32(wkA)===wkI.crc)eval(wkA);",
  'else print("waakvlam: the program does not fit its checksum; flash it again");',
].join("");

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** Configuration as it lies on the board: eight hex digits of its CRC-32, then JSON. */
export function encodeConfig(config: DeviceConfig): Uint8Array {
  const body = ascii(JSON.stringify(config));
  const sum = crc32(body).toString(16).padStart(8, "0");
  return ascii(sum + String.fromCharCode(...body));
}

export function createImage(board: BoardTable, program: Uint8Array, config: DeviceConfig): Image {
  const whole = (name: string, bytes: Uint8Array): ImageFile => ({ name, bytes, size: bytes.length });
  // One page more than the ring has: its header shares the first one with nothing else.
  const ringBytes = (board.ringPages + 1) * board.pageBytes - STORAGE_HEADER_BYTES;
  const id = ascii(JSON.stringify({ crc: crc32(program), bytes: program.length }));
  return {
    files: [
      { name: FILES.ring, bytes: new Uint8Array(0), size: ringBytes },
      whole(FILES.config, encodeConfig(config)),
      whole(FILES.app, program),
      whole(FILES.id, id),
      whole(FILES.loader, ascii(LOADER)),
    ],
  };
}
