// Pixl.js, profile `door`: a door counter over LoRaWAN. Its engine has no SHA-256: the program brings its own.
import { createSlicedHmac } from "../device/sha256.ts";
import { delay } from "./compose.ts";
import { startDoor } from "./door.ts";
import { PIXLJS } from "./table.ts";

declare const D2: Pin, D3: Pin, D4: Pin, D5: Pin, D6: Pin, D7: Pin, D8: Pin, D9: Pin;

startDoor(
  {
    // Code of BOARDS.
    code: 4,
    dataAddress: PIXLJS.dataAddress,
    pageBytes: PIXLJS.pageBytes,
    slotBytes: PIXLJS.slotBytes,
    configOffset: PIXLJS.configOffset,
    ringOffset: PIXLJS.ringOffset,
    ringPages: PIXLJS.ringPages,
    ringSlotBytes: PIXLJS.ringSlotBytes,
    intervalS: 900,
    flightsMax: 12,
    frameBytesMax: 115,
  },
  { rx: D2, tx: D3, power: D4, beamA: D5, beamB: D6, lamp: D7, buzzer: D8, seen: D9 },
  (key) => createSlicedHmac(key, delay),
);
