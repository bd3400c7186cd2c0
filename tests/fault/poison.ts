// A row that the engine cannot take costs that row only: one that throws, and one at which the whole process goes down.
// The control is an engine that never sets a row aside: it hangs there, while frames are stored as before.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../gateway/clock.ts";
import type { RegistryView } from "../../gateway/domain/point.ts";
import { CONCEPT_2026 } from "../../gateway/domain/profile.ts";
import type { JournalRecord } from "../../gateway/domain/record.ts";
import { createEngine, type Engine, type EngineOptions } from "../../gateway/engine/engine.ts";
import { type Journal, openJournal } from "../../gateway/journal/journal.ts";
import { checkedFrame, temporaryFolder } from "../fixtures.ts";
import type { Proof, ProofContext } from "./proof.ts";

const ENGINE = fileURLToPath(new URL("./poison-engine.ts", import.meta.url));
const ROWS = 40;
const POISON = 17;
/** The last row's level: seen only by an engine that has passed the poison. */
const LAST_PCT = 11;
const HANG_MS = 4_000;
/** Once before anything is noted, then twice at a row that is noted. */
const DEATHS_MAX = 3;

const REGISTRY: RegistryView = {
  points: () => [
    {
      pointId: "alm-01",
      name: "De Waterlelie",
      kind: "community-centre",
      municipality: "Almere",
      region: "Flevoland",
      coordination: false,
      location: { lat: 52.371, lon: 5.217 },
      capacity: { day: 150, night: 150 },
      connectionPoint: false,
      generator: { kind: "fixed", ratedKw: 8, tank: { capacityL: 200 } },
      battery: undefined,
    },
  ],
  devices: () => [{ deviceId: "alm-01-d1", pointId: "alm-01", link: "mqtt", reportIntervalS: 60 }],
  nextChangeMs: () => Number.POSITIVE_INFINITY,
};

async function fill(dir: string): Promise<void> {
  const journal = await openJournal({ dir, clock: systemClock });
  const nowMs = systemClock.nowMs();
  for (let i = 1; i <= ROWS; i++) {
    const fuelLevelPct = i === ROWS ? LAST_PCT : 60;
    const power = {
      fuelLevelPct,
      generator: "running",
      mains: "lost",
      loadKw: "absent",
      starterBatteryV: 13.8,
    } as const;
    await journal.append(
      checkedFrame({ sequence: i, time: Math.floor(nowMs / 1000) - ROWS + i, receivedMs: nowMs, power }),
    );
  }
  await journal.close();
}

/** What an engine that came past the poison knows. */
export interface Passed {
  readonly fuelPct: number | undefined;
  /** Rows that the engine took. */
  readonly taken: number;
  readonly setAside: readonly number[];
  readonly told: boolean;
}

export async function passedBy(engine: Engine, journal: Journal): Promise<Passed> {
  await engine.caughtUp();
  const { points, alerts } = engine.overview();
  return {
    fuelPct: points[0]?.fuel?.levelPct,
    taken: engine.device("alm-01-d1")?.records ?? 0,
    setAside: (await journal.setAside(ROWS)).map((row) => row.id),
    told: alerts.some((alert) => alert.ruleId === "row-set-aside"),
  };
}

export function poisonedEngine(journal: Journal, part: Pick<EngineOptions, "beforeStep" | "attemptsMax">): Engine {
  return createEngine({
    journal,
    registry: REGISTRY,
    profile: CONCEPT_2026,
    clock: systemClock,
    gatewayId: "proof",
    version: "0",
    surroundings: { refusals: () => ({}), sinks: () => [], isClockTrusted: () => true },
    ...part,
  });
}

interface Thrown {
  /** Undefined when the engine has not come past the poison in time. */
  readonly passed: Passed | undefined;
  /** A frame that came in while the engine stood at the poison, or behind it, was stored. */
  readonly stored: boolean;
}

/** An engine in this process whose step throws at one row. */
async function throwing(dir: string, part: Pick<EngineOptions, "attemptsMax">): Promise<Thrown> {
  const journal = await openJournal({ dir, clock: systemClock });
  const beforeStep = (record: JournalRecord) => {
    if (record.id === POISON) throw new Error("poison");
  };
  const engine = poisonedEngine(journal, { beforeStep, ...part });
  const inTime = await Promise.race([
    engine.start().then(() => true),
    new Promise<false>((resolve) => setTimeout(() => resolve(false), HANG_MS)),
  ]);
  const passed = inTime ? await passedBy(engine, journal) : undefined;
  const receivedMs = systemClock.nowMs();
  const next = checkedFrame({ sequence: ROWS + 1, time: Math.floor(receivedMs / 1000), receivedMs });
  const { outcome } = await journal.append(next);
  await engine.stop();
  await journal.close();
  return { passed, stored: outcome === "stored" };
}

/** Engines that die at one row until one comes through. */
function dying(dir: string, context: ProofContext): Passed | undefined {
  for (let deaths = 0; deaths <= DEATHS_MAX; deaths++) {
    const run = spawnSync(process.execPath, [ENGINE, "--dir", dir, "--die", String(POISON)], {
      encoding: "utf8",
      timeout: 30_000,
    });
    if (run.status !== 0) continue;
    context.log(`poison: came through after going down ${deaths} times`);
    return JSON.parse(run.stdout) as Passed;
  }
  return undefined;
}

/** Everything but the poison is taken once; the poison is set aside, and told of. */
function faultsOf(passed: Passed | undefined): { lost: number; twice: number } {
  const lost = Math.max(0, ROWS - 1 - (passed?.taken ?? 0));
  const twice = Math.max(0, (passed?.taken ?? 0) - (ROWS - 1));
  const isRight = passed?.fuelPct === LAST_PCT && passed.told && passed.setAside.join() === String(POISON);
  return { lost: isRight ? lost : Math.max(1, lost), twice };
}

export const proof: Proof = {
  name: "poison",
  summary: "a row that throws, and one that kills the process, cost that row only",
  flags: {},
  async run(context) {
    const folders = [temporaryFolder(), temporaryFolder(), temporaryFolder()] as const;
    try {
      for (const folder of folders) await fill(folder.path);
      const thrown = await throwing(folders[0].path, {});
      const died = dying(folders[1].path, context);
      const control = await throwing(folders[2].path, { attemptsMax: Number.POSITIVE_INFINITY });
      const faults = [faultsOf(thrown.passed), faultsOf(died)];
      const refused = [thrown, control].filter((one) => !one.stored).length;
      return {
        name: "poison",
        seed: context.seed,
        acknowledged: 2 * ROWS + 2,
        lost: faults.reduce((sum, one) => sum + one.lost, refused),
        twice: faults.reduce((sum, one) => sum + one.twice, 0),
        setAside: { thrown: thrown.passed?.setAside, died: died?.setAside },
        storedWhileHanging: control.stored,
        control: { name: "never sets a row aside", caught: control.passed === undefined },
      };
    } finally {
      for (const folder of folders) folder.remove();
    }
  },
};
