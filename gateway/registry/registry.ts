// The registry file in the data folder: read with all that is wrong with it, written whole.
import { join } from "node:path";
import type { Registry } from "../../protocol/index.ts";
import { GatewayError } from "../errors.ts";
import { checkRegistry } from "./check.ts";
import { readWhole, writeWhole } from "./file.ts";
import { checkLorawan } from "./lorawan-check.ts";
import { EMPTY_REGISTRY, type ListProblems, relabel, shapeOf } from "./shape.ts";

export const REGISTRY_FILE = "registry.json";
export const PROBLEMS_MAX = 200;
/** Of the file: the scheduled copy takes it whole. A thousand points with all that belongs to them are about a third. */
export const REGISTRY_BYTES_MAX = 3_500_000;

/** The registry that a value is, of version 1 or 2. Throws REGISTRY_INVALID with every one of its `problems`. */
export function registryOf(value: unknown, path: string, listProblems: ListProblems): Registry {
  const { registry, problems } = judge(value, listProblems);
  checkBytes(registry, path);
  if (problems.length > 0) throw new GatewayError("REGISTRY_INVALID", { path, problems: bounded(problems) });
  return registry;
}

/** Throws REGISTRY_INVALID. */
export function checkBytes(registry: Registry, path: string): void {
  const bytes = Buffer.byteLength(registryText(registry));
  if (bytes <= REGISTRY_BYTES_MAX) return;
  const problems = [`as a file it has ${bytes} bytes, at most ${REGISTRY_BYTES_MAX}`];
  throw new GatewayError("REGISTRY_INVALID", { path, problems });
}

/** All that is wrong with a value, in its form and in what it says; the rows that have their form are held against each other. */
export function judge(
  value: unknown,
  listProblems: ListProblems,
): { readonly registry: Registry; readonly problems: readonly string[] } {
  const { registry, problems, indices, unsure, isWhole } = shapeOf(value, listProblems);
  const said = isWhole ? [...checkRegistry(registry), ...checkLorawan(registry)] : [];
  const sure = said.filter((problem) => !unsure.has(/(\S+) is not among /.exec(problem)?.[1] ?? ""));
  const placed = sure.map((problem) => relabel(problem, (noun, i) => `${noun}/${indices[noun]?.[i] ?? i}`));
  return { registry, problems: [...problems, ...placed] };
}

export function bounded(problems: readonly string[]): string[] {
  if (problems.length <= PROBLEMS_MAX) return [...problems];
  return [...problems.slice(0, PROBLEMS_MAX), `and ${problems.length - PROBLEMS_MAX} more`];
}

/** The registry in a text. Throws REGISTRY_INVALID with `problems`. */
export function parseRegistry(text: string, path: string, listProblems: ListProblems): Registry {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError("REGISTRY_INVALID", { path, problems: [`not JSON: ${problem}`] }, { cause });
  }
  return registryOf(value, path, listProblems);
}

export function registryPath(dir: string): string {
  return join(dir, REGISTRY_FILE);
}

/** The registry in force; empty when none was imported yet. */
export function loadRegistry(dir: string, listProblems: ListProblems): Registry {
  const text = readWhole(registryPath(dir));
  return text === undefined ? EMPTY_REGISTRY : parseRegistry(text, registryPath(dir), listProblems);
}

export function saveRegistry(dir: string, registry: Registry): void {
  writeWhole(registryPath(dir), registryText(registry), 0o640);
}

/** As JSON with one row a line: two versions of it can be compared by any tool. */
export function registryText(registry: Registry): string {
  const { version, ...lists } = registry;
  const parts = Object.entries(lists).map(([noun, rows]) => {
    const lines = rows.map((row) => `  ${JSON.stringify(row)}`).join(",\n");
    return ` ${JSON.stringify(noun)}: [${lines === "" ? "" : `\n${lines}\n `}]`;
  });
  return `{\n "version": ${version},\n${parts.join(",\n")}\n}\n`;
}
