// Makes a fresh machine ready: the locked packages, the pinned Node, the built screens and firmware; with --packages the first
// two alone; with --demo also the firmware of the demo's boards on LoRaWAN; with --tests that and the Debian packages that the
// tests use. Runs on any Node from 18 on, with nothing installed. What cannot be had is named with the command that would
// bring it; the tests that need it are reported as skipped. It says nothing on standard output: that is the command's behind it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const NODE = join(ROOT, "node_modules", ".bin", process.platform === "win32" ? "node.cmd" : "node");
const STAMP = join(ROOT, "node_modules", ".waakvlam-lock");
const INSTALL_MS = 600_000;
const DEBIAN = [
  { name: "chromium", file: "/usr/bin/chromium" },
  { name: "fonts-noto-core", file: "/usr/share/fonts/truetype/noto" },
  { name: "mosquitto-clients", file: "/usr/bin/mosquitto_pub" },
  { name: "mosquitto", file: "/usr/sbin/mosquitto" },
  { name: "influxdb", file: "/usr/bin/influxd" },
  { name: "nut-server", file: "/lib/nut/upsd" },
];

const say = (text) => process.stderr.write(`${text}\n`);

function run(command, args, options = {}) {
  return spawnSync(command, args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    timeout: INSTALL_MS,
    ...options,
  });
}

function fail(what, result) {
  say(what);
  const words = `${result?.stdout ?? ""}${result?.stderr ?? ""}`.trim().split("\n").slice(-15).join("\n");
  if (words !== "") say(words);
  process.exit(1);
}

function lockSum() {
  return createHash("sha256")
    .update(readFileSync(join(ROOT, "package-lock.json")))
    .digest("hex");
}

function installPackages() {
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === lockSum() && existsSync(NODE)) return;
  say("Installing the locked packages …");
  const result = run("npm", ["ci", "--no-fund", "--no-audit"]);
  if (result.status !== 0)
    fail("npm ci did not work. Check that the package registry can be reached, then run it again.", result);
  writeFileSync(STAMP, lockSum());
}

function checkNode() {
  const wanted = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).dependencies.node;
  let found = existsSync(NODE) ? run(NODE, ["--version"]).stdout?.trim() : undefined;
  if (found !== `v${wanted}`) {
    // Where an npm does not run install scripts, the runtime is fetched by its own script.
    run(process.execPath, ["installArchSpecificPackage.js"], { cwd: join(ROOT, "node_modules", "node") });
    found = existsSync(NODE) ? run(NODE, ["--version"]).stdout?.trim() : undefined;
  }
  if (found !== `v${wanted}`)
    fail(`Node ${wanted} is not there (found ${found ?? "none"}). Run: rm -rf node_modules && npm ci`);
}

/** Newest change below a folder, so that nothing is built twice. */
function isOlder(target, sources) {
  if (!existsSync(join(ROOT, target))) return true;
  const newest = run("find", [...sources, "-type", "f", "-not", "-path", "*/dist/*", "-newer", join(ROOT, target)]);
  return newest.status !== 0 || newest.stdout.trim() !== "";
}

function build() {
  if (isOlder("dashboards/web/dist/index.html", ["dashboards", "protocol"])) {
    say("Building the screens …");
    const result = run(NODE, [join("node_modules", "vite", "bin", "vite.js"), "build", "dashboards/web"]);
    if (result.status !== 0) fail("The screens could not be built.", result);
  }
  const isAll = ["--demo", "--tests"].some((one) => process.argv.includes(one));
  for (const board of isAll ? ["esp32", "xiaoble"] : ["esp32"]) {
    if (!isOlder(`firmware/dist/${board}-point/manifest.json`, ["firmware", "protocol"])) continue;
    say(`Building the firmware for ${board} …`);
    const result = run(NODE, ["firmware/build/main.ts", "--board", board]);
    if (result.status !== 0) fail("The firmware could not be built.", result);
  }
}

function installDebian() {
  const missing = DEBIAN.filter((one) => !existsSync(one.file)).map((one) => one.name);
  if (missing.length === 0) return;
  const command = `apt-get install --no-install-recommends ${missing.join(" ")}`;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    say(`Not installed: ${missing.join(", ")}. Tests that need them are skipped. To have them: sudo ${command}`);
    return;
  }
  say(`Installing ${missing.join(", ")} …`);
  // No service may start for being installed; what is already there is left as it was.
  const policy = "/usr/sbin/policy-rc.d";
  const mine = !existsSync(policy);
  if (mine) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  try {
    run("apt-get", ["update", "-qq"], { env });
    for (const name of missing) run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", name], { env });
  } finally {
    if (mine) rmSync(policy, { force: true });
  }
  const left = DEBIAN.filter((one) => !existsSync(one.file)).map((one) => one.name);
  if (left.length > 0)
    say(`Could not be installed: ${left.join(", ")}. Tests that need them are skipped. To have them: ${command}`);
}

mkdirSync(join(ROOT, "node_modules"), { recursive: true });
statSync(join(ROOT, "package-lock.json"));
installPackages();
checkNode();
if (process.argv.includes("--tests")) installDebian();
if (!process.argv.includes("--packages")) build();
