// Three hours of an outage at 40 points, with kill −9 at every step: afterwards every alert is as it is without, none is lost or raised
// twice, none was acknowledged but by a person, and everybody was told at least once of all that they are told of without. The control
// tells of alerts before it saves them; another calls a message delivered before it has gone.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { wordFlag } from "../command.ts";
import { END_MIN, START_MS, STEPS } from "./incident-script.ts";
import type { Proof, ProofContext } from "./proof.ts";
import { proofFolder } from "./record/endings.ts";

const GATEWAY = fileURLToPath(new URL("./incident-gateway.ts", import.meta.url));
const PHASES = ["before-save", "after-save", "after-told", "mid-append", "sending", "sent", "notice-kept"] as const;
type Phase = (typeof PHASES)[number];
const RUN_MS = 600_000;
/** A service manager has it up again after so long. */
const DOWN_MS = 20_000;

interface Kill {
  readonly minute: number;
  readonly phase: Phase;
}

interface End {
  readonly rows: number;
  /** Messages that had not gone at the end. */
  readonly unsent: number;
  readonly alerts: readonly {
    readonly ruleId: string;
    readonly on: string;
    readonly state: string;
    readonly priority: number;
    readonly seenBy?: string;
    readonly shelvedBy?: string;
  }[];
  readonly acts: readonly { readonly action: string; readonly object: string; readonly actor: string }[];
}

interface Life {
  /** Undefined when it went down before its clock went on. */
  readonly lastMs: number | undefined;
  readonly told: readonly string[];
  /** Whom of what and why, a line for each message and alert in it. */
  readonly sent: readonly string[];
  /** Alerts that were on record when it began. */
  readonly known: readonly string[];
  /** Undefined when it was killed. */
  readonly end?: End;
}

function live(dir: string, words: readonly string[]): Life {
  const file = join(dir, "said");
  rmSync(file, { force: true });
  const run = spawnSync(process.execPath, [GATEWAY, "--dir", dir, "--said", file, ...words], {
    encoding: "utf8",
    timeout: RUN_MS,
  });
  const said = readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line) => (line.endsWith("]") ? [JSON.parse(line) as [string, unknown]] : []));
  const of = (kind: string) => said.filter(([one]) => one === kind).map(([, detail]) => detail);
  const end = of("end")[0] as End | undefined;
  if (end === undefined && run.signal !== "SIGKILL")
    throw new Error(`the gateway ended with ${run.status}: ${run.stderr}`);
  return {
    lastMs: of("at").at(-1) as number | undefined,
    told: of("told").map((one) => (one as [string, string])[0]),
    sent: of("sent").map(String),
    known: (of("known")[0] as string[] | undefined) ?? [],
    ...(end === undefined ? {} : { end }),
  };
}

interface Whole {
  readonly end: End;
  readonly kills: number;
  readonly sent: ReadonlySet<string>;
  readonly messages: number;
  /** Told of, and not on record at the next start. */
  readonly unrecorded: number;
}

/** The whole incident, going down at each of these moments in turn. */
function incident(dir: string, kills: readonly Kill[], flags: readonly string[] = []): Whole {
  const due = [...kills];
  let [fromMs, againMs] = [START_MS, START_MS];
  let told: readonly string[] = [];
  const sent: string[] = [];
  let [unrecorded, died] = [0, 0];
  for (;;) {
    const kill = due.shift();
    const dies = kill === undefined ? [] : ["--kill-minute", `${kill.minute}`, "--kill-phase", kill.phase];
    const life = live(dir, ["--from", `${fromMs}`, "--again", `${againMs}`, ...dies, ...flags]);
    const known = new Set(life.known);
    unrecorded += new Set(told.filter((alertId) => !known.has(alertId))).size;
    sent.push(...life.sent);
    if (life.end !== undefined)
      return { end: life.end, kills: died, sent: new Set(sent), messages: sent.length, unrecorded };
    died++;
    told = life.told;
    againMs = life.lastMs ?? againMs;
    fromMs = (life.lastMs ?? fromMs) + DOWN_MS;
  }
}

const raised = ({ acts }: End) =>
  acts.filter((one) => one.action === "alert-raised").map((one) => one.object.replace(/-\d+$/, ""));

function surplus(more: readonly string[], less: readonly string[]): string[] {
  const left = [...less];
  return more.filter((one) => {
    const at = left.indexOf(one);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

interface Verdict {
  readonly lost: readonly string[];
  readonly twice: readonly string[];
  readonly missed: readonly string[];
}

/** Whom a run did not tell of what they are told of in the usual one. */
function untold({ sent }: Whole, usual: Whole): string[] {
  return [...usual.sent].filter((line) => !sent.has(line));
}

function judge(whole: Whole, usualRun: Whole): Verdict {
  const { end: usual } = usualRun;
  const byItself = whole.end.acts.filter((one) => one.action === "alert-acknowledged" && one.actor === "gateway");
  const lines = ({ alerts }: End) => alerts.map((one) => JSON.stringify(one)).sort();
  const [is, should] = [lines(whole.end), lines(usual)];
  return {
    lost: surplus(raised(usual), raised(whole.end)),
    twice: surplus(raised(whole.end), raised(usual)),
    missed: [
      ...byItself.map((one) => `${one.object} was acknowledged by itself`),
      ...surplus(is, should).map((one) => `stands and should not: ${one}`),
      ...surplus(should, is).map((one) => `should stand and does not: ${one}`),
      ...(whole.end.rows === usual.rows ? [] : [`${whole.end.rows} rows stored, ${usual.rows} without kills`]),
      ...untold(whole, usualRun).map((line) => `nobody was told: ${line}`),
      ...(whole.end.unsent === 0 ? [] : [`${whole.end.unsent} messages had not gone at the end`]),
      ...(whole.unrecorded === 0 ? [] : [`${whole.unrecorded} alerts were told of and not on record`]),
    ],
  };
}

/** A run that goes down at every step, each at another moment; with `all` so many runs that each step sees every moment. */
function plansOf(seed: number, isAll: boolean): Kill[][] {
  return PHASES.slice(0, isAll ? PHASES.length : 1).map((_, turn) =>
    STEPS.map(({ minute }, i): Kill => ({ minute, phase: PHASES[(i + seed + turn) % PHASES.length] as Phase })),
  );
}

function inFolder<T>(work: (dir: string) => T): T {
  const folder = proofFolder();
  try {
    return work(folder.path);
  } finally {
    folder.remove();
  }
}

function run({ seed, flags, log }: ProofContext) {
  const usual = inFolder((dir) => incident(dir, []));
  const { rows } = usual.end;
  log(
    `incident: ${rows} rows, ${raised(usual.end).length} alerts raised and ${usual.messages} told of in ${END_MIN} minutes`,
  );
  const verdicts: Verdict[] = [];
  let kills = 0;
  for (const plan of plansOf(seed, wordFlag(flags, "steps", ["all", "turn"]) === "all")) {
    const whole = inFolder((dir) => incident(dir, plan));
    kills += whole.kills;
    const verdict = judge(whole, usual);
    verdicts.push(verdict);
    log(`incident: went down ${whole.kills} times (${plan.map((one) => `${one.minute} ${one.phase}`).join(", ")})`);
    for (const line of [...verdict.lost, ...verdict.twice, ...verdict.missed]) log(`incident:   ${line}`);
  }
  const outage = STEPS[0].minute;
  const early = inFolder((dir) => incident(dir, [{ minute: outage, phase: "after-told" }], ["--early"]));
  const hasty = inFolder((dir) => incident(dir, [{ minute: outage, phase: "notice-kept" }], ["--hasty"]));
  const count = (part: "lost" | "twice") => verdicts.reduce((sum, one) => sum + one[part].length, 0);
  return {
    name: "incident",
    seed,
    acknowledged: rows,
    lost: count("lost"),
    twice: count("twice"),
    kills,
    raised: raised(usual.end).length,
    told: usual.messages,
    minutes: END_MIN,
    steps: STEPS.map((one) => one.name),
    missed: verdicts.flatMap((one) => one.missed),
    control: {
      name: "tells before it saves; calls a message delivered before it has gone",
      caught: early.unrecorded > 0 && untold(hasty, usual).length > 0,
    },
  };
}

export const proof: Proof = {
  name: "incident",
  summary:
    "three hours of an outage at 40 points, the gateway killed at every step: the same alerts, none seen by itself",
  flags: {
    steps:
      "all: seven runs, in which each step sees every moment of a kill (turn: one run that is killed at every step)",
  },
  run: async (context) => run(context),
};
