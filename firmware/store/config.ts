// Configuration A and B: two pages, each with a whole configuration. A new one goes to the page that is not in use and counts
// from its last word on; a power cut in between leaves the old one.
//
// Page: turn, turn inverted, length and CRC-32 of the text (words, little endian), then the text.
import type { FlashArea } from "../hal.ts";

const HEADER = 16;
const ONES = 0xffffffff;

export interface ConfigArea {
  /** Two pages. */
  readonly flash: FlashArea;
  crc32(data: string): number;
  /** Text as it lies in flash, at an offset within the area: it takes no memory. */
  textAt(offset: number, length: number): string;
  bytesOf(text: string): Uint8Array;
}

export interface ConfigStore {
  /** The newest text that is whole, or undefined. */
  text(): string | undefined;
  /** Stores a text and reads it back. False when it is too long or does not read back: then the old one stands. */
  write(text: string): boolean;
}

export function openConfig(area: ConfigArea): ConfigStore {
  const flash = area.flash;
  const pageBytes = flash.pageBytes;
  let page = -1;
  let turn = 0;
  let length = 0;

  /** Takes a page into use when it checks and is newer. */
  function look(index: number): void {
    const words = new Uint32Array(flash.read(index * pageBytes, HEADER).buffer);
    const found = words[0] as number;
    const size = words[2] as number;
    if (found <= turn || found + (words[1] as number) !== ONES || size > pageBytes - HEADER) return;
    if (area.crc32(area.textAt(index * pageBytes + HEADER, size)) !== words[3]) return;
    page = index;
    turn = found;
    length = size;
  }

  look(0);
  look(1);

  return {
    text: () => (page < 0 ? undefined : area.textAt(page * pageBytes + HEADER, length)),
    write: (text) => {
      const padded = `${text}   `.substr(0, (text.length + 3) & -4);
      if (padded.length > pageBytes - HEADER) return false;
      const other = page === 0 ? 1 : 0;
      const next = turn + 1;
      const words = new Uint32Array([next, ONES - next, text.length, area.crc32(text)]);
      flash.erase(other);
      flash.write(other * pageBytes + HEADER, area.bytesOf(padded));
      // The header last: torn, its turn or its checksum does not fit.
      flash.write(other * pageBytes, new Uint8Array(words.buffer));
      look(other);
      return turn === next;
    },
  };
}
