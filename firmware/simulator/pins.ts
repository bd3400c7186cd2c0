// Where the wires of a point end on each board, by the pins of the ESP32, for which the signals are made.
export const PINS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  esp32: {},
  xiaoble: { D2: "D34", D3: "D35", D4: "D25", D5: "D26", D8: "D27", D9: "D13", D10: "D14", D0: "power" },
  mdbt42q: { D16: "D13", D17: "D14" },
};
