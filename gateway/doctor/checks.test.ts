import { describe, expect, test } from "vitest";
import { COPY, WELL } from "../../tests/doctor-facts.ts";
import { BAD_SURROUNDINGS } from "../../tests/doctor-faults.ts";
import { BAD_STORE } from "../../tests/doctor-faults-store.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { type Finding, judge, judgeMachine } from "./checks.ts";
import { report } from "./command.ts";
import { withConfig } from "./mends.ts";

const CHECKS = [
  "node",
  "configuration",
  "data folder",
  "disk",
  "journal",
  "reader engine",
  "history",
  "copy",
  "registry",
  "people",
  "certificate http.tlsCert",
  "gateway",
  "devices",
  "target influxdb",
  "clock",
  "ups",
  "service",
];

const BAD = [...BAD_STORE, ...BAD_SURROUNDINGS];

describe("the doctor", () => {
  test("finds nothing where all is well, and says so of every matter", () => {
    const findings = judge(WELL);
    expect(findings.map((one) => one.check)).toEqual(CHECKS);
    expect(findings.filter((one) => one.level !== "ok" || one.mend !== undefined)).toEqual([]);
  });

  for (const [name, part, check, level, what, mend] of BAD) {
    test(name, () => {
      const findings = judge({ ...WELL, ...part });
      const wrong = findings.filter((one) => one.level !== "ok");
      expect(wrong.map((one) => [one.check, one.level])).toEqual([[check, level]]);
      expect(wrong[0]?.what).toMatch(what);
      if (mend === undefined) expect(wrong[0]?.mend).toBeUndefined();
      else expect(wrong[0]?.mend).toMatch(mend);
    });
  }

  test("judges only the machine where there is no configuration that says more", () => {
    const findings = judgeMachine({ ...WELL, config: { path: "x.toml", problems: ["line 3: no"] } });
    const wanted = ["ok node", "fault configuration", "ok clock", "ok service", "warning the rest"];
    expect(findings.map(({ check, level }) => `${level} ${check}`)).toEqual(wanted);
    expect(report(findings, true, { out: () => undefined })).toBe(1);
  });

  test("names the configuration in every command of ours that takes one", () => {
    const mends = BAD.flatMap(([, part]) =>
      judge({ ...WELL, ...part }).map((one) => withConfig(one, "/e/w v.toml").mend),
    );
    const ours = mends.filter((mend) => /waakvlam (?!config|verify|-o)[a-z]/.test(mend ?? ""));
    expect(ours.length).toBeGreaterThan(10);
    for (const mend of ours) {
      for (const part of mend?.split(/; |&& /) ?? []) {
        if (/waakvlam (?!config|verify|-o)[a-z]/.test(part)) expect(part).toMatch(/ --config '\/e\/w v\.toml'\s*$/);
        else expect(part).not.toContain("--config");
      }
    }
    const finding: Finding = { check: "x", level: "ok", what: "y" };
    expect(withConfig(finding, "/e/w.toml")).toEqual(finding);
    const mend = "waakvlam backup; journalctl -u waakvlam -o cat";
    expect(withConfig({ ...finding, mend }, undefined).mend).toBe(mend);
    expect(withConfig({ ...finding, mend }, "/e/w.toml").mend).toBe(
      "waakvlam backup --config /e/w.toml; journalctl -u waakvlam -o cat",
    );
  });

  test("every check has been seen to find fault", () => {
    const seen = new Set(BAD.map(([, , check]) => check));
    for (const check of CHECKS)
      expect(
        [...seen].some((one) => one === check),
        check,
      ).toBe(true);
  });

  test("without a UPS, a unit or a certificate nothing is said against them", () => {
    const { ups: _ups, unit: _unit, ...bare } = WELL;
    const findings = judge({ ...bare, certificates: [] });
    expect(findings.filter((one) => one.level !== "ok")).toEqual([]);
  });

  test("a copy that is old because the gateway does not run takes a start, and is a fault after a day", () => {
    const levels = [1, 25].map((hours) => {
      const found = { folder: "/b/0a", newestMs: NOON_MS - hours * 3_600_000, damaged: [], parts: 0 };
      const http = { ...WELL.http, answer: "nobody" } as const;
      return judge({ ...WELL, http, copy: { ...COPY, found } }).find((one) => one.check === "copy");
    });
    expect(levels.map((one) => one?.level)).toEqual(["warning", "fault"]);
    expect(levels[0]?.mend).toMatch(/systemctl start waakvlam/);
  });

  test("ends with 1 for a fault and 0 for warnings, as a table or as JSON", () => {
    const lines: string[] = [];
    const io = { out: (line: string) => void lines.push(line) };
    expect(report(judge(WELL), false, io)).toBe(0);
    expect(lines.at(-1)).toBe("All is well.");
    expect(report(judge({ ...WELL, people: { total: 1, admins: 0 } }), false, io)).toBe(0);
    expect(lines.at(-1)).toBe("0 faults, 1 warning");
    expect(report(judge({ ...WELL, people: { total: 0, admins: 0 } }), false, io)).toBe(1);
    expect(lines.at(-1)).toBe("1 fault, 0 warnings");
    const line = lines.findIndex((one) => one.startsWith("FAULT"));
    expect(lines[line]).toMatch(/^FAULT {4}people +nobody may sign in$/);
    expect(lines[line + 1]).toMatch(/^ +→ waakvlam people add/);
    lines.length = 0;
    expect(report(judge({ ...WELL, people: { total: 0, admins: 0 } }), true, io)).toBe(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ faults: 1, warnings: 0 });
  });
});
