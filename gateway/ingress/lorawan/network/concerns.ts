// Which refusals somebody has to look at. An old frame or an old join-request is what a device sends that lost its counters, and what
// anybody sends who has recorded it; their bytes are the same. A device that is heard in its session has not lost them. So these are told of
// only when they still come half an hour after the first, and the device was not heard in between.
import type { Clock } from "../../../clock.ts";
import type { Eui } from "../interfaces.ts";
import type { Refusal, RefusalNote } from "./reasons.ts";

/** Two intervals of a device that reports every quarter of an hour, and longer than a day of datagrams takes to be sent again. */
export const OUT_OF_STEP_MS = 1_800_000;

export interface Concern {
  readonly reason: Refusal;
  readonly devEui: Eui;
}

/** It lost its counters or nonces, or somebody sends again what it once sent. */
const AMBIGUOUS: ReadonlySet<Refusal> = new Set(["nonce-used", "nonce-too-small", "counter-reset"]);
/** No recording of what was once taken brings these: it has another key than we know, or its nonces are used up. */
const CERTAIN: ReadonlySet<Refusal> = new Set(["nonces-full", "key-changed", "join-eui"]);

export interface Concerns {
  refused(note: RefusalNote): void;
  /** A new frame of it was taken. */
  heard(devEui: Eui): void;
}

export function createConcerns(clock: Pick<Clock, "monotonicMs">, tell: (concern: Concern) => void): Concerns {
  /** When a device was first out of step; only names that are registered come here. */
  const since = new Map<Eui, number>();

  function isOutOfStep(devEui: Eui): boolean {
    const nowMs = clock.monotonicMs();
    const firstMs = since.get(devEui) ?? nowMs;
    since.set(devEui, firstMs);
    return nowMs - firstMs >= OUT_OF_STEP_MS;
  }

  return {
    refused({ reason, devEui }) {
      if (devEui === undefined) return;
      if (CERTAIN.has(reason) || (AMBIGUOUS.has(reason) && isOutOfStep(devEui))) tell({ reason, devEui });
    },
    heard: (devEui) => void since.delete(devEui),
  };
}
