import { describe, expect, test } from "vitest";
import { crc32 } from "../../protocol/wire.ts";
import { CONFIG_PAGES, MDBT42Q } from "../boards/table.ts";
import { encodeConfig } from "../build/image.ts";
import type { FlashArea } from "../hal.ts";
import { createFlash, PowerCut, type VirtualFlash } from "../simulator/flash.ts";
import { type ConfigStore, openConfig } from "./config.ts";
import { confirmBoot } from "./slots.ts";

const START = MDBT42Q.dataAddress + MDBT42Q.configOffset;
/** How much of an operation is done when the power goes. */
const SHARES = [0, 0.01, 0.3, 0.5, 0.99];
const OPERATIONS_MAX = 10;

function areaOf(flash: VirtualFlash, start = START): FlashArea {
  return {
    pageBytes: MDBT42Q.pageBytes,
    pages: CONFIG_PAGES,
    read: (offset, length) => flash.read(length, start + offset),
    write: (offset, bytes) => flash.write(bytes, start + offset),
    erase: (page) => flash.erasePage(start + page * MDBT42Q.pageBytes),
  };
}

function open(flash: VirtualFlash): ConfigStore {
  const area = areaOf(flash);
  const text = (offset: number, length: number) => {
    const from = offset & ~3;
    const bytes = area.read(from, Math.ceil((offset - from + length) / 4) * 4);
    return Buffer.from(bytes).toString("latin1", offset - from, offset - from + length);
  };
  return openConfig({
    flash: area,
    crc32: (data) => crc32(Buffer.from(data, "latin1")),
    textAt: text,
    bytesOf: (data) => new Uint8Array(Buffer.from(data, "latin1")),
  });
}

/** Runs it with the power going at each of its operations in turn; tells when it got through. */
function cutEverywhere(prepare: (flash: VirtualFlash) => void, act: (flash: VirtualFlash) => void) {
  const runs: { flash: VirtualFlash; isCut: boolean }[] = [];
  for (const share of SHARES) {
    for (let at = 1; at <= OPERATIONS_MAX; at++) {
      const flash = createFlash(MDBT42Q);
      prepare(flash);
      flash.cutAt(at, share);
      try {
        act(flash);
        flash.cutAt(Number.POSITIVE_INFINITY, 0);
        runs.push({ flash, isCut: false });
        break;
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
        runs.push({ flash, isCut: true });
      }
    }
  }
  expect(runs.some((run) => !run.isCut)).toBe(true);
  return runs;
}

describe("configuration A/B", () => {
  test("an erased board has none, and what the flash command puts there is read", () => {
    const flash = createFlash(MDBT42Q);
    expect(open(flash).text()).toBeUndefined();
    flash.write(encodeConfig(1, '{"a":"é"}'), START);
    expect(open(flash).text()).toBe(Buffer.from('{"a":"é"}').toString("latin1"));
  });

  test("each new one goes to the other page, and the newest is there after a restart", () => {
    const flash = createFlash(MDBT42Q);
    const store = open(flash);
    for (let turn = 1; turn <= 5; turn++) {
      const text = JSON.stringify({ turn, padding: "x".repeat(turn * 100) });
      expect(store.write(text)).toBe(true);
      expect(store.text()).toBe(text);
      expect(open(flash).text()).toBe(text);
    }
  });

  test("one that is longer than a page is refused, and the old one stands", () => {
    const flash = createFlash(MDBT42Q);
    const store = open(flash);
    store.write("old");
    expect(store.write("x".repeat(MDBT42Q.pageBytes - 15))).toBe(false);
    expect(open(flash).text()).toBe("old");
    expect(store.write("x".repeat(MDBT42Q.pageBytes - 16))).toBe(true);
  });

  test.each([1, 2])("a power cut at any operation leaves the old one or the new one (%d written before)", (before) => {
    const prepare = (flash: VirtualFlash) => {
      const store = open(flash);
      for (let i = 1; i <= before; i++) store.write(`old ${i}`);
    };
    for (const { flash, isCut } of cutEverywhere(prepare, (one) => open(one).write("the new one"))) {
      const store = open(flash);
      expect(isCut ? ["the new one", `old ${before}`] : ["the new one"]).toContain(store.text());
      expect(store.write("the next one")).toBe(true);
      expect(open(flash).text()).toBe("the next one");
    }
  });

  test("a page in which any byte has changed does not count", () => {
    const page = encodeConfig(2, '{"newer":true}');
    for (let at = 0; at < 16 + 14; at++) {
      const flash = createFlash(MDBT42Q);
      flash.write(encodeConfig(1, "older"), START);
      const changed = page.slice();
      changed[at] = (changed[at] as number) ^ 4;
      flash.write(changed, START + MDBT42Q.pageBytes);
      expect(open(flash).text()).toBe("older");
    }
  });
});

test("a boot is confirmed once, whatever a power cut has left of it", () => {
  const act = (flash: VirtualFlash) => confirmBoot(areaOf(flash, MDBT42Q.dataAddress), 0);
  for (const { flash, isCut } of cutEverywhere(() => undefined, act)) {
    act(flash);
    const word = flash.read(4, MDBT42Q.dataAddress + 20);
    expect([...word].every((byte) => byte === 0) || isCut).toBe(true);
    expect(word).not.toEqual(new Uint8Array(4).fill(255));
    const before = flash.operations();
    act(flash);
    expect(flash.operations()).toBe(before);
  }
});
