// The power of the gateway's machine goes. Two ways: writes recorded on their way to the disk, and replayed to every moment in
// torn and reordered states; and a filesystem shut down under the writer. Whatever was acknowledged before is there, once.
import { wholeFlag, wordFlag } from "../command.ts";
import { isShortForm, type Proof, type ProofContext, type ProofResult } from "./proof.ts";
import { replayCuts } from "./record/replay.ts";
import { shutdownCuts } from "./record/shutdown.ts";

/** The WAL's syncs are answered and not done, as with `synchronous=NORMAL` between two checkpoints. */
const WAL_UNSYNCED = "-wal";
const ALL_UNSYNCED = "";

async function replayed(context: ProofContext): Promise<ProofResult> {
  const isShort = isShortForm(context.flags);
  const { seed, log } = context;
  const real = await replayCuts({ seed, states: wholeFlag(context.flags, "states", isShort ? 160 : 10_000), log });
  const states = isShort ? 40 : 300;
  const wal = await replayCuts({ seed, states, lies: WAL_UNSYNCED, log });
  const all = isShort ? undefined : await replayCuts({ seed, states, lies: ALL_UNSYNCED, log });
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

async function shutDown(context: ProofContext): Promise<ProofResult> {
  const isShort = isShortForm(context.flags);
  const { seed, log } = context;
  const real = await shutdownCuts({ seed, cuts: wholeFlag(context.flags, "cuts", isShort ? 3 : 20), log });
  const wal = await shutdownCuts({ seed, cuts: isShort ? 1 : 3, lies: WAL_UNSYNCED, log });
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
    layer: "replay: recorded writes in torn and reordered states; filesystem: ext4 shut down on a loop device (replay)",
    form: "short: fewer states and cuts; full (full)",
    states: "states of the replay (10000, short 160)",
    cuts: "cuts of the filesystem (20, short 3)",
  },
  run: (context) => {
    const layer = wordFlag(context.flags, "layer", ["replay", "filesystem"]);
    return layer === "filesystem" ? shutDown(context) : replayed(context);
  },
};
