// What may not wait for company before it is committed: a slow disk gathers records for a while, alarms close the batch.
import { FLAG_NAMES, type FlagName, KIND_EVENT } from "../../protocol/wire.ts";

/** Of the header, 8 bytes: kind in the low half of the first, flags in the last (protocol section 1). */
const FLAGS_AT = 7;
const URGENT: readonly FlagName[] = ["localAlarm", "tamper", "helpRequested"];
const URGENT_FLAGS = URGENT.reduce((mask, name) => mask | (0x80 >> FLAG_NAMES.indexOf(name)), 0);

/** True for a frame of alarm class: an event, or one whose flags say local alarm, tamper or help requested. */
export function isAlarmClass(frame: Uint8Array): boolean {
  if (frame.length <= FLAGS_AT) return false;
  return ((frame[0] as number) & 15) === KIND_EVENT || ((frame[FLAGS_AT] as number) & URGENT_FLAGS) !== 0;
}
