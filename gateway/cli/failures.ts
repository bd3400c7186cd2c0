// What a person reads when something is wrong: what, where, what to do; never a stack.
import type { CommandDef } from "citty";
import { type ErrorCode, GatewayError } from "../errors.ts";
import { callProblem, type WordShape } from "./call-words.ts";
import type { ExitCode } from "./commands.ts";
import { wordNotKnown } from "./word-not-known.ts";

export interface FailureText {
  readonly lines: readonly string[];
  readonly exitCode: ExitCode;
}

const ADVICE: Partial<Record<ErrorCode, string>> = {
  ADDRESS_IN_USE: "Stop the other program, or choose another port in the configuration.",
  ADDRESS_UNKNOWN:
    "Name an address or interface of this machine in the configuration; 'ip address' lists them. " +
    "Just after the machine has started it may not be there yet: the service tries again by itself.",
  ADDRESS_NOT_ALLOWED: "A port below 1024 needs rights that the gateway does without: choose a higher one.",
  DATA_IN_USE: "Stop the other gateway, or set another data.dir in the configuration.",
  FILE_UNREADABLE: "Check the path and who may read it.",
  FILE_UNWRITABLE: "Check who may write there and whether the disk is full.",
  JOURNAL_UNUSABLE: "Check the disk; the reason above is SQLite's own.",
  PASSPHRASE_NEEDED:
    "Name the file with its passphrase: --passphrase-file FILE. Or type the recovery sheet: --sheet FILE; then people and certificates are made anew.",
  COPY_UNNAMED:
    "Name one of these folders; the first has the newest rows. A gateway that was restored, or set back, has one of its own from then on.",
  SHEET_INVALID: "Correct those lines in the file, and restore again: nothing has been written.",
  PERSON_EXISTS: "Use 'waakvlam people remove' first to give them another password or role.",
  DEVICE_UNKNOWN: "The registry file names no such device.",
  DEVICE_EXISTS: "Give it another name, or new keys with 'waakvlam lorawan rekey'.",
  LORAWAN_KEY_REFUSED: "Leave --own-keys out to have keys made, and set those in the device.",
};

/** What somebody wrote, and not how the machine is. */
const INVALID: readonly ErrorCode[] = ["CONFIG_INVALID", "REGISTRY_INVALID", "IMPORT_INVALID"];

export function describeFailure(error: unknown): FailureText {
  if (error instanceof GatewayError) {
    const { problems, ...rest } = error.detail;
    const facts = Object.entries(rest).map(([key, value]) => `${key} ${String(value)}`);
    const list = Array.isArray(problems) ? problems.map((problem) => `  - ${problem}`) : [];
    const advice = ADVICE[error.code];
    return {
      lines: [
        `${error.code}: ${error.message}${facts.length > 0 ? ` (${facts.join(", ")})` : ""}`,
        ...list,
        ...(advice === undefined ? [] : [advice]),
      ],
      exitCode: INVALID.includes(error.code) ? 3 : 1,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  // citty's own errors are about the words of the call.
  if (error instanceof Error && error.name === "CLIError")
    return { lines: [message, "Use --help to see the form."], exitCode: 2 };
  return { lines: [`Unexpected: ${message}`, "This is a fault of the program; please report it."], exitCode: 1 };
}

const MORE = "Use --help for more.";

type AnyCommand = CommandDef<never> | CommandDef;

export type WordCheck =
  | { readonly kind: "known"; readonly command: CommandDef; readonly parent: CommandDef | undefined }
  /** A word that only leads on to others. */
  | { readonly kind: "group"; readonly command: CommandDef; readonly parent: CommandDef | undefined }
  | {
      readonly kind: "unknown";
      readonly text: string;
      readonly command: CommandDef;
      readonly parent: CommandDef | undefined;
    };

function subCommands(command: AnyCommand): Record<string, CommandDef> | undefined {
  return command.subCommands as Record<string, CommandDef> | undefined;
}

/** Follows the words of a call; what is wrong with them is told of, with the nearest word that is known. */
export function unknownWord(main: CommandDef, rawArgs: readonly string[]): WordCheck {
  let command = main;
  let parent: CommandDef | undefined;
  const rest = [...rawArgs];
  for (let known = subCommands(command); known !== undefined; known = subCommands(command)) {
    const word = rest.find((one) => !one.startsWith("-"));
    if (word === undefined) return { kind: "group", command, parent };
    const next = known[word];
    if (next === undefined)
      return { kind: "unknown", text: `${wordNotKnown("command", word, Object.keys(known))} ${MORE}`, command, parent };
    rest.splice(rest.indexOf(word), 1);
    parent = command;
    command = next;
  }
  const wrong = callProblem((command.args ?? {}) as Readonly<Record<string, WordShape>>, rest);
  if (wrong !== undefined) return { kind: "unknown", text: `${wrong} ${MORE}`, command, parent };
  return { kind: "known", command, parent };
}
