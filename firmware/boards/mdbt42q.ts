// MDBT42Q, profile `door`: a door counter over LoRaWAN.
import { createTaggerOfTwo } from "../../protocol/wire.ts";
import { createTurnedHmac } from "../device/tags.ts";
import { delay } from "./compose.ts";
import { startDoor } from "./door.ts";
import { MDBT42Q } from "./table.ts";

declare const D11: Pin, D14: Pin, D15: Pin, D16: Pin, D17: Pin, D18: Pin, D19: Pin, D20: Pin;
declare function require(name: "crypto"): EspruinoModules["crypto"];

startDoor(
  {
    // Code of BOARDS.
    code: 3,
    dataAddress: MDBT42Q.dataAddress,
    pageBytes: MDBT42Q.pageBytes,
    slotBytes: MDBT42Q.slotBytes,
    configOffset: MDBT42Q.configOffset,
    ringOffset: MDBT42Q.ringOffset,
    ringPages: MDBT42Q.ringPages,
    ringSlotBytes: MDBT42Q.ringSlotBytes,
    intervalS: 900,
    flightsMax: 12,
    frameBytesMax: 115,
  },
  { rx: D14, tx: D15, power: D11, beamA: D16, beamB: D17, lamp: D18, buzzer: D19, seen: D20 },
  (key) =>
    createTurnedHmac(
      createTaggerOfTwo((head, tail) => new Uint8Array(require("crypto").SHA256([head, tail])), key),
      delay,
    ),
);
