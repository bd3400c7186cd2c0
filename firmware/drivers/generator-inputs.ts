// Mains, generator and starter battery from plain inputs: a relay on the mains, the charge lamp terminal D+ (high while
// it charges), the oil pressure switch (closed to ground without pressure), and a divider on the starter battery.
import type { Quantity } from "../../protocol/wire.ts";
import type { AnalogInput, Delay, DigitalInput } from "../hal.ts";

/** D+ and oil must agree for so long before the set counts as running. */
const RUNNING_S = 3;
/** D+ without oil pressure for longer is a failure. */
const NO_OIL_S = 10;
/** After it ran, a set without D+ but with pressure is running down. */
const LOOKS = 6;
const LOOK_MS = 700;

export interface GeneratorInputsOptions {
  /** True while the mains are there. */
  readonly mains: DigitalInput;
  /** True while the charge alternator gives. */
  readonly charge: DigitalInput;
  /** True while there is oil pressure (the switch is open). */
  readonly oil: DigitalInput;
  readonly starter: AnalogInput;
  /** Volts of the starter battery at full scale of the input. */
  readonly starterFullScaleV: number;
  readonly delay: Delay;
  readonly uptime: () => number;
}

export interface GeneratorSample {
  readonly generator: string;
  readonly mains: string;
  readonly starterBatteryV: Quantity;
}

export interface GeneratorWatch {
  readonly state: string;
  /** Since when both inputs have been as they are. */
  readonly sinceS: number;
  readonly charge: boolean;
  readonly oil: boolean;
}

export const GENERATOR_AT_REST: GeneratorWatch = { state: "stopped", sinceS: 0, charge: false, oil: false };

/** Pure: one look at the two inputs. */
export function stepGenerator(watch: GeneratorWatch, charge: boolean, oil: boolean, timeS: number): GeneratorWatch {
  const same = watch.charge === charge && watch.oil === oil;
  const sinceS = same ? watch.sinceS : timeS;
  const lastedS = timeS - sinceS;
  let state = watch.state;
  if (charge && oil) state = lastedS >= RUNNING_S || state === "running" ? "running" : "starting";
  else if (charge) state = lastedS > NO_OIL_S ? "failed" : "starting";
  else if (oil) state = watch.state === "running" || watch.state === "cooling" ? "cooling" : "starting";
  else if (state !== "failed") state = "stopped";
  return { state: state, sinceS: sinceS, charge: charge, oil: oil };
}

export interface GeneratorInputs {
  /** Looks a few times over four seconds, and calls `done` exactly once, later. Never throws. */
  sample(done: (sample: GeneratorSample) => void): void;
}

export function createGeneratorInputs(options: GeneratorInputsOptions): GeneratorInputs {
  let watch = GENERATOR_AT_REST;

  function starterV(): Quantity {
    try {
      const share = options.starter();
      if (!(share >= 0 && share <= 1)) return "out-of-range";
      // A dead input is a broken wire: a battery of zero volts powers no set.
      return share < 0.01 ? "open-circuit" : share * options.starterFullScaleV;
    } catch {
      return "unknown";
    }
  }

  function look(left: number, done: (sample: GeneratorSample) => void): void {
    let mains = "unknown";
    try {
      watch = stepGenerator(watch, options.charge(), options.oil(), options.uptime());
      mains = options.mains() ? "present" : "lost";
    } catch {
      mains = "unknown";
    }
    if (left > 1) {
      options.delay(LOOK_MS, () => {
        look(left - 1, done);
      });
    } else done({ generator: watch.state, mains: mains, starterBatteryV: starterV() });
  }

  return {
    sample: (done) => {
      options.delay(1, () => {
        look(LOOKS, done);
      });
    },
  };
}
