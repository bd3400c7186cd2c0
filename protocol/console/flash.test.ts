import { describe, expect, test } from "vitest";
import { crc32 } from "../frames/crc32.ts";
import { CHUNK_BYTES, type FlashOutput, MARK, startFlash, stepFlash, TRIES_MAX } from "./flash.ts";

const FILES = [
  { name: "a", bytes: Uint8Array.from({ length: CHUNK_BYTES * 2 + 1 }, (_, i) => i & 255), size: CHUNK_BYTES * 2 + 1 },
  { name: "room", bytes: new Uint8Array(0), size: 8192 },
];
const PLAN = { files: FILES, crc32: (bytes: Uint8Array) => crc32(bytes) };

/** Answers as a board would; `spoil` changes the answer of one line. */
function converse(spoil: (line: string, turn: number) => string | undefined = () => undefined): {
  output: FlashOutput;
  lines: string[];
} {
  const lines: string[] = [];
  let output = startFlash(PLAN);
  for (let turn = 0; output.kind === "send" && turn < 100; turn++) {
    lines.push(output.line);
    const spoilt = spoil(output.line, turn);
    const right = output.line.includes("E.CRC32")
      ? String(crc32((FILES[0] as { bytes: Uint8Array }).bytes))
      : output.line.includes("write(")
        ? "true"
        : "ESP32";
    output = stepFlash(output.state, spoilt === "" ? { kind: "timeout" } : { kind: "answer", text: spoilt ?? right });
  }
  return { output, lines };
}

describe("flashing", () => {
  test("writes every byte in lines that fit the board, keeps room, verifies, and restarts", () => {
    const { output, lines } = converse();
    expect(output.kind).toBe("done");
    expect(lines.every((line) => line.startsWith("\x10") && line.includes(MARK) && line.length < 1000)).toBe(true);
    const sent = lines
      .filter((line) => line.includes('write("a"'))
      .map((line) => atob(/atob\("([^"]*)"\)/.exec(line)?.[1] ?? ""));
    expect(Uint8Array.from(sent.join(""), (char) => char.charCodeAt(0))).toEqual(FILES[0]?.bytes);
    expect(lines.filter((line) => line.includes('write("room"'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes("E.CRC32"))).toHaveLength(1);
    expect(lines.at(-1)).toContain("load()");
  });

  test("a line without an answer is sent again, and given up after so many tries", () => {
    expect(converse((_, turn) => (turn === 2 ? "" : undefined)).output.kind).toBe("done");
    const { output, lines } = converse((line) => (line.includes("write(") ? "" : undefined));
    expect(output).toMatchObject({ kind: "failed", problem: { code: "no-answer", file: "a" } });
    expect(lines.filter((line) => line.includes("write("))).toHaveLength(TRIES_MAX);
  });

  test("a checksum that differs is a failure at once, with both figures", () => {
    const { output } = converse((line) => (line.includes("E.CRC32") ? "7" : undefined));
    expect(output).toMatchObject({
      kind: "failed",
      problem: { code: "checksum", file: "a", detail: expect.stringContaining("read back 7") },
    });
  });

  test("a write that the board refuses is told of", () => {
    const { output } = converse((line) => (line.includes('write("room"') ? "false" : undefined));
    expect(output).toMatchObject({ kind: "failed", problem: { code: "not-written", file: "room" } });
  });
});
