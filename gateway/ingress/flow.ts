// How much of one connection may be under way: answers leave in the order in which their packets came, at most so many
// wait for the journal, and a device gets so many frames a second. Over the limit nothing is lost: it is not read.
import type { Clock } from "../clock.ts";
import { invariant } from "../errors.ts";
import type { Gate } from "./guard.ts";

export interface FlowLimits {
  /** Packets of one connection that wait for the journal. */
  readonly inFlightMax: number;
  /** Frames a second, and how many may come at once after a pause (protocol section 2). */
  readonly framesPerS: number;
  readonly burst: number;
}

export const FLOW_LIMITS: FlowLimits = { inFlightMax: 256, framesPerS: 50, burst: 500 };

/** A packet whose answer is known, and whose turn it is. */
export interface Leaving<T> {
  readonly packet: T;
  readonly enteredMs: number;
  readonly error: Error | undefined;
}

interface Slot<T> {
  readonly packet: T;
  readonly enteredMs: number;
  error: Error | undefined;
  isSettled: boolean;
}

export interface Flow<T> {
  /** Takes one packet in; the function it gives back is called once, when its answer is known. */
  enter(packet: T): (error?: Error) => void;
  /** The journal is far behind: what this connection wants to publish is not read until it is not. */
  hold(held: boolean): void;
  hasUnreadPublish(): boolean;
  /** The sender takes no answers now: it is not read until it does. */
  block(blocked: boolean): void;
  close(): void;
}

export interface FlowDeps<T> {
  readonly gate: Gate;
  readonly clock: Clock;
  readonly limits: FlowLimits;
  /** What may be answered at the end of a turn of the loop, in the order of the packets: never none. */
  leave(run: readonly Leaving<T>[]): void;
}

export function createFlow<T>({ gate, clock, limits, leave }: FlowDeps<T>): Flow<T> {
  const slots: Slot<T>[] = [];
  let held = false;
  let blocked = false;
  let isOpen = true;
  let isLeaving = false;
  let tokens = limits.burst;
  let filledMs = clock.monotonicMs();
  let refill: { stop(): void } | undefined;

  function update(now: number): void {
    tokens = Math.min(limits.burst, tokens + ((now - filledMs) / 1000) * limits.framesPerS);
    filledMs = now;
    const starved = tokens < 1;
    isOpen = !held && !blocked && !starved && slots.length < limits.inFlightMax;
    gate.set(isOpen);
    if (!starved || refill !== undefined) return;
    refill = clock.after(Math.ceil(((1 - tokens) / limits.framesPerS) * 1000), () => {
      refill = undefined;
      update(clock.monotonicMs());
    });
  }

  /** The answers of one commit go out together. */
  function drain(): void {
    isLeaving = false;
    const waiting = slots.findIndex(({ isSettled }) => !isSettled);
    const run = slots.splice(0, waiting < 0 ? slots.length : waiting);
    invariant(run.length > 0, "the first packet is answered");
    leave(run);
    // What left can only open the gate.
    if (!isOpen) update(clock.monotonicMs());
  }

  return {
    enter(packet) {
      const enteredMs = clock.monotonicMs();
      const slot: Slot<T> = { packet, enteredMs, error: undefined, isSettled: false };
      slots.push(slot);
      tokens--;
      update(enteredMs);
      return (error) => {
        slot.error = error;
        slot.isSettled = true;
        if (isLeaving || slots[0] !== slot) return;
        isLeaving = true;
        process.nextTick(drain);
      };
    },
    hold(next) {
      held = next;
      update(clock.monotonicMs());
    },
    hasUnreadPublish: gate.hasUnreadPublish,
    block(next) {
      blocked = next;
      update(clock.monotonicMs());
    },
    close() {
      refill?.stop();
    },
  };
}
