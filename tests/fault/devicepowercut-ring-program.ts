// What a board runs while the proof writes its ring: as a device does it, and in two ways in which it must not be done.
import type { FlashArea } from "../../firmware/hal.ts";
import { createRing, type Ring, STATE_HEAD } from "../../firmware/store/ring.ts";

declare const global: { [name: string]: unknown };
declare function require<M extends keyof EspruinoModules>(name: M): EspruinoModules[M];

const PAGE = 4096;
const BOOT_AT = 3;
const COUNTER_AT = 5;
const HEADER = 8;
const STATE_FILE = "state";
/** The controls: no checksum; sequence and state in a Storage file that is replaced. */
const UNCHECKED = 1;
const IN_FILE = 2;

let ring: Ring;
let way = 0;
let sampleBytes = 0;

function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function put(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

/** All of a sample follows from its sequence. */
function sampleOf(sequence: number): Uint8Array {
  const sample = new Uint8Array(sampleBytes);
  sample[0] = 0x11;
  put(sample, 1, sequence);
  for (let i = HEADER; i < sampleBytes; i++) sample[i] = sequence * 7 + i * 31;
  return sample;
}

/** Last sequence, boot count, counter. */
function kept(): number[] {
  const text = require("Storage").read(STATE_FILE);
  const parts = text === undefined ? [] : text.split(",");
  return parts.length < 4 ? [-1, 0, 0] : [Number(parts[0]), Number(parts[1]), Number(parts[2])];
}

function keep(last: number, boot: number, counter: number): void {
  require("Storage").write(STATE_FILE, `${last},${boot},${counter},`);
}

function numbers(): number[] {
  if (way === IN_FILE) return kept();
  return [ring.next() - 1, u16(ring.state, BOOT_AT), u16(ring.state, COUNTER_AT)];
}

/** Writes boot count and counter down. */
function save(boot: number, counter: number): void {
  if (way === IN_FILE) {
    keep(numbers()[0] as number, boot, counter);
    return;
  }
  put(ring.state, BOOT_AT, boot);
  put(ring.state, COUNTER_AT, counter);
  ring.save();
}

/** Takes a sequence in a way in which it must not be done. */
function takeFromFile(): number {
  const now = kept();
  keep((now[0] as number) + 1, now[1] as number, now[2] as number);
  return (now[0] as number) + 1;
}

/** Opens the ring that begins at this address; gives the calls of `recover` that it took. */
global["ringOpen"] = (start: number, pages: number, slotBytes: number, bytes: number, how: number) => {
  const flash = require("Flash");
  const area: FlashArea = {
    pageBytes: PAGE,
    pages: pages,
    read: (at, length) => flash.read(length, (start + at) | 0),
    write: (at, data) => {
      flash.write(data, (start + at) | 0);
    },
    erase: (page) => {
      flash.erasePage((start + page * PAGE) | 0);
    },
  };
  way = how;
  sampleBytes = bytes;
  ring = createRing(area, slotBytes, (data) => (how === UNCHECKED ? 0 : E.CRC32(data)));
  let calls = 1;
  while (!ring.recover()) calls++;
  return calls;
};
/** So many samples from this sequence on, of which every third is marked. */
global["ringFill"] = (count: number, first: number) => {
  for (let i = 0; i < count; i++) {
    const place = ring.append(sampleOf((first + i) & 0xffff));
    if (i % 3 === 0) ring.mark(place);
  }
};
// All of these give where the next record will lie; a sample gives its place as well.
global["ringSample"] = () => {
  const sequence = way === IN_FILE ? takeFromFile() : ring.next();
  const place = ring.append(sampleOf(sequence & 0xffff));
  return JSON.stringify([ring.head(), place]);
};
global["ringUse"] = () => {
  if (way === IN_FILE) takeFromFile();
  else ring.use();
  return JSON.stringify([ring.head()]);
};
global["ringBoot"] = () => {
  const now = numbers();
  save((now[1] as number) + 1, now[2] as number);
  return JSON.stringify([ring.head()]);
};
global["ringCommand"] = (counter: number) => {
  save(numbers()[1] as number, counter);
  return JSON.stringify([ring.head()]);
};
global["ringMark"] = (place: number) => {
  ring.mark(place);
  return JSON.stringify([ring.head()]);
};
/** Last sequence, boot count, counter, oldest place and head. */
global["ringNumbers"] = () => JSON.stringify(numbers().concat([ring.oldest(), ring.head()]));
/** Records from a place up to before another: place, sequence, whether it is open, checksum. */
global["ringLook"] = (from: number, end: number) => {
  const found: number[][] = [];
  for (let place = from; place < end; place++) {
    const open = ring.read(place, false);
    const frame = open === undefined ? ring.read(place, true) : open;
    if (frame === undefined || frame[0] === STATE_HEAD) continue;
    found.push([place, u16(frame, 1), open === undefined ? 0 : 1, E.CRC32(frame)]);
  }
  return JSON.stringify(found);
};
