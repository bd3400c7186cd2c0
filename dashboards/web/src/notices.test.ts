import { describe, expect, test } from "vitest";
import type { Notice } from "../../../protocol/schema/index.ts";
import { createFormat } from "./format.ts";
import { attemptWords, recipientsIn, sortNotices } from "./notice-order.ts";
import { parseRoute } from "./route.ts";

const NOON_MS = Date.UTC(2026, 10, 24, 12, 0, 0);
const at = (minutes: number) => new Date(NOON_MS + minutes * 60_000).toISOString();

function notice(noticeId: string, part: Partial<Notice> = {}): Notice {
  return {
    noticeId,
    recipientId: "duty",
    role: "officier",
    reason: "raised",
    priority: 2,
    alertIds: [],
    count: 1,
    headline: "Geen stroom",
    lines: [],
    state: "delivered",
    createdAt: at(0),
    expiresAt: at(60),
    attempts: [],
    ...part,
  };
}

describe("messages to people", () => {
  test("what nobody got comes first and the pressing before the rest; what was seen meanwhile is not lost", () => {
    const sorted = sortNotices([
      notice("old", { createdAt: at(-5) }),
      notice("lost-2", { state: "failed" }),
      notice("lost-1", { state: "expired", priority: 1, createdAt: at(-20) }),
      notice("seen", { state: "expired", handled: true }),
      notice("new", { state: "sending" }),
      notice("waits", { state: "waiting", createdAt: at(-1) }),
    ]);
    expect(sorted.lost.map((one) => one.noticeId)).toEqual(["lost-1", "lost-2"]);
    expect(sorted.underWay.map((one) => one.noticeId)).toEqual(["new", "waits"]);
    expect(sorted.done.map((one) => one.noticeId)).toEqual(["seen", "old"]);
  });

  test("says what was tried last, why it failed and when it is tried again", () => {
    const format = createFormat("nl");
    const attempt = { at: at(0), channel: "sms", outcome: "failed", detail: "no network" } as const;
    const waiting = notice("a", { state: "waiting", attempts: [attempt], nextAt: at(2) });
    expect(attemptWords(waiting, format)).toBe("13:00 sms: mislukt (no network) · weer om 13:02");
    expect(attemptWords(notice("b", { state: "waiting", nextAt: at(2) }), format)).toBe("");
    expect(attemptWords(notice("c", { state: "expired", handled: true }), format)).toBe(
      "al gezien, niet meer verstuurd",
    );
  });

  test("everybody who was told of something can be left out, each once; the page has an address", () => {
    const ones = [notice("a"), notice("b", { recipientId: "commander" }), notice("c")];
    expect(recipientsIn(ones)).toEqual(["commander", "duty"]);
    expect(parseRoute("#/berichten")).toEqual({ kind: "notices" });
  });
});
