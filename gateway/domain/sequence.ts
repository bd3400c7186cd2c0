// Identity of a record: its 16-bit sequence, extended to 32 bits by the gateway (protocol section 1).

/** Of the 16 bits on the wire. */
export const CYCLE = 65_536;

/** A device's first record is placed in the second cycle, so that what it sends of before stays a positive number. */
export const FIRST_CYCLE_BASE = CYCLE;

/**
 * The 32-bit sequence nearest to the device's highest so far; `highest` undefined for its first record. Never below
 * zero: what would be is taken one cycle further.
 */
export function extendSequence(highest: number | undefined, sequence: number): number {
  if (highest === undefined) return FIRST_CYCLE_BASE + sequence;
  const ahead = (sequence - highest) & 0xffff;
  // Half a cycle ahead or less is forward, more is backward.
  const extended = ahead < CYCLE / 2 ? highest + ahead : highest + ahead - CYCLE;
  return extended < 0 ? extended + CYCLE : extended;
}
