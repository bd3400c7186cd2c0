// TypeScript to one flat Espruino bundle: Babel lowers only what the engine lacks, rollup joins, passes of our own take the
// modules apart, terser shrinks, and keywords become single bytes.
import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import babel from "@babel/core";
import { rollup } from "rollup";
import { crc32 } from "../../protocol/wire.ts";
import { type Asked, createKeeper, type Keeper, sumOf } from "./kept.ts";
import { outsideNames } from "./names.ts";
import { squeeze } from "./squeeze.ts";
import { describeOffence, findOffences, type Offence } from "./subset.ts";
import { untokenise as textOf, tokenise } from "./tokens.ts";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** What the engine has stays: classes, arrows, templates, shorthand, for..of, `??`. */
const LOWERED = [
  "parameters",
  "destructuring",
  "spread",
  "object-rest-spread",
  "block-scoping",
  "computed-properties",
  "optional-chaining",
  "class-properties",
  "exponentiation-operator",
  "logical-assignment-operators",
].map((name) => `@babel/plugin-transform-${name}`);

const ASSUMPTIONS = {
  setClassMethods: true,
  superIsCallableConstructor: true,
  constantSuper: true,
  noClassCalls: true,
  iterableIsArray: true,
  arrayLikeIsIterable: true,
  skipForOfIteratorClosing: true,
  setSpreadProperties: true,
  setPublicClassFields: true,
  noDocumentAll: true,
  noNewArrows: true,
  objectRestNoSymbols: true,
  setComputedProperties: true,
};

/** The engine's own names, as far as the firmware uses them. */
const ENGINE_TYPES = "firmware/types/espruino.d.ts";

const keeper = createKeeper(ROOT);

export interface Bundle {
  /** The program as text: readable by any engine. */
  readonly code: string;
  /** As it goes on a board: one byte a keyword. */
  readonly tokens: Uint8Array;
  readonly crc32: number;
}

export class SubsetError extends Error {
  readonly offences: readonly Offence[];
  constructor(offences: readonly Offence[]) {
    super(offences.map(describeOffence).join("\n"));
    this.name = "SubsetError";
    this.offences = offences;
  }
}

/**
 * Bundles one entry, a path within the project. Throws SubsetError with every offence of every file. `keepsNames` is for a
 * program that speaks with others by the names of its properties.
 */
export function bundle(entry: string, keepsNames = false): Promise<Bundle> {
  return bundleWith(keeper, { entry, keepsNames });
}

/** The same, made whether it was made before or not. */
export function bundleAfresh(entry: string): Promise<Bundle> {
  return bundleWith({ ...keeper, find: () => undefined }, { entry, keepsNames: false });
}

export async function bundleWith(from: Keeper, asked: Asked): Promise<Bundle> {
  const code = from.find(asked) ?? (await make(from, asked));
  const tokens = Uint8Array.from(tokenise(code), (char) => char.charCodeAt(0));
  return { code, tokens, crc32: crc32(tokens) };
}

/** The program as text, kept for who asks again. */
async function make(from: Keeper, asked: Asked): Promise<string> {
  const offences: Offence[] = [];
  const inputs = new Map<string, string>();
  const outside = outsideNames(readFileSync(resolve(ROOT, ENGINE_TYPES), "utf8"), ENGINE_TYPES);
  const built = await rollup({
    input: resolve(ROOT, asked.entry),
    treeshake: true,
    plugins: [
      {
        name: "espruino",
        load: (id) => {
          const source = readFileSync(id, "utf8");
          inputs.set(id, sumOf(source));
          offences.push(...findOffences(source, relative(ROOT, id)));
          outside.push(...outsideNames(source, id));
          return lower(source, id);
        },
      },
    ],
  });
  const { output } = await built.generate({ format: "es" });
  await built.close();
  if (offences.length > 0) throw new SubsetError(offences);
  const code = await squeeze(output[0].code, asked.keepsNames ? undefined : outside);
  from.keep(asked, inputs, code);
  return code;
}

function lower(source: string, id: string): string {
  const result = babel.transformSync(source, {
    filename: id,
    configFile: false,
    babelrc: false,
    assumptions: ASSUMPTIONS,
    presets: [["@babel/preset-typescript", { optimizeConstEnums: true }]],
    plugins: LOWERED,
  });
  return result?.code ?? "";
}

/** The text of a pretokenised program, for an engine that reads text. */
export async function untokenise(tokens: string): Promise<string> {
  return textOf(tokens);
}
