// The way of a notice: every outcome at every place among its channels, and the pauses between rounds.
import { describe, expect, test } from "vitest";
import { EMAIL, SMS } from "../../../tests/notify-fixtures.ts";
import { type KeptNotice, type Outcome, PAUSE_MS_MAX, stepDelivery, stepExpiry } from "./delivery.ts";

const MQTT = { type: "mqtt" } as const;
const OUTCOMES = {
  delivered: { kind: "delivered" },
  "handed on": { kind: "handed-on" },
  failed: { kind: "failed", reason: "451" },
  down: { kind: "failed", reason: "no network", isDown: true },
  refused: { kind: "refused", reason: "550" },
} as const satisfies Record<string, Outcome>;

function kept(part: Partial<KeptNotice> = {}): KeptNotice {
  return {
    notice: {
      noticeId: "officier-a-1-raised",
      recipientId: "officier",
      role: "officier",
      reason: "raised",
      priority: 1,
      alertIds: ["a-1"],
      count: 1,
      headline: "PRIO 1",
      lines: [],
      state: "waiting",
      createdAt: "2026-11-24T12:00:00.000Z",
      expiresAt: "2026-11-24T16:00:00.000Z",
      attempts: [],
    },
    about: ["a-1@1"],
    language: "nl",
    parts: [],
    at: 0,
    tries: 0,
    rounds: 0,
    nextMs: 0,
    isHandedOn: false,
    refusedBy: [],
    ...part,
  };
}

/** `state at tries rounds`, and a pause where there is one. */
function after(outcome: Outcome, part: Partial<KeptNotice> = {}, channels = [SMS, EMAIL]): string {
  const step = stepDelivery(kept(part), outcome, { channels, nowMs: 0, chance: 0.5 });
  const pause = step.notice.nextAt === undefined ? "" : ` ${step.nextMs}`;
  return `${step.notice.state} ${step.at} ${step.tries} ${step.rounds}${pause}`;
}

describe("one try", () => {
  test.each<[keyof typeof OUTCOMES, Partial<KeptNotice>, string]>([
    ["delivered", {}, "delivered 0 0 0"],
    ["delivered", { at: 1 }, "delivered 1 0 0"],
    ["handed on", {}, "waiting 1 0 0"],
    ["handed on", { at: 1 }, "delivered 1 0 0"],
    ["failed", {}, "waiting 0 1 0 11250"],
    ["failed", { tries: 1 }, "waiting 1 0 0"],
    ["failed", { at: 1, tries: 1 }, "waiting 0 0 1 11250"],
    ["failed", { at: 1, tries: 1, isHandedOn: true }, "delivered 1 0 0"],
    ["down", {}, "waiting 1 0 0"],
    ["down", { at: 1 }, "waiting 0 0 1 11250"],
    ["down", { at: 1, rounds: 2 }, "waiting 0 0 3 45000"],
    ["down", { at: 1, refusedBy: [0] }, "waiting 1 0 1 11250"],
    ["refused", {}, "waiting 1 0 0"],
    ["refused", { at: 1 }, "waiting 0 0 1 11250"],
    ["refused", { at: 1, refusedBy: [0] }, "failed 1 0 0"],
  ])("that is %s at %j", (outcome, part, words) => expect(after(OUTCOMES[outcome], part)).toBe(words));

  test("a pause is never longer than ten minutes, nor shorter than half of it", () => {
    for (let rounds = 0; rounds < 100; rounds++) {
      for (const chance of [0, 1]) {
        const context = { channels: [SMS], nowMs: 0, chance };
        const { nextMs } = stepDelivery(kept({ rounds }), OUTCOMES.down, context);
        expect(nextMs).toBeGreaterThanOrEqual(7_500);
        expect(nextMs).toBeLessThanOrEqual(PAUSE_MS_MAX);
      }
    }
  });

  test("what is kept of tries has an end", () => {
    let one = kept();
    for (let i = 0; i < 200; i++)
      one = stepDelivery(one, OUTCOMES.down, { channels: [SMS, MQTT], nowMs: i, chance: 0 });
    expect(one.notice.attempts).toHaveLength(40);
    expect(one.notice.attempts.at(-1)?.at).toBe("1970-01-01T00:00:00.199Z");
  });
});

describe("the end of its time", () => {
  const end = Date.parse("2026-11-24T16:00:00.000Z");
  test.each([
    ["before it", kept(), 2, end - 1, "waiting"],
    ["nobody reached", kept(), 2, end, "expired"],
    ["handed on by some way", kept({ isHandedOn: true }), 2, end, "delivered"],
    ["its recipient gone", kept(), 0, 0, "failed"],
    ["under way", { ...kept(), notice: { ...kept().notice, state: "sending" as const } }, 2, end, "sending"],
  ])("%s", (_, one, channels, nowMs, state) => expect(stepExpiry(one, channels, nowMs).notice.state).toBe(state));
});
