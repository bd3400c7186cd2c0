// The gateway is killed without warning under load, again and again. Goal: whatever a device was told is stored is in the
// journal, once. Method: real processes, real sockets, kill −9 at moments drawn from the seed; then the file is read.
import { type ChildProcess, spawn } from "node:child_process";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { createRandom, type Random } from "../../firmware/simulator/random.ts";
import { FIRST_CYCLE_BASE } from "../../gateway/domain/sequence.ts";
import { wholeFlag } from "../command.ts";
import { temporaryFolder } from "../fixtures.ts";
import { createDevices, drive, type LoadDevice } from "./kill9-load.ts";
import type { Proof, ProofContext } from "./proof.ts";

const GATEWAY = fileURLToPath(new URL("./kill9-gateway.ts", import.meta.url));
/** A loaded machine takes its time. */
const START_MS = 120_000;

async function startGateway(dir: string, early: boolean): Promise<{ process: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [GATEWAY, "--dir", dir, ...(early ? ["--early"] : [])], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the gateway did not start")), START_MS);
    child.stdout?.once("data", (data) => {
      clearTimeout(timer);
      resolve(Number(String(data)));
    });
    child.once("exit", () => reject(new Error("the gateway ended at its start")));
  });
  return { process: child, port };
}

async function killCycle(dir: string, devices: readonly LoadDevice[], random: Random, early: boolean): Promise<void> {
  const gateway = await startGateway(dir, early);
  const startS = Math.floor(performance.timeOrigin / 1000);
  const loads = devices.map((device) => drive(device, gateway.port, startS));
  await new Promise((resolve) => setTimeout(resolve, random.between(150, 700)));
  const gone = new Promise((resolve) => gateway.process.once("exit", resolve));
  gateway.process.kill("SIGKILL");
  await gone;
  for (const load of loads) load.stop();
}

interface Count {
  readonly acknowledged: number;
  readonly lost: number;
  readonly twice: number;
  readonly stored: number;
}

function countStored(dir: string, devices: readonly LoadDevice[]): Count {
  const db = new DatabaseSync(`${dir}/journal.db`);
  const sql = db.prepare(
    "SELECT sequence, count(*) AS n FROM journal JOIN device USING(device) WHERE device_id = ? GROUP BY sequence",
  );
  const count = { acknowledged: 0, lost: 0, twice: 0, stored: 0 };
  for (const device of devices) {
    const rows = new Map(
      sql.all(device.deviceId).map((row) => [Number(row["sequence"]) - FIRST_CYCLE_BASE, Number(row["n"])]),
    );
    count.acknowledged += device.acknowledged.size;
    count.stored += rows.size;
    for (const sequence of device.acknowledged) if (!rows.has(sequence)) count.lost++;
    for (const n of rows.values()) if (n > 1) count.twice++;
  }
  db.close();
  return count;
}

async function campaign(context: ProofContext, cycles: number, early: boolean): Promise<Count> {
  const folder = temporaryFolder();
  const devices = createDevices();
  const random = createRandom(context.seed);
  try {
    for (let cycle = 1; cycle <= cycles; cycle++) {
      await killCycle(folder.path, devices, random, early);
      if (cycle % 10 === 0) context.log(`${early ? "control" : "kill9"}: ${cycle} of ${cycles} kills`);
    }
    return countStored(folder.path, devices);
  } finally {
    folder.remove();
  }
}

export const proof: Proof = {
  name: "kill9",
  summary: "kill −9 of the gateway under load: nothing acknowledged is lost or stored twice",
  flags: { cycles: "how often it is killed (20)" },
  async run(context) {
    const cycles = wholeFlag(context.flags, "cycles", 20);
    const real = await campaign(context, cycles, false);
    const control = await campaign(context, Math.max(3, Math.min(5, cycles)), true);
    return {
      name: "kill9",
      seed: context.seed,
      ...real,
      cycles,
      control: { name: "acknowledges before the commit", caught: control.lost > 0, lost: control.lost },
    };
  },
};
