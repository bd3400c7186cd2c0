// Seeed XIAO nRF52840, profile `point`: a support point over LoRaWAN. Its one serial line is the modem's: no battery monitor.
import { createTaggerOfTwo } from "../../protocol/wire.ts";
import type { Device } from "../device/device.ts";
import { bytesOfHex } from "../device/settings.ts";
import { createTurnedHmac, openLater } from "../device/tags.ts";
import { createThinning } from "../device/thinning.ts";
import { assembleDevice, delay, openRing, readConfig, recover } from "./compose.ts";
import { createPoint } from "./point.ts";
import { createRadio } from "./radio.ts";
import { XIAOBLE } from "./table.ts";

declare const D0: Pin, D2: Pin, D3: Pin, D4: Pin, D5: Pin, D6: Pin, D7: Pin, D8: Pin, D9: Pin, D10: Pin;
declare const D28: Pin, D29: Pin, D30: Pin;
declare function require(name: "crypto"): EspruinoModules["crypto"];

/** The chip's own supply at which writes must stop; a volt above it is full. */
const SUPPLY_V_MIN = 2;
const BOARD = {
  // Code of BOARDS.
  code: 2,
  dataAddress: XIAOBLE.dataAddress,
  pageBytes: XIAOBLE.pageBytes,
  slotBytes: XIAOBLE.slotBytes,
  configOffset: XIAOBLE.configOffset,
  ringOffset: XIAOBLE.ringOffset,
  ringPages: XIAOBLE.ringPages,
  ringSlotBytes: XIAOBLE.ringSlotBytes,
  intervalS: 60,
  flightsMax: 16,
  frameBytesMax: 222,
};
const PINS = { fuel: D2, starter: D3, mains: D4, charge: D5, oil: D8, beamA: D9, beamB: D10 };

const config = readConfig(BOARD);
const ring = openRing(BOARD);
const point = createPoint(config, PINS, { open: () => {}, close: () => {} });
const hmac = createTurnedHmac(
  createTaggerOfTwo((head, tail) => new Uint8Array(require("crypto").SHA256([head, tail])), bytesOfHex(config.key)),
  delay,
);
const link = createRadio(
  { rx: D7, tx: D6, power: D0 },
  config.lorawan as NonNullable<typeof config.lorawan>,
  () => device.linkChanged(),
  (frame) => device.received(frame, true),
);
const device: Device = assembleDevice(BOARD, config, ring, {
  groupBits: point.groupBits,
  row: point.row,
  probes: point.probes,
  sensors: point.sensors,
  alarms: point.alarms,
  changes: point.changes,
  recount: point.recount,
  link: link,
  thinning: createThinning(ring, point.row, link),
  open: (sealed, done) => openLater(hmac, sealed, done),
  ownSupply: () => NRF.getBattery() - SUPPLY_V_MIN,
  lamp: (isOn) => digitalWrite(D28, isOn),
  buzzer: (isOn) => digitalWrite(D29, isOn),
  seen: (isOn) => digitalWrite(D30, isOn),
});
recover(ring, () => {
  point.restore(ring.newest());
  delay(1, device.start);
  delay(2, link.start);
});
