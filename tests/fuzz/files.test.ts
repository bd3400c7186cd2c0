// What people write: configuration, rules, the plan of who is told, tables from a spreadsheet, an export of ChirpStack. Whatever stands in
// it, the answer is what it says or a list of what is wrong.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc, { type Arbitrary } from "fast-check";
import { afterAll, expect, test } from "vitest";
import { parseConfig, readConfig } from "../../gateway/config/config.ts";
import { readNotifyPlan } from "../../gateway/config/notify-plan.ts";
import { listProblems } from "../../gateway/config/problems.ts";
import { baseProfileOf, withRulesFile } from "../../gateway/config/profile.ts";
import { rulesFileProblems } from "../../gateway/config/rules-file.ts";
import { GatewayError } from "../../gateway/errors.ts";
import { readChirpstack } from "../../gateway/registry/chirpstack.ts";
import { readSource } from "../../gateway/registry/folder.ts";
import { parseRegistry } from "../../gateway/registry/registry.ts";
import { EMPTY_REGISTRY } from "../../gateway/registry/shape.ts";
import { tableOf } from "../../gateway/registry/tables.ts";
import { GatewayConfigSchema, NOUNS, NotifyPlanSchema, RegistrySchema, RulesFileSchema } from "../../protocol/index.ts";
import { temporaryFolder } from "../fixtures.ts";
import { anyFor, type Schema } from "./schema-values.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? Math.floor(performance.timeOrigin) % 1_000_000);
const RUNS = Math.ceil(Number(process.env["FUZZ_RUNS"] ?? 20_000) / 50);
const OPTIONS = { seed: SEED, numRuns: RUNS } as const;
console.info(`fuzz: FUZZ_SEED=${SEED} FUZZ_RUNS=${RUNS * 50}`);

const folder = temporaryFolder();
afterAll(() => folder.remove());

const WORLD = {
  schemas: {},
  known: {},
  oddOneIn: 30,
  words: [
    "alm-01",
    "alm-01-d1",
    "127.0.0.1",
    "localhost",
    "2026-11-24T12:00:00Z",
    "coordinator",
    "07:00",
    "nl",
    "lan1",
    "a b",
    "fuel-critical",
  ],
};
const made = (schema: unknown): Arbitrary<unknown> => anyFor(schema as Schema, WORLD);

/** What `read` gives, or its list of problems: nothing else may come out of it. */
function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
    return [];
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { problems = [] } = error.detail as { problems?: readonly string[] };
    return [error.code, ...problems];
  }
}

/** A text that somebody has been at: lines gone, doubled and moved, words changed, its end cut off. */
function handled(texts: readonly string[]): Arbitrary<string> {
  const junk = fc.constantFrom(
    '"',
    ";",
    ",",
    "\n",
    "\r\n",
    "=",
    "[",
    "]]",
    "''",
    "\u0000",
    "é",
    "\ufeff",
    "1e999",
    "-1",
    "nan",
    "NaN",
    "  ",
    "#",
    "\\",
  );
  const step = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    what: fc.constantFrom("drop", "double", "cut", "word", "put"),
    junk,
  });
  return fc
    .record({ base: fc.constantFrom(...texts), steps: fc.array(step, { minLength: 1, maxLength: 4 }) })
    .map(({ base, steps }) => {
      let text = base;
      for (const { at, what, junk: more } of steps) {
        const lines = text.split("\n");
        const line = Math.floor(at * (lines.length - 1));
        const place = Math.floor(at * text.length);
        if (what === "drop") text = lines.toSpliced(line, 1).join("\n");
        else if (what === "double") text = lines.toSpliced(line, 0, lines[line] ?? "").join("\n");
        else if (what === "cut") text = text.slice(0, Math.max(1, place));
        else if (what === "word") text = text.slice(0, place) + text.slice(place).replace(/[\w.-]+/, more);
        else text = text.slice(0, place) + more + text.slice(place);
      }
      return text;
    });
}

test("a configuration is one, or is told what is wrong with it", () => {
  fc.assert(
    fc.property(made(GatewayConfigSchema), (raw) => {
      const problems = problemsOf(() => parseConfig(raw, { path: "any.toml", baseDir: folder.path }));
      expect(problems.join("\n")).not.toMatch(/undefined|\[object/);
    }),
    OPTIONS,
  );
});

test("a configuration that somebody has been at, as a file", () => {
  const path = join(folder.path, "waakvlam.toml");
  const texts = [readFileSync(new URL("../../packaging/waakvlam.toml", import.meta.url), "utf8")];
  fc.assert(
    fc.property(handled(texts), (text) => {
      writeFileSync(path, text);
      expect(problemsOf(() => readConfig(path)).join("\n")).not.toMatch(/undefined|\[object/);
    }),
    OPTIONS,
  );
});

test("rules are taken, or are told what is wrong with them", () => {
  const base = baseProfileOf(parseConfig({ data: { dir: folder.path } }, { path: "any.toml", baseDir: folder.path }));
  const path = join(folder.path, "rules.json");
  let taken = 0;
  fc.assert(
    fc.property(made(RulesFileSchema), (value) => {
      const problems = rulesFileProblems(value, base.rules);
      expect(problems.join("\n")).not.toMatch(/undefined|\[object/);
      writeFileSync(path, JSON.stringify(value));
      const again = problemsOf(() => withRulesFile(base, path));
      expect(again.length === 0).toBe(problems.length === 0);
      if (problems.length === 0) taken++;
    }),
    OPTIONS,
  );
  expect(taken).toBeGreaterThan(0);
});

test("a plan of who is told is one, or is told what is wrong with it", () => {
  const path = join(folder.path, "plan.json");
  fc.assert(
    fc.property(made(NotifyPlanSchema), (value) => {
      writeFileSync(path, JSON.stringify(value));
      expect(problemsOf(() => readNotifyPlan(path, {})).join("\n")).not.toMatch(/undefined|\[object/);
    }),
    OPTIONS,
  );
});

const DEMO = parseRegistry(
  readFileSync(new URL("../demo/registry.json", import.meta.url), "utf8"),
  "registry.json",
  listProblems,
);

test("tables that somebody has been at are a registry, or their lines are told", () => {
  const at = join(folder.path, "tables");
  mkdirSync(at, { recursive: true });
  const tables = NOUNS.flatMap((noun) =>
    ([";", ","] as const).map((separator) => ({ noun, text: tableOf(noun, DEMO, separator) })),
  );
  const one = fc.constantFrom(...tables).chain(({ noun, text }) => fc.tuple(fc.constant(noun), handled([text])));
  fc.assert(
    fc.property(one, ([noun, text]) => {
      const path = join(at, `${noun}.csv`);
      writeFileSync(path, text);
      expect(problemsOf(() => readSource(path, () => DEMO, listProblems)).join("\n")).not.toMatch(/undefined|\[object/);
    }),
    { ...OPTIONS, numRuns: Math.ceil(RUNS / 4) },
  );
});

test("a registry as JSON is one, or its rows are told", () => {
  const read = (text: string) => parseRegistry(text, "registry.json", listProblems);
  const texts = fc.oneof(
    made(RegistrySchema).map((value) => JSON.stringify(value)),
    handled([JSON.stringify(DEMO, undefined, 1)]),
  );
  fc.assert(
    fc.property(texts, (text) => {
      expect(problemsOf(() => read(text)).join("\n")).not.toMatch(/\[object/);
    }),
    { ...OPTIONS, numRuns: Math.ceil(RUNS / 4) },
  );
  expect(problemsOf(() => read(JSON.stringify(EMPTY_REGISTRY)))).toEqual([]);
});

test("an export of ChirpStack gives devices, or what is wrong with it", () => {
  const text = JSON.stringify(
    { devices: [{ devEui: "70b3d57ed0000001", name: "a", keys: { nwkKey: "0".repeat(32) } }] },
    undefined,
    1,
  );
  fc.assert(
    fc.property(handled([text, `${text}\n${text}`]), (one) => {
      expect(Array.isArray(readChirpstack(one).problems)).toBe(true);
    }),
    OPTIONS,
  );
});
