// Who is told of what and when, second by second: transitions, escalation, floods, quiet hours, shifts and mutes.
import { describe, expect, test } from "vitest";
import type { Alert } from "../../../protocol/index.ts";
import { createTelling, openAlert, planWith, recipient } from "../../../tests/notify-fixtures.ts";
import { muteEnd } from "./recipients.ts";
import { stepWatch, type Watched } from "./watch.ts";
import { isInside, nextHandOver } from "./week.ts";

const MINUTE = 60;
const alert = (state: Alert["state"], priority: Alert["priority"] = 1): Alert => openAlert({ state, priority });

function watched(state: Alert["state"], part: Partial<Watched> = {}): Watched {
  const one = alert(state);
  const told = { occurrence: 1, reason: "raised", atMs: 0, step: 1, repeats: 0, lastMs: 0 } as const;
  return { state, priority: 1, alert: one, ...told, ...part };
}

describe("what became of an alert", () => {
  test.each([
    ["a new one", undefined, alert("unacknowledged"), "raised"],
    ["one that came and went before it was looked at", undefined, alert("returned-unacknowledged"), "raised"],
    ["one that latched before it was looked at", undefined, alert("latched-unacknowledged"), "raised"],
    ["one that somebody saw first", undefined, alert("acknowledged"), undefined],
    ["a hidden one", undefined, alert("suppressed"), undefined],
    ["a shelved one", undefined, alert("shelved"), undefined],
    ["the same", watched("unacknowledged"), alert("unacknowledged"), undefined],
    ["an acknowledgement", watched("unacknowledged"), alert("acknowledged"), undefined],
    ["a higher priority", watched("unacknowledged", { priority: 2 }), alert("unacknowledged"), "escalated"],
    ["a lower priority", watched("unacknowledged"), alert("unacknowledged", 2), undefined],
    ["more than was acknowledged", watched("acknowledged"), alert("unacknowledged"), "grown"],
    ["a second breach", watched("returned-unacknowledged"), alert("unacknowledged"), "breached-again"],
    ["a breach of a latched one", watched("latched-acknowledged"), alert("unacknowledged"), "breached-again"],
    ["a shelf that is over", watched("shelved"), alert("unacknowledged"), "back"],
    ["one put back into service", watched("out-of-service"), alert("unacknowledged"), "back"],
    ["one that is no longer explained", watched("suppressed"), alert("unacknowledged"), undefined],
    ["a shelved one, worse", watched("shelved", { priority: 2 }), alert("unacknowledged"), "escalated"],
    ["a return", watched("unacknowledged"), alert("returned-unacknowledged"), "returned"],
    ["a closing after a return", watched("returned-unacknowledged"), undefined, undefined],
    ["a closing", watched("acknowledged"), undefined, "returned"],
    ["a closing behind a shelf", watched("shelved"), undefined, undefined],
    ["a closing of what nobody was told of", watched("suppressed", { occurrence: 0 }), undefined, undefined],
  ])("%s", (_, before, after, told) => expect(stepWatch(before, after, 0).told).toBe(told));
});

describe("notices", () => {
  test("one is told once, a moment after it was raised", () => {
    const it = createTelling(planWith([recipient()]));
    expect(it.look([openAlert()], 3)).toEqual([]);
    expect(it.look([openAlert()], 2)).toEqual(["officier raised 1"]);
    expect(it.look([openAlert()], 20 * MINUTE)).toEqual([]);
    const [kept] = it.model.notices.values();
    expect(kept?.notice.headline).toBe("PRIO 1 | Geen stroom | Wijkcentrum alm-01 | Dorpsstraat 1 | Almere | di 13:00");
    expect(kept?.notice.lines).toEqual(["er zijn mensen binnen", "Stuur een aggregaat."]);
  });

  test("what is hidden makes none, and neither does what was seen before it was told", () => {
    const it = createTelling(planWith([recipient()]));
    expect(it.look([openAlert({ state: "suppressed" })], MINUTE)).toEqual([]);
    it.look([openAlert({ pointId: "alm-02" })], 2);
    expect(it.look([openAlert({ pointId: "alm-02", state: "acknowledged" })], MINUTE)).toEqual([]);
  });

  test("that it is over is told to whoever wants it", () => {
    const it = createTelling(planWith([recipient(), recipient({ recipientId: "wacht", returns: true })]));
    it.look([openAlert()], 10);
    expect(it.look([], 30)).toEqual(["wacht returned 1"]);
    const kept = [...it.model.notices.values()].find(({ notice }) => notice.reason === "returned");
    expect(kept?.notice.headline).toContain("VOORBIJ | Geen stroom");
  });

  test("priority, region, municipality and kind choose who is told", () => {
    const it = createTelling(
      planWith([
        recipient({ recipientId: "alles" }),
        recipient({ recipientId: "prio2", priorities: [2] }),
        recipient({ recipientId: "gooi", regions: ["Gooi en Vechtstreek"] }),
        recipient({ recipientId: "almere", municipalities: ["Almere"] }),
        recipient({ recipientId: "techniek", kinds: ["gateway"] }),
      ]),
    );
    expect(it.look([openAlert()], 10)).toEqual(["alles raised 1", "almere raised 1"]);
    const group = openAlert({
      alertId: "group-mains-2",
      subject: { kind: "group", id: "mains-lost", name: "mains-lost" },
      values: { regions: "Gooi en Vechtstreek 50" },
    });
    expect(it.look([openAlert(), group], 70)).toEqual(["alles raised 1", "gooi raised 1", "almere raised 1"]);
  });

  test("a flood is one message, and what comes after it within ten minutes becomes few", () => {
    const it = createTelling(planWith([recipient()]));
    const flood = Array.from({ length: 180 }, (_, i) => openAlert({ pointId: `alm-${100 + i}`, priority: 2 }));
    expect(it.look(flood, 15)).toEqual(["officier raised 180"]);
    const [kept] = it.model.notices.values();
    expect(kept?.notice.headline).toContain("en 179 andere");
    expect([kept?.notice.lines.length, kept?.notice.lines.at(-1), kept?.notice.alertIds.length]).toEqual([
      51,
      "en 130 andere",
      50,
    ]);
    const made: string[] = [];
    for (let i = 0; i < 40; i++) {
      flood.push(openAlert({ pointId: `alm-${500 + i}`, priority: 2 }));
      made.push(...it.look(flood, 12));
    }
    expect(made).toHaveLength(3);
    expect(it.look(flood, 5 * MINUTE)).toEqual(["officier raised 37"]);
  });

  test("something urgent does not wait behind a flood for longer than a minute", () => {
    const it = createTelling(planWith([recipient()], { messagesMax: 1 }));
    const calm = openAlert({ pointId: "alm-09", priority: 3 });
    it.look([calm], 15);
    const urgent = openAlert({ pointId: "alm-10" });
    expect(it.look([calm, urgent], 65)).toEqual(["officier raised 1"]);
  });

  test("an alert that changes all the time is told, and not for ever put off", () => {
    const it = createTelling(planWith([recipient()]));
    const made: string[] = [];
    for (let i = 0; i < 30; i++)
      made.push(
        ...it.look(
          i % 2 === 0 ? [openAlert({ priority: 2 })] : [openAlert({ priority: 2, state: "returned-unacknowledged" })],
        ),
      );
    expect(made).not.toEqual([]);
  });
});

describe("escalation", () => {
  const chain = {
    priorities: [1 as const],
    steps: [
      { afterMin: 0, roles: ["coordinator"] },
      { afterMin: 10, roles: ["officier"] },
    ],
    repeatMin: 15,
  };
  const people = [recipient({ recipientId: "eerste", role: "coordinator" }), recipient()];

  test("the next role is told when nobody acknowledges in time, and both again later", () => {
    const it = createTelling(planWith(people, { escalation: [chain] }));
    const log = it.look([openAlert()], 10 * MINUTE - 1);
    expect(log).toEqual(["eerste raised 1"]);
    expect(it.look([openAlert()], 10)).toEqual(["officier not-acknowledged 1"]);
    expect(it.look([openAlert()], 15 * MINUTE)).toEqual(["eerste repeated 1", "officier repeated 1"]);
  });

  test("an acknowledgement ends it", () => {
    const it = createTelling(planWith(people, { escalation: [chain] }));
    it.look([openAlert()], MINUTE);
    expect(it.look([openAlert({ state: "acknowledged" })], 60 * MINUTE)).toEqual([]);
  });

  test("where nobody of a role is on duty or to be reached the next one is told at once", () => {
    const away = { fromAt: "2020-01-01T00:00:00Z", untilAt: "2020-01-02T00:00:00Z" };
    const off = createTelling(
      planWith([recipient({ recipientId: "eerste", role: "coordinator", shifts: [away] }), recipient()], {
        escalation: [chain],
      }),
    );
    expect(off.look([openAlert()], 10)).toEqual(["officier not-acknowledged 1"]);
    expect(off.decisions).toContain("nobody-there");

    const down = createTelling(planWith(people, { escalation: [chain] }));
    down.look([openAlert()], 10);
    for (const [id, kept] of down.model.notices)
      (down.model.notices as Map<string, typeof kept>).set(id, { ...kept, rounds: 1 });
    expect(down.look([openAlert()], 10)).toEqual(["officier not-acknowledged 1"]);
    expect(down.decisions).toContain("nobody-reached");
  });
});

describe("quiet hours, shifts and mutes", () => {
  // 13:00 local at noon UTC in November.
  const quiet = [{ from: "12:00", until: "14:00" }];

  test("in quiet hours only priority 1 comes through, and the rest when they end", () => {
    const it = createTelling(planWith([recipient({ quiet })]));
    expect(it.look([openAlert({ priority: 2 })], 50 * MINUTE)).toEqual([]);
    expect(it.look([openAlert({ priority: 2 }), openAlert({ pointId: "alm-02" })], 10)).toEqual(["officier raised 1"]);
    expect(it.look([openAlert({ priority: 2 })], 15 * MINUTE)).toEqual(["officier raised 1"]);
  });

  test("whoever begins is told what is open, whoever has ended is told nothing", () => {
    const day = recipient({ recipientId: "dag", shifts: [{ from: "08:00", until: "14:00" }] });
    const late = recipient({ recipientId: "avond", shifts: [{ from: "14:00", until: "22:00" }] });
    const it = createTelling(planWith([day, late]));
    expect(it.look([openAlert()], MINUTE)).toEqual(["dag raised 1"]);
    expect(it.look([openAlert()], 60 * MINUTE)).toEqual(["avond hand-over 1"]);
    expect(it.look([openAlert(), openAlert({ pointId: "alm-02" })], MINUTE)).toEqual(["avond raised 1"]);
  });

  test("a mute holds all back and lets go by itself; what was seen meanwhile is not told", () => {
    const it = createTelling(planWith([recipient()]));
    it.mute("officier", it.now() + 30 * MINUTE * 1_000);
    const seen = openAlert({ pointId: "alm-02" });
    expect(it.look([openAlert(), seen], 29 * MINUTE)).toEqual([]);
    expect(it.look([openAlert(), { ...seen, state: "acknowledged" }], 2 * MINUTE)).toEqual(["officier raised 1"]);
    expect(it.model.mutes.size).toBe(0);
  });

  test("a mute outlives neither the shift nor a handing over nor twelve hours", () => {
    const nowMs = Date.UTC(2026, 10, 24, 12);
    const untilMs = nowMs + 48 * 3_600_000;
    const end = (shifts: NonNullable<ReturnType<typeof recipient>["shifts"]> | undefined, handOvers: string[] = []) =>
      new Date(
        muteEnd(recipient(shifts === undefined ? {} : { shifts }), { handOvers }, { nowMs, untilMs }),
      ).toISOString();
    expect(end([{ from: "08:00", until: "20:00" }])).toBe("2026-11-24T19:00:00.000Z");
    expect(end(undefined, ["07:00", "15:00"])).toBe("2026-11-24T14:00:00.000Z");
    expect(end(undefined)).toBe("2026-11-25T00:00:00.000Z");
    const it = createTelling(
      planWith([
        recipient({
          shifts: [
            { from: "08:00", until: "13:30" },
            { from: "15:00", until: "22:00" },
          ],
        }),
      ]),
    );
    it.look([], 1);
    it.mute("officier", it.now() + 12 * 3_600_000);
    it.look([], 31 * MINUTE);
    expect(it.model.mutes.size).toBe(0);
  });

  test("weeks: over midnight, by the day on which it begins, and at the change of summer time", () => {
    const night = { days: ["fri" as const], from: "22:00", until: "06:00" };
    expect(isInside(night, Date.UTC(2026, 10, 27, 22))).toBe(true);
    expect(isInside(night, Date.UTC(2026, 10, 28, 4, 59))).toBe(true);
    expect(isInside(night, Date.UTC(2026, 10, 28, 5))).toBe(false);
    expect(isInside(night, Date.UTC(2026, 10, 28, 22))).toBe(false);
    const saturday = Date.UTC(2026, 2, 28, 21);
    expect(new Date(nextHandOver([], ["07:00"], saturday)).toISOString()).toBe("2026-03-29T05:00:00.000Z");
  });
});
