// `npm run build:firmware -- --board B --profile P`: one bundle into firmware/dist, with its sizes.
import { mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { FIRMWARE_VERSION } from "../device/info.ts";
import { bundleAfresh, SubsetError } from "./bundle.ts";
import { findProfile, PROFILES } from "./profiles.ts";

const DIST = fileURLToPath(new URL("../dist", import.meta.url));

/** Undefined after saying which option is not one. */
function parse() {
  try {
    return parseArgs({
      options: { board: { type: "string" }, profile: { type: "string" }, json: { type: "boolean" } },
    }).values;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${why}\nusage: npm run build:firmware -- [--board esp32] [--profile point] [--json]\n`);
    return undefined;
  }
}

async function main(): Promise<number> {
  const values = parse();
  if (values === undefined) return 2;
  const { board = "esp32", profile = "point" } = values;
  const found = findProfile(board, profile);
  if (found === undefined) {
    const known = PROFILES.map((one) => `--board ${one.board} --profile ${one.profile}`).join("; ");
    process.stderr.write(`There is no profile ${profile} for board ${board}. There is: ${known}\n`);
    return 2;
  }
  try {
    // What goes on boards comes from the builder itself.
    const made = await bundleAfresh(found.entry);
    const folder = resolve(DIST, `${board}-${profile}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(resolve(folder, "app.js"), made.tokens);
    writeFileSync(resolve(folder, "app.txt.js"), made.code);
    const sizes = { bytes: made.code.length, pretokenisedBytes: made.tokens.length, crc32: made.crc32 };
    const manifest = { board, profile, version: FIRMWARE_VERSION, ...sizes };
    writeFileSync(resolve(folder, "manifest.json"), `${JSON.stringify(manifest, null, 1)}\n`);
    process.stdout.write(
      values.json === true
        ? `${JSON.stringify(manifest)}\n`
        : `${board} ${profile}: ${sizes.bytes} bytes, ${sizes.pretokenisedBytes} pretokenised\n`,
    );
    return 0;
  } catch (error) {
    if (!(error instanceof SubsetError)) throw error;
    process.stderr.write(`The engine would not run this right:\n${error.message}\n`);
    return 1;
  }
}

process.exitCode = await main();
