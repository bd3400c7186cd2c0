// Downlinks as a device takes them: ack frames, settings and commands. What changes the device carries a counter that only grows
// and is written down before anything is done; a repeat to the letter is answered again and not done again.
import { u16, u32 } from "../store/bytes.ts";
import { DOWNLINK_APPLIED, DOWNLINK_REFUSED } from "./frames.ts";
import { isSetting } from "./settings.ts";

const ACK = 0x18;
const CONFIG = 0x19;
const COMMAND = 0x1a;
const TAG = 8;

// Commands by their code (protocol section 1.2).
export const SEND_INFO = 1;
export const REPORT_NOW = 2;
export const LOCATE = 3;
export const REBOOT = 4;
export const RESEND_FROM = 5;
export const SET_OCCUPANCY = 6;
export const ACKNOWLEDGE_HELP = 7;
export const CLEAR_LATCHED_ALARM = 8;

/** Where the accepted counter lies in the device's state, and behind it two bytes of its frame's tag. */
const STATE_COUNTER = 5;
const STATE_TAG = 9;

export interface DownlinkOptions {
  /** The device's state, and the call that writes it down. */
  readonly state: Uint8Array;
  readonly save: () => void;
  /** Checks and takes off a tag; calls back once, perhaps later. */
  readonly open: (sealed: Uint8Array, done: (frame: Uint8Array | undefined) => void) => void;
  readonly ack: (time: number, base: number, bitmap: number) => void;
  /** Settings by number, of those given. */
  readonly config: (given: readonly number[]) => void;
  /** False for a command that this device does not know. */
  readonly command: (command: number, argument: number) => boolean;
  /** The event that answers, and the low 16 bits of the counter. */
  readonly answer: (event: number, counter: number) => void;
  /** One that did not check, or is nothing that this version knows. */
  readonly ignored: () => void;
}

/** Takes downlinks. `isChecked`: the network has checked it (LoRaWAN): only what changes the device has a tag then. */
export function createDownlinks(options: DownlinkOptions): (payload: Uint8Array, isChecked: boolean) => void {
  const state = options.state;

  /** Settings or a command, with the last two bytes of its tag. */
  function obey(frame: Uint8Array, tag: number): boolean {
    const counter = u32(frame, 1);
    const last = u32(state, STATE_COUNTER);
    const isRepeat = counter === last && tag === u16(state, STATE_TAG);
    const isConfig = frame[0] === CONFIG;
    const given: number[] = [];
    for (let at = 6; isConfig && at < frame.length; at += 3) {
      given[frame[at] as number] = u16(frame, at + 1);
      if (!isSetting(frame[at] as number, u16(frame, at + 1))) return false;
    }
    if (counter <= last && !isRepeat) return false;
    if (!isRepeat) {
      for (let i = 0; i < 4; i++) state[STATE_COUNTER + i] = frame[1 + i] as number;
      state[STATE_TAG] = tag >> 8;
      state[STATE_TAG + 1] = tag;
      options.save();
    }
    // Settings are the same however often they are set: a power cut may have come between counter and settings.
    if (isConfig) options.config(given);
    const isDone = isConfig || isRepeat || options.command(frame[5] as number, u16(frame, 6));
    // What was refused is refused again, and not taken for a repeat of what was done.
    if (!isDone) {
      state[STATE_TAG] = (state[STATE_TAG] as number) ^ 1;
      options.save();
    }
    return isDone;
  }

  function take(frame: Uint8Array | undefined, payload: Uint8Array): void {
    const size = frame ? frame.length : 0;
    const bytes = frame as Uint8Array;
    const head = size > 7 ? bytes[0] : 0;
    if (head === ACK && size === 11) options.ack(u32(bytes, 1), u16(bytes, 5), u32(bytes, 7));
    else if ((head === COMMAND && size === 8) || (head === CONFIG && size === 6 + 3 * (bytes[5] as number)))
      options.answer(
        obey(bytes, u16(payload, payload.length - TAG)) ? DOWNLINK_APPLIED : DOWNLINK_REFUSED,
        u16(bytes, 3),
      );
    else options.ignored();
  }

  return (payload, isChecked) => {
    if (isChecked && payload[0] === ACK) take(payload, payload);
    else options.open(payload, (frame) => take(frame, payload));
  };
}
