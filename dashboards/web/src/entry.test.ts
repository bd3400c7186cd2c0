import { afterEach, describe, expect, test, vi } from "vitest";
import type { Entry, NewEntry } from "../../../protocol/schema/index.ts";
import { checkDraft, type Draft, EMPTY_DRAFT, NEW_DELIVERY, readNumber, saysTheSame } from "./entry-draft.ts";
import { change, clear, draft, firstMs, isSending, newEntryId, result, sent, submit } from "./entry-store.ts";
import { readMoment } from "./local-moment.ts";

/** di 24 nov 2026 15:00 in Amsterdam. */
const NOW = Date.UTC(2026, 10, 24, 14, 0);
const MINUTE = 60_000;
const context = { nowMs: NOW, entryId: "0123456789abcdef", detected: [] as readonly string[] };

const filled = (part: Partial<Draft>): Draft => ({ ...EMPTY_DRAFT, pointId: "alm-01", via: "voice", ...part });

function faultsOf(part: Partial<Draft>, detected: readonly string[] = []): string[] {
  const checked = checkDraft(filled(part), { ...context, detected });
  return checked.kind === "entry" ? [] : checked.faults.map(({ field, text }) => `${field}: ${text}`);
}

function statementOf(part: Partial<Draft>, detected: readonly string[] = []): NewEntry["statement"] | undefined {
  const checked = checkDraft(filled(part), { ...context, detected });
  return checked.kind === "entry" ? checked.entry.statement : undefined;
}

describe("a time as it is said", () => {
  const minutesAgo = (text: string, nowMs = NOW) => {
    const read = readMoment(text, nowMs);
    return read.kind === "moment" ? (nowMs - read.ms) / MINUTE : read.kind;
  };

  test("is the newest that fits, in all the ways it is written", () => {
    expect(["14:10", "14.10", "1410", " 14:10 uur", "14:10u"].map((text) => minutesAgo(text))).toEqual([
      50, 50, 50, 50, 50,
    ]);
    expect(minutesAgo("15:00")).toBe(0);
    expect(minutesAgo("9:05")).toBe(355);
    expect([minutesAgo("ma 22:30"), minutesAgo("maandag 22:30"), minutesAgo("Mon 22:30")]).toEqual([990, 990, 990]);
    expect(minutesAgo("di 16:00")).toBe(7 * 1440 - 60);
  });

  test("after midnight is yesterday's evening; what is still to come is no moment", () => {
    const midnight = Date.UTC(2026, 10, 24, 23, 20);
    expect(minutesAgo("23:50", midnight)).toBe(30);
    expect(readMoment("15:30", NOW)).toEqual({ kind: "ahead", dayBeforeMs: NOW - 1410 * MINUTE });
    expect(["25:00", "14:75", "straks", "xx 14:10", "14", ""].map((text) => minutesAgo(text))).toEqual(
      Array.from({ length: 6 }, () => "unreadable"),
    );
  });

  test("is right on the days on which the clock is changed", () => {
    // 29 March 2026, 12:00 summer time: 01:30 was 9 and a half hours before, with an hour that never was between.
    const spring = Date.UTC(2026, 2, 29, 10, 0);
    expect(minutesAgo("01:30", spring)).toBe(570);
    // 25 October 2026, 12:00 winter time: 01:30 was 11 and a half hours before.
    const autumn = Date.UTC(2026, 9, 25, 11, 0);
    expect(minutesAgo("01:30", autumn)).toBe(690);
    for (let hour = 0; hour < 24; hour++) {
      const read = readMoment("02:30", autumn + hour * 60 * MINUTE);
      if (read.kind === "moment") expect(read.ms).toBeLessThanOrEqual(autumn + hour * 60 * MINUTE);
    }
  });
});

describe("numbers", () => {
  test("take a comma or a point, and refuse what could be two numbers", () => {
    expect(["38", " 38,5 ", "38.25", ""].map(readNumber)).toEqual([38, 38.5, 38.25, undefined]);
    expect(["1.250", "1,250", "-3", "veel", "1e3", "0x10"].map(readNumber)).toEqual(
      Array.from({ length: 6 }, () => Number.NaN),
    );
  });
});

describe("what stands in the form", () => {
  test("says every fault at its field, all at once", () => {
    const checked = checkDraft({ ...EMPTY_DRAFT, time: "later" }, context);
    expect(checked).toMatchObject({
      kind: "faults",
      faults: [{ field: "point" }, { field: "via-voice" }, { field: "what-phase" }, { field: "time" }],
    });
    expect(faultsOf({ what: "phase" })).toEqual(["phase-standby: faultPhase"]);
    for (const people of ["", "12,5", "2040", "-1", "veel"])
      expect(faultsOf({ what: "count", people })).toEqual(["people: faultPeople"]);
    expect(faultsOf({ what: "dip" })).toEqual(["dip-litres: faultDip"]);
    expect(faultsOf({ what: "dip", dipLitres: "80", dipMm: "400" })).toEqual(["dip-litres: faultDipBoth"]);
    expect(faultsOf({ what: "dip", dipMm: "10001" })).toEqual(["dip-mm: faultNumber"]);
    expect(faultsOf({ what: "delivery", litres: "0" })).toEqual(["litres: faultLitres"]);
    expect(faultsOf({ what: "power" })).toEqual(["mains-present: faultPower"]);
    expect(faultsOf({ what: "power", charge: "101" })).toEqual(["charge: faultNumber"]);
    expect(faultsOf({ what: "supplies" })).toEqual(["score-communications: faultScores"]);
    expect(faultsOf({ what: "supplies", scores: { water: "6", food: "1" } })).toEqual(["score-water: faultScore"]);
    expect(faultsOf({ what: "note", note: "  " })).toEqual(["note: faultNote"]);
    expect(faultsOf({ what: "count", people: "3", note: "x".repeat(281) })).toEqual(["note: faultNoteLong"]);
  });

  test("becomes one statement", () => {
    expect(statementOf({ what: "phase", phase: "full" })).toEqual({ kind: "phase", phase: "full" });
    expect(statementOf({ what: "count", people: "0" })).toEqual({ kind: "count", people: 0 });
    expect(statementOf({ what: "dip", dipLitres: "0" })).toEqual({ kind: "dip", litres: 0 });
    expect(statementOf({ what: "dip", dipMm: "412,5" })).toEqual({ kind: "dip", mm: 412.5 });
    expect(statementOf({ what: "power", generator: "failed" })).toEqual({ kind: "power", generator: "failed" });
    expect(statementOf({ what: "supplies", scores: { water: "0", food: "" } })).toEqual({ kind: "supplies", water: 0 });
    expect(statementOf({ what: "note", note: " brug dicht " })).toEqual({ kind: "note", text: "brug dicht" });
  });

  test("a delivery belongs to the one that was seen, or is another: a person says which", () => {
    expect(statementOf({ what: "delivery", litres: "60" })).toEqual({ kind: "delivery", litres: 60 });
    expect(faultsOf({ what: "delivery", litres: "60" }, ["d1"])).toEqual(["delivery-d1: faultDelivery"]);
    expect(statementOf({ what: "delivery", litres: "60", delivery: "d1" }, ["d1"])).toEqual({
      kind: "delivery",
      litres: 60,
      deliveryId: "d1",
    });
    expect(statementOf({ what: "delivery", litres: "60", delivery: NEW_DELIVERY }, ["d1"])).toEqual({
      kind: "delivery",
      litres: 60,
    });
    // The one that was chosen is confirmed meanwhile by somebody else.
    expect(faultsOf({ what: "delivery", litres: "60", delivery: "d1" }, ["d2"])).toEqual([
      "delivery-d2: faultDelivery",
    ]);
  });

  test("carries when, how and the id of the form", () => {
    const checked = checkDraft(filled({ what: "count", people: "40", time: "14:10", note: "rustig" }), context);
    expect(checked).toEqual({
      kind: "entry",
      pointId: "alm-01",
      entry: {
        at: new Date(NOW - 50 * MINUTE).toISOString(),
        via: "voice",
        entryId: context.entryId,
        statement: { kind: "count", people: 40 },
        note: "rustig",
      },
    });
  });

  test("two statements are the same whatever the order of their parts", () => {
    expect(saysTheSame({ kind: "dip", mm: 3 }, { mm: 3, kind: "dip" })).toBe(true);
    expect(saysTheSame({ kind: "count", people: 3 }, { kind: "count", people: 4 })).toBe(false);
  });

  test("an id fits the schema, and no two are the same", () => {
    const ids = Array.from({ length: 50 }, newEntryId);
    expect(ids.every((id) => /^[a-zA-Z0-9-]{8,64}$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(50);
  });
});

describe("sending it", () => {
  /** A gateway that keeps the first of each id; it can be away, lose its answers or refuse. */
  function fakeGateway() {
    const kept = new Map<string, Entry>();
    const gateway = { kept, posts: 0, mode: "ok" as "ok" | "away" | "mute" | "refuse" };
    vi.stubGlobal("fetch", async (path: string, init?: RequestInit) => {
      if (init?.method !== "POST") return new Response(JSON.stringify([...kept.values()]));
      gateway.posts += 1;
      if (gateway.mode === "away") throw new TypeError("network");
      if (gateway.mode === "refuse")
        return new Response(JSON.stringify({ detail: "no", problems: ["mm: no table"] }), { status: 422 });
      const pointId = decodeURIComponent(/points\/([^/]+)\//.exec(path)?.[1] ?? "");
      const entry = JSON.parse(String(init.body)) as Entry;
      if (!kept.has(entry.entryId)) kept.set(entry.entryId, { ...entry, pointId, by: "coordinator-1" });
      if (gateway.mode === "mute") throw new TypeError("network");
      return new Response(JSON.stringify({ pointId }));
    });
    return gateway;
  }
  afterEach(() => {
    vi.unstubAllGlobals();
    clear();
    sent.value = [];
  });
  const fill = (people: string) =>
    change({ pointText: "De Kern", pointId: "alm-01", via: "voice", what: "count", people });

  test("a double press counts once, and who told it stays for the next", async () => {
    const gateway = fakeGateway();
    fill("40");
    await Promise.all([submit([]), submit([])]);
    expect([gateway.posts, gateway.kept.size, isSending.value]).toEqual([1, 1, false]);
    expect(result.value).toMatchObject({ kind: "done", differs: false });
    expect(draft.value).toMatchObject({ pointId: "alm-01", via: "voice", what: "", people: "" });
    expect(sent.value).toHaveLength(1);
  });

  test("faults ask nothing of the gateway", async () => {
    const gateway = fakeGateway();
    fill("veel");
    await submit([]);
    expect([gateway.posts, result.value.kind, draft.value.people]).toEqual([0, "faults", "veel"]);
  });

  test("a gateway that is away keeps the form, its id and its now", async () => {
    const gateway = fakeGateway();
    gateway.mode = "away";
    fill("40");
    await submit([]);
    const first = firstMs.value;
    expect(result.value).toEqual({ kind: "failed", status: 0, what: "" });
    expect(draft.value.people).toBe("40");
    gateway.mode = "ok";
    await submit([]);
    expect(gateway.kept.size).toBe(1);
    expect(first).toBeDefined();
    expect(Date.parse([...gateway.kept.values()][0]?.at ?? "")).toBe(Math.floor((first ?? 0) / 1000) * 1000);
    expect(firstMs.value).toBeUndefined();
  });

  test("an answer that is lost does not make two of it", async () => {
    const gateway = fakeGateway();
    gateway.mode = "mute";
    fill("40");
    await submit([]);
    gateway.mode = "ok";
    await submit([]);
    expect([gateway.posts, gateway.kept.size]).toEqual([2, 1]);
    expect(result.value).toMatchObject({ kind: "done", differs: false });
  });

  test("a form changed after a lost answer says what had arrived, and keeps the correction as a new report", async () => {
    const gateway = fakeGateway();
    gateway.mode = "mute";
    fill("40");
    await submit([]);
    gateway.mode = "ok";
    change({ people: "45" });
    await submit([]);
    expect(result.value).toMatchObject({ kind: "done", differs: true, entry: { statement: { people: 40 } } });
    expect(draft.value.people).toBe("45");
    await submit([]);
    const counts = [...gateway.kept.values()].map(({ statement }) =>
      statement.kind === "count" ? statement.people : 0,
    );
    expect(counts).toEqual([40, 45]);
  });

  test("for another point after a lost answer it is another report", async () => {
    const gateway = fakeGateway();
    gateway.mode = "mute";
    fill("40");
    await submit([]);
    gateway.mode = "ok";
    change({ pointId: "alm-02" });
    await submit([]);
    expect([...gateway.kept.values()].map((entry) => entry.pointId)).toEqual(["alm-01", "alm-02"]);
  });

  test("a refusal says why, and the form is kept", async () => {
    const gateway = fakeGateway();
    gateway.mode = "refuse";
    fill("40");
    await submit([]);
    expect(result.value).toEqual({ kind: "failed", status: 422, what: "mm: no table" });
    expect(draft.value.people).toBe("40");
  });
});
