// Codes that appear in info and sensor events.

/** Code of `board` in an info frame; 0 is unknown, 255 a virtual board. */
export const BOARDS: { readonly [name: string]: number } = {
  unknown: 0,
  esp32: 1,
  xiaoble: 2,
  mdbt42q: 3,
  pixljs: 4,
  virtual: 255,
};

/** Bit of `sensors` in an info frame, and of sensor-fault and sensor-restored events. */
export const SENSORS = [
  "fuel-level",
  "generator-inputs",
  "generator-controller",
  "battery-monitor",
  "people-counter",
  "buttons",
  "environment",
  "tamper",
  "help-buttons",
  "phase-switch",
  "supplies",
  "display",
] as const;
export type SensorName = (typeof SENSORS)[number];
