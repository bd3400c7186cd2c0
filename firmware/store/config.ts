// The configuration: a page that is written on the bench and nowhere else. What a downlink changes of it is a record of the ring.
//
// Page: length and CRC-32 of the text (words, little endian), then the text.

const HEADER = 8;
/** Within a page. */
const LENGTH_MAX = 4095;

export interface ConfigArea {
  /** Bytes of the page, which may be gone with the next turn. */
  read(offset: number, length: number): Uint8Array;
  /** Text as it lies in flash: it takes no memory. */
  textAt(offset: number, length: number): string;
  crc32(data: string): number;
}

/** The text, or undefined when it is not whole. */
export function readConfigText(area: ConfigArea): string | undefined {
  const words = new Uint32Array(area.read(0, HEADER).buffer);
  // An erased page says that it is as long as all flash.
  const text = area.textAt(HEADER, (words[0] as number) & LENGTH_MAX);
  return area.crc32(text) === words[1] ? text : undefined;
}
