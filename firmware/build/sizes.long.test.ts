// The table of sizes in `firmware/README.md`, kept true: what a profile may take, what it takes, and what its slot holds.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BOARD_TABLES } from "../boards/table.ts";
import { bundle } from "./bundle.ts";
import { programBytesMax } from "./image.ts";
import { PROFILES } from "./profiles.ts";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");
/** A figure in the table may be so many bytes from the truth. */
const NEAR_BYTES = 150;

/** Board, profile, bytes now, bytes at most, bytes of the slot. */
function rowOf(board: string, profile: string): number[] {
  const row = README.split("\n").find((line) => line.startsWith(`| ${board} | ${profile} |`));
  if (row === undefined) throw new Error(`firmware/README.md has no row for ${board} ${profile}`);
  return row
    .split("|")
    .slice(3, 6)
    .map((cell) => Number(cell.replaceAll(/[ ,]/g, "")));
}

describe.each(PROFILES)("$board $profile", ({ board, profile, entry }) => {
  test("keeps to its size, as the table says, and fits its slot", async () => {
    const [now = 0, most = 0, slot = 0] = rowOf(board, profile);
    const table = BOARD_TABLES.find((one) => one.name === board);
    if (table === undefined) throw new Error(board);
    const { code, tokens } = await bundle(entry);
    expect(Math.abs(tokens.length - now)).toBeLessThanOrEqual(NEAR_BYTES);
    expect(tokens.length).toBeLessThanOrEqual(most);
    expect(slot).toBe(programBytesMax(table));
    expect(most).toBeLessThanOrEqual(slot);
    expect(tokens.length).toBeLessThan(code.length);
    // Nothing that the engine has not.
    expect(code).not.toMatch(/=>\s*\{[^}]*\.\.\.|\?\./);
  }, 180_000);
});
