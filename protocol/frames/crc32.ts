// CRC-32 (IEEE 802.3, reflected, polynomial 0xEDB88320), as a board's E.CRC32 computes it.

/** Unsigned CRC-32 of `bytes` from `start` (included) to `end` (excluded). Without a table: boards are short of memory. */
export function crc32(bytes: Uint8Array, start?: number, end?: number): number {
  let crc = -1;
  const stop = end === undefined ? bytes.length : end;
  for (let i = start === undefined ? 0 : start; i < stop; i++) {
    crc ^= bytes[i] as number;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ -1) >>> 0;
}
