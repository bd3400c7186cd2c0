// Tags as a board makes and checks them: no turn has more of it than one hash.
import type { Tagger } from "../../protocol/wire.ts";
import type { Delay } from "../hal.ts";

const TAG = 8;
const TURN_MS = 1;

/** HMAC-SHA256; `done` is called later, with undefined while another is under way that leaves no room for this one. */
export type Hmac = (bytes: Uint8Array, done: (mac: Uint8Array | undefined) => void) => void;

/** With a hash that is done at once, one of the two a turn. */
export function createTurnedHmac(tagger: Tagger, delay: Delay): Hmac {
  return (bytes, done) => {
    const digest = tagger.inner(bytes);
    delay(TURN_MS, () => {
      const mac = tagger.outer(digest);
      delay(TURN_MS, () => done(mac));
    });
  };
}

/** The frame as it is now with its tag behind it; never, when the tag could not be made. */
export function sealLater(hmac: Hmac, frame: Uint8Array, done: (sealed: Uint8Array) => void): void {
  const sealed = new Uint8Array(frame.length + TAG);
  sealed.set(frame);
  hmac(frame, (mac) => {
    if (!mac) return;
    sealed.set(mac.slice(0, TAG), frame.length);
    done(sealed);
  });
}

/** Checks a tag and takes it off: the frame, or undefined. */
export function openLater(hmac: Hmac, sealed: Uint8Array, done: (frame: Uint8Array | undefined) => void): void {
  const size = sealed.length - TAG;
  const frame = sealed.slice(0, Math.max(size, 0));
  hmac(frame, (mac) => {
    let differs = !mac || size < 0 ? 1 : 0;
    for (let i = 0; i < TAG && mac; i++) differs |= (mac[i] as number) ^ (sealed[size + i] as number);
    done(differs ? undefined : frame);
  });
}
