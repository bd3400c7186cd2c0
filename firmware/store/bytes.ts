// Whole numbers in bytes, most significant first.

export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

export function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

export function u32(bytes: Uint8Array, at: number): number {
  return u16(bytes, at) * 65536 + u16(bytes, at + 2);
}

export function putU32(bytes: Uint8Array, at: number, value: number): void {
  putU16(bytes, at, value / 65536);
  putU16(bytes, at + 2, value % 65536);
}
