// Storage of the real engine beside the simulator's, byte for byte: files made, replaced, filled in pieces and moved together.
import { afterAll, describe, expect, test } from "vitest";
import { MDBT42Q } from "../../firmware/boards/table.ts";
import { createFlash, type VirtualFlash } from "../../firmware/simulator/flash.ts";
import { waitFor } from "../fixtures.ts";
import { type BareEngine, createBareEngine } from "./bare.ts";
import { findEspruino, unless } from "./find.ts";
import { describeEngine } from "./kind.ts";

const binary = findEspruino(MDBT42Q.name);
const kind = binary === undefined ? undefined : await describeEngine(binary, MDBT42Q);
/** The binary has more pages than the board, and nothing but this in them. */
const TABLE = { ...MDBT42Q, name: "bare", storagePages: (kind?.fileBytes ?? 40_960) / MDBT42Q.pageBytes };
const DONE = "~done";

/** A write of so many bytes of one value at an offset; `size` is given when the file is made longer than this. */
interface Write {
  readonly name: string;
  readonly value: number;
  readonly length: number;
  readonly offset?: number;
  readonly size?: number;
}

const SHORT: readonly Write[] = [
  { name: "a", value: 1, length: 5 },
  { name: "b", value: 2, length: 100 },
  { name: "a", value: 3, length: 5 },
  { name: "a", value: 3, length: 5 },
  { name: "long", value: 4, length: 3, size: 9001 },
  { name: "long", value: 5, length: 4000, offset: 3 },
  { name: "b", value: 6, length: 77 },
];

function toFill(): Write[] {
  const pages = TABLE.storagePages;
  const writes: Write[] = [{ name: "first", value: 1, length: 10 }];
  for (let i = 0; i * 2 < pages - 4; i++) writes.push({ name: `f${i}`, value: 16 + i, length: 8000 + i });
  for (let i = 0; i < 12; i++) writes.push({ name: `f${2 * i}`, value: 100 + i, length: 40 });
  writes.push({ name: "last", value: 7, length: 9000, size: 60_000 });
  return writes;
}

function codeOf({ name, value, length, offset = 0, size = 0 }: Write): string {
  const byte = `\\x${value.toString(16).padStart(2, "0")}`;
  return `require("Storage").write("${name}","${byte}".repeat(${length}),${offset},${size});`;
}

function play(flash: VirtualFlash, write: Write): void {
  flash.storeFile(write.name, new Uint8Array(write.length).fill(write.value), write.offset ?? 0, write.size ?? 0);
}

describe.skipIf(kind === undefined)(`Storage on the engine${unless(kind !== undefined)}`, () => {
  let engine: BareEngine | undefined;
  afterAll(() => engine?.dispose());

  test.each([
    ["replaced and filled in pieces", SHORT, false],
    ["moved together", toFill(), true],
  ])("files %s lie where the simulator has them", async (_what, writes, isCompacted) => {
    if (binary === undefined || kind === undefined) return;
    engine?.dispose();
    engine = createBareEngine(binary, kind, TABLE);
    engine.start(["-e", `${writes.map(codeOf).join("")}print("${DONE}")`]);
    await waitFor("the engine", () => engine?.said().includes(DONE) === true);
    engine.stop();
    expect(engine.said()).not.toMatch(/Uncaught|ERROR|OUT OF MEMORY/);
    expect(engine.said().includes("Compacting")).toBe(isCompacted);
    const flash = createFlash(TABLE);
    for (const write of writes) play(flash, write);
    const found = engine.storage();
    const expected = flash.read(TABLE.storagePages * TABLE.pageBytes, TABLE.storageAddress);
    expect(found.findIndex((byte, at) => byte !== expected[at])).toBe(-1);
  });
});
