import { describe, expect, test } from "vitest";
import { crc32 } from "../frames/crc32.ts";
import { type ConsoleStep, type DialogueOutput, MARK, startDialogue, stepDialogue, TRIES_MAX } from "./dialogue.ts";
import { CHUNK_BYTES, flashSteps } from "./flash.ts";
import { chooseSlot, decodeSlotHeader, encodeSlotHeader, SLOT_HEADER_BYTES, SLOT_TRIES } from "./slots.ts";
import { slotsFrom, slotToWrite, updateSteps } from "./update.ts";

const BYTES = Uint8Array.from({ length: CHUNK_BYTES * 2 + 4 }, (_, i) => i & 255);
const PLAN = {
  board: "ESP32",
  files: [{ name: "a", size: 8192 }],
  parts: [{ name: "part", file: "a", offset: 8, address: 4096, bytes: BYTES }],
};

/** Answers as a board would; `spoil` changes the answer of one line. */
function answer(
  steps: readonly ConsoleStep[],
  spoil: (line: string, turn: number) => string | undefined = () => undefined,
): { output: DialogueOutput; lines: string[] } {
  const lines: string[] = [];
  let output = startDialogue(steps);
  for (let turn = 0; output.kind === "send" && turn < 200; turn++) {
    lines.push(output.line);
    const right = output.state.steps[output.state.at]?.expected ?? "";
    const text = spoil(output.line, turn) ?? right;
    output = stepDialogue(output.state, text === "" ? { kind: "timeout" } : { kind: "answer", text });
  }
  return { output, lines };
}

describe("flashing", () => {
  test("erases, makes the files, writes every byte in lines that fit the board, verifies, and restarts", () => {
    const { output, lines } = answer(flashSteps(PLAN));
    expect(output.kind).toBe("done");
    expect(lines.every((line) => line.startsWith("\x10") && line.includes(MARK) && line.length < 1000)).toBe(true);
    const sent = lines.flatMap((line) => /atob\("([^"]*)"\),(\d+)/.exec(line)?.slice(1) ?? []);
    const pieces = sent.filter((_, index) => index % 2 === 0).map((text) => atob(text));
    expect(Uint8Array.from(pieces.join(""), (char) => char.charCodeAt(0))).toEqual(BYTES);
    expect(sent.filter((_, index) => index % 2 === 1).map(Number)).toEqual([4096, 4096 + CHUNK_BYTES, 4864]);
    const order = ["eraseAll", ".write(", "atob", '"a",8,', "reboot"];
    const places = order.map((text) => lines.findIndex((line) => line.includes(text)));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  test("a line without an answer is sent again, and given up after so many tries", () => {
    expect(answer(flashSteps(PLAN), (_, turn) => (turn === 2 ? "" : undefined)).output.kind).toBe("done");
    const { output, lines } = answer(flashSteps(PLAN), (line) => (line.includes("atob") ? "" : undefined));
    expect(output).toMatchObject({ kind: "failed", problem: { code: "no-answer", subject: "part" } });
    expect(lines.filter((line) => line.includes("atob"))).toHaveLength(TRIES_MAX);
  });

  test("a line that was damaged on its way is sent again", () => {
    let damaged = 0;
    const { output } = answer(flashSteps(PLAN), (line) =>
      line.includes("atob") && damaged++ === 0 ? "damaged" : undefined,
    );
    expect(output.kind).toBe("done");
  });

  test.each([
    ["process.env.BOARD", "PIXLJS", "wrong-board", "PIXLJS, not ESP32"],
    ["atob", "differs", "not-written", "differs, not written"],
    ['read("a"', "7", "checksum", `7, not ${crc32(BYTES)}`],
    ['write("a"', "false", "not-written", "false, not true"],
  ])("a wrong answer to %s is told of", (part, said, code, detail) => {
    const { output } = answer(flashSteps(PLAN), (line) => (line.includes(part) ? said : undefined));
    expect(output).toMatchObject({ kind: "failed", problem: { code, detail: expect.stringContaining(detail) } });
  });
});

const PROGRAM = Uint8Array.from([1, 2, 3, 4, 5, 6]);

function header(turn: number, confirmed: boolean, triesUsed: number) {
  const bytes = encodeSlotHeader(turn, PROGRAM);
  if (confirmed) bytes.fill(0, 20, 24);
  bytes.fill(0, 24, 24 + triesUsed * 4);
  return decodeSlotHeader(bytes);
}

describe("slots", () => {
  test("a header says what it was made of, and a changed one is not whole", () => {
    const bytes = encodeSlotHeader(7, PROGRAM);
    expect(bytes).toHaveLength(SLOT_HEADER_BYTES);
    expect(decodeSlotHeader(bytes)).toEqual({
      isWhole: true,
      turn: 7,
      length: 6,
      crc32: crc32(PROGRAM),
      isConfirmed: false,
      triesLeft: SLOT_TRIES,
    });
    for (let at = 0; at < 20; at++) {
      const changed = bytes.slice();
      changed[at] = (changed[at] as number) ^ 1;
      expect(decodeSlotHeader(changed).isWhole).toBe(false);
    }
  });

  test.each([
    ["the newer one", [header(1, true, 0), header(2, false, 3)], 1],
    ["the older one when the newer has used its tries", [header(1, true, 0), header(2, false, SLOT_TRIES)], 0],
    ["the newer one when both have used theirs", [header(1, false, SLOT_TRIES), header(2, false, SLOT_TRIES)], 1],
    ["what is there", [undefined, header(1, false, SLOT_TRIES)], 1],
    ["nothing", [undefined, undefined], -1],
  ])("runs %s", (_, slots, chosen) => {
    expect(chooseSlot(slots)).toBe(chosen);
  });

  test("an update never takes the slot that would run, and its turn is the highest", () => {
    expect(slotToWrite([header(3, true, 0), header(2, true, 0)])).toEqual({ slot: 1, turn: 4 });
    expect(slotToWrite([header(1, true, 0), header(2, false, SLOT_TRIES)])).toEqual({ slot: 1, turn: 3 });
    expect(slotToWrite([undefined, undefined])).toEqual({ slot: 0, turn: 1 });
    expect(slotToWrite([header(5, true, 0)])).toEqual({ slot: 0, turn: 6 });
  });

  test("a slot whose program does not check is none", () => {
    const bytes = btoa(String.fromCharCode(...encodeSlotHeader(3, PROGRAM)));
    expect(slotsFrom(["ESP32", "id", `${bytes} ${crc32(PROGRAM)}`, `${bytes} 1`, "nonsense"])).toEqual([
      expect.objectContaining({ turn: 3 }),
      undefined,
      undefined,
    ]);
  });

  test("the word that makes a program count is written last, after everything else was read back", () => {
    const layout = {
      board: "ESP32",
      file: "a",
      dataAddress: 4096,
      slots: 2,
      slotBytes: 8192,
      pageBytes: 4096,
      idFile: "i",
      id: "{}",
    };
    const codes = updateSteps(layout, 1, 2, PROGRAM).map((step) => `${step.kind} ${step.code}`);
    expect(codes.filter((code) => code.includes("erasePage")).map((code) => /\((\d+)\)/.exec(code)?.[1])).toEqual([
      "12288",
      "16384",
    ]);
    expect(codes.at(-2)).toMatch(/^write .*,12288\)$/);
    expect(codes.at(-3)).toMatch(/^verify/);
  });
});
