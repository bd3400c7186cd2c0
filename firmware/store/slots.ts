// The program's side of its slot. The loader counts the boots of a program that has not yet shown that it works, and goes back to
// the other slot when the tries are used up (`protocol/console/slots.ts` has the layout).
import type { FlashArea } from "../hal.ts";

/** Offset of the word in a slot's header that is erased until this. */
const CONFIRMED_AT = 20;

/** The program runs for the first time. `slotOffset` is the running slot's place in the area. */
export function isUnconfirmed(flash: Pick<FlashArea, "read">, slotOffset: number): boolean {
  return flash.read(slotOffset + CONFIRMED_AT, 4)[0] === 255;
}

/** Boot complete: every task has run. Writes once in a program's life. */
export function confirmBoot(flash: Pick<FlashArea, "read" | "write">, slotOffset: number): void {
  if (isUnconfirmed(flash, slotOffset)) flash.write(slotOffset + CONFIRMED_AT, new Uint8Array(4));
}
