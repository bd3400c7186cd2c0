// Durable ingest over MQTT at QoS 1, beside plain Aedes in the same run: what an fsync before every PUBACK costs.
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { wholeFlag } from "../command.ts";
import { temporaryFolder } from "../fixtures.ts";
import { type Bench, type BenchRow, medianOf, significant } from "./bench.ts";
import { makeFrames, startClient } from "./ingest-load.ts";

const SERVER = fileURLToPath(new URL("./ingest-server.ts", import.meta.url));
const CASES = [
  { name: "1x1", clients: 1, inFlight: 1 },
  { name: "1x100", clients: 1, inFlight: 100 },
  { name: "50x10", clients: 50, inFlight: 10 },
  { name: "500x4", clients: 500, inFlight: 4 },
] as const;
const SUBJECTS = ["waakvlam", "aedes"] as const;
const WARM_MS = 400;
/** Enough frames that none comes twice within the window of a device. */
const FRAMES_PER_S = 60_000;

interface Figures {
  readonly perS: number;
  readonly p50: number;
  readonly p99: number;
}

async function startServer(subject: string, dir: string): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [SERVER, "--subject", subject, "--dir", dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout?.once("data", (data) => resolve(Number(String(data))));
    child.once("exit", () => reject(new Error(`${subject} did not start`)));
  });
  return { child, port };
}

async function measure(subject: string, one: (typeof CASES)[number], seconds: number): Promise<Figures> {
  const folder = temporaryFolder();
  const { child, port } = await startServer(subject, folder.path);
  const each = Math.ceil((FRAMES_PER_S * (seconds + 1)) / one.clients);
  const clients = await Promise.all(
    Array.from({ length: one.clients }, (_, i) =>
      startClient(port, i, { inFlight: one.inFlight, frames: makeFrames(i, 0, each) }),
    ),
  );
  await new Promise((resolve) => setTimeout(resolve, WARM_MS));
  const before = clients.reduce((sum, client) => sum + client.acked, 0);
  for (const client of clients) client.latenciesMs.length = 0;
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const took = (performance.now() - began) / 1000;
  const after = clients.reduce((sum, client) => sum + client.acked, 0);
  const latencies = clients.flatMap((client) => client.latenciesMs).sort((a, b) => a - b);
  for (const client of clients) client.close();
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
  folder.remove();
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  return { perS: (after - before) / took, p50: at(0.5), p99: at(0.99) };
}

export const bench: Bench = {
  name: "ingest",
  summary: "durable ingest over MQTT (clients × in flight) beside plain Aedes",
  flags: { seconds: "measured for each subject and case (3)", rounds: "turns, of which the median counts (3)" },
  async run({ flags, log }) {
    const [seconds, rounds] = [wholeFlag(flags, "seconds", 3), wholeFlag(flags, "rounds", 3)];
    const found = new Map<string, Figures[]>();
    for (let round = 0; round < rounds; round++) {
      for (const one of CASES) {
        // In turn first and second: a noisy machine hits both alike.
        const order = round % 2 === 0 ? SUBJECTS : [...SUBJECTS].reverse();
        for (const subject of order) {
          const key = `${one.name} ${subject}`;
          found.set(key, [...(found.get(key) ?? []), await measure(subject, one, seconds)]);
        }
      }
      log(`ingest: round ${round + 1} of ${rounds}`);
    }
    const rows: BenchRow[] = [];
    for (const one of CASES) {
      const of = (subject: string, figure: keyof Figures) =>
        medianOf((found.get(`${one.name} ${subject}`) ?? []).map((each) => each[figure]));
      for (const subject of SUBJECTS) {
        const perS = of(subject, "perS");
        rows.push({
          case: one.name,
          subject,
          value: Math.round(perS),
          unit: "msg/s",
          ratio: significant(perS / of("aedes", "perS")),
        });
        for (const figure of ["p50", "p99"] as const) {
          const value = of(subject, figure);
          rows.push({
            case: `${one.name}-puback-${figure}`,
            subject,
            value: significant(value),
            unit: "ms",
            ratio: significant(value / of("aedes", figure)),
          });
        }
      }
    }
    return rows;
  },
};
