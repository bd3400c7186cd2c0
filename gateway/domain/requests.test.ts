import { describe, expect, test } from "vitest";
import { type NewHelpRequest, REQUEST_STATES, type RequestState } from "../../protocol/index.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { helpText } from "./help-text.ts";
import {
  askedBy,
  CLOSED_KEEP_MS,
  CLOSED_MAX,
  faultOfAsk,
  forgettable,
  type KeptRequest,
  kindOf,
  lampsDue,
  type Press,
  priorityOfRequest,
  type RequestInput,
  stepRequest,
  stepRequestState,
  takePress,
} from "./requests.ts";

const PRESS: Press = {
  ...{ deviceId: "alm-01-d1", pointId: "alm-01", sequence: 7, atMs: NOON_MS, kind: "medical" },
  isLate: false,
};
const pressed = (part: Partial<Press> = {}, known: KeptRequest[] = []) =>
  takePress(known, { ...PRESS, ...part }) as KeptRequest;
const DOER = { by: "coordinator-1", nowMs: NOON_MS + 60_000 };
const asked = (part: Partial<NewHelpRequest> = {}, requestId = "form-0001") =>
  askedBy(
    { kind: "fuel", via: "voice", ...part },
    { pointId: "alm-01", requestId, by: "coordinator-1", nowMs: NOON_MS },
  );

describe("the life of a request", () => {
  const INPUTS: readonly RequestInput[] = ["ask", "promised", "under-way", "delivered", "declined"];
  /** state: what each input makes of it, with a reason and without one; = is refused. */
  const TABLE: Readonly<Record<RequestState, readonly string[]>> = {
    asked: [
      "asked asked-again",
      "promised promised",
      "under-way under-way",
      "delivered delivered",
      "declined declined",
    ],
    promised: [
      "promised asked-again",
      "= unchanged",
      "under-way under-way",
      "delivered delivered",
      "declined declined",
    ],
    "under-way": [
      "under-way asked-again",
      "= goes-forward-only",
      "= unchanged",
      "delivered delivered",
      "declined declined",
    ],
    delivered: ["= closed", "= closed", "= closed", "= closed", "= closed"],
    declined: ["= closed", "= closed", "= closed", "= closed", "= closed"],
  };

  test.each(REQUEST_STATES.flatMap((state) => INPUTS.map((input, i) => [state, input, TABLE[state][i]] as const)))(
    "%s, %s: %s",
    (state, input, cell = "") => {
      const [next, reason] = cell.split(" ");
      const isDone = next !== "=";
      expect(stepRequestState(state, input, true)).toEqual({ state: isDone ? next : state, reason, isDone });
    },
  );

  test.each(["asked", "promised", "under-way"] as const)("%s is not declined without a reason", (state) => {
    expect(stepRequestState(state, "declined", false)).toEqual({ state, reason: "reason-needed", isDone: false });
    const kept = { ...asked(), request: { ...asked().request, state } };
    for (const note of [undefined, "  "]) {
      const step = { state: "declined", ...(note === undefined ? {} : { note }) } as const;
      expect(stepRequest(kept, step, DOER)).toMatchObject({ kept, life: { reason: "reason-needed" } });
    }
  });

  test("keeps who, when, how and why of each step", () => {
    const first = stepRequest(
      asked({ note: "for the night" }),
      { state: "promised", via: "voice", note: "truck 2" },
      DOER,
    ).kept;
    const last = stepRequest(first, { state: "delivered" }, { ...DOER, nowMs: NOON_MS + 120_000 }).kept;
    expect(last.request).toMatchObject({ state: "delivered", updatedAt: "2026-11-24T12:02:00.000Z", pressed: 0 });
    expect(last.request.steps).toEqual([
      { state: "asked", at: "2026-11-24T12:00:00.000Z", by: "coordinator-1", via: "voice", note: "for the night" },
      { state: "promised", at: "2026-11-24T12:01:00.000Z", by: "coordinator-1", via: "voice", note: "truck 2" },
      { state: "delivered", at: "2026-11-24T12:02:00.000Z", by: "coordinator-1", via: "screen" },
    ]);
  });
});

describe("a button", () => {
  test("asks once: pressed again it counts up, and what is sent again counts no second time", () => {
    const first = pressed();
    expect(first.request).toMatchObject({ requestId: "help-alm-01-d1-7", state: "asked", pressed: 1 });
    const again = pressed({ sequence: 9, atMs: NOON_MS + 5_000 }, [first]);
    expect(again.request).toMatchObject({
      requestId: "help-alm-01-d1-7",
      pressed: 2,
      pressedAt: "2026-11-24T12:00:05.000Z",
    });
    expect(again.request.steps).toHaveLength(1);
    for (const sequence of [7, 9]) expect(takePress([again], { ...PRESS, sequence })).toBeUndefined();
    // An older one that comes after a newer one is a press all the same.
    expect(pressed({ sequence: 8, atMs: NOON_MS + 1_000 }, [again]).request).toMatchObject({
      ...{ pressed: 3, pressedAt: "2026-11-24T12:00:05.000Z" },
    });
  });

  test("of another kind, at another point, or after the end asks anew", () => {
    const first = pressed();
    expect(pressed({ kind: "water", sequence: 8 }, [first]).request.requestId).toBe("help-alm-01-d1-8");
    expect(pressed({ pointId: "alm-02", sequence: 8 }, [first]).request.pressed).toBe(1);
    const closed = stepRequest(first, { state: "delivered" }, DOER).kept;
    expect(pressed({ sequence: 8 }, [closed]).request).toMatchObject({ state: "asked", pressed: 1 });
    expect(takePress([closed], PRESS)).toBeUndefined();
  });

  test("that comes late is marked, until somebody presses now", () => {
    const late = pressed({ isLate: true });
    expect(late.request.late).toBe(true);
    expect(pressed({ isLate: true, sequence: 8 }, [late]).request.late).toBe(true);
    expect(pressed({ sequence: 8 }, [late]).request).not.toHaveProperty("late");
    expect(pressed({ isLate: true, sequence: 8 }, [pressed()]).request).not.toHaveProperty("late");
  });

  test("has a kind for each code, the most pressing for one that nobody knows", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7].map(kindOf)).toEqual([
      ...["medical", "medical", "fuel", "water", "staff", "police", "technical", "medical"],
    ]);
    expect([1, 2, 3, 4, 5, 6].map((code) => priorityOfRequest(kindOf(code)))).toEqual([1, 2, 2, 2, 1, 2]);
  });
});

test("the lamps of a point are due when nothing that was pressed there is left untaken", () => {
  const medical = pressed();
  const water = stepRequest(pressed({ kind: "water", sequence: 8 }), { state: "promised" }, DOER).kept;
  expect([...lampsDue([medical, water])]).toEqual([]);
  const taken = stepRequest(medical, { state: "under-way" }, DOER).kept;
  expect([...lampsDue([taken, water])]).toEqual([["alm-01", ["help-alm-01-d1-7", "help-alm-01-d1-8"]]]);
  // What was asked by voice has no lamp, and holds none up.
  expect([...lampsDue([asked(), water]).keys()]).toEqual(["alm-01"]);
  expect(stepRequest(asked(), { state: "promised" }, DOER).kept).not.toHaveProperty("lampDue");
  const { lampDue: _, ...lit } = taken;
  expect(stepRequest(lit, { state: "delivered" }, DOER).kept).not.toHaveProperty("lampDue");
});

test.each([
  [{ kind: "medical", quantity: 3 }, "quantity: there is none of medical"],
  [{ kind: "staff", quantity: 1.5 }, "quantity: whole people"],
  [{ kind: "fuel", neededBy: "2026-11-24T12:00:00Z" }, "neededBy: a moment after now"],
  [{ kind: "fuel", neededBy: "2026-13-24T12:00:00Z" }, "neededBy: no moment"],
  [{ kind: "fuel", quantity: 200, neededBy: "2026-11-24T13:00:00Z" }, undefined],
] as const)("asking for %o: %s", (part, fault) => {
  expect(faultOfAsk({ via: "voice", ...part }, NOON_MS)).toBe(fault);
});

test("what is closed is forgotten after its time, the oldest first beyond a number; what is open never", () => {
  const closed = (i: number, ms: number) =>
    stepRequest(asked({}, `form-${i}`), { state: "delivered" }, { by: "a", nowMs: ms }).kept;
  const one = closed(1, NOON_MS);
  expect(forgettable([one, asked()], NOON_MS + CLOSED_KEEP_MS)).toEqual([]);
  expect(forgettable([one, asked()], NOON_MS + CLOSED_KEEP_MS + 1)).toEqual(["form-1"]);
  const many = Array.from({ length: CLOSED_MAX + 2 }, (_, i) => closed(i, NOON_MS + i));
  expect(forgettable(many, NOON_MS).sort()).toEqual(["form-0", "form-1"]);
});

test("words of a request name its kind, how much, by when, and how often it was pressed", () => {
  const said = helpText({ kind: "fuel", quantity: 1500, neededBy: "2026-11-24T18:00:00Z", pressed: 3 });
  expect(said.nl).toMatchObject({
    what: "Brandstof gevraagd",
    consequence: expect.stringMatching(
      /^1\.500 l · nodig voor .*19:00 · 3 keer gedrukt · nog niemand heeft het aangenomen$/,
    ),
  });
  expect(said.en.consequence).toMatch(/^1,500 l · needed by .*19:00 · pressed 3 times · nobody has taken it yet$/);
});
