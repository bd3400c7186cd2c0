// Where an Espruino for Linux is, and which board its binary models.
import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { BOARD_TABLES } from "../../firmware/boards/table.ts";

/** Places that are looked at when ESPRUINO_BIN says nothing. */
const USUAL = [join(homedir(), ".local/share/waakvlam/espruino"), "/opt/espruino"];

export const HOW_TO =
  "set ESPRUINO_BIN to an Espruino for Linux, or to a folder with one for each board (mdbt42q/espruino, …); " +
  `otherwise ${USUAL.join(" and ")} are looked at`;

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

/** The binary for a board: its own when there is one, else one for all boards; undefined when there is none. */
export function findEspruino(board: string): string | undefined {
  const asked = process.env["ESPRUINO_BIN"];
  for (const place of asked === undefined ? USUAL : [asked]) {
    for (const path of [join(place, board, "espruino"), join(place, "espruino"), place]) if (isFile(path)) return path;
  }
  return undefined;
}

/** What the name of a test ends in where it does not run; nothing where it does. */
export function unless(isThere: boolean, lack = "no Espruino found"): string {
  return isThere ? "" : ` (skipped: ${lack})`;
}

/** Boards that this machine has an engine for. */
export function boardsFound(): string[] {
  return BOARD_TABLES.map((table) => table.name).filter((name) => findEspruino(name) !== undefined);
}
