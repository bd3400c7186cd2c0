// A Wio-E5 on the board's Serial1, as a link for the device.
import type { DeviceConfig } from "../device/settings.ts";
import { createWioE5, type LoraLink } from "../links/lorawan/wio-e5.ts";
import { delay, uptime } from "./compose.ts";

/** The modem's usual speed. */
const BAUD = 9600;
/** How long its power is taken away. */
const POWER_OFF_MS = 2000;
const USUAL_DATA_RATE = 3;

export interface RadioPins {
  readonly rx: Pin;
  readonly tx: Pin;
  /** High: the modem has power. */
  readonly power: Pin;
}

export function createRadio(
  pins: RadioPins,
  keys: NonNullable<DeviceConfig["lorawan"]>,
  changed: () => void,
  received: (frame: Uint8Array) => void,
): LoraLink {
  digitalWrite(pins.power, 1);
  return createWioE5({
    devEui: keys.devEui,
    appEui: keys.joinEui,
    appKey: keys.appKey,
    line: {
      open: (listener) => {
        Serial1.setup(BAUD, { rx: pins.rx, tx: pins.tx });
        Serial1.on("data", listener);
      },
      close: () => Serial1.unsetup(),
      write: (data) => Serial1.write(data),
    },
    delay: delay,
    uptime: uptime,
    random: Math.random,
    dataRate: keys.rate || USUAL_DATA_RATE,
    cutPower: () => {
      digitalWrite(pins.power, 0);
      delay(POWER_OFF_MS, () => digitalWrite(pins.power, 1));
    },
    changed: changed,
    received: received,
  });
}
