// The ring, its settings and the confirmed word on the engine: what the test calls.
import { MDBT42Q } from "../../firmware/boards/table.ts";
import type { FlashArea } from "../../firmware/hal.ts";
import { createRing, type Ring } from "../../firmware/store/ring.ts";
import { confirmBoot } from "../../firmware/store/slots.ts";

declare const global: { [name: string]: unknown };
declare function require<M extends keyof EspruinoModules>(name: M): EspruinoModules[M];
declare function print(text: string): void;

const START = MDBT42Q.dataAddress + MDBT42Q.ringOffset;
const SETTINGS_AT = 3;

function area(start: number, pages: number): FlashArea {
  return {
    pageBytes: MDBT42Q.pageBytes,
    pages: pages,
    read: (offset, length) => require("Flash").read(length, (start + offset) | 0),
    write: (offset, bytes) => require("Flash").write(bytes, (start + offset) | 0),
    erase: (page) => require("Flash").erasePage((start + page * MDBT42Q.pageBytes) | 0),
  };
}

const ring: Ring = createRing(area(START, MDBT42Q.ringPages), MDBT42Q.ringSlotBytes, (bytes) => E.CRC32(bytes));
let turns = 1;
while (!ring.recover()) turns++;

/** A report frame of which all follows from its sequence. */
function sampleOf(sequence: number): Uint8Array {
  const frame = new Uint8Array(13);
  frame[0] = 0x11;
  frame[1] = sequence >> 8;
  frame[2] = sequence;
  for (let i = 3; i < 13; i++) frame[i] = sequence * 7 + i;
  return frame;
}

/** Sequence that comes next, head, oldest, boot count, setting, turns of the recovery. */
global["tell"] = () => {
  const setting = ring.settings[0] ? ring.settings[SETTINGS_AT] : -1;
  print([ring.next(), ring.head(), ring.oldest(), ring.state[4], setting, turns].join());
};
global["append"] = (count: number) => {
  for (let i = 0; i < count; i++) ring.append(sampleOf(ring.next()));
};
global["mark"] = (place: number) => ring.mark(place);
global["boot"] = (count: number) => {
  ring.state[4] = count;
  ring.save();
};
global["set"] = (value: number) => {
  ring.settings[SETTINGS_AT] = value;
  ring.saveSettings();
};
/** From a place on, of so many places: sequence, `m` behind it when it is marked, `-` for no record. */
global["list"] = (from: number, count: number) => {
  const out: string[] = [];
  for (let place = from; place < from + count; place++) {
    const found = ring.read(place, true);
    if (found === undefined) out.push("-");
    else if (found[0] !== 0x11) out.push("s");
    else {
      const sequence = ((found[1] as number) << 8) | (found[2] as number);
      const isRight = found.length === 13 && found[12] === ((sequence * 7 + 12) & 255);
      out.push(`${isRight ? sequence : "bad"}${ring.read(place, false) === undefined ? "m" : ""}`);
    }
  }
  print(out.join(" "));
};
/** A free page stands for a slot. */
const SLOT = MDBT42Q.dataAddress + MDBT42Q.configOffset;

global["confirm"] = () => confirmBoot(area(SLOT, 0), 0);
global["wordAt"] = (offset: number) =>
  print(
    require("Flash")
      .read(4, SLOT + offset)
      .join(),
  );
