// The disk is full while reports come in: nothing is claimed that is not stored, acknowledgements stop, and go on by themselves
// within a second after there is space again. Every other time the gateway is killed on the full disk: what it had said then
// must be there.
import { fileURLToPath } from "node:url";
import { createRandom, type Random, seedOf } from "../../firmware/simulator/random.ts";
import { wholeFlag } from "../command.ts";
import { waitFor } from "../fixtures.ts";
import { type Count, countStored } from "./kill9-count.ts";
import { createDevices, drive, type Load, type LoadDevice } from "./kill9-load.ts";
import { isShortForm, type Proof, type ProofContext, untilLost } from "./proof.ts";
import { kill, PATIENCE_MS, type Started, start } from "./record/processes.ts";
import { createSmallDisk, type SmallDisk } from "./record/small-disk.ts";

/** What a broken variant does wrong, a kill may not hit. */
const CONTROL_RUNS_MAX = 4;
const GATEWAY = fileURLToPath(new URL("./kill9-gateway.ts", import.meta.url));
/** Under load before the disk is filled: the WAL stands anywhere then. */
const LOAD_MS = { least: 50, most: 1_500 } as const;
/** Acknowledgements have stopped when none came for this long. */
const QUIET_MS = 700;
const RESUMED_MS = 1_000;
/** Cycles of one disk: then all of it is read, and another made. */
const CYCLES_PER_DISK = 6;

interface Tally {
  /** How disks were filled. */
  way: SmallDisk["way"];
  cycles: number;
  acknowledged: number;
  lost: number;
  twice: number;
  outOfOrder: number;
  /** From space to the first acknowledgement, without a restart. */
  readonly resumedMs: number[];
  /** Acknowledgements never stopped, though nothing could be written. */
  neverQuiet: number;
}

function acknowledged(devices: readonly LoadDevice[]): number {
  return devices.reduce((sum, device) => sum + device.acknowledged.size, 0);
}

interface Running {
  readonly started: Started;
  readonly loads: readonly Load[];
}

async function startLoaded({ dir, env }: SmallDisk, devices: readonly LoadDevice[], early: boolean): Promise<Running> {
  const started = await start(GATEWAY, ["--dir", dir, ...(early ? ["--early"] : [])], { env });
  const port = Number(started.line);
  const loads = devices.map((device) => drive(device, port, Math.floor(performance.timeOrigin / 1000)));
  const before = acknowledged(devices);
  await waitFor("acknowledgements at the start", () => acknowledged(devices) > before, PATIENCE_MS);
  return { started, loads };
}

async function end({ started, loads }: Running): Promise<void> {
  await kill(started);
  for (const load of loads) load.stop();
}

/** Fills what is free, and what becomes free, until acknowledgements stop: the WAL's own space is used up before. */
async function fillUntilQuiet(disk: SmallDisk, devices: readonly LoadDevice[], untilMs: number): Promise<boolean> {
  const until = performance.now() + untilMs;
  let [seen, since] = [acknowledged(devices), performance.now()];
  while (performance.now() < until) {
    disk.fill();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = acknowledged(devices);
    if (now === seen && performance.now() - since > QUIET_MS) return true;
    if (now !== seen) [seen, since] = [now, performance.now()];
  }
  return false;
}

async function cyclesOf(tally: Tally, cycles: number, random: Random): Promise<void> {
  const disk = createSmallDisk();
  tally.way = disk.way;
  const devices = createDevices();
  let running: Running | undefined;
  try {
    for (let i = 0; i < cycles; i++) {
      running ??= await startLoaded(disk, devices, false);
      await new Promise((resolve) => setTimeout(resolve, random.between(LOAD_MS.least, LOAD_MS.most)));
      if (!(await fillUntilQuiet(disk, devices, PATIENCE_MS))) tally.neverQuiet++;
      if (i % 2 === 1) {
        await end(running);
        running = undefined;
        disk.free();
      } else {
        const before = acknowledged(devices);
        disk.free();
        const began = performance.now();
        await waitFor("acknowledgements after there is space", () => acknowledged(devices) > before, PATIENCE_MS);
        tally.resumedMs.push(performance.now() - began);
      }
      tally.cycles++;
    }
  } finally {
    if (running !== undefined) await end(running);
    try {
      disk.free();
      add(tally, await countStored(disk.dir, devices));
    } finally {
      disk.remove();
    }
  }
}

function add(tally: Tally, count: Count): void {
  tally.acknowledged += count.acknowledged;
  tally.lost += count.lost;
  tally.twice += count.twice;
  tally.outOfOrder += count.outOfOrder;
}

/** Acknowledges before the commit: it is killed on the full disk. */
async function control(): Promise<Count> {
  const disk = createSmallDisk();
  const devices = createDevices();
  try {
    const running = await startLoaded(disk, devices, true);
    await fillUntilQuiet(disk, devices, 4_000);
    await end(running);
    disk.free();
    return await countStored(disk.dir, devices);
  } finally {
    disk.remove();
  }
}

export const proof: Proof = {
  name: "diskfull",
  summary: "a full disk: acknowledgements stop, nothing acknowledged is lost, and all goes on when there is space",
  flags: { form: "short: two cycles; full (full)", cycles: "how often the disk is filled (12, short 2)" },
  async run(context: ProofContext) {
    const cycles = wholeFlag(context.flags, "cycles", isShortForm(context.flags) ? 2 : 12);
    const tally: Tally = {
      way: "filesystem",
      cycles: 0,
      acknowledged: 0,
      lost: 0,
      twice: 0,
      outOfOrder: 0,
      resumedMs: [],
      neverQuiet: 0,
    };
    const random = createRandom(seedOf(context.seed, "diskfull"));
    while (tally.cycles < cycles) {
      await cyclesOf(tally, Math.min(CYCLES_PER_DISK, cycles - tally.cycles), random);
      context.log(`diskfull: ${tally.cycles} of ${cycles} cycles`);
    }
    const early = await untilLost(CONTROL_RUNS_MAX, control);
    const { resumedMs, ...figures } = tally;
    const slowest = Math.max(0, ...resumedMs);
    return {
      name: "diskfull",
      seed: context.seed,
      ...figures,
      resumedMaxMs: slowest,
      missed: [
        ...(slowest > RESUMED_MS
          ? [`acknowledged ${slowest.toFixed(0)} ms after there was space, within 1000 ms`]
          : []),
        ...(tally.neverQuiet > 0 ? [`${tally.neverQuiet} full disks on which acknowledgements went on`] : []),
        ...(tally.outOfOrder > 0 ? [`${tally.outOfOrder} records out of order`] : []),
      ],
      control: { name: "acknowledges before the commit", caught: early.lost > 0, lost: early.lost },
    };
  },
};
