// What `npm run proof` and `npm run bench` have in common: a name, flags, words or JSON.
import { existsSync, readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { nearest } from "../protocol/nearest.ts";
import { useCompileCache } from "./compile-cache.ts";

export interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly flags: Readonly<Record<string, string>>;
}

export interface Call<E extends Entry> {
  readonly entry: E;
  readonly json: boolean;
  readonly flags: Readonly<Record<string, string | undefined>>;
}

/** Files beside the entry that are one each: not the shape, not the command, not a part of another (`kill9-gateway.ts`). */
async function entries<E extends Entry>(folder: URL, exported: string): Promise<E[]> {
  const found: E[] = [];
  for (const file of readdirSync(folder)) {
    if (!/^[a-z0-9]+\.ts$/.test(file) || file === "main.ts" || !existsSync(new URL(file, folder))) continue;
    const module = (await import(new URL(file, folder).href)) as Record<string, E | undefined>;
    const entry = module[exported];
    if (entry !== undefined) found.push(entry);
  }
  return found;
}

/** The entry that was asked for, or undefined after saying what there is. */
export async function callOf<E extends Entry>(
  folder: URL,
  exported: string,
  args: readonly string[],
): Promise<Call<E> | undefined> {
  useCompileCache();
  const known = await entries<E>(folder, exported);
  const name = args.find((one) => !one.startsWith("-"));
  const entry = known.find((one) => one.name === name);
  if (entry === undefined) {
    const near =
      name === undefined
        ? undefined
        : nearest(
            name,
            known.map((one) => one.name),
          );
    if (name !== undefined)
      process.stderr.write(`There is no ${exported} ${name}${near === undefined ? "" : `: did you mean ${near}?`}\n`);
    process.stderr.write(`usage: npm run ${exported} -- NAME [--json] [flags]\n`);
    for (const one of known) {
      process.stderr.write(`  ${one.name.padEnd(10)} ${one.summary}\n`);
      for (const [flag, meaning] of Object.entries(one.flags))
        process.stderr.write(`             --${flag}: ${meaning}\n`);
    }
    return undefined;
  }
  const text = { type: "string" } as const;
  const options = {
    json: { type: "boolean" } as const,
    seed: text,
    ...Object.fromEntries(Object.keys(entry.flags).map((flag) => [flag, text])),
  };
  try {
    const { values } = parseArgs({ args: args.filter((one) => one !== name), options });
    const { json, ...flags } = values as Record<string, unknown>;
    return { entry, json: json === true, flags: flags as Record<string, string | undefined> };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}

type Flags = Readonly<Record<string, string | undefined>>;

/** A flag has a value that it cannot have; the message says which it can. */
export class FlagError extends Error {}

export function wholeFlag(flags: Flags, name: string, usual: number): number {
  const value = Number(flags[name] ?? usual);
  if (!Number.isInteger(value) || value < 1)
    throw new FlagError(`--${name} is a whole number from 1 on, not ${flags[name]}`);
  return value;
}

/** One of these words, or undefined where the flag is not given. */
export function wordFlag(flags: Flags, name: string, words: readonly string[]): string | undefined {
  const value = flags[name];
  if (value !== undefined && !words.includes(value))
    throw new FlagError(`--${name} is ${words.join(" or ")}, not ${value}`);
  return value;
}

/** The exit code of this work; 2 after saying which flag is wrong. */
export async function exitCodeOf(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}
