// A 4–20 mA level probe over a shunt, with the fault limits of NAMUR NE 43: below 3.6 mA or above 21 mA is a fault,
// between there and the scale the probe is at its end but alive.

import type { Quantity } from "../../protocol/wire.ts";
import type { AnalogInput, Delay } from "../hal.ts";

/** Readings in one sample: their median stills the slosh of a tank. */
const READINGS = 15;
const READING_MS = 250;
const BROKEN_BELOW_MA = 3.6;
const SHORTED_ABOVE_MA = 21;
/** NE 43: a fault counts when it has lasted so long. */
const FAULT_S = 4;

export interface FuelProbeOptions {
  readonly input: AnalogInput;
  readonly delay: Delay;
  /** Seconds on a clock that does not jump. */
  readonly uptime: () => number;
  readonly shuntOhm: number;
  readonly referenceV: number;
}

/** Pure: milliamperes as percent of the span, or the reason why not. `faultS`: how long the fault has lasted. */
export function decodeFuelProbe(milliamperes: number, faultS: number): Quantity {
  if (milliamperes < BROKEN_BELOW_MA) return faultS >= FAULT_S ? "open-circuit" : "unknown";
  if (milliamperes > SHORTED_ABOVE_MA) return faultS >= FAULT_S ? "short-circuit" : "unknown";
  return Math.min(100, Math.max(0, ((milliamperes - 4) / 16) * 100));
}

export interface FuelProbe {
  /** Measures, and calls `done` exactly once, later. Never throws. */
  sample(done: (level: Quantity) => void): void;
}

export function createFuelProbe(options: FuelProbeOptions): FuelProbe {
  const readings = new Float32Array(READINGS);
  let faultSince = -1;

  function milliamperes(): number {
    try {
      return ((options.input() * options.referenceV) / options.shuntOhm) * 1000;
    } catch {
      return 0;
    }
  }

  function median(): number {
    // Insertion sort in place: fifteen numbers, no memory.
    for (let i = 1; i < READINGS; i++) {
      const value = readings[i] as number;
      let at = i;
      while (at > 0 && (readings[at - 1] as number) > value) {
        readings[at] = readings[at - 1] as number;
        at--;
      }
      readings[at] = value;
    }
    return readings[READINGS >> 1] as number;
  }

  function take(i: number, done: (level: Quantity) => void): void {
    readings[i] = milliamperes();
    if (i + 1 < READINGS) {
      options.delay(READING_MS, () => {
        take(i + 1, done);
      });
      return;
    }
    const middle = median();
    const broken = middle < BROKEN_BELOW_MA || middle > SHORTED_ABOVE_MA;
    // The readings themselves span four seconds less a quarter: the first faulty sample began the fault.
    if (!broken) faultSince = -1;
    else if (faultSince < 0) faultSince = options.uptime() - (READINGS * READING_MS) / 1000;
    done(decodeFuelProbe(middle, broken ? options.uptime() - faultSince : 0));
  }

  return {
    sample: (done) => {
      options.delay(READING_MS, () => {
        take(0, done);
      });
    },
  };
}
