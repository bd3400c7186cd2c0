// People and their passwords: scrypt, a file readable by the gateway's user alone, and guesses that become slow.
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Role } from "../../protocol/index.ts";
import { GatewayError } from "../errors.ts";
import { readWhole, tornFile, writeWhole } from "./file.ts";

const PEOPLE_FILE = "people.json";
const MODE = 0o600;
export const PASSWORD_LENGTH_MIN = 10;
const HASH_BYTES = 32;
/** OWASP's first choice for scrypt: 128 MiB would stop a small box, 32 MiB does not. */
const COST = { N: 32_768, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
/** Hashes at once: memory, and a flood of sign-ins must not take all threads. */
const AT_ONCE_MAX = 2;
export const SIGN_INS_WAITING_MAX = 100;
const hash = promisify(scrypt) as (password: string, salt: Buffer, bytes: number, cost: typeof COST) => Promise<Buffer>;

export interface Person {
  readonly name: string;
  readonly role: Role;
}

interface Row extends Person {
  readonly salt: string;
  readonly hash: string;
}

interface PeopleFile {
  readonly version: 1;
  readonly people: readonly Row[];
}

function read(dir: string): readonly Row[] {
  const path = join(dir, PEOPLE_FILE);
  const text = readWhole(path);
  if (text === undefined) return [];
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (cause) {
    throw tornFile(path, cause);
  }
  if (isPeopleFile(file)) return file.people;
  throw tornFile(path);
}

function isPeopleFile(value: unknown): value is PeopleFile {
  const { people } = (value ?? {}) as { people?: unknown };
  if (!Array.isArray(people)) return false;
  return people.every((row: Partial<Row> | null) => {
    const { name, role, salt, hash: hashed } = row ?? {};
    return [name, role, salt, hashed].every((part) => typeof part === "string" && part !== "");
  });
}

function write(dir: string, people: readonly Row[]): void {
  const file: PeopleFile = { version: 1, people };
  writeWhole(join(dir, PEOPLE_FILE), `${JSON.stringify(file, null, 1)}\n`, MODE);
}

export function listPeople(dir: string): readonly Person[] {
  return read(dir).map(({ name, role }) => ({ name, role }));
}

/** Throws PERSON_EXISTS. */
export async function addPerson(dir: string, person: Person, password: string): Promise<void> {
  const people = read(dir);
  if (people.some((one) => one.name === person.name)) throw new GatewayError("PERSON_EXISTS", { name: person.name });
  const salt = randomBytes(16);
  const hashed = await hash(password.normalize("NFKC"), salt, HASH_BYTES, COST);
  write(dir, [...people, { ...person, salt: salt.toString("hex"), hash: hashed.toString("hex") }]);
}

/** True when there was one. */
export function removePerson(dir: string, name: string): boolean {
  const people = read(dir);
  const left = people.filter((one) => one.name !== name);
  if (left.length === people.length) return false;
  write(dir, left);
  return true;
}

export interface PeopleDirectory {
  /**
   * Undefined when the name or the password is not right; takes the same time either way. Rejects with SIGN_IN_BUSY when
   * so many wait that nobody looked at the password.
   */
  verify(name: string, password: string): Promise<Person | undefined>;
  /** What a person may do now; `credential` is no secret and changes with the password. Undefined for who has left. */
  standing(name: string): { readonly role: Role; readonly credential: string } | undefined;
  reload(): void;
}

const NOBODY = { salt: "00".repeat(16), hash: "00".repeat(HASH_BYTES) };

export function openPeople(dir: string): PeopleDirectory {
  let people = read(dir);
  let running = 0;
  const waiting: (() => void)[] = [];

  async function turn(): Promise<void> {
    if (running >= AT_ONCE_MAX) {
      if (waiting.length >= SIGN_INS_WAITING_MAX) throw new GatewayError("SIGN_IN_BUSY", { waiting: waiting.length });
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    running++;
  }

  return {
    async verify(name, password) {
      await turn();
      try {
        const row = people.find((one) => one.name === name);
        const { salt, hash: wanted } = row ?? NOBODY;
        const found = await hash(password.normalize("NFKC"), Buffer.from(salt, "hex"), HASH_BYTES, COST);
        const right = timingSafeEqual(found, Buffer.from(wanted, "hex"));
        return right && row !== undefined ? { name: row.name, role: row.role } : undefined;
      } finally {
        running--;
        waiting.shift()?.();
      }
    },
    standing: (name) => {
      const row = people.find((one) => one.name === name);
      return row === undefined ? undefined : { role: row.role, credential: row.salt };
    },
    reload: () => {
      people = read(dir);
    },
  };
}
