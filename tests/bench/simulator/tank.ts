// Tanks as they are: litres from the height of the fuel, and back.

export type TankShape = "box" | "cylinder" | "stepped";

/** A stepped tank narrows below this share of its height to this share of its floor. */
const STEP_AT = 0.3;
const STEP_FLOOR = 0.55;

/** Share of the volume at a share of the height. */
export function filledShare(shape: TankShape, height: number): number {
  const h = Math.min(1, Math.max(0, height));
  switch (shape) {
    case "box":
      return h;
    case "cylinder": {
      // A circle's segment, the angle at its middle.
      const angle = 2 * Math.acos(1 - 2 * h);
      return (angle - Math.sin(angle)) / (2 * Math.PI);
    }
    case "stepped": {
      const whole = STEP_AT * STEP_FLOOR + 1 - STEP_AT;
      return h <= STEP_AT ? (h * STEP_FLOOR) / whole : (STEP_AT * STEP_FLOOR + h - STEP_AT) / whole;
    }
  }
}

/** Share of the height at a share of the volume. */
export function heightShare(shape: TankShape, filled: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 24; i++) {
    const middle = (low + high) / 2;
    if (filledShare(shape, middle) < filled) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
