import { describe, expect, test } from "vitest";
import { createHold, holdWhenBehind, type Publisher } from "./hold.ts";

function publisher(name: string, log: string[], onOpen = () => {}): Publisher & { hasUnread: boolean } {
  const made = {
    hasUnread: false,
    hasUnreadPublish: () => made.hasUnread,
    hold(held: boolean) {
      log.push(`${name} ${held ? "held" : "read"}`);
      if (!held) onOpen();
    },
  };
  return made;
}

describe("who is held", () => {
  test("publishes while it is held, or has done so unread; once, and not after it left", () => {
    const log: string[] = [];
    const hold = createHold();
    const a = publisher("a", log);
    const b = publisher("b", log);
    const c = publisher("c", log);
    hold.publishCame(a);
    expect(log).toEqual([]);
    b.hasUnread = true;
    hold.set(true, [a, b, c]);
    expect(log).toEqual(["b held"]);
    for (const one of [c, c, b]) hold.publishCame(one);
    expect(log).toEqual(["b held", "c held"]);
    hold.left(b);
    hold.set(false, [a, b, c]);
    expect(log).toEqual(["b held", "c held", "c read"]);
    hold.publishCame(a);
    expect(log).toHaveLength(3);
  });

  test("when one that is let go fills the journal again, the others wait on and are the first the next time", () => {
    const log: string[] = [];
    const hold = createHold();
    const a = publisher("a", log, () => hold.set(true, []));
    const b = publisher("b", log);
    hold.set(true, []);
    for (const one of [a, b]) hold.publishCame(one);
    hold.set(false, []);
    hold.publishCame(a);
    hold.set(false, []);
    expect(log).toEqual(["a held", "b held", "a read", "a held", "b read", "a read"]);
  });
});

describe("when it is held", () => {
  function journalAt() {
    const state = { pendingRows: 0 };
    const log: boolean[] = [];
    let commit: (() => void) | undefined;
    let look: (() => void) | undefined;
    const timer = {
      stop() {
        look = undefined;
      },
    };
    const { check, stop } = holdWhenBehind({
      clock: {
        nowMs: () => 0,
        monotonicMs: () => 0,
        after: () => timer,
        every: (_ms, run) => {
          look = run;
          return timer;
        },
      },
      journal: {
        health: () => state,
        onCommitted: (listener) => {
          commit = listener;
          return () => {
            commit = undefined;
          };
        },
      },
      hold: (held) => void log.push(held),
    });
    const at = (pendingRows: number, run: () => void) => {
      state.pendingRows = pendingRows;
      run();
    };
    return { log, at, check, stop, commit: () => commit?.(), look: () => look?.() };
  }

  test("above the high mark, until a commit leaves no more than the low one", () => {
    const { log, at, check, commit } = journalAt();
    at(20_000, check);
    expect(log).toEqual([]);
    at(20_001, check);
    at(30_000, check);
    at(10_001, commit);
    expect(log).toEqual([true]);
    at(10_000, commit);
    at(0, commit);
    expect(log).toEqual([true, false]);
  });

  test("rows that end without a commit let go as well, and after the stop nothing does", () => {
    const { log, at, check, look, stop, commit } = journalAt();
    at(20_001, check);
    at(10_001, look);
    expect(log).toEqual([true]);
    at(0, look);
    at(0, look);
    expect(log).toEqual([true, false]);
    at(20_001, check);
    stop();
    at(0, look);
    at(0, commit);
    expect(log).toEqual([true, false, true]);
  });
});
