import { describe, expect, test } from "vitest";
import { ESP32, MDBT42Q, PIXLJS } from "../boards/table.ts";
import { createFlash, PowerCut, type Tear, type VirtualFlash } from "./flash.ts";
import { FILE_HEADER_BYTES } from "./storage.ts";

const START = MDBT42Q.storageAddress;
const { pageBytes, storagePages } = MDBT42Q;

function tear(part: Partial<Tear>): Tear {
  return { share: 0.5, grain: 1, isFromEnd: false, ...part };
}

function cutDuring(flash: VirtualFlash, how: Tear, act: () => void): void {
  flash.cutAt(1, how);
  expect(act).toThrow(PowerCut);
}

describe("flash", () => {
  test("writing clears bits only, erasing sets a whole page", () => {
    const flash = createFlash(MDBT42Q);
    flash.write(Uint8Array.of(0x0f, 1, 2, 3), START);
    flash.write(Uint8Array.of(0xf8, 255, 255, 255), START);
    expect([...flash.read(4, START)]).toEqual([0x08, 1, 2, 3]);
    flash.erasePage(START + 2000);
    expect([...flash.read(4, START)]).toEqual([255, 255, 255, 255]);
    expect([flash.operations(), flash.erasures()[0]]).toEqual([3, 1]);
  });

  test("takes whole words at whole addresses within Storage", () => {
    const flash = createFlash(MDBT42Q);
    const four = new Uint8Array(4);
    const end = START + storagePages * pageBytes;
    for (const address of [START + 2, START - 4, end, START + 0.5]) expect(() => flash.write(four, address)).toThrow();
    expect(() => flash.write(new Uint8Array(3), START)).toThrow();
    expect(() => flash.erasePage(end)).toThrow();
    expect(flash.operations()).toBe(0);
  });

  test("a third write to a word of the chip's own flash is an error until its page is erased; other chips bear it", () => {
    const flash = createFlash(PIXLJS);
    const ones = new Uint8Array(4).fill(255);
    flash.write(ones, PIXLJS.storageAddress);
    flash.write(ones, PIXLJS.storageAddress);
    expect(() => flash.write(ones, PIXLJS.storageAddress)).toThrow("written too often");
    flash.erasePage(PIXLJS.storageAddress);
    flash.write(ones, PIXLJS.storageAddress);
    const other = createFlash(ESP32);
    for (let i = 0; i < 3; i++) other.write(ones, ESP32.storageAddress);
  });

  test("a block of the chip's own flash bears 181 writes", () => {
    const flash = createFlash(MDBT42Q);
    flash.write(new Uint8Array(512), START);
    flash.write(new Uint8Array(4 * 53), START);
    expect(() => flash.write(new Uint8Array(4), START + 500)).toThrow("written too often");
    flash.write(new Uint8Array(4), START + 512);
  });

  test.each([
    ["from the start", tear({}), [0, 0, 0, 0, 255, 255, 255, 255]],
    ["from the end", tear({ isFromEnd: true }), [255, 255, 255, 255, 0, 0, 0, 0]],
    ["in words", tear({ share: 0.7, grain: 4 }), [0, 0, 0, 0, 255, 255, 255, 255]],
    ["in bytes", tear({ share: 0.7 }), [0, 0, 0, 0, 0, 255, 255, 255]],
    ["with bits at the edge", tear({ share: 0.7, edgeBits: 0x0f }), [0, 0, 0, 0, 0, 0xf0, 255, 255]],
    ["not begun", tear({ share: 0 }), [255, 255, 255, 255, 255, 255, 255, 255]],
    ["done, but nobody is told", tear({ share: 1 }), [0, 0, 0, 0, 0, 0, 0, 0]],
  ])("a write torn %s", (_name, how, left) => {
    const flash = createFlash(MDBT42Q);
    cutDuring(flash, how, () => flash.write(new Uint8Array(8), START));
    expect([...flash.read(8, START)]).toEqual(left);
    flash.erasePage(START);
    expect(flash.operations()).toBe(2);
  });

  test("an erasure torn from the start or from the end leaves the rest as it was", () => {
    for (const isFromEnd of [false, true]) {
      const flash = createFlash(MDBT42Q);
      flash.write(new Uint8Array(pageBytes), START);
      cutDuring(flash, tear({ share: 0.25, grain: 4, isFromEnd }), () => flash.erasePage(START));
      const page = flash.read(pageBytes, START);
      const erased = page.reduce((sum, byte) => sum + (byte === 255 ? 1 : 0), 0);
      expect([erased, page[0], page[pageBytes - 1]]).toEqual([1024, isFromEnd ? 0 : 255, isFromEnd ? 255 : 0]);
    }
  });
});

describe("Storage", () => {
  const bytes = (text: string) => Buffer.from(text, "latin1");

  test("a file of another content is a new one, and the old one is trash", () => {
    const flash = createFlash(MDBT42Q);
    expect(flash.storeFile("a", bytes("one"), 0, 0)).toBe(true);
    const before = flash.operations();
    flash.storeFile("a", bytes("one"), 0, 0);
    expect(flash.operations()).toBe(before);
    flash.storeFile("a", bytes("two"), 0, 0);
    expect(flash.operations() - before).toBe(3);
    expect(flash.file("a")).toBe("two");
    expect(flash.list().get("")).toBe(FILE_HEADER_BYTES + 4);
  });

  test("a file is made with its size and filled in pieces, once", () => {
    const flash = createFlash(MDBT42Q);
    flash.storeFile("a", bytes("ab"), 0, 6);
    flash.storeFile("a", bytes("cdef"), 2, 0);
    expect(flash.file("a")).toBe("abcdef");
    expect(() => flash.storeFile("a", bytes("x"), 1, 0)).toThrow("already written");
    expect(() => flash.storeFile("a", bytes("xy"), 5, 0)).toThrow("Too much data");
  });

  test("overwriting a file loses it wherever the power goes", () => {
    for (let operation = 1; operation <= 3; operation++) {
      const flash = createFlash(MDBT42Q);
      flash.storeFile("config", bytes("the old one"), 0, 0);
      cutDuringOperation(flash, operation, () => flash.storeFile("config", bytes("the new one"), 0, 0));
      expect(["the old one", "the new one"]).not.toContain(flash.file("config"));
    }
  });

  test("moves its files together when there is no room; cut there, the engine finds it damaged or files are lost", () => {
    const outcomes = new Set<string>();
    for (let operation = 1; operation < 30; operation++) {
      const flash = full();
      let isCut = true;
      flash.cutAt(operation, 0.5);
      try {
        flash.storeFile("e", new Uint8Array(8000).fill(5), 0, 0);
        isCut = false;
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
      }
      if (!isCut) {
        expect([flash.file("b"), flash.file("d"), flash.file("e")].map((text) => text?.length)).toEqual([
          9000, 9000, 8000,
        ]);
        expect(flash.list().get("")).toBeUndefined();
        outcomes.add("done");
        break;
      }
      const isWhole = flash.file("b") === "\x02".repeat(9000) && flash.file("d") === "\x04".repeat(9000);
      outcomes.add(!flash.storage.isValid() ? "damaged" : isWhole ? "kept" : "lost");
    }
    expect([...outcomes]).toEqual(expect.arrayContaining(["damaged", "done"]));
  });

  /** Two files, and trash before each. */
  function full(): VirtualFlash {
    const flash = createFlash(MDBT42Q);
    for (const [index, name] of ["a", "b", "c", "d"].entries())
      flash.storeFile(name, new Uint8Array(9000).fill(index + 1), 0, 0);
    for (const name of ["a", "c"]) flash.storeFile(name, bytes("x"), 0, 0);
    expect(flash.storage.isValid()).toBe(true);
    return flash;
  }
});

function cutDuringOperation(flash: VirtualFlash, operation: number, act: () => void): void {
  flash.cutAt(operation, 0.5);
  expect(act).toThrow(PowerCut);
}
