// The steps for a spare, as they stand in the how-to: on a machine where the service has run, with a copy of another machine's user.
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyOnce } from "../gateway/backup/copier.ts";
import { createFileCollector } from "../gateway/backup/files.ts";
import { systemClock } from "../gateway/clock.ts";
import { openOutsideSource } from "../gateway/journal/copy-source.ts";
import { openJournal } from "../gateway/journal/journal.ts";
import { checkedFrame, temporaryFolder } from "../tests/fixtures.ts";

const MAIN = fileURLToPath(new URL("../gateway/main.ts", import.meta.url));
const [HERE_ID, LOST_ID] = [65_534, 4_242];
const PASSPHRASE = "a passphrase for tests";
const AS_SERVICE = ["--reuid", `${HERE_ID}`, "--regid", `${HERE_ID}`, "--clear-groups"];
const CAN = process.getuid?.() === 0 && spawnSync("setpriv", [...AS_SERVICE, "test", "-r", MAIN]).status === 0;

const folder = temporaryFolder();
const HOW_TO = readFileSync(new URL("../docs/when-the-machine-dies.md", import.meta.url), "utf8");
const [, AFTER = ""] = HOW_TO.split("## After");
const BLOCKS = [...AFTER.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, lines = ""]) => lines.trim().split("\n"));
const STEPS = BLOCKS.flat().map((line) => line.trim());

async function makeJournal(dir: string, rows: number, copy?: string): Promise<void> {
  const journal = await openJournal({ dir, clock: systemClock, reserveMb: 0 });
  for (let sequence = 1; sequence <= rows; sequence++) await journal.append(checkedFrame({ sequence }));
  if (copy !== undefined) {
    writeFileSync(join(dir, "keys.json"), '{"version":1,"keys":{}}');
    const named = () => ({ plain: [], secret: [] });
    const place = join(copy, journal.epoch);
    mkdirSync(copy);
    await copyOnce(journal, place, await createFileCollector({ dataDir: dir, named }, PASSPHRASE).collect(place));
  }
  await journal.close();
}

/** The account of the service has a number of its own here, and nothing is mounted or stopped. */
const STUBS: Readonly<Record<string, string>> = {
  systemctl: "exit 0",
  mount: "exit 0",
  id: "case $1 in -u) exec /usr/bin/id -u ;; waakvlam) exit 0 ;; esac",
  setpriv: `shift 5; exec /usr/bin/setpriv ${AS_SERVICE.join(" ")} "$@"`,
};

function putProgram(path: string, lines: string): void {
  writeFileSync(path, `#!/bin/sh\n${lines}\n`);
  chmodSync(path, 0o755);
}

/** A machine on which it is installed, below `root`, with the disk of the copy. */
function makeSpare(root: string): void {
  for (const dir of ["bin", "etc/waakvlam", "mnt", "var/lib", "app/bin", "app/gateway"])
    mkdirSync(join(root, dir), { recursive: true });
  for (const [name, lines] of Object.entries(STUBS)) putProgram(join(root, "bin", name), lines);
  putProgram(join(root, "app/bin/node"), `exec ${process.execPath} "$@"`);
  writeFileSync(join(root, "app/package.json"), '{"type":"module"}');
  writeFileSync(join(root, "app/gateway/main.js"), `import ${JSON.stringify(MAIN)};\n`);
  cpSync(fileURLToPath(new URL("./waakvlam", import.meta.url)), join(root, "app/waakvlam"));
  chmodSync(join(root, "app/waakvlam"), 0o755);
  symlinkSync(join(root, "app/waakvlam"), join(root, "bin/waakvlam"));
  writeFileSync(join(root, "waakvlam.toml"), `[data]\ndir = "${root}/var/lib/waakvlam"\n`);
  cpSync(join(folder.path, "begun"), join(root, "var/lib/waakvlam"), { recursive: true });
  cpSync(join(folder.path, "copy"), join(root, "mnt/copy"), { recursive: true });
  execFileSync("chown", ["-R", `${HERE_ID}:${HERE_ID}`, join(root, "var/lib/waakvlam")]);
  execFileSync("chown", ["-R", `${LOST_ID}:${LOST_ID}`, join(root, "mnt/copy")]);
}

function run(root: string, steps: readonly string[]): { readonly status: number | null; readonly said: string } {
  const script = steps
    .join("\n")
    .replaceAll(/ (\/(?:var|etc|mnt)\/)/g, ` ${root}$1`)
    .replaceAll("waakvlam: ", `${HERE_ID}:${HERE_ID} `)
    .replaceAll("-o waakvlam -g waakvlam", `-o ${HERE_ID} -g ${HERE_ID}`);
  const env = { ...process.env, PATH: `${join(root, "bin")}:${process.env["PATH"]}` };
  const options = { encoding: "utf8", cwd: root, env, input: `${PASSPHRASE}\n` } as const;
  const { status, stdout, stderr } = spawnSync("sh", ["-ec", script], options);
  return { status, said: `${stdout}${stderr}` };
}

describe.skipIf(!CAN)(`the steps for a spare${CAN ? "" : " (needs root, and these files readable for all)"}`, () => {
  beforeAll(async () => {
    chmodSync(folder.path, 0o755);
    await makeJournal(join(folder.path, "begun"), 1);
    await makeJournal(join(folder.path, "lost"), 7, join(folder.path, "copy"));
  });
  afterAll(() => folder.remove());

  test("make its data from the copy, for the user of the service", () => {
    const root = join(folder.path, "whole");
    makeSpare(root);
    const result = run(root, STEPS);
    expect(result.status, result.said).toBe(0);
    expect(result.said).toContain("7 rows are in");
    const data = join(root, "var/lib/waakvlam");
    expect(statSync(data)).toMatchObject({ uid: HERE_ID, gid: HERE_ID, mode: 0o040750 });
    for (const name of ["journal.db", "keys.json", "restored.json"])
      expect(statSync(join(data, name)).uid, name).toBe(HERE_ID);
    expect(existsSync(`${data}.spare/journal.db`)).toBe(true);
    openOutsideSource(data).close();
  });

  test.each([
    ["mv ", "there is a journal already"],
    ["install -d ", "Check who may write there"],
    ["chown ", "cannot be read"],
  ])("are all needed: without %s nothing is restored", (left, why) => {
    const root = join(folder.path, left.trim().replaceAll(/\W/g, "-"));
    makeSpare(root);
    const steps = STEPS.filter((step) => !step.startsWith(left));
    expect(steps.length).toBe(STEPS.length - 1);
    const result = run(root, steps);
    expect(result).toMatchObject({ status: 1, said: expect.stringContaining(why) as string });
  });

  test("and before: the copy is found on a disk that has a folder for root alone", () => {
    const root = join(folder.path, "before");
    makeSpare(root);
    const copy = join(root, "mnt/copy");
    execFileSync("chown", ["-R", `${HERE_ID}:${HERE_ID}`, copy]);
    mkdirSync(join(copy, "lost+found"), { mode: 0o700 });
    expect(HOW_TO).toContain("`waakvlam verify /mnt/copy`");
    const result = run(root, ["waakvlam verify /mnt/copy"]);
    expect(result).toMatchObject({ status: 0, said: expect.stringContaining("it is whole") as string });
  });
});
