// What is typed in, to the disk and back: with the real journal and its refusals, history beside it, a copy and a spare made of it.
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NewEntry, PointState } from "../../protocol/index.ts";
import { POINT } from "../../tests/engine-fixtures.ts";
import { checkedFrame, NOON_MS, temporaryFolder, waitFor } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { copyOnce } from "../backup/copier.ts";
import { restoreCopy } from "../backup/restore.ts";
import { systemClock } from "../clock.ts";
import { CONCEPT_2026 } from "../domain/profile.ts";
import { createEngine, type Engine } from "../engine/engine.ts";
import { GatewayError } from "../errors.ts";
import { startHistory } from "../history/history.ts";
import { type Journal, openJournal } from "../journal/journal.ts";
import { createEntries } from "./entries.ts";

const COUNT: NewEntry = { via: "voice", statement: { kind: "count", people: 12 } };
/** A device whose name is the point's. */
const DEVICE = { deviceId: "alm-01", pointId: "alm-01", link: "mqtt", reportIntervalS: 60 } as const;
let folder: ReturnType<typeof temporaryFolder>;
let journal: Journal;
let engine: Engine;
const opened: { journal: Journal; engine: Engine }[] = [];

beforeEach(async () => {
  folder = temporaryFolder();
  ({ journal, engine } = await open("data"));
});
afterEach(async () => {
  for (const one of opened.splice(0)) {
    await one.engine.stop();
    await one.journal.close();
  }
  folder.remove();
});

async function open(name: string): Promise<{ journal: Journal; engine: Engine }> {
  const made = await openJournal({ dir: join(folder.path, name), clock: systemClock, reserveMb: 0 });
  const started = createEngine({
    ...{
      journal: made,
      registry: { points: () => [POINT], devices: () => [DEVICE], nextChangeMs: () => Number.POSITIVE_INFINITY },
      profile: CONCEPT_2026,
    },
    ...{ clock: systemClock, gatewayId: "test", version: "0" },
    surroundings: { refusals: () => ({}), sinks: () => [], isClockTrusted: () => true },
  });
  await started.start();
  opened.push({ journal: made, engine: started });
  return { journal: made, engine: started };
}

const told = (part: Partial<NewEntry> = {}, pointId = "alm-01") => {
  const entries = createEntries({ journal, engine, clock: systemClock, isClockTrusted: () => true });
  return entries.tell(pointId, { ...COUNT, ...part }, "coordinator-1");
};
const codeOf = (failing: Promise<unknown>) =>
  failing.then(
    () => "none",
    (error: unknown) => (error instanceof GatewayError ? error.code : String(error)),
  );

describe("an entry", () => {
  test("is a row of the journal, with its own moment, before it is answered", async () => {
    const at = new Date(systemClock.nowMs() - 600_000).toISOString();
    const state = await told({ at, entryId: "form-0001", note: "by the window" });
    expect(state).toMatchObject({ occupancy: { people: 12, at, told: { by: "coordinator-1", via: "voice" } } });
    const [row] = await journal.read(0, 10);
    expect(row).toMatchObject({
      deviceId: "alm-01",
      sequence: 0,
      link: "manual",
      timeQuality: "estimated",
      timeMs: Date.parse(at),
    });
    expect(JSON.parse(Buffer.from(row?.frame ?? []).toString())).toEqual({
      ...{ entryId: "form-0001", pointId: "alm-01", at, by: "coordinator-1", note: "by the window" },
      ...COUNT,
    });
  });

  test("sent again counts once, one after the other and at once", async () => {
    await told({ entryId: "form-0001" });
    await told({ entryId: "form-0001", statement: { kind: "count", people: 99 } });
    expect((await journal.read(0, 10)).length).toBe(1);
    const states = await Promise.all(
      [1, 2].map(() => told({ entryId: "form-0002", statement: { kind: "count", people: 15 } })),
    );
    expect(states.map((state: PointState) => state.occupancy?.people)).toEqual([15, 15]);
    expect(engine.entries("alm-01", 10, Number.POSITIVE_INFINITY)).toHaveLength(2);
  });

  test("is refused with its reason", async () => {
    const ahead = new Date(systemClock.nowMs() + 600_000).toISOString();
    expect(await codeOf(told({ at: ahead }))).toBe("ENTRY_INVALID");
    expect(await codeOf(told({}, "alm-99"))).toBe("POINT_UNKNOWN");
    const full = { ...journal.health(), failing: "the disk is full" };
    const refusing = createEntries({
      ...{ engine, clock: systemClock, isClockTrusted: () => true },
      journal: { append: journal.append, health: () => full },
    });
    expect(await codeOf(refusing.tell("alm-01", COUNT, "a"))).toBe("JOURNAL_UNUSABLE");
    await engine.stop();
    await journal.close();
    opened.splice(0);
    expect(await codeOf(told())).toBe("JOURNAL_CLOSED");
  });

  test("that the disk does not take in ten seconds is answered all the same", async () => {
    const clock = virtualClock(NOON_MS);
    const slow = createEntries({
      ...{ engine, clock, isClockTrusted: () => true },
      journal: { append: () => new Promise(() => {}), health: journal.health },
    });
    const answer = codeOf(slow.tell("alm-01", COUNT, "a"));
    await clock.advance(10_001);
    expect(await answer).toBe("JOURNAL_UNUSABLE");
  });

  test("is not in history, and holds up none of it, also where a device has the name of the point", async () => {
    const history = await startHistory({
      ...{ dir: join(folder.path, "data"), journal, clock: systemClock, compactEveryMs: 3_600_000 },
      retention: { rawDays: 90, rollupYears: 5 },
    });
    await told();
    await journal.append(checkedFrame({ deviceId: "alm-01" }));
    await told();
    await waitFor("history to follow", () => {
      const state = history.state();
      return "unseenRows" in state && state.unseenRows === 0;
    });
    await history.compact();
    expect(history.state()).toMatchObject({ behindRows: 0, unseenRows: 0, rows: 1, damagedRows: 0 });
    const range = {
      deviceId: "alm-01",
      fromMs: NOON_MS - 1,
      toMs: systemClock.nowMs() + 1_000,
      limit: 10,
      after: undefined,
    };
    expect((await history.samples(range)).rows.map(({ link }) => link)).toEqual(["mqtt"]);
    await history.stop();
    expect(engine.device("alm-01")).toMatchObject({ records: 1, undecoded: 0 });
  });

  test("is in the copy, and on a spare that is made of it: the point, the list, and what was sent before", async () => {
    await told({ entryId: "form-0001" });
    await told({ entryId: "form-0002", statement: { kind: "phase", phase: "open" } });
    await journal.append(checkedFrame({ deviceId: "alm-01", receivedMs: systemClock.nowMs() }));
    await engine.caughtUp();
    const copy = join(folder.path, "copy");
    await copyOnce(journal, copy, []);
    await restoreCopy({ folder: copy, dataDir: join(folder.path, "spare"), nowMs: systemClock.nowMs() });
    const spare = await open("spare");
    expect(spare.engine.point("alm-01")).toMatchObject({ phase: "open", occupancy: { people: 12 } });
    expect(spare.engine.entries("alm-01", 10, Number.POSITIVE_INFINITY)).toEqual(
      engine.entries("alm-01", 10, Number.POSITIVE_INFINITY),
    );
    expect(spare.engine.hasEntry("alm-01", "form-0001")).toBe(true);
    expect((await spare.journal.read(0, 10)).map(({ link }) => link)).toEqual(["manual", "manual", "mqtt"]);
    // The device that has the name of the point is known by its own rows alone.
    expect(
      (await spare.journal.append(checkedFrame({ deviceId: "alm-01", receivedMs: systemClock.nowMs() }))).outcome,
    ).toBe("duplicate");
  });
});
