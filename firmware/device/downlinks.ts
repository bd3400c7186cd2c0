// Downlinks as a device takes them: ack frames, settings and commands. What changes the device carries a counter that only grows
// and is written down before anything is done; a repeat to the letter is answered again and not done again.
import type { Delay } from "../hal.ts";
import { putU16, u16, u32 } from "../store/bytes.ts";
import { isSetting } from "./settings.ts";
import { STATE_COUNTER, STATE_TAG } from "./state.ts";

const ACK = 0x18;
const CONFIG = 0x19;
const COMMAND = 0x1a;
const TAG = 8;
const TURN_MS = 1;

// Commands by their code (protocol section 1.2).
export const SEND_INFO = 1;
export const REPORT_NOW = 2;
export const LOCATE = 3;
export const REBOOT = 4;
export const RESEND_FROM = 5;
export const SET_OCCUPANCY = 6;
export const ACKNOWLEDGE_HELP = 7;
export const CLEAR_LATCHED_ALARM = 8;

export interface DownlinkOptions {
  /** The device's state, and the call that writes it down. */
  readonly state: Uint8Array;
  readonly save: () => void;
  /** No writes to flash now. */
  readonly isStill: () => boolean;
  readonly delay: Delay;
  /** Checks and takes off a tag; calls back once, perhaps later. */
  readonly open: (sealed: Uint8Array, done: (frame: Uint8Array | undefined) => void) => void;
  readonly ack: (time: number, base: number, bitmap: number) => void;
  /** The settings of a frame: three bytes each, number and value, from byte 6 on. */
  readonly config: (frame: Uint8Array) => void;
  /** False for a command that this device does not know. */
  readonly command: (command: number, argument: number) => boolean;
  /** Whether it is applied or refused, and the low 16 bits of its counter. */
  readonly answer: (isDone: boolean, counter: number) => void;
  /** One that did not check, or is nothing that this version knows. */
  readonly ignored: () => void;
}

/** Takes downlinks. `isChecked`: the network has checked it (LoRaWAN): only what changes the device has a tag then. */
export function createDownlinks(options: DownlinkOptions): (payload: Uint8Array, isChecked: boolean) => void {
  const state = options.state;

  /** Does what was written down, and answers; another downlink may have been taken since. */
  function act(frame: Uint8Array, tag: number, isRepeat: boolean): void {
    const isConfig = frame[0] === CONFIG;
    const isMine = tag === u16(state, STATE_TAG);
    // Settings are the same however often they are set: a power cut may have come between counter and settings.
    if (isConfig) options.config(frame);
    const isDone = isConfig || (isRepeat ? isMine : options.command(frame[5] as number, u16(frame, 6)));
    // What was refused is refused again, and not taken for a repeat of what was done.
    if (!isDone && isMine) {
      state[STATE_TAG] = (state[STATE_TAG] as number) ^ 1;
      options.delay(TURN_MS, options.save);
    }
    options.answer(isDone, u16(frame, 3));
  }

  /** Its counter is checked and written down in one turn; it is done in the next. */
  function obey(frame: Uint8Array, tag: number): void {
    const counter = u32(frame, 1);
    const last = u32(state, STATE_COUNTER);
    const isRepeat = counter === last && tag === u16(state, STATE_TAG);
    if (counter <= last && !isRepeat) options.answer(false, u16(frame, 3));
    else if (isRepeat || !options.isStill()) {
      if (!isRepeat) {
        for (let i = 0; i < 4; i++) state[STATE_COUNTER + i] = frame[1 + i] as number;
        putU16(state, STATE_TAG, tag);
        options.save();
      }
      options.delay(TURN_MS, () => act(frame, tag, isRepeat));
    }
  }

  /** Settings or a command, with the last two bytes of its tag: whether what it sets makes sense. */
  function check(frame: Uint8Array, tag: number): void {
    let isRight = true;
    for (let at = 6; frame[0] === CONFIG && at < frame.length; at += 3)
      if (!isSetting(frame[at] as number, u16(frame, at + 1))) isRight = false;
    if (isRight) options.delay(TURN_MS, () => obey(frame, tag));
    else options.answer(false, u16(frame, 3));
  }

  function take(frame: Uint8Array | undefined, payload: Uint8Array): void {
    const size = frame ? frame.length : 0;
    const bytes = frame as Uint8Array;
    const head = size > 7 ? bytes[0] : 0;
    if (head === ACK && size === 11) options.ack(u32(bytes, 1), u16(bytes, 5), u32(bytes, 7));
    else if ((head === COMMAND && size === 8) || (head === CONFIG && size === 6 + 3 * (bytes[5] as number)))
      options.delay(TURN_MS, () => check(bytes, u16(payload, payload.length - TAG)));
    else options.ignored();
  }

  return (payload, isChecked) => {
    if (isChecked && payload[0] === ACK) take(payload, payload);
    else options.open(payload, (frame) => take(frame, payload));
  };
}
