// The commands of `waakvlam`. Data goes to `out`, words to `err`; the entry owns the process.

import { randomInt } from "node:crypto";
import { mkdirSync } from "node:fs";
import type { GatewayConfig, Role } from "../../protocol/index.ts";
import { addPerson, listPeople, PASSWORD_LENGTH_MIN, removePerson } from "../registry/people.ts";
import { wordNotKnown } from "./word-not-known.ts";

export interface CommandIo {
  out(line: string): void;
  err(line: string): void;
  nowMs(): number;
  readonly isTerminal: boolean;
  readInput(): string;
}

/** 0 done, 1 failed, 2 wrong usage, 3 configuration or registry not valid. */
export type ExitCode = 0 | 1 | 2 | 3;

const ROLES: readonly Role[] = ["viewer", "coordinator", "admin"];

/** Letters that nobody confuses on paper. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";

function inventPassword(): string {
  const word = () => Array.from({ length: 5 }, () => LETTERS[randomInt(LETTERS.length)]).join("");
  return `${word()}-${word()}-${word()}`;
}

export async function addPersonCommand(
  options: {
    readonly config: GatewayConfig;
    readonly name: string;
    readonly role: string;
    readonly generate: boolean;
    readonly json: boolean;
  },
  io: CommandIo,
): Promise<ExitCode> {
  const role = ROLES.find((one) => one === options.role);
  if (role === undefined) {
    io.err(wordNotKnown("role", options.role, ROLES));
    return 2;
  }
  if (!/^[a-z0-9][a-z0-9.@-]{1,62}$/.test(options.name)) {
    io.err(
      `name ${options.name} will not do: 2 to 63 of a-z, 0-9, dot, @ and hyphen, beginning with a letter or digit.`,
    );
    return 2;
  }
  if (!options.generate && io.isTerminal) {
    io.err("Give the password on standard input (waakvlam people add … < FILE), or use --generate to have one made.");
    return 2;
  }
  const password = options.generate ? inventPassword() : io.readInput().replace(/\r?\n$/, "");
  if (password.length < PASSWORD_LENGTH_MIN) {
    io.err(`The password is too short: at least ${PASSWORD_LENGTH_MIN} characters.`);
    return 2;
  }
  const { dir } = options.config.data;
  mkdirSync(dir, { recursive: true, mode: 0o750 });
  await addPerson(dir, { name: options.name, role }, password);
  const shown = options.generate ? { password } : {};
  if (options.json) io.out(JSON.stringify({ name: options.name, role, ...shown }));
  else
    io.out(
      options.generate
        ? `${options.name} (${role}) may sign in; password, shown this once: ${password}`
        : `${options.name} (${role}) may sign in`,
    );
  return 0;
}

export function listPeopleCommand(config: GatewayConfig, json: boolean, io: CommandIo): ExitCode {
  const people = listPeople(config.data.dir);
  if (json) io.out(JSON.stringify(people));
  else for (const person of people) io.out(`${person.name}\t${person.role}`);
  return 0;
}

export function removePersonCommand(config: GatewayConfig, name: string, io: CommandIo): ExitCode {
  if (removePerson(config.data.dir, name)) {
    io.out(`${name} may no longer sign in`);
    return 0;
  }
  io.err(`There is nobody called ${name}: 'waakvlam people list' shows who there is.`);
  return 1;
}

export async function createTls(config: GatewayConfig, hosts: readonly string[], io: CommandIo): Promise<ExitCode> {
  mkdirSync(config.data.dir, { recursive: true, mode: 0o750 });
  // Loaded only here: no other command should wait for it.
  const { createCertificates } = await import("../registry/certificates.ts");
  const files = await createCertificates(config.data.dir, hosts, io.nowMs());
  io.out(`[http]\ntlsCert = ${JSON.stringify(files.certificate)}\ntlsKey = ${JSON.stringify(files.key)}`);
  io.err(`Put these lines in the configuration, and install ${files.authority} as a trusted authority on each screen.`);
  return 0;
}
