// What a board has beside its numbers: serial lines, pins, and the globals that can speak to somebody (radio, consoles).
// The virtual boards and the tests on the real engine put the same in the program's reach.

export interface BoardParts {
  /** Hardware serial lines. */
  readonly serials: readonly string[];
  /** D0 up to this one. */
  readonly lastPin: number;
  /** Other pins by name. */
  readonly pins: readonly string[];
  /** Calls of radio and consoles that only take note of being called. */
  readonly noted: readonly string[];
}

const RADIO = ["setServices", "setAdvertising", "setConnectionInterval", "disconnect", "sleep", "wake", "on"].map(
  (name) => `NRF.${name}`,
);

/** Names that the engine gives to the button and the lamp of a board. */
const BENCH = ["BTN1", "LED1"];

const PARTS: Readonly<Record<string, BoardParts>> = {
  esp32: {
    serials: ["Serial1", "Serial2", "Serial3"],
    lastPin: 39,
    pins: BENCH,
    noted: ["ESP32.enableBLE", "ESP32.setBLE_Debug"],
  },
  xiaoble: { serials: ["Serial1", "USB", "Bluetooth"], lastPin: 47, pins: BENCH, noted: RADIO },
  mdbt42q: { serials: ["Serial1", "Bluetooth"], lastPin: 31, pins: BENCH, noted: RADIO },
  pixljs: {
    serials: ["Serial1", "Bluetooth"],
    lastPin: 31,
    pins: [...BENCH, "A0", "A1", "A2", "A3", "A4", "A5"],
    noted: RADIO,
  },
};

export function partsOf(board: string): BoardParts {
  const parts = PARTS[board];
  if (parts === undefined) throw new Error(`nothing is known of board ${board}`);
  return parts;
}
