// Installing, upgrading and the way back, with bundles that hold the installer and nothing else: what runs is this folder.
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { temporaryFolder } from "../tests/fixtures.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
/** `config show --json --config FILE` of a program that knows one key: a second faster than the gateway's own. */
const SHORT_PROGRAM = `import { readFileSync } from "node:fs";
const found = /^dir = "(.*)"$/m.exec(readFileSync(process.argv.at(-1), "utf8"));
if (found === null) process.exit(3);
console.log(JSON.stringify({ data: { dir: found[1] } }));
`;
const GATEWAY = `import ${JSON.stringify(new URL("../gateway/main.ts", import.meta.url).href)};`;
const [OLD, NEW] = [3, 4];

let folder: ReturnType<typeof temporaryFolder>;
let root: string;
let opt: string;
beforeEach(() => {
  folder = temporaryFolder();
  root = join(folder.path, "root");
  opt = join(root, "opt/waakvlam");
});
afterEach(() => folder.remove());

const usual = () => join(root, "var/lib/waakvlam");
const text = (...path: string[]) => readFileSync(join(...path), "utf8");
const isSwapping = () => existsSync(join(opt, ".swapping"));

/** A bundle whose programs want this form of the journal. */
function bundleOf(version: string, journalVersion: number, program = SHORT_PROGRAM): string {
  const made = join(folder.path, `bundle-${version}`);
  const files: Record<string, string> = {
    VERSION: `${version}\n`,
    "app/JOURNAL_VERSION": `${journalVersion}\n`,
    "app/bin/node": `#!/bin/sh\nexec ${process.execPath} "$@"\n`,
    "app/package.json": '{"type":"module"}\n',
    "app/gateway/main.js": program,
  };
  for (const name of ["install.sh", "waakvlam.service", "waakvlam.toml", "waakvlam", "waakvlam-device"])
    files[name] = text(HERE, name);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(made, name)), { recursive: true });
    writeFileSync(join(made, name), content);
  }
  chmodSync(join(made, "app/bin/node"), 0o755);
  const sums = execFileSync("sha256sum", Object.keys(files), { cwd: made });
  writeFileSync(join(made, "SHA256SUMS"), sums);
  return made;
}

/** Programs by these names are found before those of the machine. */
function run(script: string, flags: readonly string[], programs: Readonly<Record<string, string>> = {}) {
  const bin = join(folder.path, "bin");
  mkdirSync(bin, { recursive: true });
  for (const name of readdirSync(bin)) rmSync(join(bin, name));
  for (const [name, lines] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${lines}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
  const { status, stdout, stderr } = spawnSync("sh", [script, "--root", root, ...flags], { encoding: "utf8", env });
  return { status, said: `${stdout}${stderr}` };
}

const install = (bundle: string, programs?: Record<string, string>) => run(join(bundle, "install.sh"), [], programs);
const back = (programs?: Record<string, string>) => run(join(opt, "current/install.sh"), ["--back"], programs);

/** What a gateway of this form leaves in its data folder. */
function runGateway(data: string, journalVersion: number, mark: string): void {
  const db = new DatabaseSync(join(data, "journal.db"));
  db.exec(`PRAGMA user_version=${journalVersion}`);
  db.close();
  writeFileSync(join(data, "mark"), mark);
  mkdirSync(join(data, "tls"), { recursive: true });
}

function formOf(data: string): unknown {
  const db = new DatabaseSync(join(data, "journal.db"), { readOnly: true });
  const found = db.prepare("PRAGMA user_version").get()?.["user_version"];
  db.close();
  return found;
}

/** Version 1.0 with data of the old form, and 2.0 over it, which has changed them. */
function upgraded(data: string, programs?: Record<string, string>): void {
  expect(install(bundleOf("1.0", OLD), programs)).toMatchObject({ status: 0 });
  runGateway(data, OLD, "before");
  const result = install(bundleOf("2.0", NEW), programs);
  expect(result.status, result.said).toBe(0);
  runGateway(data, NEW, "after");
}

function expectBack(data: string, version = "1.0"): void {
  expect(text(opt, "current/VERSION").trim()).toBe(version);
  expect(text(data, "mark")).toBe("before");
  expect(formOf(data)).toBe(OLD);
  // The gateway gives the journal another name, and asks its devices for what lies between.
  expect(JSON.parse(text(data, "restored.json"))).toEqual({ version: 1, atMs: 0, resendFrom: {}, setBack: true });
  expect(isSwapping()).toBe(false);
}

function configure(data: string): void {
  mkdirSync(join(root, "etc/waakvlam"), { recursive: true });
  writeFileSync(join(root, "etc/waakvlam/waakvlam.toml"), `[data]\ndir = "${data}"\n`);
}

describe("the way back", () => {
  test("brings back the data from before, leaves the newer ones beside them, and leads forward and back again", () => {
    const data = usual();
    upgraded(data);
    const first = back();
    expect(first.status, first.said).toBe(0);
    expectBack(data);
    expect(text(`${data}.of-2.0`, "mark")).toBe("after");
    expect(existsSync(`${data}.before-2.0`)).toBe(false);
    // Forward: the newer version takes these data, of which a copy is kept again.
    expect(back()).toMatchObject({ status: 0, said: expect.stringContaining(`${data}.before-2.0`) as string });
    expect(text(opt, "current/VERSION")).toBe("2.0\n");
    runGateway(data, NEW, "after, again");
    const third = back();
    expect(third.status, third.said).toBe(0);
    expectBack(data);
    expect(text(`${data}.of-2.0.2`, "mark")).toBe("after, again");
  });

  test("swaps what is on a disk that is mounted on the folder, and never the folder", () => {
    const data = usual();
    mkdirSync(join(data, "lost+found"), { recursive: true });
    // A folder on which a disk is mounted cannot be moved.
    const programs = {
      mountpoint: `[ "$2" = "${data}" ]`,
      mv: `case " $* " in *" ${data} "*) [ "$1" = -t ] || { echo "Device or resource busy" >&2; exit 1; } ;; esac
        PATH=${process.env["PATH"]} exec mv "$@"`,
    };
    upgraded(data, programs);
    expect(text(data, ".before-2.0/mark")).toBe("before");
    const result = back(programs);
    expect(result.status, result.said).toBe(0);
    expectBack(data);
    expect(text(data, ".of-2.0/mark")).toBe("after");
    expect(readdirSync(data).toSorted()).toEqual([
      ".of-2.0",
      "journal.db",
      "lost+found",
      "mark",
      "restored.json",
      "tls",
    ]);
    expect(readdirSync(dirname(data))).toEqual(["waakvlam"]);
  });

  test("follows a link to where the data are", () => {
    const data = join(root, "mnt/ssd/waakvlam");
    mkdirSync(data, { recursive: true });
    mkdirSync(dirname(usual()), { recursive: true });
    symlinkSync(data, usual());
    upgraded(data);
    const result = back();
    expect(result.status, result.said).toBe(0);
    expectBack(data);
    expect(readlinkSync(usual())).toBe(data);
    expect(text(`${data}.of-2.0`, "mark")).toBe("after");
  });

  test("finds the data where the configuration has them", () => {
    const data = join(root, "mnt/ssd/waakvlam");
    configure("/mnt/ssd/waakvlam");
    mkdirSync(data, { recursive: true });
    expect(install(bundleOf("0.9", OLD, GATEWAY))).toMatchObject({ status: 0 });
    runGateway(data, OLD, "before");
    expect(install(bundleOf("2.0", NEW))).toMatchObject({ status: 0 });
    runGateway(data, NEW, "after");
    expect(text(`${data}.before-2.0`, "mark")).toBe("before");
    const result = back();
    expect(result.status, result.said).toBe(0);
    expectBack(data, "0.9");
  });
});

describe("nothing is changed", () => {
  test("when the configuration does not say where the data are", () => {
    upgraded(usual());
    writeFileSync(join(root, "etc/waakvlam/waakvlam.toml"), "[data]\ndri = 1\n");
    const words = { status: 1, said: expect.stringContaining("does not tell where the data are") as string };
    expect(install(bundleOf("3.0", NEW))).toMatchObject(words);
    expect(back()).toMatchObject(words);
    expect(text(opt, "current/VERSION")).toBe("2.0\n");
    expect(isSwapping()).toBe(false);
  });

  test("when the disk of the data is not there", () => {
    configure("/mnt/ssd/waakvlam");
    const data = join(root, "mnt/ssd/waakvlam");
    mkdirSync(data, { recursive: true });
    expect(install(bundleOf("1.0", OLD))).toMatchObject({ status: 0 });
    renameSync(data, `${data}-away`);
    const refused = install(bundleOf("2.0", NEW));
    expect(refused).toMatchObject({ status: 1, said: expect.stringContaining("mount its disk") as string });
    expect(text(opt, "current/VERSION")).toBe("1.0\n");
  });

  test("when a disk is mounted below the data, or the kept copy is gone", () => {
    const data = usual();
    upgraded(data);
    const mounted = back({ mountpoint: `[ "$2" = "${data}/tls/" ]` });
    expect(mounted).toMatchObject({ status: 1, said: expect.stringContaining("unmount it") as string });
    renameSync(`${data}.before-2.0`, `${data}.away`);
    const gone = back();
    expect(gone).toMatchObject({ status: 1, said: expect.stringContaining("is not there") as string });
    expect(isSwapping()).toBe(false);
    expect(text(opt, "current/VERSION")).toBe("2.0\n");
    expect(text(data, "mark")).toBe("after");
  });
});

test("an install that a full disk or a power cut ended leaves no half configuration to the next", () => {
  // The configuration is begun, and the disk is full.
  const cp = `case "$*" in */waakvlam.toml*) for to in "$@"; do :; done; printf '[da' >"$to"; echo "No space left" >&2; exit 1 ;; esac
    PATH=${process.env["PATH"]} exec cp "$@"`;
  const bundle = bundleOf("1.0", OLD);
  expect(install(bundle, { cp })).toMatchObject({
    status: 1,
    said: expect.stringContaining("No space left") as string,
  });
  expect(install(bundle)).toMatchObject({ status: 0 });
  const config = join(root, "etc/waakvlam/waakvlam.toml");
  expect(readFileSync(config, "utf8")).toBe(text(HERE, "waakvlam.toml"));
  // A new file that was not yet on the disk when the power went.
  writeFileSync(config, "");
  expect(install(bundle)).toMatchObject({ status: 0 });
  expect(readFileSync(config, "utf8")).toBe(text(HERE, "waakvlam.toml"));
});

test("a way back that is broken off at any step is finished by the next, and nothing is lost", () => {
  const data = usual();
  upgraded(data);
  // The nth move of all fails, with only the first of many things moved.
  const failing = (nth: number) => ({
    mv: `n=$(($(cat "${folder.path}/moves") + 1)); echo $n >"${folder.path}/moves"
      PATH=${process.env["PATH"]}
      [ $n = ${nth} ] || exec mv "$@"
      [ "$1" != -t ] || mv -t "$2" "$3"
      exit 1`,
  });
  let steps = 0;
  for (let nth = 1; ; nth++) {
    writeFileSync(join(folder.path, "moves"), "0");
    const broken = back(failing(nth));
    if (broken.status === 0) break;
    steps++;
    const kept = isSwapping();
    if (kept) expect(broken.said).toContain("--back");
    if (kept) expect(install(bundleOf("3.0", NEW))).toMatchObject({ status: 1 });
    const result = back();
    expect(result.status, `move ${nth}: ${broken.said}${result.said}`).toBe(0);
    expectBack(data);
    expect(text(`${data}.of-2.0${steps === 1 ? "" : `.${steps}`}`, "mark")).toBe("after");
    // And forward again, for the next.
    expect(back()).toMatchObject({ status: 0 });
    runGateway(data, NEW, "after");
  }
  expect(steps).toBeGreaterThan(4);
});
