import { describe, expect, test } from "vitest";
import { crc32 } from "../../protocol/wire.ts";
import { BOARD_TABLES } from "../boards/table.ts";
import { encodeConfig } from "../build/image.ts";
import { createFlash, type VirtualFlash } from "../simulator/flash.ts";
import { readConfigText } from "./config.ts";
import { confirmBoot } from "./slots.ts";

describe.each(BOARD_TABLES)("the configuration of $name", (table) => {
  const start = table.dataAddress + table.configOffset;

  function textOf(flash: VirtualFlash): string | undefined {
    return readConfigText({
      read: (offset, length) => flash.read(length, start + offset),
      textAt: (offset, length) => {
        const bytes = flash.read(Math.min(Math.ceil(length / 4) * 4, table.pageBytes), start + offset);
        return Buffer.from(bytes).toString("latin1", 0, length);
      },
      crc32: (data) => crc32(Buffer.from(data, "latin1")),
    });
  }

  test("is what the bench has written, and nothing on an erased board", () => {
    const flash = createFlash(table);
    expect(textOf(flash)).toBeUndefined();
    flash.write(encodeConfig('{"a":"é"}'), start);
    expect(textOf(flash)).toBe(Buffer.from('{"a":"é"}').toString("latin1"));
  });

  test("in which any byte has changed is none", () => {
    const page = encodeConfig('{"newer":true}');
    for (let at = 4; at < 8 + 14; at++) {
      const flash = createFlash(table);
      const changed = page.slice();
      changed[at] = (changed[at] as number) ^ 4;
      flash.write(changed, start);
      expect(textOf(flash)).toBeUndefined();
    }
  });
});

test("a boot is confirmed once", () => {
  const [table] = BOARD_TABLES;
  if (table === undefined) throw new Error("no board");
  const flash = createFlash(table);
  const area = {
    pageBytes: table.pageBytes,
    pages: 0,
    read: (offset: number, length: number) => flash.read(length, table.dataAddress + offset),
    write: (offset: number, bytes: Uint8Array) => flash.write(bytes, table.dataAddress + offset),
    erase: () => undefined,
  };
  confirmBoot(area, 0);
  expect(flash.read(4, table.dataAddress + 20)).toEqual(new Uint8Array(4));
  const before = flash.operations();
  confirmBoot(area, 0);
  expect(flash.operations()).toBe(before);
});
