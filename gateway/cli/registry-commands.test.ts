import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { parseConfig } from "../config/config.ts";
import type { CommandIo } from "./commands.ts";
import { checkSource, exportRegistry, importRegistry } from "./registry-commands.ts";

const DEMO = new URL("../../tests/demo/registry.json", import.meta.url).pathname;
let folder: ReturnType<typeof temporaryFolder>;
let out: string[] = [];
let err: string[] = [];
beforeEach(() => {
  folder = temporaryFolder();
  [out, err] = [[], []];
});
afterEach(() => folder.remove());

const io: CommandIo = {
  out: (line) => void out.push(line),
  err: (line) => void err.push(line),
  nowMs: () => 0,
  isTerminal: false,
  readInput: () => "",
};
const at = (...parts: string[]) => join(folder.path, ...parts);
const config = () => parseConfig({ data: { dir: at("data") } }, { path: "test", baseDir: folder.path });
const load = (part: Partial<Parameters<typeof importRegistry>[0]> = {}) =>
  importRegistry(
    { config: config(), from: DEMO, credentials: undefined, reissue: [], dryRun: false, json: false, ...part },
    io,
  );

test("what is exported as CSV comes back unchanged; one changed cell is one line of a dry run, and writes nothing", () => {
  expect(load()).toBe(0);
  expect(out).toEqual([`34 points and 34 devices imported into ${at("data")}; 34 new keys`]);
  expect(exportRegistry(config(), { to: at("csv"), list: undefined }, io)).toBe(0);
  const points = readFileSync(at("csv", "points.csv"), "utf8");
  writeFileSync(at("csv", "points.csv"), points.replace(";150;60;4;fixed", ";160;60;4;fixed"));
  const before = readFileSync(at("data", "registry.json"), "utf8");
  out = [];
  expect(load({ from: at("csv"), dryRun: true })).toBe(0);
  expect(out).toEqual([
    "~ points alm-01: capacity.day 150 → 160",
    `${at("csv")} is valid: 34 points, 34 devices, 31 assets; 1 changes, nothing written`,
  ]);
  expect(readFileSync(at("data", "registry.json"), "utf8")).toBe(before);
  expect(load({ from: at("csv", "points.csv") })).toBe(0);
  expect(JSON.parse(readFileSync(at("data", "registry.json"), "utf8")).points[0].capacity.day).toBe(160);
});

test("devices that go are told of before their keys are gone; keys are in no export", () => {
  load({ credentials: at("credentials.json") });
  const { devices } = JSON.parse(readFileSync(at("credentials.json"), "utf8")) as { devices: { key: string }[] };
  writeFileSync(at("devices.csv"), "deviceId,pointId,board,link\n");
  out = [];
  expect(load({ from: at("devices.csv"), dryRun: true, json: true })).toBe(0);
  const told = JSON.parse(out[0] ?? "");
  expect(told).toMatchObject({ dryRun: true, devicesRemoved: 34, points: 34 });
  expect(told.warnings).toEqual([
    "devices that are no longer named lose their keys, and have to be flashed to come back: alm-01-d1, alm-02-d1, alm-03-d1, alm-04-d1, alm-05-d1 and 29 more",
  ]);
  out = [];
  exportRegistry(config(), { to: undefined, list: undefined }, io);
  expect(out[0]).toContain('"version": 2');
  for (const { key } of devices) expect(out[0]).not.toContain(key);
});

test("a check says all that is wrong, with a code of its own, and makes no data folder", () => {
  writeFileSync(at("bad.json"), JSON.stringify({ version: 2, points: [{ pointId: "x" }] }));
  expect(checkSource(config(), at("bad.json"), true, io)).toBe(3);
  expect(JSON.parse(out[0] ?? "").problems).toContain("points/0 (x)/pointId must be 3 to 32 of a-z, 0-9 and hyphen");
  expect(checkSource(config(), DEMO, false, io)).toBe(0);
  expect(out.at(-1)).toBe(`${DEMO} is valid: 34 points, 34 devices, 31 assets`);
  expect(existsSync(at("data"))).toBe(false);
});

test("an export of what is not there says what to do", () => {
  expect(exportRegistry(config(), { to: undefined, list: "points" }, io)).toBe(1);
  load();
  expect(exportRegistry(config(), { to: undefined, list: "asset" }, io)).toBe(2);
  expect(exportRegistry(config(), { to: at("x.csv"), list: undefined }, io)).toBe(2);
  expect(err.join("\n")).toContain("did you mean assets?");
  expect(exportRegistry(config(), { to: undefined, list: "assets" }, io)).toBe(0);
  expect(out.at(-1)?.split("\r\n")).toHaveLength(32);
});
