// What may not wait for company before it is committed: a slow disk gathers records for a while, alarms close the batch.
import { KIND_EVENT } from "../../protocol/wire.ts";
import { FLAGS_AT, flagBit } from "./stamp.ts";

const URGENT_FLAGS = flagBit("localAlarm") | flagBit("tamper") | flagBit("helpRequested");

/** True for a frame of alarm class: an event, or one whose flags say local alarm, tamper or help requested. */
export function isAlarmClass(frame: Uint8Array): boolean {
  if (frame.length <= FLAGS_AT) return false;
  return ((frame[0] as number) & 15) === KIND_EVENT || ((frame[FLAGS_AT] as number) & URGENT_FLAGS) !== 0;
}
