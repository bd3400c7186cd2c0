// The machine dies under load and its disk is gone; a spare is restored from the scheduled copy, takes the address, and nobody
// touches a device or a screen. Goal: whatever the lost machine had stored is in the spare's journal, once, and devices and screens
// are back by themselves. Method: real processes, boards that run the firmware and come out of a day without a link, kill −9 while
// they send their history, so that the copy is behind; the lost disk is kept aside and read at the end. Control: a spare that does
// not ask the devices.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { folderOf, listingOf } from "../../gateway/backup/folder.ts";
import { RESTORED_FILE } from "../../gateway/backup/restore.ts";
import { listProblems } from "../../gateway/config/problems.ts";
import { issueKeys } from "../../gateway/registry/keys.ts";
import { addPerson } from "../../gateway/registry/people.ts";
import { parseRegistry, saveRegistry } from "../../gateway/registry/registry.ts";
import { wholeFlag } from "../command.ts";
import { freePort, waitFor } from "../fixtures.ts";
import { isShortForm, type Proof, type ProofContext } from "./proof.ts";
import { proofFolder } from "./record/endings.ts";
import { ended } from "./record/processes.ts";
import { createScreen, type Screen } from "./spare-screen.ts";

const GATEWAY = fileURLToPath(new URL("../../gateway/main.ts", import.meta.url));
const FLEET = fileURLToPath(new URL("../../firmware/simulator/fleet-main.ts", import.meta.url));
const START_MS = 120_000;
/** The promise: devices and screens are back within this. */
const BACK_MS_MAX = 300_000;
/** Devices are back within seconds; this is what a spare that asks for nothing is given beyond. */
const CONTROL_MS = 25_000;
/** Rows in the copy when its disk is pulled out, rows that it lacks when the machine dies, and how long that takes at least. */
const COPIED_MIN = 20;
const BEHIND_MIN = 100;
const BEHIND_MS = 10_000;
const COPY_EVERY_S = 2;
const PERSON = "coordinator-1";
const PASSPHRASE = "a passphrase for this proof";

interface Site {
  readonly path: string;
  readonly dir: string;
  readonly config: string;
  readonly copies: string;
  readonly mqttPort: number;
  readonly httpPort: number;
  readonly credentials: string;
  readonly scenario: string;
  readonly password: string;
}

async function createSite(path: string, points: number): Promise<Site> {
  const [dir, copies] = [join(path, "data"), join(path, "copies")];
  const [mqttPort, httpPort] = [await freePort(), await freePort()];
  const names = Array.from({ length: points }, (_, i) => `point-${i + 1}`);
  const registry = parseRegistry(
    JSON.stringify({
      version: 1,
      municipalities: [{ id: "almere", name: "Almere", region: "Flevoland" }],
      points: names.map((pointId) => ({
        pointId,
        name: pointId,
        kind: "community-centre",
        municipalities: [{ id: "almere" }],
        location: { lat: 52.371, lon: 5.217 },
        capacity: 150,
        generators: [{ kind: "fixed", ratedKw: 8, tank: { capacityL: 200 } }],
      })),
      devices: names.map((pointId) => ({ deviceId: `${pointId}-d1`, pointId, board: "esp32", link: "mqtt" })),
    }),
    "spare",
    (schema, value) => listProblems(schema, value),
  );
  mkdirSync(dir, { recursive: true });
  mkdirSync(copies);
  saveRegistry(dir, registry);
  const password = "a-password-for-this-proof";
  await addPerson(dir, { name: PERSON, role: "coordinator" }, password);
  const credentials = join(path, "credentials.json");
  writeFileSync(credentials, JSON.stringify(issueKeys(dir, registry)));
  const scenario = join(path, "scenario.json");
  const generator = { ratedKw: 8, tankL: 200, litres: 150, loadKw: 2.6 };
  writeFileSync(
    scenario,
    JSON.stringify({ points: names.map((pointId) => ({ pointId, capacity: 150, crowd: 0.6, generator })) }),
  );
  writeFileSync(join(path, "passphrase"), `${PASSPHRASE}\n`);
  const config = join(path, "waakvlam.toml");
  const toml = [
    `[data]\ndir = "${dir}"`,
    `[mqtt]\nport = ${mqttPort}`,
    `[http]\nport = ${httpPort}`,
    `[backup]\ndir = "${copies}"\neveryS = ${COPY_EVERY_S}\npassphraseFile = "${join(path, "passphrase")}"`,
    `[log]\nlevel = "error"`,
  ];
  writeFileSync(config, `${toml.join("\n")}\n`);
  return { path, dir, config, copies, mqttPort, httpPort, credentials, scenario, password };
}

async function startGateway(site: Site): Promise<ChildProcess> {
  const child = ended(
    spawn(process.execPath, [GATEWAY, "start", "--config", site.config], {
      stdio: ["ignore", "ignore", "inherit"],
    }),
  );
  const url = `http://127.0.0.1:${site.httpPort}/readyz`;
  try {
    await waitFor("the gateway", async () => (await fetch(url).catch(() => undefined))?.ok === true, START_MS);
  } catch (error) {
    await stop(child, "SIGKILL");
    throw error;
  }
  return child;
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  if (child.exitCode === null && child.kill(signal)) await gone;
}

/** Every sample and event of the journal in `dir` with how often it is there; frames about others have no place on a device. */
function recordsIn(dir: string): Map<string, number> {
  const db = new DatabaseSync(join(dir, "journal.db"), { readOnly: true, timeout: 5_000 });
  const sql = `SELECT device_id, sequence, count(*) AS n FROM journal JOIN device USING(device)
    WHERE substr(frame, 1, 1) IN (x'11', x'14') GROUP BY 1, 2`;
  const rows = db.prepare(sql).all();
  db.close();
  return new Map(rows.map((row) => [`${row["device_id"]} ${row["sequence"]}`, Number(row["n"])]));
}

/** The newest row in the copy of the one journal below `place`. */
function copiedId(place: string): number {
  try {
    const [name = ""] = readdirSync(place);
    return listingOf(readdirSync(folderOf(place, name))).states.at(-1)?.lastId ?? 0;
  } catch {
    // Before the first copy there is no folder.
    return 0;
  }
}

function newestId(dir: string): number {
  const db = new DatabaseSync(join(dir, "journal.db"), { readOnly: true, timeout: 5_000 });
  const { id } = db.prepare("SELECT max(id) AS id FROM journal").get() as { id: number | null };
  db.close();
  return id ?? 0;
}

interface Run {
  readonly acknowledged: number;
  readonly lost: number;
  readonly twice: number;
  /** Records that the copy lacked when the machine died. */
  readonly behind: number;
  readonly devicesBackMs: number;
  readonly screenBackMs: number;
}

/** `asks`: false is the control. */
async function runOnce(site: Site, hours: number, seed: number, asks: boolean): Promise<Run> {
  const fleetArgs = ["--scenario", site.scenario, "--credentials", site.credentials, "--host", "127.0.0.1"];
  const rest = ["--port", String(site.mqttPort), "--hours", String(hours), "--seed", String(seed)];
  let gateway = await startGateway(site);
  const fleet = ended(spawn(process.execPath, [FLEET, ...fleetArgs, ...rest], { stdio: "ignore" }));
  let screen: Screen | undefined;
  try {
    screen = await createScreen(`http://127.0.0.1:${site.httpPort}`, PERSON, site.password);
    // The copy's disk is pulled out while history comes, and goes on lacking what comes after: what devices are told of, they mark.
    await waitFor("a copy", () => copiedId(site.copies) > COPIED_MIN, START_MS);
    const copies = `${site.copies}-out`;
    renameSync(site.copies, copies);
    const copied = copiedId(copies);
    const pulledMs = performance.now();
    const isBehind = () => newestId(site.dir) - copied > BEHIND_MIN && performance.now() - pulledMs > BEHIND_MS;
    await waitFor("records that the copy lacks", isBehind, START_MS);
    await stop(gateway, "SIGKILL");
    const diedMs = performance.now();
    const lostDisk = join(site.path, "lost");
    renameSync(site.dir, lostDisk);
    const had = recordsIn(lostDisk);
    const behind = newestId(lostDisk) - copied;
    const restored = spawnSync(process.execPath, [GATEWAY, "restore", copies, "--config", site.config], {
      encoding: "utf8",
    });
    if (restored.status !== 0) throw new Error(`restore: ${restored.stdout}${restored.stderr}`);
    if (!asks) rmSync(join(site.dir, RESTORED_FILE));
    gateway = await startGateway(site);
    const shown = screen;
    await waitFor("the screen", () => shown.openedSince(diedMs) !== undefined, BACK_MS_MAX);
    const devicesBackMs = await untilComplete(site, had, diedMs, asks ? BACK_MS_MAX : CONTROL_MS);
    const now = recordsIn(site.dir);
    const lost = [...had.keys()].filter((key) => !now.has(key)).length;
    const twice = [...now.values()].filter((count) => count > 1).length;
    const screenBackMs = Math.round((shown.openedSince(diedMs) as number) - diedMs);
    return { acknowledged: had.size, lost, twice, behind, devicesBackMs, screenBackMs };
  } finally {
    screen?.close();
    await Promise.all([stop(fleet, "SIGKILL"), stop(gateway, "SIGKILL")]);
  }
}

/** Until all is there that the lost machine had, or nobody waits any longer; the milliseconds that took. */
async function untilComplete(
  site: Site,
  had: ReadonlyMap<string, number>,
  diedMs: number,
  mostMs: number,
): Promise<number> {
  let seenId = -1;
  const isComplete = () => {
    const id = newestId(site.dir);
    if (id === seenId) return false;
    seenId = id;
    const now = recordsIn(site.dir);
    return [...had.keys()].every((key) => now.has(key));
  };
  await waitFor("the devices", isComplete, mostMs).catch(() => undefined);
  return Math.round(performance.now() - diedMs);
}

async function run({ seed, flags, log }: ProofContext) {
  const isShort = isShortForm(flags);
  const points = wholeFlag(flags, "points", isShort ? 2 : 12);
  const hours = wholeFlag(flags, "hours", isShort ? 6 : 48);
  const once = async (asks: boolean): Promise<Run> => {
    const folder = proofFolder();
    try {
      const result = await runOnce(await createSite(folder.path, points), hours, seed, asks);
      log(
        `spare: ${asks ? "" : "control: "}the copy lacked ${result.behind} of ${result.acknowledged} records; lost ${result.lost}`,
      );
      return result;
    } finally {
      folder.remove();
    }
  };
  // Beside each other: most of it is waiting for boards that come back in their own time.
  const [result, control] = await Promise.all([once(true), once(false)]);
  const isBack = result.devicesBackMs < BACK_MS_MAX && result.screenBackMs < BACK_MS_MAX;
  return {
    name: "spare",
    seed,
    ...result,
    missed: isBack ? [] : [`devices and screens were not back within ${BACK_MS_MAX / 1000} s`],
    control: { name: "a spare that asks nobody", caught: control.lost > 0 },
  };
}

export const proof: Proof = {
  name: "spare",
  summary: "the disk is gone under load; a spare restored from the copy gets from the devices what the copy lacks",
  flags: { form: "short or full", points: "virtual points", hours: "of history that they bring" },
  run,
};
