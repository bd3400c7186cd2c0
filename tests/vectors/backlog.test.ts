// Golden backlog frames from another implementation, made from the text of `protocol/README.md`, both ways. They are never made
// again from this codec.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { backlogRowOf, createBacklogEncoder, decodeUplink, FRAME_BYTES_MAX } from "../../protocol/index.ts";

interface BacklogVector {
  readonly name: string;
  readonly hex: string;
  readonly head: {
    readonly sequence: number;
    readonly time: number;
    readonly flags: number;
    readonly boot: number;
    readonly thinned: boolean;
    readonly earlierBoot: boolean;
    readonly groups: number;
  };
  readonly stepS: number;
  readonly reports: readonly string[];
}

const VECTORS = JSON.parse(readFileSync(new URL("./backlog.json", import.meta.url), "utf8")) as BacklogVector[];

function headBytes({ head }: BacklogVector): Uint8Array {
  const bytes = new Uint8Array(11);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x13);
  view.setUint16(1, head.sequence);
  view.setUint32(3, head.time);
  view.setUint8(7, head.flags);
  view.setUint8(8, head.boot);
  view.setUint8(10, (head.thinned ? 128 : 0) | (head.earlierBoot ? 64 : 0) | head.groups);
  return bytes;
}

const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe.each(VECTORS)("$name", (vector) => {
  test("comes out as the samples that went in", () => {
    const decoded = decodeUplink(bytesOf(vector.hex));
    if (decoded.kind !== "backlog") throw new Error(JSON.stringify(decoded));
    const { sequence, time, boot, thinned, earlierBoot } = vector.head;
    expect(decoded.value).toMatchObject({ sequence, time, boot, thinned, earlierBoot });
    expect(decoded.value.reports.map(hexOf)).toEqual(vector.reports);
  });

  test("is what our encoder makes of them", () => {
    const encoder = createBacklogEncoder(backlogRowOf(vector.head.groups), FRAME_BYTES_MAX);
    encoder.start(headBytes(vector), FRAME_BYTES_MAX, vector.stepS);
    for (const report of vector.reports) expect(encoder.add(bytesOf(report))).toBe(true);
    expect(hexOf(encoder.finish())).toBe(vector.hex);
  });

  test("has a trailing byte one byte longer, and is truncated before its code begins", () => {
    const bytes = bytesOf(vector.hex);
    expect(decodeUplink(Uint8Array.from([...bytes, 0]))).toMatchObject({ kind: "fault", fault: "trailing-bytes" });
    for (let size = 8; size < 13; size++)
      expect(decodeUplink(bytes.subarray(0, size))).toMatchObject({ kind: "fault", fault: "truncated" });
  });
});
