import { describe, expect, test } from "vitest";
import type { Alert, HelpRequest, PointState } from "../../../protocol/schema/index.ts";
import { barPriority } from "./bars.ts";
import { createFormat } from "./format.ts";
import { alertOrder } from "./order.ts";
import { detailWords, requestOrder, stepsFor } from "./request-order.ts";
import { hrefOf, parseRoute } from "./route.ts";
import { isDue, MUTE_MS_MAX, mutedUntil } from "./sound-rule.ts";

const NOW = Date.UTC(2026, 10, 24, 12);
const at = (minutes: number) => new Date(NOW + minutes * 60_000).toISOString();
const alert = (part: Partial<Alert>) => ({ priority: 1, state: "unacknowledged", raisedAt: at(-5), ...part }) as Alert;
const request = (part: Partial<HelpRequest> = {}) =>
  ({ kind: "fuel", state: "asked", askedAt: at(-5), pressed: 0, ...part }) as HelpRequest;

describe("the sound", () => {
  const due = (part: Partial<Alert>, times: Partial<{ nowMs: number; lastMs: number; untilMs: number }> = {}) =>
    isDue([alert(part)], { nowMs: NOW, lastMs: 0, untilMs: undefined, ...times });

  test("is for what is critical and unacknowledged, every ten seconds", () => {
    expect(due({})).toBe(true);
    expect(due({ priority: 2 })).toBe(false);
    for (const state of ["acknowledged", "shelved", "suppressed", "returned-unacknowledged"] as const)
      expect(due({ state })).toBe(false);
    expect(due({}, { lastMs: NOW - 9_999 })).toBe(false);
    expect(due({}, { lastMs: NOW - 10_000 })).toBe(true);
    // The clock went back.
    expect(due({}, { lastMs: NOW + 60_000 })).toBe(true);
  });

  test("is muted until a time, and never longer than a shift", () => {
    expect(due({}, { untilMs: NOW + 1 })).toBe(false);
    expect(due({}, { untilMs: NOW })).toBe(true);
    expect(mutedUntil(NOW + MUTE_MS_MAX, NOW)).toBe(NOW + MUTE_MS_MAX);
    expect(mutedUntil(NOW + MUTE_MS_MAX + 1, NOW)).toBeUndefined();
    expect(due({}, { untilMs: NOW + MUTE_MS_MAX + 1 })).toBe(true);
  });
});

test("alerts stand by priority, then by the time there is left; what is critical and names none is due at once", () => {
  const list = [
    alert({ alertId: "late", respondBy: at(300) }),
    alert({ alertId: "advice", priority: 3, respondBy: at(1) }),
    alert({ alertId: "soon", respondBy: at(60) }),
    alert({ alertId: "help" }),
    alert({ alertId: "warning", priority: 2 }),
    alert({ alertId: "warning-soon", priority: 2, respondBy: at(600) }),
  ];
  expect(list.sort(alertOrder).map(({ alertId }) => alertId)).toEqual([
    ...["help", "soon", "late", "warning-soon", "warning", "advice"],
  ]);
});

describe("requests", () => {
  test("stand with the longest wait first, a matter of life before the rest", () => {
    const list = [
      request({ requestId: "b", askedAt: at(-1) }),
      request({ requestId: "a" }),
      request({ requestId: "c", kind: "police", askedAt: at(0) }),
    ];
    expect(list.sort(requestOrder).map(({ requestId }) => requestId)).toEqual(["c", "a", "b"]);
  });

  test.each([
    ["asked", ["promised", "under-way", "delivered", "declined"]],
    ["promised", ["under-way", "delivered", "declined"]],
    ["under-way", ["delivered", "declined"]],
    ["delivered", []],
    ["declined", []],
  ] as const)("that are %s can be taken to %j", (state, steps) => {
    expect(stepsFor(request({ state }))).toEqual(steps);
  });

  test("say how much, by when, how often, and whether they came late", () => {
    const format = createFormat("nl");
    const all = request({ quantity: 200, neededBy: at(60), pressed: 3, late: true });
    expect(detailWords(all, NOW, format)).toBe(
      "200 l · nodig voor di 14:00 · 3 keer gedrukt · kwam te laat binnen: bel het punt",
    );
    expect(detailWords(request({ kind: "staff", quantity: 4, pressed: 1 }), NOW, format)).toBe("4 mensen");
    expect(detailWords(request(), NOW, format)).toBe("");
  });

  test("have an address", () => {
    expect(parseRoute("#/verzoeken")).toEqual({ kind: "requests" });
    expect(parseRoute(hrefOf({ kind: "requests" }))).toEqual({ kind: "requests" });
  });
});

test.each([
  [1, 33, 3],
  [1, 15, 2],
  [1, 5, 1],
  [2, 33, 3],
  [3, 5, 3],
  [0, 5, 0],
] as const)("a point of priority %i with %i hours left has a bar of priority %i", (priority, p50H, bar) => {
  expect(barPriority({ priority, endurance: { kind: "estimate", p50H } } as PointState)).toBe(bar);
});
