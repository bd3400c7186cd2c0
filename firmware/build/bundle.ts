// TypeScript to one flat Espruino bundle: Babel lowers only what the engine lacks, rollup joins, passes of our own take the
// modules apart, terser shrinks, and keywords become single bytes.
import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import babel from "@babel/core";
import { rollup } from "rollup";
import { minify } from "terser";
import { crc32 } from "../../protocol/wire.ts";
import { flatten } from "./flatten.ts";
import { outsideNames, shortenProperties } from "./names.ts";
import { describeOffence, findOffences, type Offence } from "./subset.ts";
import { tokenise, untokenise as textOf } from "./tokens.ts";
import { shortenVariables } from "./variables.ts";

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

/**
 * Names that a short top-level name must never hide: pins, the button, the lamp, the screen (`g`), what a loader leaves. A
 * top-level function of the name of one that is there would even replace its insides.
 */
const RESERVED = [
  ...Array.from({ length: 48 }, (_, i) => `D${i}`),
  ...[..."ABCDEFGH"].flatMap((port) => Array.from({ length: 16 }, (_, i) => `${port}${i}`)),
  ..."E g PI SDA SCL Q FET NaN IR IRL IRR LED LED1 BTN1 LOW SPK MIC CTS HID FFT AES AMS GPS HRM Pin USB SPI".split(" "),
  "wkSlot",
];

/** The engine's own names, as far as the firmware uses them. */
const ENGINE_TYPES = "firmware/types/espruino.d.ts";

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
export async function bundle(entry: string, keepsNames = false): Promise<Bundle> {
  const offences: Offence[] = [];
  const outside = outsideNames(readFileSync(resolve(ROOT, ENGINE_TYPES), "utf8"), ENGINE_TYPES);
  const built = await rollup({
    input: resolve(ROOT, entry),
    treeshake: true,
    plugins: [
      {
        name: "espruino",
        load: (id) => {
          const source = readFileSync(id, "utf8");
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
  const plain = output[0].code;
  const named = keepsNames ? await shrink(plain) : shortenProperties(await shrink(flatten(plain)), outside);
  const code = await write(shortenVariables(named, RESERVED, keepsNames));
  const tokens = Uint8Array.from(tokenise(code), (char) => char.charCodeAt(0));
  return { code, tokens, crc32: crc32(tokens) };
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

/** Names stay as they are, and quoted keys quoted: what is quoted is known outside. */
async function shrink(code: string): Promise<string> {
  const result = await minify(code, {
    toplevel: true,
    ecma: 2015,
    compress: { hoist_funs: true, ecma: 2015, passes: 3, reduce_funcs: false, inline: 3, unsafe_arrows: true, pure_getters: true, properties: false },
    mangle: false,
    format: { ecma: 2015, ascii_only: true, keep_quoted_props: true },
  });
  return result.code ?? "";
}

/** The text in as few letters as it can be, in the order that it has. */
async function write(code: string): Promise<string> {
  const result = await minify(code, {
    ecma: 2015,
    compress: { defaults: false, properties: true, join_vars: true },
    mangle: false,
    format: { ecma: 2015, ascii_only: true },
  });
  return result.code ?? "";
}

/** The text of a pretokenised program, for an engine that reads text. */
export async function untokenise(tokens: string): Promise<string> {
  return textOf(tokens);
}
