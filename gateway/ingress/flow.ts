// How much of one connection may be under way: answers leave in the order in which their packets came, at most so many
// wait for the journal, and a device gets so many frames a second. Over the limit nothing is lost: it is not read.
import type { Clock } from "../clock.ts";
import type { Gate } from "./guard.ts";

export interface FlowLimits {
  /** Packets of one connection that wait for the journal. */
  readonly inFlightMax: number;
  /** Frames a second, and how many may come at once after a pause (protocol section 2). */
  readonly framesPerS: number;
  readonly burst: number;
}

export const FLOW_LIMITS: FlowLimits = { inFlightMax: 256, framesPerS: 50, burst: 500 };

type Answer = (error?: Error | null) => void;

interface Slot {
  readonly answer: Answer;
  result: { readonly error?: Error } | undefined;
}

export interface Flow {
  /** Takes one packet in; the function it gives back is called once, when its answer is known. */
  enter(answer: Answer): (error?: Error) => void;
  /** All connections stop being read while the journal is far behind. */
  hold(held: boolean): void;
  close(): void;
}

export function createFlow(gate: Gate, clock: Clock, limits: FlowLimits = FLOW_LIMITS): Flow {
  const slots: Slot[] = [];
  let held = false;
  let tokens = limits.burst;
  let filledMs = clock.monotonicMs();
  let refill: { stop(): void } | undefined;

  function update(): void {
    const now = clock.monotonicMs();
    tokens = Math.min(limits.burst, tokens + ((now - filledMs) / 1000) * limits.framesPerS);
    filledMs = now;
    const starved = tokens < 1;
    gate.set(!held && !starved && slots.length < limits.inFlightMax);
    if (!starved || refill !== undefined) return;
    refill = clock.after(Math.ceil(((1 - tokens) / limits.framesPerS) * 1000), () => {
      refill = undefined;
      update();
    });
  }

  function drain(): void {
    while (slots[0]?.result !== undefined) {
      const slot = slots.shift() as Slot;
      slot.answer(slot.result?.error ?? null);
    }
    update();
  }

  return {
    enter(answer) {
      const slot: Slot = { answer, result: undefined };
      slots.push(slot);
      tokens--;
      update();
      return (error) => {
        slot.result = error === undefined ? {} : { error };
        drain();
      };
    },
    hold(next) {
      held = next;
      update();
    },
    close() {
      refill?.stop();
    },
  };
}
