// The answers of `upsd` (RFC 9271): `LIST VAR`, line by line, and what its variables say of the supply. Pure.
import type { UpsFacts } from "../domain/self.ts";

/** A device of many outlets has some hundreds of variables; more is no answer of a UPS. */
export const VARIABLES_MAX = 1_000;
export const LINE_CHARS_MAX = 1_024;

export type NutVariables = ReadonlyMap<string, string>;

export type NutStep =
  /** More lines are to come. */
  | { readonly kind: "more" }
  | { readonly kind: "done"; readonly variables: NutVariables }
  /** `upsd` said no (RFC 9271 section 4.3), or what came is not its protocol. */
  | { readonly kind: "failed"; readonly reason: string };

export interface NutReader {
  take(line: string): NutStep;
}

/** Reads the answer to `LIST VAR name`. */
export function createNutReader(name: string): NutReader {
  const variables = new Map<string, string>();
  let begun = false;
  return {
    take(line) {
      if (line.startsWith("ERR ")) return { kind: "failed", reason: reasonOf(line.slice(4)) };
      if (!begun) {
        begun = line === `BEGIN LIST VAR ${name}`;
        return begun ? { kind: "more" } : notNut(line);
      }
      if (line === `END LIST VAR ${name}`) return { kind: "done", variables };
      const row = /^VAR (\S+) (\S+) "(.*)"$/.exec(line);
      if (row === null || row[1] !== name) return notNut(line);
      if (variables.size >= VARIABLES_MAX) return { kind: "failed", reason: `more than ${VARIABLES_MAX} variables` };
      variables.set(row[2] as string, (row[3] as string).replace(/\\(["\\])/g, "$1"));
      return { kind: "more" };
    },
  };
}

function notNut(line: string): NutStep {
  return { kind: "failed", reason: `no answer of upsd: ${JSON.stringify(line.slice(0, 60))}` };
}

/** Errors that a person can mend, in words; any other by its own name. */
function reasonOf(error: string): string {
  const word = error.split(" ")[0] ?? "";
  switch (word) {
    case "UNKNOWN-UPS":
      return "upsd knows no UPS of this name";
    case "DATA-STALE":
      return "upsd has no fresh data of the UPS";
    case "DRIVER-NOT-CONNECTED":
      return "the driver of the UPS does not run";
    case "ACCESS-DENIED":
      return "upsd lets this machine not ask";
    default:
      return `upsd answers ${word.slice(0, 40)}`;
  }
}

/** The state of the supply. Flags of `ups.status` are words: OB on battery, LB low, FSD forced shutdown. */
export function upsFactsOf(variables: NutVariables): UpsFacts {
  const status = variables.get("ups.status");
  if (status === undefined) return { kind: "unreachable", reason: "the UPS tells no ups.status" };
  const flags = status.split(" ");
  // While a driver starts there is neither.
  if (!flags.includes("OL") && !flags.includes("OB")) {
    return { kind: "unreachable", reason: `the UPS says ${status.slice(0, 40) || "nothing"}` };
  }
  const chargePct = numberOf(variables.get("battery.charge"));
  const runtimeS = numberOf(variables.get("battery.runtime"));
  return {
    kind: "reading",
    onBattery: flags.includes("OB"),
    lowBattery: flags.includes("LB") || flags.includes("FSD"),
    ...(chargePct === undefined ? {} : { chargePct: Math.min(100, chargePct) }),
    ...(runtimeS === undefined ? {} : { runtimeS }),
  };
}

/** Some drivers say -1 for what they do not know. */
function numberOf(text: string | undefined): number | undefined {
  const value = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}
