// TypeScript to one flat Espruino bundle: Babel lowers only what the engine lacks, rollup joins, terser shrinks, and the
// `espruino` package's pretokeniser makes keywords single bytes.
import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import babel from "@babel/core";
import { rollup } from "rollup";
import { minify } from "terser";
import { crc32 } from "../../protocol/wire.ts";
import { outsideNames, shortenProperties } from "./names.ts";
import { describeOffence, findOffences, type Offence } from "./subset.ts";

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
  "function-name",
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
  const code = await shrink(keepsNames ? output[0].code : shortenProperties(output[0].code, outside));
  const tokens = await pretokenise(code);
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

async function shrink(code: string): Promise<string> {
  const result = await minify(code, {
    toplevel: true,
    ecma: 2015,
    compress: { hoist_funs: true, ecma: 2015, passes: 2, reduce_funcs: false, inline: 1 },
    mangle: { toplevel: true, reserved: RESERVED },
    format: { ecma: 2015, ascii_only: true },
  });
  return result.code ?? "";
}

interface EspruinoTools {
  init(done: () => void): void;
}

declare global {
  // The `espruino` package works through a global of its own.
  var Espruino: {
    Config: Record<string, unknown>;
    Plugins: { Pretokenise: { tokenise(code: string): string; untokenise(code: string): string } };
  };
}

let tools: Promise<void> | undefined;

/** The package speaks on the console while it starts; a build has its own words. */
async function openTools(): Promise<void> {
  const { default: espruino } = (await import("espruino")) as unknown as { default: EspruinoTools };
  const speak = globalThis.console.log;
  globalThis.console.log = () => undefined;
  try {
    await new Promise<void>((done) => espruino.init(done));
  } finally {
    globalThis.console.log = speak;
  }
}

async function pretokenise(code: string): Promise<Uint8Array> {
  tools ??= openTools();
  await tools;
  // Keywords and operators only, which every engine reads; the package cannot turn its packed integers back.
  globalThis.Espruino.Config["PRETOKENISE"] = 1;
  const text = globalThis.Espruino.Plugins.Pretokenise.tokenise(code);
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** The text of a pretokenised program, for an engine that reads text. */
export async function untokenise(tokens: string): Promise<string> {
  tools ??= openTools();
  await tools;
  return globalThis.Espruino.Plugins.Pretokenise.untokenise(tokens);
}
