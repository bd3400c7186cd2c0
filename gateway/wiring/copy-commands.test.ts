// `waakvlam restore` with the recovery sheet, by whoever has lost the passphrase.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandDef, runCommand } from "citty";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkedFrame, NOON_MS, temporaryFolder } from "../../tests/fixtures.ts";
import { copyOnce } from "../backup/copier.ts";
import { createFileCollector } from "../backup/files.ts";
import { systemClock } from "../clock.ts";
import { readConfig } from "../config/config.ts";
import { openJournal } from "../journal/journal.ts";
import { issueKeys } from "../registry/keys.ts";
import { loadRegistry, saveRegistry } from "../registry/registry.ts";
import { copyCommands } from "./copy-commands.ts";

const REGISTRY = new URL("../../tests/demo/registry.json", import.meta.url);
const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.path, ...names);

/** What a command says, with the data of a machine of this name. */
async function said(name: "restore" | "sheet", machine: string, ...rawArgs: string[]): Promise<readonly string[]> {
  const lines: string[] = [];
  const toml = `[data]\ndir = "${machine}"\n[backup]\ndir = "copy"\npassphraseFile = "lost-with-the-machine"\n`;
  writeFileSync(at(`${machine}.toml`), toml);
  const config = readConfig(at(`${machine}.toml`));
  const io = {
    out: (line: string) => lines.push(...line.split("\n")),
    err: (line: string) => lines.push(line),
    nowMs: () => NOON_MS,
    isTerminal: false,
    readInput: () => "",
  };
  const commands = copyCommands({ io, configOf: () => config, fileOf: () => undefined, end: () => undefined });
  await runCommand(commands[name] as unknown as CommandDef, { rawArgs });
  return lines;
}

beforeAll(async () => {
  mkdirSync(at("data"));
  writeFileSync(at("data", "registry.json"), readFileSync(REGISTRY));
  const registry = loadRegistry(at("data"), () => []);
  saveRegistry(at("data"), { ...registry, devices: registry.devices.slice(0, 3) });
  issueKeys(
    at("data"),
    loadRegistry(at("data"), () => []),
  );
  const journal = await openJournal({ dir: at("data"), clock: systemClock, reserveMb: 0 });
  await journal.append(checkedFrame());
  const named = () => ({ plain: [], secret: [] });
  const files = createFileCollector({ dataDir: at("data"), named }, "a passphrase for tests");
  await copyOnce(journal, at("copy"), await files.collect(at("copy")));
  await journal.close();
});
afterAll(() => folder.remove());

test("with the sheet nobody needs the passphrase that the configuration names, and of a page left out it is told", async () => {
  const sheet = await said("sheet", "data");
  const devices = loadRegistry(at("data"), () => []).devices.map(({ deviceId }) => deviceId);
  writeFileSync(at("typed"), sheet.join("\n"));
  const whole = await said("restore", "spare", at("copy"), "--sheet", at("typed"));
  expect(whole.join("\n")).toContain("Keys are back from the sheet");
  expect(whole.join("\n")).not.toContain("No key");
  writeFileSync(at("typed"), sheet.slice(0, -2 * 2).join("\n"));
  const half = await said("restore", "other", at("copy"), "--sheet", at("typed"));
  expect(half.join("\n")).toContain(`No key for 2 devices: ${devices[1]}, ${devices[2]}. What they send is refused.`);
  await expect(said("restore", "third", at("copy"))).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
});
