// Tests of rules, of the tool that runs them, and of rules that are tried on what was recorded.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { encodeReport } from "../../protocol/index.ts";
import { POINT, power, registryOf } from "../../tests/engine-fixtures.ts";
import { NOON_MS, report, temporaryFolder } from "../../tests/fixtures.ts";
import { spellDifference } from "../domain/alerts/spells.ts";
import type { RegistryView } from "../domain/point.ts";
import { CONCEPT_2026 } from "../domain/profile.ts";
import type { JournalRecord } from "../domain/record.ts";
import { FIRST_CYCLE_BASE } from "../domain/sequence.ts";
import type { GatewayError } from "../errors.ts";
import { replay } from "./rules-replay.ts";
import { testRules } from "./rules-test.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

function write(name: string, text: string): string {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
}

async function run(path: string, json = false) {
  const said: string[] = [];
  const io = {
    out: (line: string) => void said.push(line),
    err: () => {},
    nowMs: () => 0,
    isTerminal: false,
    readInput: () => "",
  };
  const code = await testRules(path, json, io);
  return { code, said };
}

const HEAD = `version = 1
[[tests]]
name = "energy low"
points = [{ pointId = "alm-01", ratedKw = 8 }]
reports = [{ minute = 0, until = 60, report = { power = { fuelLevelPct = 7, generator = "running", mains = "lost" } } }]
`;
const MAINS = '{ rule = "mains-lost", on = "alm-01" }';

describe("waakvlam rules test", () => {
  test("runs timelines with reports, acts, silence and groups through the real engine", async () => {
    const path = write(
      "good.toml",
      `${HEAD}
acts = [
  { minute = 35, act = "acknowledge", rule = "endurance-low", on = "alm-01" },
  { minute = 36, act = "shelve", rule = "mains-lost", on = "alm-01", until = 50, reason = "known, the whole street" },
]
expect = [
  { minute = 0, alerts = [] },
  { minute = 29, alerts = [${MAINS}] },
  { minute = 31, alerts = [${MAINS}, { rule = "endurance-low", on = "alm-01", state = "unacknowledged", priority = 2 }] },
  { minute = 40, alerts = [{ rule = "endurance-low", on = "alm-01", state = "acknowledged" }] },
  { minute = 41, alerts = [{ rule = "endurance-low", on = "alm-01" }, { rule = "mains-lost", on = "alm-01", state = "shelved" }] },
  { minute = 51, alerts = [{ rule = "endurance-low", on = "alm-01" }, ${MAINS}] },
  { minute = 70, alerts = [{ rule = "endurance-low", on = "alm-01" }, ${MAINS}, { rule = "silence", on = "alm-01" }] },
]

[[tests]]
name = "an outage is one line"
points = [{ pointId = "nop", count = 20 }]
reports = [{ minute = 0, until = 3, report = { power = { mains = "lost", fuelLevelPct = 90 } } }]
told = [{ minute = 3, points = ["nop-3"], via = "voice", statement = { kind = "note", text = "calm" } }]
events = [{ minute = 2, points = ["nop-1"], event = "refuelled" }]
expect = [
  { minute = 3, alerts = [
    { rule = "group-mains-lost", on = "mains-lost", values = { count = 20 } },
    { rule = "group-power-lost", on = "power-lost" },
  ] },
]

[[tests]]
name = "each process of a post is an alert of its own"
points = [{ pointId = "alm-w1", ratedKw = 8, processes = [
  { processId = "turnout", name = "Uitruk", directorate = "brandweer", quantity = "fuelL", minimum = 100 },
  { processId = "control", name = "Meldkamer", directorate = "crisisorganisatie", quantity = "temperatureC" },
] }]
reports = [
  { minute = 0, until = 20, report = { power = { fuelLevelPct = 45, mains = "present" }, environment = { temperatureC = 18 } } },
  { minute = 21, until = 60, report = { power = { fuelLevelPct = 51, mains = "present" }, environment = { temperatureC = 9 } } },
  { minute = 61, until = 70, report = { power = { fuelLevelPct = 55, mains = "present" }, environment = { temperatureC = 9 } } },
]
acts = [{ minute = 15, act = "acknowledge", rule = "process-minimum", on = "alm-w1/turnout" }]
expect = [
  { minute = 9, alerts = [] },
  { minute = 12, alerts = [{ rule = "process-minimum", on = "alm-w1/turnout", priority = 3 }] },
  { minute = 40, alerts = [
    { rule = "process-minimum", on = "alm-w1/turnout", state = "acknowledged", values = { directorate = "brandweer", minimum = 100 } },
    { rule = "process-minimum", on = "alm-w1/control", state = "unacknowledged", values = { directorate = "crisisorganisatie", minimum = 15, value = 9 } },
  ] },
  { minute = 65, alerts = [{ rule = "process-minimum", on = "alm-w1/control" }] },
]

[[tests]]
name = "late samples raise nothing"
points = [{ pointId = "alm-01", ratedKw = 8 }]
reports = [
  { minute = 0, until = 200, report = { power = { mains = "present" } } },
  { minute = 0.5, until = 60, lateMinutes = 120, report = { power = { mains = "lost", fuelLevelPct = 1 } } },
]
expect = [{ minute = 190, alerts = [] }]
`,
    );
    const { code, said } = await run(path);
    expect(said).toEqual([
      "ok     energy low",
      "ok     an outage is one line",
      "ok     each process of a post is an alert of its own",
      "ok     late samples raise nothing",
      "4 passed, 0 failed",
    ]);
    expect(code).toBe(0);
  });

  test("says what is missing, what is too many, and what is other; in JSON as well", async () => {
    const path = write(
      "wrong.toml",
      `${HEAD}expect = [
  { minute = 20, alerts = [{ rule = "silence", on = "alm-01" }] },
  { minute = 40, alerts = [{ rule = "endurance-low", on = "alm-01", priority = 1, state = "acknowledged" }, ${MAINS}] },
]
acts = [{ minute = 5, act = "reset", rule = "mains-lost", on = "alm-01" }]
`,
    );
    const { code, said } = await run(path);
    expect(code).toBe(1);
    expect(said.map((line) => line.trim())).toEqual([
      "FAILED energy low",
      "minute 5: reset of mains-lost on alm-01 is refused: that cannot be done to this alert now (it is unacknowledged)",
      "minute 20: mains-lost on alm-01 stands (unacknowledged, priority 3), not expected",
      "minute 20: silence on alm-01 is expected and does not stand",
      "minute 40: endurance-low on alm-01 has state unacknowledged, expected acknowledged",
      "minute 40: endurance-low on alm-01 has priority 2, expected 1",
      "0 passed, 1 failed",
    ]);
    const json = await run(path, true);
    expect(json.said).toHaveLength(1);
    expect(JSON.parse(json.said[0] as string)).toMatchObject({ failed: 1, tests: [{ passed: false }] });
  });

  test("judges by the rules of a file beside it", async () => {
    write(
      "mine.toml",
      `version = 1\n[[overrides]]\nruleId = "mains-lost"\ndisabled = true\nreason = "no matter here"\n[[overrides]]\nruleId = "endurance-low"\nonDelayS = 60\nreason = "far"\n`,
    );
    const path = write(
      "with.toml",
      HEAD.replace("version = 1", 'version = 1\nrulesFile = "mine.toml"') +
        'expect = [{ minute = 2, alerts = [{ rule = "endurance-low", on = "alm-01" }] }]\n',
    );
    expect((await run(path)).said).toEqual(["ok     energy low", "1 passed, 0 failed"]);
  });

  test.each([
    ["an unknown key", `${HEAD}expekt = []\n`, "tests/0/expekt is not a known key: did you mean expect?"],
    [
      "a point that is not there",
      `${HEAD.replace("minute = 0,", 'minute = 0, points = ["alm-02"],')}expect = [{ minute = 1, alerts = [] }]\n`,
      "tests/0/reports/0/points: alm-02 is no point of this test: did you mean alm-01?",
    ],
    [
      "a shelf without end",
      `${HEAD}expect = [{ minute = 1, alerts = [] }]\nacts = [{ minute = 1, act = "shelve", rule = "x", on = "y", reason = "why" }]\n`,
      "tests/0/acts/0 misses until",
    ],
  ])("refuses a file with %s", async (_, text, problem) => {
    const failed = await run(write("bad.toml", text)).catch((error: unknown) => error as GatewayError);
    expect((failed as GatewayError).code).toBe("CONFIG_INVALID");
    expect(((failed as GatewayError).detail["problems"] as string[]).join("\n")).toContain(problem);
  });
});

describe("rules over what was recorded", () => {
  const MINUTE = 60_000;
  /** A report a minute of one point: two hours of mains, one without, two with; the gateway down for half an hour in the last. */
  function record(): JournalRecord[] {
    const rows: JournalRecord[] = [];
    for (let minute = 0; minute < 300; minute++) {
      if (minute >= 240 && minute < 270) continue;
      const mains = minute >= 120 && minute < 180 ? "lost" : "present";
      const receivedMs = NOON_MS + minute * MINUTE;
      rows.push({
        id: rows.length + 1,
        deviceId: "alm-01-d1",
        sequence: FIRST_CYCLE_BASE + minute + 1,
        receivedMs,
        timeMs: receivedMs,
        timeQuality: "synced",
        link: "mqtt",
        frame: encodeReport(report({ sequence: minute + 1, time: receivedMs / 1000, ...power(50, mains) })),
        boot: minute < 240 ? 1 : 2,
      });
    }
    return rows;
  }
  const rows = record();
  const over = (
    profile: typeof CONCEPT_2026,
    fromMs = 0,
    toMs = Number.POSITIVE_INFINITY,
    registry: RegistryView = registryOf([POINT]),
  ) =>
    replay({
      read: async (afterId, limit) => rows.filter((row) => row.id > afterId).slice(0, limit),
      registry,
      profile,
      fromMs,
      toMs,
    });
  const later = {
    ...CONCEPT_2026,
    rules: CONCEPT_2026.rules
      .filter((one) => one.matter !== "power")
      .map((rule) => (rule.ruleId === "mains-lost" ? { ...rule, onDelayS: 600 } : rule)),
  };

  test("tell what would be new, gone or later, and nobody is silent while the gateway was down", async () => {
    const now = await over(CONCEPT_2026);
    expect(now.rows).toBe(rows.length);
    expect(now.spells.map((one) => one.ruleId)).toContain("mains-lost");
    expect(now.spells.map((one) => one.ruleId)).not.toContain("silence");
    expect(spellDifference(now.spells, (await over(CONCEPT_2026)).spells, now.endMs)).toEqual([]);
    const then = await over(later);
    const changes = spellDifference(now.spells, then.spells, now.endMs);
    expect(changes.find((one) => one.ruleId === "mains-lost")).toMatchObject({ kind: "later", on: "alm-01" });
    expect(changes.filter((one) => one.kind === "new")).toEqual([]);
  });

  test("tell what another minimum level, delay or hysteresis would make of each process", async () => {
    const turnout = { processId: "turnout", name: "Uitruk", directorate: "brandweer", quantity: "fuelL" } as const;
    const registry = registryOf([{ ...POINT, minimums: [{ ...turnout, minimum: 120 }] }]);
    const now = await over(CONCEPT_2026, 0, NOON_MS + 60 * MINUTE, registry);
    expect(now.spells).toEqual([{ ruleId: "process-minimum", on: "alm-01/turnout", fromMs: NOON_MS + 10 * MINUTE }]);
    const slow = {
      ...CONCEPT_2026,
      rules: CONCEPT_2026.rules.map((one) => (one.matter === "process" ? { ...one, onDelayS: 1_800 } : one)),
    };
    const then = await over(slow, 0, NOON_MS + 60 * MINUTE, registry);
    expect(spellDifference(now.spells, then.spells, now.endMs)).toMatchObject([
      { kind: "later", ruleId: "process-minimum", on: "alm-01/turnout", byMs: 20 * MINUTE },
    ]);
  });

  test("take the part of the record that is asked for", async () => {
    const part = await over(CONCEPT_2026, NOON_MS, NOON_MS + 100 * MINUTE);
    expect([part.rows, part.spells]).toEqual([100, []]);
  });
});
