import { describe, expect, test } from "vitest";
import type { Alert } from "../../../protocol/index.ts";
import { createSpellLog, type Spell, spellDifference } from "./spells.ts";

const MINUTE = 60_000;
const END = 1_000 * MINUTE;
const spell = (from: number, until?: number, on = "alm-01"): Spell => {
  return {
    ruleId: "mains-lost",
    on,
    fromMs: from * MINUTE,
    ...(until === undefined ? {} : { untilMs: until * MINUTE }),
  };
};
const words = (before: Spell[], after: Spell[]) =>
  spellDifference(before, after, END).map(({ kind, on, byMs = 0 }) => `${kind} ${on} ${byMs / MINUTE}`);

describe("the difference between two accounts", () => {
  test.each<[string, Spell[], Spell[], string[]]>([
    ["the same", [spell(1, 5), spell(9)], [spell(1, 5), spell(9)], []],
    ["new", [], [spell(1, 5)], ["new alm-01 0"]],
    ["gone", [spell(1, 5)], [], ["gone alm-01 0"]],
    ["earlier", [spell(10, 50)], [spell(5, 50)], ["earlier alm-01 5"]],
    ["later", [spell(10, 50)], [spell(30, 50)], ["later alm-01 20"]],
    ["longer, to the end", [spell(10, 50)], [spell(10)], ["longer alm-01 950"]],
    ["shorter", [spell(10, 50)], [spell(10, 40)], ["shorter alm-01 10"]],
    ["hours apart they are two", [spell(10, 50)], [spell(300, 350)], ["gone alm-01 0", "new alm-01 0"]],
    ["at another place they are two", [spell(1, 5)], [spell(1, 5, "alm-02")], ["gone alm-01 0", "new alm-02 0"]],
    ["each has one of its own", [spell(1, 5), spell(8, 9)], [spell(1, 5)], ["gone alm-01 0"]],
  ])("%s", (_, before, after, changes) => {
    expect(words(before, after)).toEqual(changes);
  });
});

test("a spell begins when it is told of, goes on while hidden, and ends when it returns or becomes another rule's", () => {
  const log = createSpellLog();
  const note = (minute: number, state: Alert["state"], part: Partial<Alert> = {}) => {
    const subject = { kind: "point", id: "alm-01", name: "x" } as const;
    const alert = { alertId: "a-1", ruleId: "low", subject, state, values: {}, ...part } as Alert;
    log.note(alert, minute * MINUTE);
  };
  note(1, "unacknowledged");
  note(2, "suppressed");
  note(3, "acknowledged");
  note(4, "unacknowledged", { ruleId: "critical" });
  note(6, "returned-unacknowledged", { ruleId: "critical", returnedAt: "x" });
  note(7, "normal", { ruleId: "critical", returnedAt: "x" });
  note(8, "unacknowledged");
  expect(log.spells()).toEqual([
    { ruleId: "low", on: "alm-01", fromMs: MINUTE, untilMs: 4 * MINUTE },
    { ruleId: "critical", on: "alm-01", fromMs: 4 * MINUTE, untilMs: 6 * MINUTE },
    { ruleId: "low", on: "alm-01", fromMs: 8 * MINUTE },
  ]);
});
