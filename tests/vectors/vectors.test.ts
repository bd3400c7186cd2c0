// Golden frames from an independent encoder, both ways. They are never made again from this codec.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  decodeDownlink,
  decodeUplink,
  encodeAck,
  encodeCommand,
  encodeConfig,
  encodeEvent,
  encodeInfo,
  encodeReport,
  FLAG_NAMES,
  openFrame,
  sealFrame,
} from "../../protocol/index.ts";
import { sha256 } from "../fixtures.ts";

interface Vector {
  readonly kind: "report" | "info" | "event" | "ack" | "config" | "command" | "fault";
  readonly name: string;
  readonly hex: string;
  readonly key?: string;
  readonly value?: Record<string, unknown>;
  readonly input?: Record<string, unknown>;
  readonly fault?: string;
  readonly decodeOnly?: boolean;
}

const VECTORS = JSON.parse(readFileSync(new URL("./vectors.json", import.meta.url), "utf8")) as Vector[];
const ENCODERS: Readonly<Record<string, (value: never) => Uint8Array>> = {
  report: encodeReport,
  info: encodeInfo,
  event: encodeEvent,
  ack: encodeAck,
  config: encodeConfig,
  command: encodeCommand,
};

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/** Absent flags are false. */
function withFlags(value: Record<string, unknown> | undefined): unknown {
  const flags = value?.["flags"] as Record<string, boolean> | undefined;
  if (value === undefined || flags === undefined) return value;
  return { ...value, flags: Object.fromEntries(FLAG_NAMES.map((name) => [name, flags[name] === true])) };
}

function decode(vector: Vector, frame: Uint8Array) {
  const isDownlink = ["ack", "config", "command"].includes(vector.kind);
  return isDownlink ? decodeDownlink(frame) : decodeUplink(frame);
}

test("there are golden frames of every kind and faults", () => {
  expect(new Set(VECTORS.map((vector) => vector.kind)).size).toBe(7);
});

test.each(VECTORS.filter((vector) => vector.kind !== "fault"))("$kind: $name", (vector) => {
  const key = vector.key === undefined ? undefined : bytesOf(vector.key);
  const frame = key === undefined ? bytesOf(vector.hex) : openFrame(sha256, key, bytesOf(vector.hex));
  expect(frame).toBeDefined();
  const decoded = decode(vector, frame as Uint8Array) as { kind: string; value?: Record<string, unknown> };
  expect(decoded.kind).toBe(vector.kind);
  expect(withFlags(decoded.value)).toEqual(withFlags(vector.value));
  if (vector.decodeOnly === true) return;
  const encoded = (ENCODERS[vector.kind] as (value: unknown) => Uint8Array)(vector.input ?? vector.value);
  const sent = key === undefined ? encoded : sealFrame(sha256, key, encoded);
  expect(Buffer.from(sent).toString("hex")).toBe(vector.hex);
});

test.each(VECTORS.filter((vector) => vector.kind === "fault"))("fault: $name", (vector) => {
  const bytes = bytesOf(vector.hex);
  if (vector.key !== undefined) {
    expect(openFrame(sha256, bytesOf(vector.key), bytes)).toBeUndefined();
    expect(vector.fault).toBe("bad-tag");
  } else expect(decodeUplink(bytes)).toMatchObject({ kind: "fault", fault: vector.fault });
});
