// From a stick to a running gateway, with no network at all: the bundle is made, installed, started, upgraded and gone back
// from, in a network namespace in which only loopback is there.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { JOURNAL_VERSION } from "../../gateway/journal/file.ts";
import { VERSION } from "../../gateway/wiring/parts.ts";
import { temporaryFolder, waitFor } from "../fixtures.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CAN = spawnSync("unshare", ["-n", "true"]).status === 0;
const HAS_SYSTEMD = existsSync("/usr/bin/systemd-analyze");
const PORT = 18_080;

const folder = temporaryFolder();
const root = join(folder.path, "root");
const opt = join(root, "opt/waakvlam");
const data = join(root, "var/lib/waakvlam");
let bundle = "";
let gateway: ChildProcess | undefined;

function offline(command: string, args: readonly string[]): { status: number | null; said: string } {
  const result = spawnSync("unshare", ["-n", command, ...args], { encoding: "utf8", cwd: folder.path });
  return { status: result.status, said: `${result.stdout}${result.stderr}` };
}

function install(from: string, ...flags: string[]): { status: number | null; said: string } {
  return offline("sh", [join(from, "install.sh"), "--root", root, ...flags]);
}

/** The same bundle as another version, for programs that want another form of the journal. */
function bundleOf(version: string, journalVersion: number): string {
  const made = join(folder.path, `bundle-${version}`);
  // Links, so that only what differs is written; a file is replaced before it is changed.
  execFileSync("cp", ["-al", bundle, made]);
  const put = (file: string, text: string) => {
    rmSync(join(made, file));
    writeFileSync(join(made, file), text);
  };
  put("VERSION", `${version}\n`);
  put("app/JOURNAL_VERSION", `${journalVersion}\n`);
  const sums = execFileSync(
    "sh",
    ["-c", "find . -type f ! -name SHA256SUMS | cut -c3- | sort | xargs -d '\\n' sha256sum"],
    {
      cwd: made,
      maxBuffer: 1e8,
    },
  );
  put("SHA256SUMS", String(sums));
  return made;
}

const installed = () => readFileSync(join(opt, "current/VERSION"), "utf8").trim();

async function stopGateway(): Promise<void> {
  const gone = new Promise((resolve) => gateway?.once("exit", resolve));
  if (gateway?.kill("SIGTERM") === true) await gone;
  gateway = undefined;
}

beforeAll(() => {
  if (!CAN) return;
  execFileSync(process.execPath, [join(ROOT, "packaging/main.ts"), "--out", folder.path]);
  bundle = join(folder.path, `waakvlam-${VERSION}-${process.platform}-${process.arch}`);
});
afterAll(async () => {
  await stopGateway();
  folder.remove();
});

describe.skipIf(!CAN)(
  `the bundle${CAN ? "" : " (needs root and unshare: no network namespace can be made here)"}`,
  () => {
    test("installs with no network, and what it installs runs", async () => {
      const result = install(bundle);
      expect(result.status, result.said).toBe(0);
      expect(installed()).toBe(VERSION);
      const config = join(root, "etc/waakvlam/waakvlam.toml");
      writeFileSync(config, `[data]\ndir = "${data}"\n[mqtt]\nport = 0\n[http]\nport = ${PORT}\n`);
      const program = join(opt, "current/waakvlam");
      // As whoever runs the tests: the account that an installation makes is not there.
      const node = [join(opt, "current/bin/node"), join(opt, "current/gateway/main.js")];
      const words = offline(node[0] as string, [node[1] as string, "config", "check", config]);
      expect(words.status, words.said).toBe(0);
      expect(offline(program, ["--version"])).toEqual({ status: 0, said: `${VERSION}\n` });
      const started = `ip link set lo up && exec ${node.join(" ")} start --config ${config}`;
      gateway = spawn("unshare", ["-n", "sh", "-c", started], {
        stdio: ["ignore", "ignore", "ignore"],
        cwd: folder.path,
      });
      const ask = `fetch("http://127.0.0.1:${PORT}/readyz").then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(2))`;
      const inside = ["-t", String(gateway.pid), "-n", node[0] as string, "-e", ask];
      await waitFor("the gateway", () => spawnSync("nsenter", inside).status === 0, 30_000);
      await stopGateway();
      expect(existsSync(join(data, "journal.db"))).toBe(true);
    });

    test("an upgrade keeps the data, and can go back", () => {
      const next = bundleOf("0.1.1", JOURNAL_VERSION);
      expect(install(next)).toMatchObject({ status: 0 });
      expect(installed()).toBe("0.1.1");
      expect(readlinkSync(join(opt, "previous"))).toBe(`releases/${VERSION}`);
      const back = offline("sh", [join(opt, "current/install.sh"), "--back", "--root", root]);
      expect(back.status, back.said).toBe(0);
      expect(installed()).toBe(VERSION);
      expect(existsSync(join(data, "journal.db"))).toBe(true);
    });

    test("an upgrade that changes the form of the journal keeps a copy, and going back brings that back", () => {
      const next = bundleOf("0.2.0", JOURNAL_VERSION + 1);
      writeFileSync(join(data, "mark"), "before");
      const result = install(next);
      expect(result.status, result.said).toBe(0);
      expect(readFileSync(join(`${data}.before-0.2.0`, "mark"), "utf8")).toBe("before");
      // What the new program does when it first opens the file, and it dies of it: the version stands only in the log beside.
      const opens = `const { DatabaseSync } = require("node:sqlite");
      const db = new DatabaseSync(process.argv[1]);
      db.exec("PRAGMA journal_mode=WAL; PRAGMA user_version=${JOURNAL_VERSION + 1}");
      process.kill(process.pid, "SIGKILL");`;
      spawnSync(process.execPath, ["-e", opens, join(data, "journal.db")]);
      expect(existsSync(join(data, "journal.db-wal"))).toBe(true);
      writeFileSync(join(data, "mark"), "after");
      const refused = install(bundle);
      expect(refused.status).toBe(1);
      expect(refused.said).toContain("newer version");
      expect(installed()).toBe("0.2.0");
      const back = offline("sh", [join(opt, "current/install.sh"), "--back", "--root", root]);
      expect(back.status, back.said).toBe(0);
      expect(installed()).toBe(VERSION);
      expect(readFileSync(join(data, "mark"), "utf8")).toBe("before");
      expect(readFileSync(join(`${data}.of-0.2.0`, "mark"), "utf8")).toBe("after");
      // The gateway that comes back asks its devices for what lies between.
      expect(JSON.parse(readFileSync(join(data, "restored.json"), "utf8"))).toMatchObject({ version: 1 });
      expect(existsSync(join(opt, ".swapping"))).toBe(false);
    });

    test("a way back that was broken off is made good by the next, and nothing is lost on the way", () => {
      const next = bundleOf("0.3.0", JOURNAL_VERSION + 1);
      writeFileSync(join(data, "mark"), "before");
      expect(install(next)).toMatchObject({ status: 0 });
      writeFileSync(join(data, "mark"), "after");
      // As the power went: the newer data are aside, those from before not yet in their place.
      writeFileSync(join(opt, ".swapping"), "");
      renameSync(data, `${data}.of-0.3.0`);
      const refused = install(bundle);
      expect(refused).toMatchObject({ status: 1, said: expect.stringContaining("broken off") as string });
      const back = offline("sh", [join(opt, "current/install.sh"), "--back", "--root", root]);
      expect(back.status, back.said).toBe(0);
      expect(readFileSync(join(data, "mark"), "utf8")).toBe("before");
      expect(readFileSync(join(`${data}.of-0.3.0`, "mark"), "utf8")).toBe("after");
    });

    test("the same version again never moves the one in use, and what is installed is for all to run", () => {
      chmodSync(folder.path, 0o755);
      const before = readlinkSync(join(opt, "current"));
      const again = offline("sh", ["-c", `umask 077; sh ${join(bundle, "install.sh")} --root ${root}`]);
      expect(again.status, again.said).toBe(0);
      expect(readlinkSync(join(opt, "current"))).not.toBe(before);
      expect(installed()).toBe(VERSION);
      const nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
      const words = offline("setpriv", [
        ...nobody,
        join(opt, "current/bin/node"),
        join(opt, "current/gateway/main.js"),
        "--version",
      ]);
      expect(words).toEqual({ status: 0, said: `${VERSION}\n` });
    });

    test("a bundle that came to harm on the way is refused, and nothing changes", () => {
      const harmed = join(folder.path, "harmed");
      renameSync(join(folder.path, "bundle-0.1.1"), harmed);
      rmSync(join(harmed, "app/gateway/main.js"));
      writeFileSync(join(harmed, "app/gateway/main.js"), "// Something else.\n");
      const result = install(harmed);
      expect(result.status).toBe(1);
      expect(result.said).toContain("damaged");
      expect(installed()).toBe(VERSION);
      expect(install(bundle, "--rot")).toMatchObject({ status: 1 });
    });

    test.skipIf(!HAS_SYSTEMD)("the unit is one that systemd takes, and leaves the service hardly anything", () => {
      const installedUnit = readFileSync(join(root, "etc/systemd/system/waakvlam.service"), "utf8");
      const unit = join(folder.path, "waakvlam.service");
      // Whether its programs are there is asked as well: those of this test stand elsewhere.
      writeFileSync(unit, installedUnit.replaceAll("/opt/waakvlam/current", join(opt, "current")));
      const verified = spawnSync("systemd-analyze", ["--man=no", "verify", unit], { encoding: "utf8" });
      expect(verified.stderr.split("\n").filter((line) => line.includes("waakvlam.service"))).toEqual([]);
      const security = spawnSync("systemd-analyze", ["security", "--offline=true", "--threshold=20", unit], {
        encoding: "utf8",
      });
      expect(security.stdout).toMatch(/Overall exposure level for waakvlam.service: [01]\.\d OK/);
    });
  },
);
