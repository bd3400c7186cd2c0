// A machine on which all is well, for tests of the doctor: each changes what it is about.
import type { Finding } from "../gateway/doctor/checks.ts";
import type { DoctorFacts, JournalFacts } from "../gateway/doctor/facts.ts";
import { NOON_MS } from "./fixtures.ts";

export const DAY_MS = 86_400_000;
export const JOURNAL: Extract<JournalFacts, { kind: "open" }> = {
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
export const CERTIFICATE: DoctorFacts["certificates"][number] = {
  key: "http.tlsCert",
  path: "/d/tls/server.pem",
  fromMs: NOON_MS - DAY_MS,
  untilMs: NOON_MS + 200 * DAY_MS,
  names: ["coordination.lan"],
};
export const COPY: NonNullable<DoctorFacts["copy"]> = {
  dir: "/b",
  everyS: 300,
  place: { kind: "there", writable: true, sameDisk: false },
  found: { folder: "/b/0a", newestMs: NOON_MS - 240_000, damaged: [], parts: 0 },
  passphrase: { kind: "usable" },
};
export const WELL: DoctorFacts = {
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

/** What is wrong, the facts of it, the check that finds it, how bad it is, its words, and the command that mends it. */
export type BadCase = readonly [string, Partial<DoctorFacts>, string, Finding["level"], RegExp, RegExp?];
