import { describe, expect, test } from "vitest";
import type { Role } from "../../protocol/index.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import type { ApiAct, ApiJournal } from "./interfaces.ts";
import { openSessionJournal } from "./session-journal.ts";
import {
  createSessions,
  IDLE_MS,
  SESSION_MS,
  SESSIONS_MAX,
  SESSIONS_PER_PERSON_MAX,
  type SessionChange,
  type SessionRow,
} from "./sessions.ts";

function start(rows: readonly SessionRow[] = [], clock = virtualClock(NOON_MS)) {
  const staff = new Map<string, { role: Role; credential: string }>([
    ["coordinator-1", { role: "coordinator", credential: "first" }],
  ]);
  const kept = new Map<string, SessionRow>(rows.map((row) => [row.hash, row]));
  const keep = ({ put, remove }: SessionChange) => {
    for (const hash of remove) kept.delete(hash);
    if (put !== undefined) kept.set(put.hash, put);
  };
  const people = {
    standing: (name: string) =>
      staff.get(name) ?? (name.startsWith("many-") ? { role: "viewer" as const, credential: "1" } : undefined),
  };
  return { clock, staff, kept, sessions: createSessions({ clock, people, rows, keep }) };
}

function open(sessions: ReturnType<typeof createSessions>, name = "coordinator-1"): string {
  const opened = sessions.open(name);
  if (opened === undefined) throw new Error(`${name} is not known`);
  return opened.token;
}

describe("a session", () => {
  test("is found by its token and by nothing else, and the token is kept nowhere", () => {
    const { sessions, kept } = start();
    const token = open(sessions);
    expect(sessions.find(token)).toMatchObject({ name: "coordinator-1", role: "coordinator" });
    for (const wrong of ["", "x", `${token}x`, token.slice(1), [...kept.keys()][0] ?? ""]) {
      expect(sessions.find(wrong)).toBeUndefined();
    }
    expect(JSON.stringify([...kept.values()])).not.toContain(token);
  });

  test("ends after its time even when it is used all along, whatever the wall clock does", async () => {
    const { sessions, clock } = start();
    const token = open(sessions);
    clock.jump(10 * SESSION_MS);
    expect(sessions.find(token)).toBeDefined();
    clock.jump(-20 * SESSION_MS);
    for (let ms = 0; ms < SESSION_MS - 60_000; ms += IDLE_MS / 2) {
      expect(sessions.find(token)).toBeDefined();
      await clock.advance(IDLE_MS / 2);
    }
    await clock.advance(SESSION_MS - 1 - clock.monotonicMs());
    expect(sessions.find(token)).toBeDefined();
    await clock.advance(1);
    expect(sessions.find(token)).toBeUndefined();
  });

  test("ends when nobody uses it, and not a moment before", async () => {
    const { sessions, clock } = start();
    const token = open(sessions);
    await clock.advance(IDLE_MS - 1);
    expect(sessions.find(token)).toBeDefined();
    await clock.advance(IDLE_MS);
    expect(sessions.find(token)).toBeUndefined();
  });

  test("ends when its person leaves or gets another password, and follows a change of role", () => {
    const { sessions, staff } = start();
    const token = open(sessions);
    staff.set("coordinator-1", { role: "viewer", credential: "first" });
    expect(sessions.find(token)?.role).toBe("viewer");
    staff.set("coordinator-1", { role: "coordinator", credential: "second" });
    expect(sessions.find(token)).toBeUndefined();
    staff.delete("coordinator-1");
    expect(sessions.open("coordinator-1")).toBeUndefined();
  });

  test("one person's last session more than allowed ends that person's oldest only", () => {
    const { sessions, kept } = start();
    const other = open(sessions, "many-1");
    const tokens = Array.from({ length: SESSIONS_PER_PERSON_MAX }, () => open(sessions));
    expect(sessions.find(tokens[0] ?? "")).toBeDefined();
    open(sessions);
    expect(sessions.find(tokens[0] ?? "")).toBeUndefined();
    expect(sessions.find(tokens[1] ?? "")).toBeDefined();
    expect(sessions.find(other)).toBeDefined();
    expect(kept.size).toBe(SESSIONS_PER_PERSON_MAX + 1);
  });

  test("all together are bounded: the oldest goes", () => {
    const { sessions, kept } = start();
    const tokens = Array.from({ length: SESSIONS_MAX }, (_, i) => open(sessions, `many-${i}`));
    expect(sessions.find(tokens[0] ?? "")).toBeDefined();
    open(sessions, "many-last");
    expect(sessions.find(tokens[0] ?? "")).toBeUndefined();
    expect(sessions.find(tokens[1] ?? "")).toBeDefined();
    expect(kept.size).toBe(SESSIONS_MAX);
  });
});

describe("sessions over a restart", () => {
  test("go on with what was left of their time", async () => {
    const before = start();
    const token = open(before.sessions);
    const clock = virtualClock(NOON_MS + SESSION_MS - 60_000);
    const after = start([...before.kept.values()], clock);
    expect(after.sessions.find(token)?.name).toBe("coordinator-1");
    await clock.advance(60_000);
    expect(after.sessions.find(token)).toBeUndefined();
  });

  test("that were over meanwhile are forgotten", () => {
    const before = start();
    const token = open(before.sessions);
    const after = start([...before.kept.values()], virtualClock(NOON_MS + SESSION_MS));
    expect(after.sessions.find(token)).toBeUndefined();
    expect(after.kept.size).toBe(0);
  });

  test("gain no time from a clock that was never set", async () => {
    const before = start();
    const token = open(before.sessions);
    const clock = virtualClock(0);
    const after = start([...before.kept.values()], clock);
    expect(after.sessions.find(token)).toBeDefined();
    await clock.advance(SESSION_MS);
    expect(after.sessions.find(token)).toBeUndefined();
  });

  test("are read from the journal that they were written to; a journal that refuses stops nobody", async () => {
    const documents = new Map<string, string>();
    const acts: ApiAct[] = [];
    let refuses = false;
    const journal: ApiJournal = {
      documents: async () => [...documents].map(([key, json]) => ({ key, json })),
      save: async (change) => {
        if (refuses) throw new Error("disk full");
        for (const { key, json } of change.put ?? []) documents.set(key, json);
        for (const { key } of change.remove ?? []) documents.delete(key);
        acts.push(...(change.acts ?? []));
      },
    };
    const told: string[] = [];
    const log = (event: string) => void told.push(event);
    const first = await openSessionJournal(journal, log);
    const { kept, sessions } = start();
    open(sessions);
    for (const row of kept.values()) first.keep({ put: row, remove: [] });
    const second = await openSessionJournal(journal, log);
    expect(second.rows).toEqual([...kept.values()]);
    second.keep({ remove: [...kept.keys()] });
    expect((await openSessionJournal(journal, log)).rows).toEqual([]);

    refuses = true;
    for (const row of kept.values()) second.keep({ put: row, remove: [] });
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual(["session not kept"]);
  });
});
