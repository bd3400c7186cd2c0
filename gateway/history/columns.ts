// What chunks and rollups share: columns of whole numbers as differences, and a compressed blob with its checksum.
import { constants, crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { type ByteSink, type ByteSource, Damage } from "./varint.ts";

const FORMAT = 1;
const HEAD_BYTES = 5;

/** How a column goes on: at the same value, one higher, or as far as the last time. */
export type Trend = "same" | "up" | "steady";

function expectedOf(trend: Trend, last: number, before: number): number {
  return trend === "same" ? last : trend === "up" ? last + 1 : 2 * last - before;
}

export interface Column {
  readonly trend: Trend;
  readonly values: readonly number[];
}

function isAsExpected({ trend, values }: Column): boolean {
  for (let i = 1; i < values.length; i++) {
    const last = values[i - 1] as number;
    if (values[i] !== expectedOf(trend, last, i > 1 ? (values[i - 2] as number) : last)) return false;
  }
  return true;
}

export function putColumns(out: ByteSink, columns: readonly Column[]): void {
  const mask = columns.map((column) => !isAsExpected(column));
  for (let i = 0; i < mask.length; i += 8) {
    out.put(mask.slice(i, i + 8).reduce((sum, isSet, bit) => sum + (isSet ? 2 ** bit : 0), 0));
  }
  columns.forEach(({ trend, values }, at) => {
    if (values.length === 0) return;
    out.putSigned(values[0] as number);
    if (mask[at] !== true) return;
    for (let i = 1; i < values.length; i++) {
      const last = values[i - 1] as number;
      out.putSigned((values[i] as number) - expectedOf(trend, last, i > 1 ? (values[i - 2] as number) : last));
    }
  });
}

export function takeColumn(input: ByteSource, size: number, trend: Trend, isWritten: boolean): number[] {
  const values = new Array<number>(size);
  for (let i = 0; i < size; i++) {
    if (i === 0) values[0] = input.takeSigned();
    else {
      const last = values[i - 1] as number;
      const expected = expectedOf(trend, last, i > 1 ? (values[i - 2] as number) : last);
      values[i] = isWritten ? expected + input.takeSigned() : expected;
    }
  }
  return values;
}

export function takeMask(input: ByteSource, columns: number): boolean[] {
  const mask: boolean[] = [];
  for (let i = 0; i < columns; i += 8) {
    const bits = input.take();
    for (let bit = 0; bit < 8; bit++) mask.push((bits & (1 << bit)) !== 0);
  }
  return mask;
}

/** Compressed, with format and checksum before it. */
export function sealed(payload: Uint8Array): Uint8Array {
  const packed = deflateRawSync(payload, { level: constants.Z_BEST_COMPRESSION, memLevel: 9 });
  const whole = Buffer.allocUnsafe(HEAD_BYTES + packed.length);
  whole[0] = FORMAT;
  whole.writeUInt32BE(crc32(packed), 1);
  packed.copy(whole, HEAD_BYTES);
  return whole;
}

/** The payload of a sealed blob. Throws Damage. */
export function unsealed(blob: Uint8Array, bytesMax: number): Uint8Array {
  const whole = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  if (whole.length < HEAD_BYTES || whole[0] !== FORMAT) throw new Damage("no format that is known");
  const packed = whole.subarray(HEAD_BYTES);
  if (crc32(packed) !== whole.readUInt32BE(1)) throw new Damage("the checksum does not fit");
  try {
    return inflateRawSync(packed, { maxOutputLength: bytesMax });
  } catch (cause) {
    throw new Damage("cannot be inflated", { cause });
  }
}
