// From one plain program to the shortest that does the same: taken apart, shrunk by terser, with short names.
import { minify } from "terser";
import { flatten } from "./flatten.ts";
import { shortenProperties } from "./names.ts";
import { shortenVariables } from "./variables.ts";

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

/** Names stay as they are, and quoted keys quoted: what is quoted is known outside. */
async function shrink(code: string): Promise<string> {
  const result = await minify(code, {
    toplevel: true,
    ecma: 2015,
    compress: {
      hoist_funs: true,
      ecma: 2015,
      passes: 3,
      reduce_funcs: false,
      inline: 3,
      unsafe_arrows: true,
      pure_getters: true,
      properties: false,
    },
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

/**
 * `outside` are the names of properties that are known outside. Without them the program keeps all names of its properties, and
 * all it has at its root: it is a guest there.
 */
export async function squeeze(code: string, outside: Iterable<string> | undefined): Promise<string> {
  if (outside === undefined) return write(shortenVariables(await shrink(code), RESERVED, true));
  const named = shortenProperties(await shrink(flatten(code)), outside);
  return write(shortenVariables(named, RESERVED));
}
