// LoRaWAN through a Seeed Wio-E5 (AT commands, 9600 8N1): joins with the keys that it is given, keeps a session that is there,
// sends one frame at a time, and knows what every answer means. Every command has a time-out, every fruitless one a next
// step: again, set up anew, power off and on. The modem is never reset to its factory state: its join counter lives there.
import { bytesOfHex } from "../../device/settings.ts";
import type { Delay, Link, SerialLine } from "../../hal.ts";
import { commandAt, hexOf, IDENTITY, IDLE, JOIN, type ModemKeys, PAUSED, RADIO, RATE, SENDING } from "./commands.ts";
import { airtimeMs, BUDGET_MS, costS, leftAfter, payloadMax } from "./ledger.ts";

export interface WioE5Options extends ModemKeys {
  readonly line: SerialLine;
  readonly delay: Delay;
  /** Seconds since boot. */
  readonly uptime: () => number;
  /** 0..1. */
  readonly random: () => number;
  /** Data rate to start with and to come back to: 0, 2, 3 or 5. */
  readonly dataRate: number;
  readonly changed: () => void;
  /** A payload of port 10 that the network has checked. */
  readonly received: (frame: Uint8Array) => void;
  /** Takes the modem's power away for a moment, on boards that can. */
  readonly cutPower?: () => void;
}

export interface LoraLink extends Link {
  start(): void;
}

/** A line of a downlink of 48 bytes, and what may stand around it. What is longer is not taken. */
const LINE_MAX = 192;
/** Twice all lines of such a downlink: they are read one a turn, and a turn may be long. */
const HELD_MAX = 512;
/** Between two turns of work. */
const TURN_MS = 1;
const ANSWER_MS = 2000;
/** A send or a join with all its receive windows and its repetition, at the slowest rate. */
const AIR_MS = 30000;
const TRIES = 3;
/** The pause grows to two minutes. */
const PAUSE_MS = 2000;
const PAUSES_MAX = 60;
const JOIN_SPREAD_MS = 120000;
const JOIN_BYTES = 10;
const BUSY_MS = 8000;
const BAND_MS_MAX = 3600000;
/** Bytes of a frame written in one turn: in hex, 25 ms at 9600 baud. */
const PIECE = 12;
const PIECE_MS = 30;
const FOLLOW_MS = 3000;
/**
 * A session in which nobody has answered for so long is given up. It outlasts an outage of 72 hours: both sides have it still, while
 * a region that has to join again at the rate that is left by then (LoRaWAN 1.0.2, 7) takes hours.
 */
const SILENT_S = 288000;
/**
 * After so long without an answer it is the network that is away, more likely, which says nothing of how far it is. Each frame draws its rate
 * from then on: mostly the usual one, else the slowest. All at the slowest when it comes back would be in each other's way.
 */
const AWAY_S = 14400;
/** Share of those frames at the slowest rate. */
const FAR = 0.1;
const LENGTH_FREE = 255;
/** What history leaves of the budget: three frames of a whole point at the slowest rate. */
const SPARE_MS = 3600;
const UP_AFTER = 4;
const DOWN_AFTER = 3;
const ASKS = 0x40;
const WAKE = "\xff\xff\xff\xffAT+";
const NOTHING = new Uint8Array(0);

export function createWioE5(options: WioE5Options): LoraLink {
  const uptime = options.uptime;
  let forget = (): void => {};
  let step = PAUSED;
  /** How the answers to the command under way begin. */
  let name = "";
  let tries = 0;
  let held = "";
  let isReading = false;
  let frame: Uint8Array = NOTHING;
  let done: ((taken: boolean) => void) | undefined;
  let isUp = false;
  /** Keys are in the modem, as far as we know, and a session may be. */
  let isSet = true;
  let isStarted = false;
  let isAnswered = false;
  let isAsked = false;
  let follows = false;
  let fruitless = 0;
  let joinsFailed = 0;
  let heardS = 0;
  let lengthMax = LENGTH_FREE;
  let leftMs = BUDGET_MS / 4;
  let filledS = 0;
  let rate = options.dataRate;
  /** Answers in a row; below zero, answers in a row that stayed out. */
  let score = 0;

  function arm(ms: number, then: () => void): void {
    forget();
    forget = options.delay(ms, then);
  }

  /** On with a step of the list, or with nothing to do. */
  function go(to: number): void {
    step = to;
    tries = 0;
    // What comes before the next command is asked answers none.
    name = "\n";
    if (to < SENDING) arm(TURN_MS, ask);
    else {
      arm(FOLLOW_MS, follow);
      options.changed();
    }
  }

  function ask(): void {
    const text = commandAt(step, options, rate, isSet);
    name = `${text.split("=")[0]}: `;
    isAnswered = false;
    // One that is awake may take the waking bytes for a part of the command: every other try goes without.
    options.line.write(`${tries & 1 ? "AT+" : WAKE}${text}\r\n`);
    arm(step < JOIN ? ANSWER_MS : AIR_MS, silent);
  }

  /** No answer in time, or one that says that the command was lost. */
  function silent(): void {
    if (step < JOIN && ++tries < TRIES) ask();
    else restart();
  }

  /** Sets up again from the start, after a pause that grows; every fourth time with power and keys anew. */
  function restart(): void {
    if (++fruitless > 1) isUp = false;
    if ((fruitless & 3) < 1) {
      isSet = false;
      if (options.cutPower !== undefined) options.cutPower();
    }
    pause(Math.min(fruitless, PAUSES_MAX) * PAUSE_MS * (0.5 + options.random()), 0);
  }

  /** Ends what is under way, rests, and goes on. */
  function pause(ms: number, next: number): void {
    finish(false);
    step = PAUSED;
    arm(ms, () => go(next));
    options.changed();
  }

  /** The network has more for us, or its own business fills our frames: an empty one helps, if nothing else went. */
  function follow(): void {
    if ((follows || lengthMax < LENGTH_FREE) && roomOver(0) > 0) {
      follows = isAsked = false;
      transmit(false);
    }
  }

  function connected(): void {
    isUp = isSet = true;
    // The modem alone says that there is a session already.
    if (isAnswered) heardS = uptime();
    go(IDLE);
  }

  /** All that lost power with us join now: 1 % of the time for an hour, 0.1 % for ten, then 0.01 % (LoRaWAN 1.0.2, 7). */
  function rejoin(): void {
    const s = uptime();
    const pauseMs = airtimeMs(JOIN_BYTES, rate) * (s < 3600 ? 100 : s < 39600 ? 1000 : 10000);
    joinsFailed++;
    isUp = false;
    // Every fourth time at the slowest rate and with everything set anew.
    isSet = (joinsFailed & 3) > 0;
    rate = isSet ? options.dataRate : 0;
    pause(pauseMs * (1 + options.random() / 4), 0);
  }

  function spend(onAirMs: number): number {
    const now = uptime();
    leftMs = leftAfter(leftMs, now - filledS, onAirMs);
    filledS = now;
    return leftMs;
  }

  function take(text: string): void {
    const at = text.indexOf(name);
    if (step < IDLE) {
      if (at >= 0) answer(text.substr(at + name.length));
      else if (text.indexOf("Input t") > 0) silent();
    } else if (step === IDLE && text.length > 2 && text.indexOf("LOWP") < 0) {
      // Perhaps the first word of a modem that has started anew.
      go(0);
    }
  }

  function answer(said: string): void {
    const word = said.substr(0, 3);
    if (step > RATE) heard(word, said);
    else if (word === "ERR" && ++tries < TRIES) ask();
    else {
      // What it does not know it may not need: the join will tell. Who it is already needs no keys.
      if (step === IDENTITY) {
        if (said.split(":").join("").indexOf(options.devEui) < 0) isSet = false;
        if (isSet) step = RADIO - 1;
      }
      go(step + 1);
    }
  }

  /** An answer to a join or to a frame. */
  function heard(word: string, said: string): void {
    if (word === "Sta" || word === "Wai") {
      // A confirmed frame may go twice.
      isStarted = true;
      spend(airtimeMs(frame.length, rate));
    } else if (word === "Don") {
      if (step === SENDING) {
        if (isStarted) arm(TURN_MS, sent);
      } else if (isAnswered) connected();
      else rejoin();
    } else if (word === "Joi") {
      // "Joined already"; "Join failed" is followed by "Done".
      if (said.charAt(4) === "e") connected();
    } else if (word === "FPE") follows = true;
    // "Network joined", "ACK Received", "RXWIN1, RSSI -79, SNR 7.0"
    else if (word === "Net" || word === "ACK" || word === "RXW") isAnswered = true;
    else if (word === "POR") downlink(said);
    else refused(word, said);
  }

  /** `PORT: 10; RX: "12AB"` */
  function downlink(said: string): void {
    const parts = said.split('"');
    const hex = parts[1] as string;
    isAnswered = true;
    // No digit was lost, and none was anything else.
    if (parts.length < 3 || said.substr(6, 3) !== "10;" || hex.length & 1 || /[^0-9A-F]/.test(hex)) return;
    options.delay(TURN_MS, () => {
      const bytes = bytesOfHex(hex);
      options.delay(TURN_MS, () => options.received(bytes));
    });
  }

  /** Answers in the place of a start: nothing went on the air. */
  function refused(word: string, said: string): void {
    let waitMs = BUSY_MS;
    let next = step === JOIN ? JOIN : IDLE;
    if (word === "ERR" || word === "Not") {
      if (word === "Not") isSet = false;
      restart();
      return;
    }
    // "No band in 12345ms", "No free channel"
    if (word === "No ") waitMs = Math.min(parseInt(said.substr(11), 10) || BUSY_MS, BAND_MS_MAX);
    else if (word === "Ple") {
      isUp = false;
      waitMs *= options.random();
      next = JOIN;
    } else if (word === "DR ") next = RATE;
    else if (word === "Len") lengthMax = parseInt(said.substr(13), 10) || JOIN_BYTES;
    else if (word !== "LoR") return;
    pause(waitMs, next);
  }

  /** Slower after answers that stayed out, faster after several that came. */
  function sent(): void {
    const was = rate;
    const silentS = uptime() - heardS;
    fruitless = 0;
    lengthMax = LENGTH_FREE;
    if (silentS > AWAY_S) rate = isAnswered || options.random() > FAR ? options.dataRate : 0;
    else if (isAsked) {
      if (isAnswered) score = Math.max(score, 0) + 1;
      else score = Math.min(score, 0) - 1;
      if (score >= UP_AFTER && rate < options.dataRate) rate += rate === 2 ? 1 : 2;
      else if (score <= -DOWN_AFTER && rate > 0) rate -= rate === 3 ? 1 : 2;
    }
    let next = IDLE;
    if (rate !== was) {
      score = 0;
      next = RATE;
    }
    if (isAnswered) heardS = uptime();
    else if (silentS > SILENT_S) {
      isUp = isSet = false;
      heardS = uptime();
      next = 0;
    }
    finish(true);
    go(next);
  }

  function finish(taken: boolean): void {
    const tell = done;
    done = undefined;
    frame = NOTHING;
    if (tell) tell(taken);
  }

  function transmit(isConfirmed: boolean): void {
    step = SENDING;
    name = "MSGHEX: ";
    isStarted = isAnswered = false;
    options.line.write(`${WAKE}${isConfirmed ? "C" : ""}MSGHEX="`);
    arm(PIECE_MS, () => feed(0));
  }

  /** Writes the frame in hex, a piece a turn. */
  function feed(from: number): void {
    const to = Math.min(from + PIECE, frame.length);
    options.line.write(hexOf(frame, from, to));
    if (to < frame.length) arm(PIECE_MS, () => feed(to));
    else {
      options.line.write('"\r\n');
      arm(AIR_MS, silent);
    }
  }

  /** One line a turn. */
  function read(): void {
    const at = held.indexOf("\n");
    isReading = at >= 0;
    if (!isReading) return;
    const line = held.substr(0, at);
    held = held.substr(at + 1);
    options.delay(TURN_MS, read);
    if (at < LINE_MAX) take(line);
  }

  /** Largest frame now, with so much of the budget left over. */
  function roomOver(leftoverMs: number): number {
    const max = Math.min(payloadMax(rate), lengthMax);
    return isUp && step === IDLE && spend(0) > airtimeMs(max, rate) + leftoverMs ? max : 0;
  }

  return {
    isSlow: () => true,
    start: () => {
      options.line.open((data) => {
        held += data;
        // What is left of a line that was too long is no line that anybody knows.
        if (held.length > HELD_MAX) held = "";
        if (!isReading) options.delay(TURN_MS, read);
        isReading = true;
      });
      pause(options.random() * JOIN_SPREAD_MS, 0);
    },
    isUp: () => isUp,
    room: () => roomOver(0),
    spare: () => roomOver(SPARE_MS),
    costS: (bytes) => costS(bytes, rate),
    send: (bytes, isConfirmed, tell) => {
      frame = bytes;
      done = tell;
      isAsked = isConfirmed || ((bytes[7] as number) & ASKS) > 0;
      transmit(isConfirmed);
    },
  };
}
