import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createImage, programBytesMax } from "../build/image.ts";
import { loaderOf } from "../build/loader.ts";
import { PROFILES } from "../build/profiles.ts";
import { partsOf } from "../simulator/board-parts.ts";
import { createFlash, loadImage } from "../simulator/flash.ts";
import { BOARD_TABLES, CONFIG_PAGES, dataBytes, FILES, STORAGE_HEADER_BYTES } from "./table.ts";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const RING_HEADER_BYTES = 8;
const HOURS = 72;
/** Bytes of a program that a board's slot must hold: the budgets of the smallest and of the largest profile. */
const PROGRAM_BYTES: Record<string, number> = { esp32: 20_480, xiaoble: 20_480, mdbt42q: 13_500, pixljs: 14_700 };
const CONFIG = { deviceId: "a" } as never;

describe.each(BOARD_TABLES)("the page table of $name", (table) => {
  const { pageBytes, slots, slotBytes, configOffset, ringOffset, ringPages } = table;

  test("lays its areas one behind the other, in whole pages, within Storage", () => {
    expect(table.dataAddress).toBe(table.storageAddress + pageBytes);
    expect(configOffset).toBe(slots * slotBytes);
    expect(ringOffset).toBe(configOffset + CONFIG_PAGES * pageBytes);
    for (const place of [table.storageAddress, slotBytes, configOffset, ringOffset, dataBytes(table)])
      expect(place % pageBytes).toBe(0);
    expect(pageBytes + dataBytes(table)).toBeLessThanOrEqual(table.storagePages * pageBytes);
  });

  test("makes the data begin exactly with the second page, behind the loader and the filler", () => {
    const flash = createFlash(table);
    const program = Uint8Array.of(112, 114, 111, 103);
    const image = createImage(table, program, CONFIG);
    loadImage(flash, image);
    expect(image.files.map((file) => file.name)).toEqual([FILES.loader, FILES.id, FILES.data]);
    const sizes = image.files.slice(0, 2).map((file) => file.size + STORAGE_HEADER_BYTES);
    expect(sizes.reduce((sum, size) => sum + size, STORAGE_HEADER_BYTES)).toBe(pageBytes);
    expect(sizes.every((size) => size % 4 === 0)).toBe(true);
    for (const part of image.parts) {
      const text = flash.file(part.file)?.slice(part.offset, part.offset + part.bytes.length);
      expect(text).toBe(Buffer.from(part.bytes).toString("latin1"));
    }
    expect(flash.file(FILES.data)).toHaveLength(dataBytes(table));
    expect(JSON.parse((flash.file(FILES.id) ?? "").replace(/\xff+$/, ""))).toMatchObject({ board: table.name, slots });
  });

  test("has slots for the budget, a loader that is short, and a ring for 72 hours while one page is being erased", () => {
    expect(programBytesMax(table)).toBeGreaterThanOrEqual(PROGRAM_BYTES[table.name] as number);
    expect(loaderOf(table).length).toBeLessThanOrEqual(700);
    // Each page begins with a record of its own.
    const records = Math.floor((pageBytes - RING_HEADER_BYTES) / table.ringSlotBytes) - 1;
    const samples = (HOURS * 60) / table.sampleMinutes;
    // A tenth more for events and boots.
    expect((ringPages - 1) * records).toBeGreaterThan(samples * 1.1);
  });

  test("is what the documentation shows, and the board is known everywhere", () => {
    const hex = `0x${table.storageAddress.toString(16)}`;
    const cells = [
      table.name,
      hex,
      table.storagePages,
      `${slots} × ${slotBytes / pageBytes}`,
      CONFIG_PAGES,
      ringPages,
      table.ringSlotBytes,
      `${table.sampleMinutes} min`,
      table.variables,
    ];
    expect(README).toContain(`| ${cells.join(" | ")} |`);
    expect(partsOf(table.name).pins).toEqual(expect.arrayContaining(["BTN1", "LED1"]));
  });
});

test("every profile is for a board of the table", () => {
  for (const { board } of PROFILES) expect(BOARD_TABLES.map((table) => table.name)).toContain(board);
});
