// The rules of `concept-2026`: the national advice comes in 2027. Thresholds from the practice of alarm systems (deadbands of 5 %, a
// minute for levels) and of emergency power.
import type { Condition, Rule } from "../../../protocol/index.ts";

const HOUR_S = 3_600;
/** A point that nobody is in, or is meant to be, can wait. */
const CALM = { quantity: "phase", is: ["standby", "closed", "out-of-service"] } satisfies Condition;

/** The three rules of a point's endurance rise into one another, as does what is without power. */
const POWER: readonly Rule[] = [
  {
    ruleId: "power-lost",
    matter: "power",
    priority: 1,
    priorityWhen: [{ when: [CALM], priority: 3 }],
    when: [{ quantity: "backup", is: ["none"] }],
    onDelayS: 0,
    offDelayS: 60,
    group: { at: 5 },
  },
  {
    ruleId: "endurance-critical",
    matter: "power",
    priority: 1,
    when: [{ quantity: "enduranceH", below: 4 }],
    holds: [{ quantity: "enduranceH", below: 6 }],
    onDelayS: 600,
    offDelayS: 60,
  },
  {
    ruleId: "endurance-low",
    matter: "power",
    priority: 2,
    when: [{ quantity: "enduranceH", below: 12 }],
    holds: [{ quantity: "enduranceH", below: 16 }],
    onDelayS: HOUR_S / 2,
    offDelayS: 60,
  },
  {
    ruleId: "cannot-reach-72h",
    matter: "power",
    priority: 3,
    when: [{ quantity: "reaches72h", is: ["no"] }],
    holds: [{ quantity: "reaches72h", is: ["no", "uncertain"] }],
    onDelayS: HOUR_S,
    offDelayS: 60,
    group: { at: 5 },
  },
  {
    ruleId: "mains-lost",
    matter: "mains",
    priority: 3,
    when: [{ quantity: "mains", is: ["lost"] }],
    onDelayS: 30,
    offDelayS: 300,
    group: { at: 5 },
  },
];

const EQUIPMENT: readonly Rule[] = [
  {
    ruleId: "generator-failed",
    matter: "generator",
    priority: 1,
    priorityWhen: [{ when: [CALM], priority: 2 }],
    when: [
      { quantity: "generator", is: ["failed"] },
      { quantity: "mains", isNot: ["present"] },
    ],
    holds: [{ quantity: "generator", is: ["failed"] }],
    onDelayS: 0,
    offDelayS: 60,
    // A set that shut itself down is looked at before anybody relies on it.
    latches: true,
  },
  {
    ruleId: "generator-not-ready",
    matter: "generator",
    priority: 3,
    when: [
      { quantity: "generator", is: ["failed"] },
      { quantity: "mains", is: ["present"] },
    ],
    onDelayS: 60,
    offDelayS: 60,
  },
  {
    ruleId: "starter-battery",
    matter: "starter",
    priority: 2,
    when: [
      { quantity: "starterBatteryV", below: 12 },
      { quantity: "generator", isNot: ["running", "starting", "cooling"] },
    ],
    holds: [{ quantity: "starterBatteryV", below: 12.4 }],
    onDelayS: HOUR_S / 2,
    offDelayS: 60,
  },
  {
    ruleId: "sensor-bad",
    matter: "sensor",
    priority: 3,
    // A point that lives on a fuel nobody can see is in worse trouble than one with a broken thermometer.
    priorityWhen: [{ when: [{ quantity: "fuelSight", is: ["blind"] }], priority: 2 }],
    when: [{ quantity: "badSensors", atLeast: 1 }],
    onDelayS: 300,
    offDelayS: 60,
  },
];

const OTHERS: readonly Rule[] = [
  {
    ruleId: "silence",
    matter: "silence",
    priority: 2,
    priorityWhen: [{ when: [CALM], priority: 3 }],
    when: [{ quantity: "contact", is: ["silent"] }],
    onDelayS: 0,
    offDelayS: 0,
    group: { at: 8 },
  },
  {
    ruleId: "occupancy-full",
    matter: "people",
    priority: 2,
    when: [{ quantity: "occupancyPct", atLeast: 100 }],
    holds: [{ quantity: "occupancyPct", atLeast: 95 }],
    onDelayS: 300,
    offDelayS: 60,
  },
  {
    ruleId: "occupancy-high",
    matter: "people",
    priority: 3,
    when: [{ quantity: "occupancyPct", atLeast: 90 }],
    holds: [{ quantity: "occupancyPct", atLeast: 80 }],
    onDelayS: 300,
    offDelayS: 60,
  },
];

/** Fuel that goes where it should not (domain rules of telemetry for fuel: theft, leak, over-consumption). */
const FUEL: readonly Rule[] = [
  {
    ruleId: "fuel-loss",
    matter: "fuel",
    priority: 2,
    when: [{ quantity: "fuelLossL", atLeast: 0 }],
    onDelayS: 0,
    offDelayS: 60,
  },
  {
    ruleId: "fuel-tamper",
    matter: "fuel",
    priority: 2,
    when: [{ quantity: "fuelSensor", is: ["unplugged"] }],
    onDelayS: 120,
    offDelayS: 60,
  },
  {
    ruleId: "fuel-overuse",
    matter: "fuel",
    priority: 2,
    when: [{ quantity: "fuelOveruse", atLeast: 1 }],
    onDelayS: HOUR_S / 2,
    offDelayS: 60,
  },
  {
    ruleId: "fuel-leak",
    matter: "fuel",
    priority: 2,
    when: [{ quantity: "fuelLeakLPerH", atLeast: 0 }],
    onDelayS: 600,
    offDelayS: 60,
  },
];

/** Critical processes of own posts: one alert for each that is below its minimum, whether or not the mains are there. */
const PROCESSES: readonly Rule[] = [
  {
    ruleId: "process-minimum",
    matter: "process",
    priority: 2,
    priorityWhen: [{ when: [{ quantity: "mains", is: ["present"] }], priority: 3 }],
    when: [{ quantity: "minimum", is: ["below"] }],
    // A figure that is lost says nothing better of the process.
    holds: [{ quantity: "minimum", is: ["below", "near", "unknown"] }],
    onDelayS: 600,
    offDelayS: 60,
  },
];

export const RULES_2026: readonly Rule[] = [...POWER, ...EQUIPMENT, ...OTHERS, ...FUEL, ...PROCESSES];
