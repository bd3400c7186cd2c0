// The program's side of its slot. The loader counts the boots of a program that has not yet shown that it works, and goes back to
// the other slot when the tries are used up (`protocol/console/slots.ts` has the layout).
import type { FlashArea } from "../hal.ts";

/** Offset of the word in a slot's header that is erased until this. */
const CONFIRMED_AT = 20;

/** Boot complete: every task has run. `slotOffset` is the running slot's place in the area. Writes once in a program's life. */
export function confirmBoot(flash: FlashArea, slotOffset: number): void {
  const at = slotOffset + CONFIRMED_AT;
  if (flash.read(at, 4)[0] === 255) flash.write(at, new Uint8Array(4));
}
