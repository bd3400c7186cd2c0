// A slow disk, and one that stands still now and then, as memory cards do: the record waits for it and nothing else does.
// Method: the whole gateway with every sync delayed, devices at their own pace over MQTT. Machines are noisy: each limit is
// taken beyond what the same load shows with the machine's disk as it is, in the same run.
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { wholeFlag } from "../command.ts";
import { countStored } from "./kill9-count.ts";
import type { LoadDevice } from "./kill9-load.ts";
import { isShortForm, type Proof, type ProofContext } from "./proof.ts";
import { proofFolder } from "./record/endings.ts";
import { type DiskFaults, environmentOf } from "./record/native.ts";
import { pace, quantile, type Waits } from "./record/paced.ts";
import { type LoopDelay, prepareDevices, startWhole, type Whole } from "./record/whole.ts";

const MAIN_THREAD = fileURLToPath(new URL("./record/main-thread-gateway.ts", import.meta.url));
const DEVICES = 20;
const PACE = { perS: 5, alarmEvery: 8 } as const;
/** For what is under way when the load stops. */
const PATIENCE_MS = 5_000;

type Disk = Omit<DiskFaults, "dir">;
const AS_IT_IS: Disk = {};
const SLOW: Disk = { syncMs: 20, jitterMs: 20 };
const STALL_MS = 800;
const STALLING: Disk = { ...SLOW, stallMs: STALL_MS, stallEvery: 40 };

const PUBACK_P99_MS = { slow: 250, stalling: 1_000 } as const;
const LOOP_P99_MS = 20;

interface Case {
  readonly pubackP50Ms: number;
  readonly pubackP99Ms: number;
  readonly pubackMaxMs: number;
  readonly alarmP99Ms: number;
  readonly loop: LoopDelay;
  readonly acknowledged: number;
  readonly lost: number;
  readonly twice: number;
}

interface Load {
  readonly dir: string;
  readonly devices: readonly LoadDevice[];
  readonly seconds: number;
  /** In the journal, where it can be counted. */
  readonly isJournal: boolean;
}

async function underLoad(gateway: Whole, { dir, devices, seconds, isJournal }: Load): Promise<Case> {
  const waits: Waits = { reportsMs: [], alarmsMs: [] };
  const loads = await Promise.all(
    devices.map((device, i) => pace(device, gateway.port, { ...PACE, phase: i / devices.length, waits })),
  );
  gateway.measure();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const loop = await gateway.report();
  await Promise.all(loads.map((load) => load.stop(PATIENCE_MS)));
  await gateway.stop();
  const { acknowledged, lost, twice } = isJournal
    ? await countStored(dir, devices)
    : { acknowledged: 0, lost: 0, twice: 0 };
  const all = [...waits.reportsMs, ...waits.alarmsMs];
  return {
    pubackP50Ms: quantile(all, 0.5),
    pubackP99Ms: quantile(all, 0.99),
    pubackMaxMs: quantile(all, 1),
    alarmP99Ms: quantile(waits.alarmsMs, 0.99),
    loop,
    acknowledged,
    lost,
    twice,
  };
}

async function run(context: ProofContext, name: string, disk: Disk, seconds: number, program?: string): Promise<Case> {
  const folder = proofFolder();
  const dir = realpathSync(folder.path);
  try {
    const devices = prepareDevices(dir, DEVICES);
    const env = environmentOf({ dir, ...disk });
    const gateway = await startWhole(dir, { env, ...(program === undefined ? {} : { program }) });
    let found: Case;
    try {
      found = await underLoad(gateway, { dir, devices, seconds, isJournal: program === undefined });
    } finally {
      gateway.started.child.kill("SIGKILL");
    }
    const { pubackP50Ms, pubackP99Ms, alarmP99Ms, loop } = found;
    const figures = { pubackP50Ms, pubackP99Ms, alarmP99Ms, loopP99Ms: loop.p99Ms };
    const shown = Object.entries(figures).map(([figure, ms]) => `${figure} ${ms.toFixed(1)}`);
    context.log(`slowdisk, ${name}: ${shown.join(", ")}`);
    return found;
  } finally {
    folder.remove();
  }
}

/** A report waits for the commit that is under way, and then for its own: what the machine adds counts twice. */
const COMMITS = 2;
/** Noise makes waits longer and never shorter: a disk on which a target was missed is measured again. */
const ATTEMPTS_MAX = 3;

function missed(name: "slow" | "stalling", plain: readonly Case[], found: Case): string[] {
  const noise = (of: (one: Case) => number) => Math.max(...plain.map(of));
  const pubackMs = PUBACK_P99_MS[name] + COMMITS * noise((one) => Math.max(one.pubackP99Ms, one.alarmP99Ms));
  const targets = [
    ["PUBACK p99", found.pubackP99Ms, pubackMs],
    ["alarm PUBACK p99", found.alarmP99Ms, pubackMs],
    ["loop delay p99", found.loop.p99Ms, LOOP_P99_MS + noise((one) => one.loop.p99Ms)],
  ] as const;
  return targets
    .filter(([, value, limit]) => value >= limit)
    .map(([what, value, limit]) => `${what}, ${name}: ${value.toFixed(0)} ms, under ${limit.toFixed(0)} ms`);
}

export const proof: Proof = {
  name: "slowdisk",
  summary: "a disk that is slow and stalls: nothing is lost, and nothing but the record waits for it",
  flags: {
    form: "short: seconds instead of a minute each; full (full)",
    seconds: "of load on each disk (40, short 3)",
  },
  async run(context) {
    const seconds = wholeFlag(context.flags, "seconds", isShortForm(context.flags) ? 3 : 40);
    const plain = [await run(context, "as it is", AS_IT_IS, seconds)];
    const cases: Record<"slow" | "stalling", Case[]> = { slow: [], stalling: [] };
    const notReached: string[] = [];
    for (const [name, disk] of [["slow", SLOW] as const, ["stalling", STALLING] as const]) {
      for (;;) {
        const found = await run(context, name, disk, seconds);
        cases[name].push(found);
        const misses = missed(name, plain, found);
        if (misses.length === 0) break;
        if (cases[name].length === ATTEMPTS_MAX) {
          notReached.push(...misses);
          break;
        }
        plain.push(await run(context, "as it is", AS_IT_IS, seconds));
      }
    }
    const control = await run(context, "control", STALLING, seconds, MAIN_THREAD);
    const all = [...plain, ...cases.slow, ...cases.stalling];
    const sum = (part: "acknowledged" | "lost" | "twice") => all.reduce((total, one) => total + one[part], 0);
    return {
      name: "slowdisk",
      seed: context.seed,
      acknowledged: sum("acknowledged"),
      lost: sum("lost"),
      twice: sum("twice"),
      missed: notReached,
      cases: { plain, ...cases, control },
      control: {
        name: "commits on the thread that reads the sockets",
        // The stall itself stood in the loop.
        caught: control.loop.p99Ms >= LOOP_P99_MS && control.loop.maxMs >= STALL_MS / 2,
      },
    };
  },
};
