// The PIN of a SIM, and what became of giving it, kept over reloads, restarts and commands: the third wrong one in a row locks the SIM.
// The file holds keyed sums of port and PIN, and no PIN.
import { createHmac, randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "../errors.ts";
import { readWhole, tornFile, writeWhole } from "../registry/file.ts";
import { SIM_WAITS, type SimPin } from "./modem.ts";

const PIN_FILE = "sms-pin.json";
const MODE = 0o600;
const SALT_BYTES = 16;
/** One whose answer was lost may be given once more. */
const TRIES_MAX = 2;
/** Sums that are kept; the oldest goes. */
const SUMS_MAX = 16;

interface PinFile {
  readonly salt: string;
  /** How often each was given without success, by its sum. */
  readonly tries: Readonly<Record<string, number>>;
}

export interface PinOptions {
  /** Of the data: where the file stands. */
  readonly dir: string;
  readonly port: string;
  readonly pin: string;
}

/** A PIN that is given until the SIM refuses it. */
export function createSimPin(options: PinOptions): SimPin {
  const { path, file, sum, tries } = keptTries(options);

  function note(count: number): void {
    const { salt, tries: before } = file();
    const others = Object.entries(before).filter(([one]) => one !== sum(salt));
    const next = Object.fromEntries([...others.slice(1 - SUMS_MAX), [sum(salt), count]]);
    writeWhole(path, `${JSON.stringify({ version: 1, salt, tries: next })}\n`, MODE);
  }

  return {
    text: options.pin,
    begin: () =>
      orReason(() => {
        const count = tries();
        if (count >= TRIES_MAX) return refusedText(path);
        // Before it is given: a try that is not noted would be given again after a crash.
        note(count + 1);
        return undefined;
      }),
    // Where this cannot be written, the try that `begin` noted stands, and one more is not the third.
    refused: () => void orReason(() => void note(TRIES_MAX)),
    // With the right one, given here or in a telephone, the SIM counts from the beginning.
    opened: () => {
      try {
        rmSync(path, { force: true });
      } catch {
        // What stays there only keeps a PIN from being given.
      }
    },
  };
}

/** The same for who only looks: it is never given, and nothing is noted. */
export function createUngivenPin(options: PinOptions): SimPin {
  const { path, tries } = keptTries(options);
  return {
    text: options.pin,
    begin: () => orReason(() => (tries() >= TRIES_MAX ? refusedText(path) : SIM_WAITS)),
    refused: () => undefined,
    opened: () => undefined,
  };
}

function keptTries({ dir, port, pin }: PinOptions) {
  const path = join(dir, PIN_FILE);
  const file = (): PinFile => read(path) ?? { salt: randomBytes(SALT_BYTES).toString("hex"), tries: {} };
  const sum = (salt: string) => createHmac("sha256", salt).update(`${port}\0${pin}`).digest("hex");
  const tries = () => {
    const known = file();
    return known.tries[sum(known.salt)] ?? 0;
  };
  return { path, file, sum, tries };
}

function refusedText(path: string): string {
  const other = `for another SIM, or after setting its PIN in a telephone, remove ${path}`;
  return `the PIN was refused and is not tried again: put the right one in sms.pinFile; ${other}`;
}

/** Undefined where there is none. Throws FILE_UNREADABLE. */
function read(path: string): PinFile | undefined {
  const text = readWhole(path);
  if (text === undefined) return undefined;
  try {
    const { salt, tries } = JSON.parse(text) as Partial<PinFile>;
    if (typeof salt === "string" && typeof tries === "object" && tries !== null) return { salt, tries };
  } catch (cause) {
    throw tornFile(path, cause);
  }
  throw tornFile(path);
}

/** Who cannot know what was tried does not try. */
function orReason(look: () => string | undefined): string | undefined {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return `the PIN is not given, for what was tried cannot be kept: ${error.message} (${String(error.detail["path"])})`;
  }
}
