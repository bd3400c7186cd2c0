// Two ways to the gateway as one: the first while it is up, else the second. Both lead to the same record: a frame is sent on one
// of them at a time, and its sequence is its identity on both.
import type { Link } from "../hal.ts";

export function createPreferredLink(first: Link, second: Link): Link {
  function now(): Link {
    return first.isUp() ? first : second;
  }
  return {
    isUp: () => now().isUp(),
    room: () => now().room(),
    spare: () => now().spare(),
    costS: (bytes) => now().costS(bytes),
    isSlow: () => now().isSlow(),
    send: (frame, isConfirmed, done) => now().send(frame, isConfirmed, done),
  };
}
