// A profile as it is measured: its bundle, and a board that holds it. Where the bundle is too long for its slot, the board gets
// a larger one and the program is built for that, so that there are figures although it could not be shipped.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { BoardTable } from "../../firmware/boards/table.ts";
import { type Bundle, bundle } from "../../firmware/build/bundle.ts";
import { createImage, numberedSettings, programBytesMax } from "../../firmware/build/image.ts";
import type { BuildProfile } from "../../firmware/build/profiles.ts";
import type { DeviceConfig } from "../../firmware/device/settings.ts";
import { createFlash, loadImage } from "../../firmware/simulator/flash.ts";
import { tableOf } from "../engine/program.ts";
import { DEVICE_ID, type EngineScenario, KEY } from "../engine/scenario.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** What other numbers of the table can make a program longer by. */
const LONGER_BYTES = 1024;

export interface Measured {
  readonly profile: BuildProfile;
  readonly bytes: number;
  readonly bytesMax: number;
  /** The board as it is put under the program: its own table, or one with a larger slot. */
  readonly table: BoardTable;
  readonly made: Bundle;
}

function widened(table: BoardTable, bytes: number): BoardTable {
  const pages = Math.ceil((bytes - programBytesMax(table)) / table.pageBytes);
  const more = pages * table.pageBytes;
  const all = more * table.slots;
  return {
    ...table,
    storagePages: table.storagePages + pages * table.slots,
    slotBytes: table.slotBytes + more,
    configOffset: table.configOffset + all,
    ringOffset: table.ringOffset + all,
  };
}

/** The entry with another page table in the place of its own. */
async function bundleFor(table: BoardTable, entry: string): Promise<Bundle> {
  const path = resolve(ROOT, entry);
  const row = table.name.toUpperCase();
  const source = readFileSync(path, "utf8")
    .replace(new RegExp(`import \\{ ${row} \\} from "./table.ts";`), "")
    .replaceAll(/from "(\.[^"]+)"/g, (_, target: string) => `from "${resolve(dirname(path), target)}"`);
  const folder = mkdtempSync(join(tmpdir(), "waakvlam-bench-"));
  try {
    const file = join(folder, "entry.ts");
    writeFileSync(file, `const ${row} = ${JSON.stringify(table)};\n${source}`);
    return await bundle(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function measuredOf(profile: BuildProfile): Promise<Measured> {
  const own = tableOf(profile.board);
  const first = await bundle(profile.entry);
  const facts = { profile, bytes: first.tokens.length, bytesMax: programBytesMax(own) };
  if (facts.bytes <= facts.bytesMax) return { ...facts, table: own, made: first };
  const table = widened(own, first.tokens.length + LONGER_BYTES);
  return { ...facts, table, made: await bundleFor(table, profile.entry) };
}

/** The same program on a board whose Storage lies where another board has it. */
export async function moved(measured: Measured, board: string): Promise<Measured> {
  const { storageAddress, dataAddress } = tableOf(board);
  const table = { ...measured.table, storageAddress, dataAddress };
  return { ...measured, table, made: await bundleFor(table, measured.profile.entry) };
}

/** The board's Storage with the program and the scenario's configuration. */
export function storageOf({ table, made }: Measured, scenario: EngineScenario): Uint8Array {
  const settings = numberedSettings((scenario.config["settings"] ?? {}) as Record<string, number>);
  const config = { ...scenario.config, settings, deviceId: DEVICE_ID, key: KEY } as unknown as DeviceConfig;
  const flash = createFlash(table);
  loadImage(flash, createImage(table, made.tokens, config));
  return flash.read(table.storagePages * table.pageBytes, table.storageAddress);
}
