import { describe, expect, test } from "vitest";
import { NOON_MS } from "../../tests/fixtures.ts";
import { checkNotify, type Finding, judge, judgeMachine } from "./checks.ts";
import { report } from "./command.ts";
import type { DoctorFacts, JournalFacts } from "./facts.ts";
import { BEHIND_ROWS_MAX } from "./journal-checks.ts";
import { withConfig } from "./mends.ts";

const DAY_MS = 86_400_000;
const JOURNAL: Extract<JournalFacts, { kind: "open" }> = {
  kind: "open",
  newestId: 500_000,
  cursors: [{ name: "engine", id: 500_000 }],
  setAside: 0,
  deadLetters: [],
  gapRows: 0,
  droppedEarly: 0,
  checkedRows: 20_000,
  damagedRows: 0,
  quickCheck: ["ok"],
};
const CERTIFICATE: DoctorFacts["certificates"][number] = {
  key: "http.tlsCert",
  path: "/d/tls/server.pem",
  fromMs: NOON_MS - DAY_MS,
  untilMs: NOON_MS + 200 * DAY_MS,
  names: ["coordination.lan"],
};
const COPY: NonNullable<DoctorFacts["copy"]> = {
  dir: "/b",
  everyS: 300,
  place: { kind: "there", writable: true, sameDisk: false },
  found: { folder: "/b/0a", newestMs: NOON_MS - 240_000, damaged: [], parts: 0 },
  passphrase: { kind: "usable" },
};
const WELL: DoctorFacts = {
  nowMs: NOON_MS,
  node: { version: "v24.21.0", sqlite: "3.53.4" },
  account: "waakvlam",
  config: { path: "waakvlam.toml", problems: [] },
  folder: { dir: "/d", exists: true, writable: true, mode: 0o750, secrets: [{ path: "/d/keys.json", mode: 0o600 }] },
  disk: { freeBytes: 20e9, sizeBytes: 32e9 },
  journal: JOURNAL,
  history: { kind: "open", covered: 499_990 },
  copy: COPY,
  registry: { kind: "read", points: 2, devices: ["a-d1", "b-d1"], keyed: ["a-d1", "b-d1"] },
  people: { total: 3, admins: 1 },
  certificates: [CERTIFICATE],
  http: { host: "0.0.0.0", port: 8443, answer: "gateway", notReady: [] },
  mqtt: { host: "0.0.0.0", port: 1883, answers: true },
  targets: [{ key: "influxdb", url: "http://10.0.0.3:8086" }],
  clock: { plausible: true, synchronised: true },
  ups: { kind: "reading", name: "ups", onBattery: false, lowBattery: false, chargePct: 100, runtimeS: 5_400 },
  unit: { active: "active", enabled: "enabled", restarts: 0 },
};

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

/** Facts that are bad in one way: the check, its level, its words, and what mends it. */
const BAD: readonly (readonly [string, Partial<DoctorFacts>, string, Finding["level"], RegExp, RegExp?])[] = [
  ["old Node", { node: { version: "v22.1.0", sqlite: "3.53.4" } }, "node", "fault", /too old/, /npm ci/],
  ["old SQLite", { node: { version: "v24.0.0", sqlite: "3.51.2" } }, "node", "fault", /older than 3\.51\.3/, /npm ci/],
  [
    "bad configuration",
    { config: { path: "x.toml", problems: ["line 3: no"] } },
    "configuration",
    "fault",
    /line 3/,
    /config check x\.toml/,
  ],
  [
    "no folder",
    { folder: { ...WELL.folder, exists: false, writable: false } },
    "data folder",
    "warning",
    /not there yet/,
    /import/,
  ],
  [
    "closed folder",
    { folder: { ...WELL.folder, writable: false } },
    "data folder",
    "fault",
    /cannot be written by waakvlam/,
    /^chown -R waakvlam \/d # as root/,
  ],
  [
    "open keys",
    { folder: { ...WELL.folder, secrets: [{ path: "/d/keys.json", mode: 0o640 }] } },
    "secrets",
    "fault",
    /0640/,
    /^chmod 600 \/d\/keys\.json$/,
  ],
  ["open folder", { folder: { ...WELL.folder, mode: 0o755 } }, "data folder", "warning", /0755/, /^chmod 750 \/d$/],
  ["low disk", { disk: { freeBytes: 1.5e9, sizeBytes: 32e9 } }, "disk", "warning", /lower bound of 1\.6 GB/, /du /],
  [
    "disk below the configured bound",
    { disk: { freeBytes: 9e9, sizeBytes: 32e9, lowWaterBytes: 10e9 } },
    "disk",
    "warning",
    /lower bound of 10\.0 GB/,
    /du /,
  ],
  ["full disk", { disk: { freeBytes: 0.1e9, sizeBytes: 32e9 } }, "disk", "fault", /nearly nothing/, /du /],
  ["no journal", { journal: { kind: "none" } }, "journal", "warning", /none yet/],
  [
    "unreadable journal",
    { journal: { kind: "unreadable", reason: "not a database" } },
    "journal",
    "fault",
    /not a database/,
    /copy/,
  ],
  [
    "broken file",
    { journal: { ...JOURNAL, quickCheck: ["row 3 missing"] } },
    "journal",
    "fault",
    /row 3 missing/,
    /restore/,
  ],
  [
    "damaged rows",
    { journal: { ...JOURNAL, damagedRows: 2 } },
    "journal",
    "fault",
    /2 of the newest 20000/,
    /smartctl/,
  ],
  [
    "replaced journal",
    { journal: { ...JOURNAL, cursors: [{ name: "engine", id: 500_001 }] } },
    "reader engine",
    "fault",
    /older one/,
    /restore/,
  ],
  [
    "sink behind",
    { journal: { ...JOURNAL, cursors: [{ name: "sink:x", id: JOURNAL.newestId - BEHIND_ROWS_MAX - 1 }] } },
    "reader sink:x",
    "warning",
    /100001 rows behind/,
    /target/,
  ],
  [
    "journal of an earlier form",
    { journal: { kind: "version", found: 2, known: 3 } },
    "journal",
    "warning",
    /of form 2, and this program writes form 3/,
    /keep a copy of \/d, then start/,
  ],
  [
    "journal of a later form",
    { journal: { kind: "version", found: 4, known: 3 } },
    "journal",
    "fault",
    /form 4/,
    /newer gateway/,
  ],
  [
    "dropped rows",
    { journal: { ...JOURNAL, gapRows: 12, lastGap: { why: "disk low, not read by sink:x", atMs: NOON_MS } } },
    "dropped rows",
    "warning",
    /^12 rows .*; the last 20.*disk low, not read by sink:x/,
    /enlarge/,
  ],
  [
    "unreadable history",
    { history: { kind: "unreadable", reason: "file is not a database" } },
    "history",
    "fault",
    /not a database/,
    /move \/d\/history\.db\* away/,
  ],
  ["no copy", { copy: undefined }, "copy", "warning", /none is configured/, /backup\.dir/],
  [
    "copy without its disk",
    { copy: { ...COPY, place: { kind: "missing" }, found: undefined } },
    "copy",
    "fault",
    /\/b is not there/,
    /^mount \/b/,
  ],
  [
    "copy whose disk hangs",
    { copy: { ...COPY, place: { kind: "silent" }, found: undefined } },
    "copy",
    "fault",
    /does not answer/,
    /umount -f -l \/b && mount \/b/,
  ],
  [
    "copy that cannot be looked at",
    { copy: { ...COPY, place: { kind: "unreadable", reason: "EIO" }, found: undefined } },
    "copy",
    "fault",
    /EIO/,
    /mount \/b/,
  ],
  [
    "copy that cannot be written",
    { copy: { ...COPY, place: { kind: "there", writable: false, sameDisk: false } } },
    "copy",
    "fault",
    /cannot be written/,
    /chown .* \/b/,
  ],
  [
    "copy on the disk of the data",
    { copy: { ...COPY, place: { kind: "there", writable: true, sameDisk: true } } },
    "copy",
    "warning",
    /lost with it/,
    /mount \/b/,
  ],
  [
    "no complete copy",
    { copy: { ...COPY, found: { folder: "/b/0a", damaged: [], parts: 0 } } },
    "copy",
    "fault",
    /no complete copy in \/b\/0a/,
    /waakvlam backup/,
  ],
  [
    "copy with a damaged state",
    { copy: { ...COPY, found: { folder: "/b/0a", newestMs: NOON_MS, damaged: ["state-7.piece"], parts: 0 } } },
    "copy",
    "fault",
    /state-7\.piece .* not whole/,
    /waakvlam verify \/b\/0a/,
  ],
  [
    "old copy beside a gateway that runs",
    { copy: { ...COPY, found: { folder: "/b/0a", newestMs: NOON_MS - 1_500_001, damaged: [], parts: 0 } } },
    "copy",
    "fault",
    /25 min old \(2026-11-24T11:34/,
    /waakvlam backup; journalctl/,
  ],
  [
    "half-written copies",
    { copy: { ...COPY, found: { folder: "/b/0a", newestMs: NOON_MS, damaged: [], parts: 2 } } },
    "copy",
    "warning",
    /^2 half-written/,
    /waakvlam backup/,
  ],
  [
    "copy that cannot seal",
    { copy: { ...COPY, passphrase: { kind: "unusable", path: "/p", reason: "/p cannot be read by this user" } } },
    "copy passphrase",
    "fault",
    /cannot be sealed: \/p/,
    /chmod 600 \/p/,
  ],
  [
    "acts dropped early",
    { journal: { ...JOURNAL, droppedEarly: 12 } },
    "dropped notes",
    "warning",
    /^12 acts or notes/,
    /sink that refuses/,
  ],
  ["rows set aside", { journal: { ...JOURNAL, setAside: 4 } }, "set aside", "warning", /^4 rows/, /report/],
  [
    "dead letters",
    { journal: { ...JOURNAL, deadLetters: [{ sink: "influxdb", count: 7 }] } },
    "dead letters",
    "warning",
    /^7 rows/,
    /influxdb/,
  ],
  [
    "broken registry",
    { registry: { kind: "unreadable", reason: "points/3", path: "/d/registry.json", isTorn: true } },
    "registry",
    "fault",
    /points\/3/,
    /copy; without one: mv \/d\/registry\.json \/d\/registry\.json\.torn && waakvlam registry import FILE --cred/,
  ],
  [
    "closed registry",
    { registry: { kind: "unreadable", reason: "EACCES", path: "/d/registry.json", isTorn: false } },
    "registry",
    "fault",
    /EACCES/,
    /^chown waakvlam \/d\/registry\.json # as root/,
  ],
  [
    "empty registry",
    { registry: { kind: "read", points: 0, devices: [], keyed: [] } },
    "registry",
    "warning",
    /no points/,
    /import/,
  ],
  [
    "device without key",
    { registry: { kind: "read", points: 1, devices: ["a", "b"], keyed: ["b"] } },
    "keys",
    "fault",
    /without a key.*: a$/,
    /--reissue a/,
  ],
  [
    "key without device",
    { registry: { kind: "read", points: 1, devices: ["a"], keyed: ["a", "z"] } },
    "keys",
    "warning",
    /not in the registry: z$/,
    /registry/,
  ],
  ["nobody", { people: { total: 0, admins: 0 } }, "people", "fault", /nobody/, /people add NAME --role admin/],
  ["no admin", { people: { total: 2, admins: 0 } }, "people", "warning", /no admin/, /--role admin/],
  [
    "torn people",
    { people: { reason: "not JSON", path: "/d/people.json", isTorn: true } },
    "people",
    "fault",
    /not JSON/,
    /mv \/d\/people\.json \/d\/people\.json\.torn && waakvlam people add NAME --role admin/,
  ],
  [
    "expired certificate",
    { certificates: [{ ...CERTIFICATE, untilMs: NOON_MS }] },
    "certificate http.tlsCert",
    "fault",
    /expired on 2026-11-24/,
    /tls create/,
  ],
  [
    "expiring certificate",
    { certificates: [{ ...CERTIFICATE, untilMs: NOON_MS + 29.5 * DAY_MS }] },
    "certificate http.tlsCert",
    "warning",
    /in 29 days/,
    /tls create/,
  ],
  [
    "certificate of tomorrow",
    { certificates: [{ ...CERTIFICATE, fromMs: NOON_MS + 1 }] },
    "certificate http.tlsCert",
    "fault",
    /not valid yet/,
    /clock/,
  ],
  [
    "certificate of another name",
    { certificates: [{ ...CERTIFICATE, host: "10.0.0.2" }] },
    "certificate http.tlsCert",
    "warning",
    /and not 10\.0\.0\.2/,
    /--host 10\.0\.0\.2,coord/,
  ],
  [
    "gateway not ready",
    { http: { ...WELL.http, notReady: ["journal-refusing: full"] } },
    "gateway",
    "fault",
    /journal-refusing/,
    /journalctl/,
  ],
  [
    "gateway without devices",
    { mqtt: { ...WELL.mqtt, answers: false } },
    "devices",
    "fault",
    /nothing listens/,
    /restart/,
  ],
  [
    "gateway down",
    { http: { ...WELL.http, answer: "nobody" }, mqtt: { ...WELL.mqtt, answers: false } },
    "gateway",
    "warning",
    /does not run/,
    /start/,
  ],
  [
    "another program for people",
    { http: { ...WELL.http, answer: "other" }, mqtt: { ...WELL.mqtt, answers: false } },
    "people",
    "fault",
    /another program/,
    /:8443/,
  ],
  [
    "another program for devices",
    { http: { ...WELL.http, answer: "nobody" } },
    "devices",
    "fault",
    /another program/,
    /:1883/,
  ],
  [
    "sink out of reach",
    { targets: [{ key: "influxdb", url: "http://h", failure: "ECONNREFUSED" }] },
    "target influxdb",
    "warning",
    /ECONNREFUSED/,
    /curl/,
  ],
  [
    "broker out of reach",
    { targets: [{ key: "upstream", url: "mqtts://h.example.org", failure: "ECONNREFUSED" }] },
    "target upstream",
    "warning",
    /ECONNREFUSED/,
    /^openssl s_client -connect h\.example\.org:8883 /,
  ],
  [
    "clock of 1970",
    { clock: { plausible: false } },
    "clock",
    "fault",
    /^it says/,
    /^timedatectl set-ntp false && .*set-time/,
  ],
  [
    "clock alone",
    { clock: { plausible: true, synchronised: false } },
    "clock",
    "warning",
    /not synchronised/,
    /set-ntp/,
  ],
  [
    "ups away",
    { ups: { kind: "unreachable", reason: "ECONNREFUSED", name: "ups" } },
    "ups",
    "fault",
    /ECONNREFUSED/,
    /nut-driver@ups/,
  ],
  [
    "on battery",
    { ups: { kind: "reading", name: "ups", onBattery: true, lowBattery: false, runtimeS: 600 } },
    "ups",
    "warning",
    /10 min left/,
    /supply/,
  ],
  [
    "battery empty",
    { ups: { kind: "reading", name: "ups", onBattery: true, lowBattery: true } },
    "ups",
    "fault",
    /nearly empty/,
    /supply/,
  ],
  [
    "service down",
    { unit: { active: "failed", enabled: "enabled", restarts: 9 } },
    "service",
    "fault",
    /failed/,
    /journalctl/,
  ],
  [
    "service not enabled",
    { unit: { active: "active", enabled: "disabled", restarts: 0 } },
    "service",
    "warning",
    /disabled/,
    /enable/,
  ],
];

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
    expect(lines.at(-1)).toBe("0 faults, 1 warnings");
    expect(report(judge({ ...WELL, people: { total: 0, admins: 0 } }), false, io)).toBe(1);
    const line = lines.findIndex((one) => one.startsWith("FAULT"));
    expect(lines[line]).toMatch(/^FAULT {4}people +nobody may sign in$/);
    expect(lines[line + 1]).toMatch(/^ +→ waakvlam people add/);
    lines.length = 0;
    expect(report(judge({ ...WELL, people: { total: 0, admins: 0 } }), true, io)).toBe(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ faults: 1, warnings: 0 });
  });
});

describe("who is told of alerts", () => {
  const notify = { file: "notify.toml", problems: [], recipients: 2, ways: [] };

  test("nobody, a mistake, and a way that does not work are told of, each with what mends it", () => {
    expect(checkNotify({} as DoctorFacts)).toEqual([]);
    const of = (part: Partial<NonNullable<DoctorFacts["notify"]>>) =>
      checkNotify({ notify: { ...notify, ...part } } as DoctorFacts).map(({ check, level }) => `${check} ${level}`);
    expect(of({})).toEqual(["recipients ok"]);
    expect(of({ recipients: 0 })).toEqual(["recipients warning"]);
    expect(of({ problems: ["line 1"], ways: [{ name: "sms" }] })).toEqual(["recipients fault"]);
    expect(of({ ways: [{ name: "sms", waits: "asks" }] })).toEqual(["recipients ok", "notify sms warning"]);
    const failure = "no network: searching";
    expect(of({ ways: [{ name: "sms", failure }, { name: "email" }] })).toEqual([
      "recipients ok",
      "notify sms fault",
      "notify email ok",
    ]);
  });
});
