// A Seeed Wio-E5 at the other end of a serial line: commands in, answers out as its logs have them, in time and in pieces.
// What it is told it keeps over a loss of power, its session it does not. Every trouble that a field has can be set.
import { type ModemMemory, type ModemRadio, type ModemRadioParts, withColons } from "./modem-radio.ts";
import type { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";

const BYTE_MS = 10_000 / 9600;
/** The engine hands serial data on in pieces of at most this. */
const FRAGMENT_BYTES = 32;
const ANSWER_MS = 15;
const WAKE_BYTES = 4;
/** Without `UART=TIMEOUT,0` a command that is not ended after so long is given up. */
const INPUT_MS = 1_000;
const LINE_MAX = 528;

/** What can go wrong; shares are of commands, lines or bytes. */
export interface ModemTroubles {
  /** Commands answered by one of these instead. */
  errorShare: number;
  errors: readonly string[];
  /** Commands that get no answer at all. */
  muteShare: number;
  /** Bytes that are lost on their way to the board. */
  lostShare: number;
  /** A line of its own before an answer. */
  strayShare: number;
  strays: readonly string[];
  /** It starts anew in the middle of a command. */
  restartShare: number;
}

export const ERROR_ANSWERS: readonly string[] = [
  "Please join network first",
  "LoRaWAN modem is busy",
  "No free channel",
  "No band in 4210ms",
  "DR error",
  "Length error 11",
  "ERROR(-1)",
  "ERROR(-10)",
];

export const STRAY_LINES: readonly string[] = [
  "+LOWPOWER: WAKEUP",
  "+INFO: Input timeout",
  "\x00\xffx",
  "one",
  "+MSGHEX: Done",
  "+JOIN: Done",
  "",
];

export interface ModemOptions {
  readonly schedule: Schedule;
  readonly random: Random;
  /** Over a scripted network, or on the air. */
  readonly radio: (parts: ModemRadioParts) => ModemRadio;
}

export interface Modem {
  /** Connects the board's side of the line; gives the call that ends it. */
  open(data: (text: string) => void): () => void;
  /** Bytes from the board. */
  write(text: string): void;
  readonly troubles: ModemTroubles;
  readonly memory: ModemMemory;
  /** Answers the next command of this name with these lines, each so many ms after the one before. */
  script(command: string, lines: readonly string[], gapMs?: number): void;
  /** Loses its session, and says its first word. */
  restart(): void;
  setPower(isOn: boolean): void;
  isJoined(): boolean;
  /** Commands that it has read, newest last. */
  log(): readonly string[];
  /** Airtime so far, by sub-band. */
  onAirMs(): { readonly l: number; readonly m: number };
}

export function createModem(options: ModemOptions): Modem {
  const { schedule, random } = options;
  const troubles: ModemTroubles = {
    errorShare: 0,
    errors: ERROR_ANSWERS,
    muteShare: 0,
    lostShare: 0,
    strayShare: 0,
    strays: STRAY_LINES,
    restartShare: 0,
  };
  const memory: ModemMemory = {
    devEui: "2CF7F12000000000",
    appEui: "8000000000000006",
    appKey: "2B7E151628AED2A6ABF7158809CF4F3C",
    mode: "LWABP",
    band: "EU868",
    channels: 3,
    isAdr: true,
    port: 8,
    retry: 3,
    isDutyCycle: true,
    isLowPower: false,
    hasTimeout: true,
    dataRate: 0,
    nonce: Math.floor(random.between(0, 30_000)),
  };
  const scripts = new Map<string, { lines: readonly string[]; gapMs: number }[]>();
  const log: string[] = [];
  let listener: ((text: string) => void) | undefined;
  let power = 1;
  let isOn = true;
  let isBusy = false;
  let isAsleep = false;
  let input = "";
  let inputAt = 0;
  let outAt = 0;
  let wakes = 0;
  const radio = options.radio({
    schedule,
    random,
    memory,
    say,
    later,
    isBusy: () => isBusy,
    busy: (busy) => {
      if (busy) isBusy = true;
      else rest();
    },
    power: () => power,
  });

  /** Work that a loss of power makes undone. */
  function later(ms: number, work: () => void): void {
    const mine = power;
    schedule.after(ms, () => {
      if (isOn && mine === power) work();
    });
  }

  /** A line to the board: at the speed of the wire, in pieces, some bytes lost. */
  function say(text: string): void {
    let bytes = "";
    for (const char of `${text}\r\n`) if (random.next() >= troubles.lostShare) bytes += char;
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.slice(at, at + 1 + Math.floor(random.between(0, FRAGMENT_BYTES)));
      at += piece.length;
      outAt = Math.max(outAt, schedule.nowMs()) + piece.length * BYTE_MS;
      later(outAt - schedule.nowMs(), () => listener?.(piece));
    }
  }

  function write(text: string): void {
    if (!isOn) return;
    const arrives = Math.max(inputAt, schedule.nowMs()) + text.length * BYTE_MS;
    inputAt = arrives;
    later(arrives - schedule.nowMs(), () => {
      for (const char of text) byteIn(char);
      const had = input;
      if (memory.hasTimeout && had.length > 0)
        later(INPUT_MS, () => {
          if (input !== had) return;
          input = "";
          say("+INFO: Input timeout");
        });
    });
  }

  function byteIn(char: string): void {
    if (char === "\xff") {
      wakes++;
      if (wakes >= WAKE_BYTES) isAsleep = false;
      return;
    }
    wakes = 0;
    if (isAsleep) return;
    if (char === "\n") {
      const line = input.replace(/\r$/, "");
      input = "";
      if (line !== "") command(line);
    } else if (input.length < LINE_MAX) input += char;
  }

  function rest(): void {
    isBusy = false;
    if (memory.isLowPower) isAsleep = true;
  }

  function command(line: string): void {
    log.push(line);
    if (log.length > 4_000) log.splice(0, 2_000);
    const [, name = "", given = ""] = /^AT\+?([A-Z0-9]*)=?(.*)$/.exec(line) ?? [];
    if (troubles.strayShare > 0 && random.next() < troubles.strayShare) say(pick(troubles.strays));
    if (random.next() < troubles.restartShare) {
      later(ANSWER_MS, restart);
      return;
    }
    if (random.next() < troubles.muteShare) return;
    const script = scripts.get(name)?.shift();
    if (script !== undefined) {
      isBusy = true;
      script.lines.forEach((text, i) => {
        later(script.gapMs * (i + 1), () => say(text));
      });
      later(script.gapMs * script.lines.length, rest);
      return;
    }
    if (random.next() < troubles.errorShare) {
      later(ANSWER_MS, () => {
        say(`+${name}: ${pick(troubles.errors)}`);
        if (!isBusy) rest();
      });
      return;
    }
    later(ANSWER_MS, () => {
      obey(name, given);
      if (!isBusy) rest();
    });
  }

  function pick(from: readonly string[]): string {
    return from[Math.floor(random.between(0, from.length))] as string;
  }

  function obey(name: string, given: string): void {
    if (onAir(name)) return;
    const parts = given.split(",");
    const text = (parts[1] ?? "").replace(/"/g, "");
    if (name === "") say("+AT: OK");
    else if (name === "VER") say("+VER: 4.0.11");
    else if (name === "ID") identity(parts[0] ?? "", text);
    else if (name === "KEY") {
      memory.appKey = text;
      say(`+KEY: APPKEY ${text}`);
    } else if (name === "MODE") {
      memory.mode = given;
      say(`+MODE: ${given}`);
    } else if (name === "DR" && given.startsWith("DR")) {
      memory.dataRate = Number(given.slice(2));
      say(`+DR: ${given}`);
    } else if (name === "DR") {
      memory.band = given;
      say(`+DR: ${given}`);
    } else if (name === "CH") {
      memory.channels = Math.max(memory.channels, Number(parts[0]) + 1);
      say(`+CH: ${parts[0]},${Number(parts[1]) * 1e6},DR${parts[2]},DR${parts[3]}`);
    } else setting(name, given, text);
  }

  /** Sends and joins, which take their time; true when it was one. */
  function onAir(name: string): boolean {
    const given = /="(.*)"$/.exec(log[log.length - 1] ?? "")?.[1] ?? "";
    if (name === "JOIN") radio.join(log[log.length - 1]?.endsWith("=FORCE") === true);
    else if (name === "MSGHEX") radio.send(name, given, false);
    else if (name === "CMSGHEX") radio.send(name, given, true);
    else if (name === "MSG") radio.send(name, "", false);
    else return false;
    return true;
  }

  function setting(name: string, given: string, text: string): void {
    if (name === "ADR") memory.isAdr = given === "ON";
    else if (name === "PORT") memory.port = Number(given);
    else if (name === "RETRY") memory.retry = Number(given);
    else if (name === "LW") memory.isDutyCycle = text === "ON";
    else if (name === "UART") memory.hasTimeout = text !== "0";
    else if (name === "LOWPOWER") memory.isLowPower = given === "AUTOON";
    else {
      say(`+${name}: ERROR(-10)`);
      return;
    }
    say(`+${name}: ${given.replace(",", ", ")}`);
  }

  function identity(which: string, value: string): void {
    const key = which === "DevEui" ? "devEui" : "appEui";
    if (value !== "") memory[key] = value;
    say(`+ID: ${which}, ${withColons(memory[key])}`);
  }

  function forgetRun(): void {
    power++;
    radio.forget();
    isBusy = isAsleep = false;
    input = "";
    inputAt = outAt = schedule.nowMs();
  }

  function restart(): void {
    forgetRun();
    later(300, () => {
      say("");
      say("RisingHF LoRaWAN Modem, V4.0.11");
      if (memory.isLowPower) isAsleep = true;
    });
  }

  return {
    open: (data) => {
      listener = data;
      return () => {
        if (listener === data) listener = undefined;
      };
    },
    write,
    troubles,
    memory,
    script: (name, lines, gapMs = 50) => {
      const queue = scripts.get(name) ?? [];
      queue.push({ lines, gapMs });
      scripts.set(name, queue);
    },
    restart,
    setPower: (on) => {
      if (on === isOn) return;
      isOn = on;
      if (on) restart();
      else forgetRun();
    },
    isJoined: radio.isJoined,
    log: () => log,
    onAirMs: radio.onAirMs,
  };
}
