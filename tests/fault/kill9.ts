// The gateway is killed without warning under load, again and again. Goal: whatever a device was told is stored is in the
// journal, once. Method: real processes, real sockets, kill −9 at moments drawn from the seed; then the journal is read.
import { fileURLToPath } from "node:url";
import { createRandom, type Random, seedOf } from "../../firmware/simulator/random.ts";
import { wholeFlag, wordFlag } from "../command.ts";
import { type Count, countStored } from "./kill9-count.ts";
import { createDevices, DEVICES, drive, type LoadDevice } from "./kill9-load.ts";
import { killWriters } from "./kill9-writer.ts";
import { type Proof, type ProofContext, untilLost } from "./proof.ts";
import { proofFolder } from "./record/endings.ts";
import { kill, type Started, start, warmUp } from "./record/processes.ts";
import { prepareDevices, startWhole } from "./record/whole.ts";

/** What a broken variant does wrong, a kill may not hit. */
const CONTROL_RUNS_MAX = 4;
const INGRESS = fileURLToPath(new URL("./kill9-gateway.ts", import.meta.url));
/** `early` acknowledges before the commit. */
type Subject = "ingress" | "gateway" | "early";

async function startSubject(subject: Subject, dir: string): Promise<{ started: Started; port: number }> {
  if (subject === "gateway") return startWhole(dir);
  const started = await start(INGRESS, ["--dir", dir, ...(subject === "early" ? ["--early"] : [])]);
  return { started, port: Number(started.line) };
}

/** A killed process leaves nothing that would shorten the start of the next. */
async function warmUpSubject(subject: Subject): Promise<void> {
  const folder = proofFolder();
  try {
    if (subject === "gateway") {
      prepareDevices(folder.path, 1);
      await (await startWhole(folder.path)).stop();
    } else await warmUp(INGRESS, ["--dir", folder.path]);
  } finally {
    folder.remove();
  }
}

async function killCycle(dir: string, devices: readonly LoadDevice[], random: Random, subject: Subject): Promise<void> {
  const gateway = await startSubject(subject, dir);
  const startS = Math.floor(performance.timeOrigin / 1000);
  const loads = devices.map((device) => drive(device, gateway.port, startS));
  await new Promise((resolve) => setTimeout(resolve, random.between(150, 700)));
  await kill(gateway.started);
  for (const load of loads) load.stop();
}

/** A row that is damaged, or stands before an earlier one of its device. */
function faultsOf(count: { readonly damaged?: number; readonly outOfOrder?: number }): string[] {
  const { damaged = 0, outOfOrder = 0 } = count;
  return [
    ...(damaged > 0 ? [`${damaged} rows damaged`] : []),
    ...(outOfOrder > 0 ? [`${outOfOrder} records out of order`] : []),
  ];
}

async function campaign(context: ProofContext, cycles: number, subject: Subject): Promise<Count> {
  const folder = proofFolder();
  const devices = subject === "gateway" ? prepareDevices(folder.path, DEVICES) : createDevices();
  const random = createRandom(context.seed);
  try {
    await warmUpSubject(subject);
    for (let cycle = 1; cycle <= cycles; cycle++) {
      await killCycle(folder.path, devices, random, subject);
      if (cycle % 10 === 0) context.log(`kill9, ${subject}: ${cycle} of ${cycles} kills`);
    }
    return await countStored(folder.path, devices);
  } finally {
    folder.remove();
  }
}

export const proof: Proof = {
  name: "kill9",
  summary: "kill −9 of the gateway under load: nothing acknowledged is lost or stored twice",
  flags: {
    cycles: "how often it is killed (20)",
    subject: "ingress: MQTT and journal; gateway: all of it; writer: the journal alone (ingress)",
  },
  async run(context) {
    const cycles = wholeFlag(context.flags, "cycles", 20);
    const subject = wordFlag(context.flags, "subject", ["ingress", "gateway", "writer"]) ?? "ingress";
    const kills = Math.max(3, Math.min(5, cycles));
    const random = createRandom(seedOf(context.seed, "writer"));
    const isWriter = subject === "writer";
    const real = isWriter
      ? await killWriters(context, cycles, random)
      : await campaign(context, cycles, subject as Subject);
    const control = await untilLost<{ readonly lost: number }>(CONTROL_RUNS_MAX, () =>
      isWriter ? killWriters(context, kills, random, true) : campaign(context, kills, "early"),
    );
    return {
      name: "kill9",
      seed: context.seed,
      subject,
      ...real,
      cycles,
      missed: faultsOf(real),
      control: { name: "acknowledges before the commit", caught: control.lost > 0, lost: control.lost },
    };
  },
};
