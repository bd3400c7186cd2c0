// Victron VE.Direct, text protocol: 19200 8N1, blocks of `\r\n<label>\t<value>` that end in `Checksum\t<byte>` and sum to
// zero modulo 256. BMV and SmartShunt send two blocks in turn, each with its own checksum; HEX frames (`:` to line end) may
// stand between them.
import type { Quantity } from "../../protocol/wire.ts";
import type { Delay, SerialLine } from "../hal.ts";

const LABEL_MAX = 9;
const VALUE_MAX = 33;
/** Two blocks in turn, one a second, and one spoilt. */
const TIMEOUT_MS = 4500;
/** Bytes parsed in one turn, and how many may wait: two blocks. What is more spoils its block, and the next one counts. */
const PIECE = 8;
const TURN_MS = 1;
const HELD_MAX = 400;

export interface BatterySample {
  readonly batteryV: Quantity;
  readonly batteryA: Quantity;
  readonly stateOfChargePct: Quantity;
}

export interface VeDirectOptions {
  /** It only listens. */
  readonly line: Pick<SerialLine, "open" | "close">;
  readonly delay: Delay;
}

export interface VeDirect {
  /** Listens for one sound block, and calls `done` exactly once, later. Never throws. */
  sample(done: (sample: BatterySample) => void): void;
}

/** Fields of a block as they came; a block counts only when its checksum did. */
export interface VeBlock {
  V: string;
  I: string;
  SOC: string;
}

function all(reason: Quantity): BatterySample {
  return { batteryV: reason, batteryA: reason, stateOfChargePct: reason };
}

/** Pure: a whole number in a text, or undefined. Hand-made: `12x` is no number. */
export function wholeOf(text: string): number | undefined {
  let at = text[0] === "-" ? 1 : 0;
  if (at === text.length) return undefined;
  let value = 0;
  for (; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return text[0] === "-" ? -value : value;
}

function quantityOf(text: string, perUnit: number, min: number, max: number): Quantity {
  if (text === "") return "absent";
  // Not available: for the state of charge, that the shunt has lost count until it was full once.
  if (text === "---") return "untrusted";
  const whole = wholeOf(text);
  if (whole === undefined) return "corrupt";
  const value = whole / perUnit;
  return value < min || value > max ? "out-of-range" : value;
}

export interface VeParser {
  /** Takes bytes; gives a block whose checksum is right, else undefined. */
  take(data: string): VeBlock | undefined;
  /** Blocks whose checksum was wrong, so far. */
  spoilt(): number;
}

/** A parser in bounded memory, over data in pieces of any size. */
export function createVeParser(): VeParser {
  let sum = 0;
  let hex = false;
  let label = "";
  let value = "";
  let inValue = false;
  let atChecksum = false;
  let spoilt = 0;
  // A block is known whole only after the end of the one before it.
  let synced = false;
  let block: VeBlock = { V: "", I: "", SOC: "" };

  function reset(): void {
    sum = 0;
    label = "";
    value = "";
    inValue = false;
    atChecksum = false;
    block = { V: "", I: "", SOC: "" };
  }

  function keep(): void {
    if (label === "V") block.V = value;
    else if (label === "I") block.I = value;
    else if (label === "SOC") block.SOC = value;
  }

  function end(): VeBlock | undefined {
    const sound = (sum & 255) === 0;
    const whole = synced;
    const found = block;
    synced = true;
    reset();
    if (!sound && whole) spoilt++;
    return sound && found.V !== "" ? found : undefined;
  }

  function takeByte(byte: number, char: string): VeBlock | undefined {
    if (atChecksum) {
      sum += byte;
      return end();
    }
    // A HEX frame starts only between fields; its bytes are not in the sum.
    if (hex) {
      if (byte === 10) hex = false;
      return undefined;
    }
    if (byte === 58 && !inValue && label === "") {
      hex = true;
      return undefined;
    }
    sum += byte;
    if (byte === 13) return undefined;
    if (byte === 10) {
      keep();
      label = "";
      value = "";
      inValue = false;
    } else if (byte === 9) {
      inValue = true;
      if (label === "Checksum") atChecksum = true;
    } else if (inValue) {
      if (value.length < VALUE_MAX) value += char;
    } else if (label.length < LABEL_MAX) label += char;
    return undefined;
  }

  return {
    take: (data) => {
      let found: VeBlock | undefined;
      for (let i = 0; i < data.length; i++) {
        const block = takeByte(data.charCodeAt(i) & 255, data[i] as string);
        if (block) found = block;
      }
      return found;
    },
    spoilt: () => spoilt,
  };
}

/** Pure: the fields of a block in the units of the frame. */
export function decodeVeBlock(block: VeBlock): BatterySample {
  return {
    batteryV: quantityOf(block.V, 1000, 0, 81.83),
    batteryA: quantityOf(block.I, 1000, -204, 204.7),
    stateOfChargePct: quantityOf(block.SOC, 10, 0, 100),
  };
}

/** A shunt that was without power says 100 %: the jump gives it away (SmartShunt manual, "battery starts synchronised"). */
const JUMP_PCT = 15;

export function createVeDirect(options: VeDirectOptions): VeDirect {
  let lastPct = -1;
  let doubted = false;

  /** Doubts a state of charge that leapt to full, until the battery was charged there step by step. */
  function doubt(sample: BatterySample): BatterySample {
    const charge = sample.stateOfChargePct;
    if (typeof charge !== "number") return sample;
    if (lastPct >= 0 && charge >= 100 && charge - lastPct > JUMP_PCT) doubted = true;
    else if (charge < 99) doubted = false;
    lastPct = doubted ? lastPct : charge;
    if (!doubted) return sample;
    return { batteryV: sample.batteryV, batteryA: sample.batteryA, stateOfChargePct: "untrusted" };
  }

  return {
    sample: (done) => {
      const parser = createVeParser();
      let over = false;
      let heard = false;
      let held = "";
      let isReading = false;
      function finish(sample: BatterySample): void {
        if (over) return;
        over = true;
        forget();
        options.line.close();
        done(sample);
      }
      const forget = options.delay(TIMEOUT_MS, () => {
        // Bytes without one sound block are noise; no bytes at all are a broken wire.
        finish(all(heard ? "corrupt" : "open-circuit"));
      });
      function read(): void {
        const block = over ? undefined : parser.take(held.substr(0, PIECE));
        held = held.substr(PIECE);
        isReading = held.length > 0 && !over;
        if (block) finish(doubt(decodeVeBlock(block)));
        else if (isReading) options.delay(TURN_MS, read);
      }
      options.line.open((data) => {
        if (over) return;
        heard = true;
        if (held.length < HELD_MAX) held += data;
        if (!isReading) options.delay(TURN_MS, read);
        isReading = true;
      });
    },
  };
}
