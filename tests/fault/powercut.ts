// The power of the gateway's machine goes. Two ways: writes recorded on their way to the disk, and replayed to every moment in
// torn and reordered states; and a filesystem shut down under the writer. Whatever was acknowledged before is there, once. The
// first also on a disk that fails: some syncs end with EIO, and what they should have written never gets there.
import { wholeFlag, wordFlag } from "../command.ts";
import { isShortForm, type Proof, type ProofContext, type ProofResult, untilLost } from "./proof.ts";
import { replayCuts } from "./record/replay.ts";
import { shutdownCuts } from "./record/shutdown.ts";

/** The WAL's syncs are answered and not done, as with `synchronous=NORMAL` between two checkpoints. */
const WAL_UNSYNCED = "-wal";
const ALL_UNSYNCED = "";
/** The kernel may just have written what was not asked of it. */
const CONTROL_RUNS_MAX = 6;

async function replayed(context: ProofContext): Promise<ProofResult> {
  const isShort = isShortForm(context.flags);
  const { seed, log } = context;
  const real = await replayCuts({ seed, states: wholeFlag(context.flags, "states", isShort ? 160 : 10_000), log });
  const states = isShort ? 40 : 300;
  const wal = await replayCuts({ seed, states, disk: { lies: WAL_UNSYNCED }, log });
  const all = isShort ? undefined : await replayCuts({ seed, states, disk: { lies: ALL_UNSYNCED }, log });
  const { bad, ...figures } = real;
  return {
    name: "powercut",
    layer: "replay",
    seed,
    ...figures,
    // What cannot be read is lost too.
    lost: real.lost + real.damaged,
    badStates: bad,
    control: {
      name: `a disk that answers a sync of the WAL without doing it${all === undefined ? "" : "; any sync"}`,
      caught: wal.lost > 0 && (all === undefined || all.lost > 0),
    },
    controlStates: wal.states + (all?.states ?? 0),
    controlBadStates: wal.bad + (all?.bad ?? 0),
  };
}

/** In commits, in checkpoints, and in what follows on a failure. A writer waits half a second after each. */
const FAILS = {
  full: { every: 9, ends: 3, frames: 1_500 },
  short: { every: 6, ends: 2, frames: 180 },
} as const;
const CARELESS = new URL("./record/careless.ts", import.meta.url).href;

async function failing(context: ProofContext): Promise<ProofResult> {
  const isShort = isShortForm(context.flags);
  const { seed, log } = context;
  const states = wholeFlag(context.flags, "states", isShort ? 160 : 4_000);
  const fails = isShort ? FAILS.short : FAILS.full;
  // Most of the time of both is waiting.
  const [real, careless] = await Promise.all([
    replayCuts({ seed, states, disk: { fails }, log }),
    replayCuts({ seed, states: isShort ? 40 : 300, disk: { fails, preload: CARELESS }, log }),
  ]);
  const { bad, ...figures } = real;
  return {
    name: "powercut",
    layer: "eio",
    seed,
    ...figures,
    lost: real.lost + real.damaged,
    badStates: bad,
    missed: real.endedWriters > 0 && real.failedSyncs > real.endedWriters ? [] : ["too few syncs failed"],
    control: { name: "goes on after a failed sync as if nothing had happened", caught: careless.lost > 0 },
    controlStates: careless.states,
    controlBadStates: careless.bad,
    controlFailedSyncs: careless.failedSyncs,
  };
}

async function shutDown(context: ProofContext): Promise<ProofResult> {
  const isShort = isShortForm(context.flags);
  const { seed, log } = context;
  const real = await shutdownCuts({ seed, cuts: wholeFlag(context.flags, "cuts", isShort ? 3 : 20), log });
  const wal = await untilLost(CONTROL_RUNS_MAX, (run) =>
    shutdownCuts({ seed: seed + run, cuts: isShort ? 1 : 3, lies: WAL_UNSYNCED, log }),
  );
  return {
    name: "powercut",
    layer: "filesystem",
    seed,
    ...real,
    lost: real.lost + real.damaged,
    control: {
      name: "a disk that answers a sync of the WAL without doing it",
      caught: wal.lost > 0,
    },
    controlCuts: wal.cuts,
    controlLost: wal.lost,
  };
}

export const proof: Proof = {
  name: "powercut",
  summary: "the power of the gateway's machine goes: nothing acknowledged is lost or stored twice",
  flags: {
    layer:
      "replay: recorded writes in torn and reordered states; filesystem: ext4 shut down on a loop device; eio: a replay with syncs that fail (replay)",
    form: "short: fewer states and cuts; full (full)",
    states: "states of the replay (10000; eio 4000; short 160)",
    cuts: "cuts of the filesystem (20, short 3)",
  },
  run: (context) => {
    const layer = wordFlag(context.flags, "layer", ["replay", "filesystem", "eio"]);
    if (layer === "filesystem") return shutDown(context);
    return layer === "eio" ? failing(context) : replayed(context);
  },
};
