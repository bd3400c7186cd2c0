import { describe, expect, test } from "vitest";
import type { Alert, Priority } from "../../../protocol/index.ts";
import { type AlarmFigures, alarmMetrics, noFigures, withAlarmEvent } from "./alarm-figures.ts";

const MINUTE = 60_000;

function alert(part: Partial<Alert> = {}): Alert {
  const subject = { kind: "point", id: "alm-01", name: "De Waterlelie" } as const;
  const head = { alertId: "a-1", ruleId: "mains-lost", priority: 3 as Priority, subject } as const;
  return { ...head, state: "unacknowledged", raisedAt: "x", values: {}, updatedAt: "x", ...part } as Alert;
}

/** New lines at these minutes. */
function announced(minutes: readonly number[], part: Partial<Alert> = {}, from = noFigures(0)): AlarmFigures {
  return minutes.reduce(
    (figures, minute) => withAlarmEvent(figures, { kind: "announced", alert: alert(part) }, minute * MINUTE),
    from,
  );
}
const upTo = (count: number, every = 0.5) => Array.from({ length: count }, (_, i) => i * every);

describe("the figures about alerts", () => {
  test("of nothing are nought, and there is no time to acknowledge", () => {
    const metrics = alarmMetrics(noFigures(0), [], MINUTE);
    expect(metrics).toMatchObject({ announced: { total: 0, peak10Min: 0 }, flood: { now: false, count: 0, share: 0 } });
    expect(metrics.acknowledgeS).toBeUndefined();
  });

  test("count by ten minutes and by hour, and keep the peak", () => {
    const figures = announced([0, 1, 2, 30, 31, 100]);
    expect(alarmMetrics(figures, [], 101 * MINUTE).announced).toEqual({
      ...{ total: 6, last10Min: 1, lastHour: 1, peak10Min: 3 },
      per10Min: 0.594,
    });
    expect(alarmMetrics(announced([0, 1, 2, 30, 31]), [], 85 * MINUTE).announced).toMatchObject({
      last10Min: 0,
      lastHour: 2,
    });
  });

  test.each([
    ["nine in ten minutes are none", announced(upTo(9)), 10, { now: false, count: 0, share: 0 }],
    ["the tenth begins one", announced(upTo(10)), 5, { now: true, count: 1, share: 0.1 }],
    ["it goes on with five in ten minutes", announced(upTo(10)), 12, { now: true, count: 1, share: 0.625 }],
    ["with four it is over", announced(upTo(10)), 13.4, { now: false, count: 1, share: 0.6642 }],
  ])("a flood: %s", (_, figures, minute, flood) => {
    expect(alarmMetrics(figures, [], minute * MINUTE).flood).toEqual(flood);
  });

  test("two floods are two, and their time adds up", () => {
    let figures = announced(upTo(12));
    figures = announced([60], {}, figures);
    figures = announced(
      upTo(12).map((one) => one + 120),
      {},
      figures,
    );
    expect(alarmMetrics(figures, [], 126 * MINUTE).flood).toMatchObject({ now: true, count: 2 });
  });

  test("say what is most frequent, the mix of priorities, and how long it took to be seen", () => {
    let figures = announced([1, 2, 3], { ruleId: "silence", priority: 2 });
    figures = announced([4], { subject: { kind: "point", id: "nop-06", name: "Gooimeer" } }, figures);
    for (const seconds of [10, 20, 30, 40, 50, 60, 70, 80, 90, 1_000])
      figures = withAlarmEvent(figures, { kind: "acknowledged", afterMs: seconds * 1000 }, 5 * MINUTE);
    const metrics = alarmMetrics(figures, [], 6 * MINUTE);
    expect(metrics.topRules).toEqual([
      { name: "silence", count: 3 },
      { name: "mains-lost", count: 1 },
    ]);
    expect(metrics.topSubjects[0]).toEqual({ name: "De Waterlelie", count: 3 });
    expect(metrics.byPriority).toEqual({ "1": 0, "2": 3, "3": 1 });
    expect(metrics.acknowledgeS).toEqual({ count: 10, median: 50, p90: 90 });
  });

  test("what was over within a minute and unseen is fleeting", () => {
    let figures = withAlarmEvent(noFigures(0), { kind: "returned", afterMs: 59_000, isSeen: false }, MINUTE);
    figures = withAlarmEvent(figures, { kind: "returned", afterMs: 61_000, isSeen: false }, MINUTE);
    figures = withAlarmEvent(figures, { kind: "returned", afterMs: 5_000, isSeen: true }, MINUTE);
    expect(alarmMetrics(figures, [], MINUTE).fleeting).toBe(1);
  });

  test("of alerts that stand: those that come and go, and those that stand too long", () => {
    const open = [
      alert({ values: { times: 4 } }),
      alert({ state: "acknowledged", staleAt: "x" }),
      alert({ state: "suppressed", staleAt: "x", values: { times: 3 } }),
    ];
    expect(alarmMetrics(noFigures(0), open, MINUTE)).toMatchObject({ chattering: 1, stale: 1 });
  });

  test("take a bounded memory whatever comes", () => {
    let figures = noFigures(0);
    for (let i = 0; i < 1_500; i++) {
      figures = announced([i / 1_000], { ruleId: `rule-${i % 900}` }, figures);
      figures = withAlarmEvent(figures, { kind: "acknowledged", afterMs: i }, i);
    }
    expect(JSON.stringify(figures).length).toBeLessThan(24_000);
    expect(figures.total).toBe(1_500);
  });

  test("a clock that goes back counts nothing twice and ends no flood below nought", () => {
    const figures = announced([50, 51], {}, announced(upTo(10).map((one) => one + 100)));
    expect(alarmMetrics(figures, [], 51 * MINUTE).announced.last10Min).toBeLessThanOrEqual(3);
    expect(alarmMetrics(figures, [], 51 * MINUTE).flood.share).toBeGreaterThanOrEqual(0);
  });
});
