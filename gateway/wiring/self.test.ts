import { statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SinkState } from "../../protocol/index.ts";
import { NOON_MS, temporaryFolder, waitFor } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { parseConfig } from "../config/config.ts";
import type { UpsFacts } from "../domain/self.ts";
import { META, type Meta } from "../history/file.ts";
import type { JournalHealth } from "../journal/journal.ts";
import type { Runner } from "../sinks/runner.ts";
import { createSelfFigures, type SelfDeps } from "./self.ts";
import { createSinkSet } from "./sink-set.ts";

let folder: ReturnType<typeof temporaryFolder>;
const stops: (() => void)[] = [];
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  folder.remove();
});

const HEALTH: JournalHealth = {
  newestId: 100,
  pendingRows: 0,
  freeBytes: 5e9,
  lowWater: false,
  refusing: false,
  gapRows: 0,
};

function start() {
  const clock = virtualClock(NOON_MS);
  const now = {
    newestId: 100,
    sinks: [] as SinkState[],
    health: HEALTH,
    history: undefined as ReturnType<SelfDeps["history"]>,
    ups: undefined as UpsFacts | undefined,
  };
  const asked: number[] = [];
  const logged: string[] = [];
  const self = createSelfFigures({
    dir: folder.path,
    clock,
    journal: {
      newestId: () => now.newestId,
      health: () => now.health,
      // A row a second, the hundredth at noon.
      read: async (afterId) => {
        asked.push(afterId);
        return [{ id: afterId + 1, receivedMs: NOON_MS - (99 - afterId) * 1_000 }];
      },
    },
    sinks: () => now.sinks,
    history: () => now.history,
    copy: () => undefined,
    notify: () => undefined,
    networks: () => [],
    ups: () => now.ups,
    log: (event) => logged.push(event),
  });
  stops.push(self.stop);
  return { clock, now, self, asked, logged };
}

const sink = (behindRows: number): SinkState => ({ name: "influxdb", state: "retrying", behindRows, sent: 0, dead: 0 });

describe("what the gateway knows of itself", () => {
  test("the disk and the journal's files, measured and not guessed", async () => {
    writeFileSync(join(folder.path, "journal.db"), Buffer.alloc(10_000));
    writeFileSync(join(folder.path, "journal.db-wal"), Buffer.alloc(500));
    writeFileSync(join(folder.path, "registry.json"), Buffer.alloc(7_000));
    const { self } = start();
    await waitFor("the first measure", () => self.facts().disk !== undefined);
    const { bsize, blocks } = statfsSync(folder.path);
    expect(self.facts().disk).toEqual({ freeBytes: 5e9, sizeBytes: bsize * blocks });
    expect(self.journalBytes()).toBe(10_500);
  });

  test("the age of the oldest row that a sink has not taken, from the journal and not from the start", async () => {
    const { self, clock, now, asked } = start();
    now.sinks = [sink(60)];
    await clock.advance(5_000);
    await waitFor("the age", () => self.facts().sinks[0]?.oldestS !== undefined);
    // Row 41 came 59 s before noon, and it is 5 s after.
    expect(self.facts().sinks[0]).toMatchObject({ name: "influxdb", behindRows: 60, oldestS: 64 });
    const times = asked.length;
    await clock.advance(10_000);
    expect(self.facts().sinks[0]?.oldestS).toBe(74);
    expect(asked.length, "a row that is known is not read again").toBe(times);
    now.sinks = [{ ...sink(60), waitingSince: "2026-11-24T11:00:00.000Z" }];
    expect(self.facts().sinks[0]?.oldestS, "the sink says it itself").toBe(
      (NOON_MS - Date.UTC(2026, 10, 24, 11)) / 1000 + 15,
    );
    now.sinks = [sink(0)];
    expect(self.facts().sinks[0]).not.toHaveProperty("oldestS");
  });

  test("a jump of the wall clock, either way; what passes by itself is none", async () => {
    const { self, clock } = start();
    await clock.advance(3_600_000);
    expect(self.facts().clock).toEqual({ trusted: true });
    clock.jump(-3_600_000);
    await clock.advance(2_000);
    expect(self.facts().clock.jump).toEqual({ seconds: -3_600, agoS: 1 });
    clock.jump(9_000);
    await clock.advance(2_000);
    expect(self.facts().clock.jump).toEqual({ seconds: -3_600, agoS: 3 });
    clock.jump(-NOON_MS);
    await clock.advance(2_000);
    expect(self.facts().clock.trusted).toBe(false);
  });

  test("what the journal and the supply say, as they say it", () => {
    const { self, now } = start();
    now.health = { ...now.health, failing: "full", lowWater: true, gapRows: 9 };
    now.ups = { kind: "unreachable", reason: "x" };
    self.setConfigProblem("line 3");
    expect(self.facts()).toMatchObject({
      journal: { failing: "full", lowWater: true, gapRows: 9 },
      ups: { kind: "unreachable" },
      configProblem: "line 3",
    });
    self.setConfigProblem(undefined);
    expect(self.facts()).not.toHaveProperty("configProblem");
  });

  test("history by its own figures, or why there is none", () => {
    const { self, now, clock } = start();
    expect(self.facts()).not.toHaveProperty("history");
    now.history = { failing: "I/O error" };
    expect(self.facts().history).toEqual({ failing: "I/O error" });
    const meta = { ...(Object.fromEntries(META.map((key) => [key, 0])) as Meta), bytes: 4_096, freeBytes: 0 };
    const figures = { behindRows: 7, unseenRows: 0, lastTookMs: 1, compactions: 1, failing: undefined };
    now.history = { ...meta, ...figures, lastCompactionMs: clock.nowMs() - 90_000 };
    expect(self.facts().history).toEqual({ behindRows: 7, bytes: 4_096, compactionAgeS: 90 });
  });

  test("a folder that cannot be measured is told of, and costs nothing else", async () => {
    const { self, clock, logged } = start();
    folder.remove();
    await clock.advance(5_000);
    await waitFor("the word", () => logged.length > 0);
    expect(self.facts().clock.trusted).toBe(true);
  });
});

describe("the sinks of another configuration", () => {
  const config = parseConfig({}, { path: "x", baseDir: "/" });

  function runners() {
    const said: string[] = [];
    let made = 0;
    const create = () => {
      const name = `sink-${++made}`;
      const runner: Runner = {
        start: async () => void said.push(`start ${name}`),
        stop: async () => void said.push(`stop ${name}`),
        leave: () => undefined,
        state: () => ({ ...sink(0), name }),
      };
      return [runner];
    };
    return { said, create };
  }

  test("begin only when the old ones have stopped: a cursor has one reader", async () => {
    const { said, create } = runners();
    const set = createSinkSet(config, create);
    await set.start();
    const swap = set.prepare(config);
    expect(set.states().map((state) => state.name)).toEqual(["sink-1"]);
    await swap();
    expect(said).toEqual(["start sink-1", "stop sink-1", "start sink-2"]);
    expect(set.states().map((state) => state.name)).toEqual(["sink-2"]);
  });

  test("that cannot be made leave the old ones running", async () => {
    const { said, create } = runners();
    let fails = false;
    const set = createSinkSet(config, () => {
      if (fails) throw new Error("no token");
      return create();
    });
    await set.start();
    fails = true;
    expect(() => set.prepare(config)).toThrowError("no token");
    expect(said).toEqual(["start sink-1"]);
  });
});
