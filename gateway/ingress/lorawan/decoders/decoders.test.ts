import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEVICE_MODEL_NAMES, DEVICE_MODELS, type DeviceModelName, REASONS } from "../../../../protocol/index.ts";
import type { Decoded } from "./decoder.ts";
import { DECODERS } from "./index.ts";

interface Vector {
  readonly model: DeviceModelName;
  readonly about: string;
  readonly port: number;
  readonly hex: string;
  readonly expect: Omit<Decoded, "log"> & { readonly log: readonly { timeS: number; channels: object }[] };
}

const FOLDER = new URL("./vectors/", import.meta.url);
const VECTORS = readdirSync(FOLDER).flatMap(
  (file) => JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as Vector[],
);

const decode = ({ model, port, hex }: Pick<Vector, "model" | "port" | "hex">) =>
  DECODERS[model](port, new Uint8Array(Buffer.from(hex, "hex")));

describe("golden vectors", () => {
  test.each(VECTORS.map((vector) => [`${vector.model}: ${vector.about}`, vector] as const))("%s", (_, vector) => {
    const { log, ...decoded } = decode(vector);
    const bare = log.map(({ timeS, channels }) => ({ timeS, channels }));
    expect({ ...decoded, log: bare }).toEqual(vector.expect);
  });

  test("every model that a registry can name has some, and each of its channels stands in one", () => {
    for (const model of DEVICE_MODEL_NAMES) {
      const mine = VECTORS.filter((one) => one.model === model);
      const names = mine.flatMap(({ expect: { channels, log } }) =>
        [channels, ...log.map((one) => one.channels)].flatMap((one) => Object.keys(one)),
      );
      const known: readonly string[] = DEVICE_MODELS[model].channels;
      expect(known, model).toEqual(expect.arrayContaining(names));
      // Of a row that is numbered the same code reads all.
      const kinds = (list: readonly string[]) => [...new Set(list.map((name) => name.replace(/\d+/, "#")))].sort();
      expect(kinds(names), model).toEqual(kinds(known));
    }
  });
});

describe("whatever bytes come", () => {
  const check = (model: DeviceModelName, port: number, payload: Uint8Array) => {
    const { channels, log } = DECODERS[model](port, payload);
    const known: readonly string[] = DEVICE_MODELS[model].channels;
    for (const [name, value] of [channels, ...log.map((one) => one.channels)].flatMap((one) => Object.entries(one))) {
      expect(known).toContain(name);
      if (typeof value === "number") expect(Number.isFinite(value)).toBe(true);
      else expect(REASONS).toContain(value);
    }
    expect(log.length).toBeLessThanOrEqual(payload.length / 6);
  };

  test.each(DEVICE_MODEL_NAMES)("%s answers with readings and reasons, never with an exception", (model) => {
    const golden = VECTORS.filter((one) => one.model === model).map((one) => Buffer.from(one.hex, "hex"));
    const changed = fc
      .tuple(fc.constantFrom(...golden), fc.nat(), fc.uint8Array({ maxLength: 4 }), fc.nat(250))
      .map(([bytes, at, put, length]) => {
        const out = Uint8Array.from([...bytes, ...bytes]).slice(0, length);
        put.forEach((value, i) => {
          if (out.length > 0) out[(at + i) % out.length] = value;
        });
        return out;
      });
    const ports = fc.oneof(fc.constantFrom(2, 3, 7, 85), fc.nat(255));
    const payloads = fc.oneof(changed, fc.uint8Array({ maxLength: 242 }));
    fc.assert(
      fc.property(ports, payloads, (port, payload) => check(model, port, payload)),
      { numRuns: 2_000 },
    );
  });
});
