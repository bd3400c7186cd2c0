// A folder of CSV files, one a noun: read for an import, written by an export.
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { NOUNS, type Noun, type Registry } from "../../protocol/index.ts";
import { nearest } from "../../protocol/nearest.ts";
import { GatewayError } from "../errors.ts";
import { readWhole, writeWhole } from "./file.ts";
import { bounded, checkBytes, parseRegistry } from "./registry.ts";
import type { ListProblems } from "./shape.ts";
import { readTables, type Tables, tableOf } from "./tables.ts";

const FILE_MODE = 0o640;
const FOLDER_MODE = 0o750;
export const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** What stands for bytes that are no UTF-8. */
const NOT_UTF8 = "\uFFFD";

interface Source {
  readonly registry: Registry;
  /** Lists that no file says anything of: they stay as they are. */
  readonly kept: readonly Noun[];
}

/**
 * The registry in a JSON file, a folder of CSV files, or one CSV file named after its noun. Throws FILE_UNREADABLE, or
 * REGISTRY_INVALID with every problem.
 */
export function readSource(path: string, base: () => Registry, listProblems: ListProblems): Source {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new GatewayError("FILE_UNREADABLE", { path, reason: "there is none" });
  if (!found.isDirectory() && !path.toLowerCase().endsWith(".csv"))
    return { registry: parseRegistry(read(path), path, listProblems), kept: [] };
  const names = found.isDirectory() ? readdirSync(path).filter((name) => name.toLowerCase().endsWith(".csv")) : [];
  const files = found.isDirectory() ? names.sort().map((name) => join(path, name)) : [path];
  const { tables, problems } = tablesOf(files);
  if (files.length === 0)
    problems.push(`there is no CSV file in it: the files are ${NOUNS.map((noun) => `${noun}.csv`).join(", ")}`);
  const before = base();
  const said = problems.length > 0 ? { registry: before, problems: [] } : readTables(tables, before, listProblems);
  const all = [...problems, ...said.problems];
  if (all.length > 0) throw new GatewayError("REGISTRY_INVALID", { path, problems: bounded(all) });
  checkBytes(said.registry, path);
  return { registry: said.registry, kept: NOUNS.filter((noun) => tables[noun] === undefined) };
}

function tablesOf(files: readonly string[]): { tables: Tables; problems: string[] } {
  const tables: Partial<Record<Noun, string>> = {};
  const problems: string[] = [];
  for (const file of files) {
    const name = basename(file).replace(/\.csv$/i, "");
    const noun = NOUNS.find((one) => one === name);
    if (noun !== undefined) {
      const text = read(file);
      const line = text.split("\n").findIndex((one) => one.includes(NOT_UTF8));
      if (line >= 0) problems.push(`${noun}.csv line ${line + 1} is not UTF-8: save it as "CSV UTF-8"`);
      tables[noun] = text;
    } else {
      const near = nearest(name, NOUNS);
      const hint = near === undefined ? `the names are ${NOUNS.join(", ")}` : `did you mean ${near}.csv?`;
      problems.push(`${basename(file)} is named after no list of the registry: ${hint}`);
    }
  }
  return { tables, problems };
}

function read(path: string): string {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes > FILE_BYTES_MAX)
    throw new GatewayError("FILE_UNREADABLE", { path, reason: `more than ${FILE_BYTES_MAX} bytes` });
  return readWhole(path) ?? "";
}

/** With a byte-order mark: without one a spreadsheet here takes UTF-8 for something else. Throws FILE_UNWRITABLE. */
export function writeFolder(path: string, registry: Registry): readonly string[] {
  try {
    mkdirSync(path, { recursive: true, mode: FOLDER_MODE });
  } catch (cause) {
    throw new GatewayError("FILE_UNWRITABLE", { path }, { cause });
  }
  return NOUNS.map((noun) => {
    const file = join(path, `${noun}.csv`);
    writeWhole(file, `\uFEFF${tableOf(noun, registry)}`, FILE_MODE);
    return file;
  });
}
