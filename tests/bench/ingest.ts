// Durable ingest over MQTT at QoS 1, beside plain brokers and beside Node-RED in the same run: what an fsync before every
// PUBACK costs. Where a PUBACK does not mean that a row is stored, what is counted is rows.
import { join } from "node:path";
import { wholeFlag, wordFlag } from "../command.ts";
import { proofFolder } from "../fault/record/endings.ts";
import { type Bench, type BenchRow, medianOf, significant } from "./bench.ts";
import { buildGenerator, type Load, runLoad, writeLoad } from "./ingest-load.ts";
import { findNodeRed } from "./ingest-peers.ts";
import { type Subject, subjectsOf } from "./ingest-subjects.ts";

const CASES = [
  { name: "1x1", clients: 1, inFlight: 1 },
  { name: "1x100", clients: 1, inFlight: 100 },
  { name: "50x10", clients: 50, inFlight: 10 },
  { name: "500x4", clients: 500, inFlight: 4 },
] as const;
type Case = (typeof CASES)[number];
const PEER = "aedes";
const WARM_MS = 500;
/** Enough frames that none comes twice; a plain broker on a quiet machine takes some 350,000 a second from one client. */
const FRAMES_PER_S = 250_000;
/** A generator that needs more of a core than this might be the limit. */
const GENERATOR_CORE_MAX = 0.8;

interface Figures extends Load {
  readonly perS: number;
}

interface Tools {
  readonly program: string;
  readonly file: string;
  readonly runMs: number;
}

async function measure(subject: Subject, one: Case, { program, file, runMs }: Tools): Promise<Figures> {
  const folder = proofFolder();
  const running = await subject.start(folder.path);
  try {
    const { inFlight } = one;
    const load = await runLoad({ program, port: running.port, inFlight, warmMs: WARM_MS, runMs, file });
    const { stored } = running;
    const perS = stored === undefined ? load.acked / load.seconds : storedPerS(stored, WARM_MS + runMs);
    return { ...load, perS };
  } finally {
    await running.stop();
    folder.remove();
  }
}

/** What Node-RED had stored, over warm-up and run, when that could be counted: without WAL its writer holds off who counts, and goes on. */
function storedPerS(stored: () => number, ranMs: number): number {
  const began = performance.now();
  const rows = stored();
  return (rows * 1000) / (ranMs + performance.now() - began);
}

type Figure = "perS" | "p50Ms" | "p99Ms" | "core" | "downlinks";

function rowsOf(one: Case, found: ReadonlyMap<string, readonly Figures[]>): BenchRow[] {
  const all = (subject: string, figure: Figure) =>
    (found.get(`${one.name} ${subject}`) ?? []).map((each) => each[figure]);
  const of = (subject: string, figure: Figure) => significant(medianOf(all(subject, figure)));
  /** Of the ratios of the rounds: what slows a machine for a while slows the subjects of one round alike. */
  const ratio = (subject: string, to: string, figure: Figure) => {
    const others = all(to, figure);
    return significant(medianOf(all(subject, figure).map((value, round) => value / (others[round] as number))));
  };
  const rows: BenchRow[] = [];
  for (const key of found.keys()) {
    if (!key.startsWith(`${one.name} `)) continue;
    const subject = key.slice(one.name.length + 1);
    const row = (name: string, figure: Figure, unit: string) => {
      return { case: `${one.name}${name}`, subject, value: of(subject, figure), unit };
    };
    rows.push({ ...row("", "perS", "msg/s"), ratio: ratio(subject, PEER, "perS") });
    rows.push({ ...row("-puback-p50", "p50Ms", "ms"), ratio: ratio(subject, PEER, "p50Ms") });
    rows.push({ ...row("-puback-p99", "p99Ms", "ms"), ratio: ratio(subject, PEER, "p99Ms") });
    rows.push(row("-generator", "core", "core"));
    if (subject !== "waakvlam") continue;
    rows.push(row("-ack-frames", "downlinks", "frames"));
    for (const peer of ["node-red", "node-red-wal"]) {
      const times = ratio(subject, peer, "perS");
      if (!Number.isNaN(times)) rows.push({ case: `${one.name}-times-${peer}`, subject, value: times, unit: "times" });
    }
  }
  return rows;
}

export const bench: Bench = {
  name: "ingest",
  summary: "durable ingest over MQTT (clients × in flight) beside plain Aedes, Mosquitto and Node-RED",
  flags: {
    seconds: "measured for each subject and case (3)",
    rounds: "turns, of which the median counts (5)",
    case: "only this one",
    subject: "only this one, and aedes",
    peers: "yes: install Node-RED when it is not there",
  },
  async run({ flags, log }) {
    const [seconds, rounds] = [wholeFlag(flags, "seconds", 3), wholeFlag(flags, "rounds", 5)];
    const asked = wordFlag(
      flags,
      "case",
      CASES.map(({ name }) => name),
    );
    const cases = CASES.filter(({ name }) => asked === undefined || asked === name);
    const red = findNodeRed(wordFlag(flags, "peers", ["yes", "no"]) === "yes", log);
    const all = subjectsOf(red.home, red.why);
    const only = wordFlag(
      flags,
      "subject",
      all.map(({ name }) => name),
    );
    const subjects = all.filter(({ name }) => only === undefined || [only, PEER].includes(name));
    const able = subjects.filter((subject) => {
      const why = subject.missing();
      if (why !== undefined) log(`ingest: ${subject.name} is left out: ${why}`);
      return why === undefined;
    });
    const folder = proofFolder();
    const program = buildGenerator(folder.path);
    if (program === undefined) throw new Error("the generator of this bench needs a C compiler (cc)");
    const found = new Map<string, Figures[]>();
    try {
      for (const one of cases) {
        const file = join(folder.path, one.name);
        writeLoad(file, one.clients, FRAMES_PER_S * (seconds + WARM_MS / 1000));
        for (let round = 0; round < rounds; round++) {
          // In turn from the front and from the back: a noisy machine hits all alike.
          for (const subject of round % 2 === 0 ? able : [...able].reverse()) {
            const key = `${one.name} ${subject.name}`;
            const figures = await measure(subject, one, { program, file, runMs: seconds * 1000 });
            if (figures.core > GENERATOR_CORE_MAX) log(`ingest: ${key}: the generator took ${figures.core} of a core`);
            found.set(key, [...(found.get(key) ?? []), figures]);
          }
          log(`ingest: ${one.name}, round ${round + 1} of ${rounds}`);
        }
      }
    } finally {
      folder.remove();
    }
    return cases.flatMap((one) => rowsOf(one, found));
  },
};
