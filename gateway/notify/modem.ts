// A modem on a serial line, by the commands of 3GPP TS 27.005 (SMS, text mode) and TS 27.007. One command at a time; what comes
// unasked or cannot be read is passed by; every answer has its time.
import type { Clock } from "../clock.ts";
import { type SmsText, smsBytes, ucs2Hex } from "../domain/notify/sms-text.ts";

/** A serial line that is open. */
export interface Line {
  write(bytes: Uint8Array): void;
  onData(listener: (bytes: Uint8Array) => void): void;
  /** It was pulled out, or broke. */
  onEnd(listener: (reason: string) => void): void;
  /** Resolves when others can open it. */
  close(): Promise<void>;
}

export type ModemFault =
  /** Nothing answers, or not to the end. */
  | { readonly kind: "silent"; readonly at: string }
  | { readonly kind: "line"; readonly reason: string }
  /** No SIM, or one that asks for what we do not have. */
  | { readonly kind: "sim"; readonly reason: string }
  /** The modem is on no network. */
  | { readonly kind: "no-network"; readonly reason: string }
  /** What the modem or the network says against this message. */
  | { readonly kind: "refused"; readonly at: string; readonly code: string };

export type ModemAnswer = { readonly kind: "sent"; readonly reference: string } | ModemFault;

const ANSWER_MS = 3_000;
const READY_TRIES = 3;
const PIN_MS = 10_000;
/** The network may take a minute (TS 27.005 section 3.5.1). */
const SEND_MS = 60_000;
const PROMPT_MS = 5_000;
const BUFFER_MAX = 4_096;
const CTRL_Z = 26;
const ESCAPE = 27;

type Final =
  | { readonly kind: "ok" | "prompt" | "silent" | "line"; readonly lines: readonly string[]; readonly reason?: string }
  | {
      readonly kind: "error";
      readonly code: string;
      readonly lines: readonly string[];
    };

interface Talk {
  ask(command: string, timeoutMs?: number): Promise<Final>;
  send(bytes: Uint8Array, timeoutMs: number, prompt?: boolean): Promise<Final>;
}

/** Turns a line into questions with one answer each. */
function talkOver(line: Line, clock: Pick<Clock, "after">): Talk {
  let buffer = "";
  let lines: string[] = [];
  let broken: string | undefined;
  let wanted: { readonly prompt: boolean; end(final: Final): void } | undefined;

  function look(): void {
    if (wanted?.prompt === true && /(^|[\r\n])> ?$/.test(buffer)) wanted.end({ kind: "prompt", lines });
    while (wanted !== undefined) {
      const end = /\r\n|\n|\r/.exec(buffer);
      if (end === null) break;
      const one = buffer.slice(0, end.index).trim();
      buffer = buffer.slice(end.index + end[0].length);
      if (one === "") continue;
      const error = /^(?:ERROR|\+CM[ES] ERROR: ?.*)$/.test(one);
      if (one === "OK") wanted.end({ kind: "ok", lines });
      else if (error) wanted.end({ kind: "error", code: codeIn(one), lines });
      else lines.push(one);
    }
    if (buffer.length > BUFFER_MAX) buffer = "";
    if (lines.length > BUFFER_MAX / 16) lines = lines.slice(-16);
  }

  line.onData((bytes) => {
    buffer += Buffer.from(bytes).toString("latin1");
    look();
  });
  line.onEnd((reason) => {
    broken = reason;
    wanted?.end({ kind: "line", lines, reason });
  });

  function send(bytes: Uint8Array, timeoutMs: number, prompt = false): Promise<Final> {
    return new Promise((resolve) => {
      if (broken !== undefined) return resolve({ kind: "line", lines: [], reason: broken });
      const timer = clock.after(timeoutMs, () => wanted?.end({ kind: "silent", lines }));
      buffer = "";
      lines = [];
      wanted = {
        prompt,
        end: (final) => {
          timer.stop();
          wanted = undefined;
          resolve(final);
        },
      };
      line.write(bytes);
    });
  }

  return { send, ask: (command, timeoutMs = ANSWER_MS) => send(Buffer.from(`${command}\r`, "latin1"), timeoutMs) };
}

function codeIn(line: string): string {
  return line.replace(/ ERROR: ?/, " ").replace(/^\+/, "");
}

export interface SimPin {
  readonly text: string;
  /** Before it is given: why it may not be. Undefined: it may. */
  begin(): string | undefined;
  refused(): void;
  /** The SIM asks for none, or took this one. */
  opened(): void;
}

/** What who only looks says of a SIM that asks. */
export const SIM_WAITS = "the SIM asks for its PIN, which only the gateway gives";

export interface ModemOptions {
  readonly clock: Pick<Clock, "after">;
  readonly pin?: SimPin;
}

/** Ready to send: answers, has its SIM, and is on a network. Undefined when it is. */
async function makeReady(talk: Talk, options: ModemOptions): Promise<ModemFault | undefined> {
  let first: Final = { kind: "silent", lines: [] };
  for (let i = 0; i < READY_TRIES && first.kind !== "ok"; i++) first = await talk.ask("AT");
  if (first.kind !== "ok") return faultOf(first, "AT");
  for (const command of ["ATE0", "AT+CMEE=1"]) {
    const answer = await talk.ask(command);
    // Not every modem knows the second; its errors are then without a number.
    if (answer.kind === "silent" || answer.kind === "line") return faultOf(answer, command);
  }
  return (await unlock(talk, options)) ?? (await onNetwork(talk));
}

async function unlock(talk: Talk, { pin }: ModemOptions): Promise<ModemFault | undefined> {
  const asked = await talk.ask("AT+CPIN?", PIN_MS);
  if (asked.kind === "error") return { kind: "sim", reason: `no SIM that works (${asked.code})` };
  if (asked.kind !== "ok") return faultOf(asked, "AT+CPIN?");
  const state =
    asked.lines
      .find((one) => one.startsWith("+CPIN:"))
      ?.slice(6)
      .trim() ?? "";
  if (state === "READY") {
    pin?.opened();
    return undefined;
  }
  if (state !== "SIM PIN")
    return { kind: "sim", reason: state === "" ? "the SIM says nothing" : `the SIM asks for ${state}` };
  if (pin === undefined) return { kind: "sim", reason: "the SIM asks for its PIN: set sms.pinFile" };
  const why = pin.begin();
  if (why !== undefined) return { kind: "sim", reason: why };
  const given = await talk.ask(`AT+CPIN="${pin.text}"`, PIN_MS);
  if (given.kind === "error") {
    pin.refused();
    return { kind: "sim", reason: `the PIN is refused (${given.code})` };
  }
  if (given.kind !== "ok") return faultOf(given, "AT+CPIN");
  pin.opened();
  return undefined;
}

/** Home, roaming, or for SMS alone (TS 27.007 section 7.2). */
const REGISTERED = [1, 5, 6, 7];
const REGISTRATION: Readonly<Record<number, string>> = {
  0: "not registered, and not searching",
  2: "searching",
  3: "registration denied",
  4: "not known",
};

async function onNetwork(talk: Talk): Promise<ModemFault | undefined> {
  let state = "the modem does not say";
  for (const command of ["AT+CREG?", "AT+CEREG?"]) {
    const answer = await talk.ask(command);
    if (answer.kind === "silent" || answer.kind === "line") return faultOf(answer, command);
    const row = answer.lines.map((one) => /^\+CE?REG: ?(?:\d+, ?)?(\d+)/.exec(one)).find((found) => found !== null);
    const stat = Number(row?.[1] ?? Number.NaN);
    if (REGISTERED.includes(stat)) return undefined;
    state = REGISTRATION[stat] ?? state;
  }
  return { kind: "no-network", reason: state };
}

/** Undefined when it could send now. */
export async function lookAtModem(line: Line, options: ModemOptions): Promise<ModemFault | undefined> {
  return makeReady(talkOver(line, options.clock), options);
}

export async function sendSms(line: Line, to: string, text: SmsText, options: ModemOptions): Promise<ModemAnswer> {
  const talk = talkOver(line, options.clock);
  const fault = await makeReady(talk, options);
  if (fault !== undefined) return fault;
  const isGsm = text.alphabet === "GSM";
  const settings = ["AT+CMGF=1", `AT+CSCS="${text.alphabet}"`, `AT+CSMP=17,167,0,${isGsm ? 0 : 8}`];
  for (const command of settings) {
    const answer = await talk.ask(command);
    if (answer.kind !== "ok") return faultOf(answer, command);
  }
  const number = isGsm ? to : ucs2Hex(to);
  const prompt = await talk.send(Buffer.from(`AT+CMGS="${number}"\r`, "latin1"), PROMPT_MS, true);
  if (prompt.kind !== "prompt") {
    // Where it waits for a text after all, that is taken back.
    if (prompt.kind === "silent") line.write(Uint8Array.of(ESCAPE));
    return faultOf(prompt, "AT+CMGS");
  }
  const sent = await talk.send(Buffer.concat([smsBytes(text), Uint8Array.of(CTRL_Z)]), SEND_MS);
  if (sent.kind !== "ok") return faultOf(sent, "the text");
  const reference = sent.lines.map((one) => /^\+CMGS: ?(\d+)/.exec(one)?.[1]).find((one) => one !== undefined);
  // OK without a reference is the modem's word that it took the text, not that the network did.
  return reference === undefined
    ? { kind: "refused", at: "the text", code: "no reference" }
    : { kind: "sent", reference };
}

function faultOf(final: Final, at: string): ModemFault {
  if (final.kind === "error") return { kind: "refused", at, code: final.code };
  if (final.kind === "line") return { kind: "line", reason: final.reason ?? "closed" };
  return { kind: "silent", at };
}
