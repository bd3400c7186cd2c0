import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { temporaryFolder, waitFor } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { personAtShell, supervisorOf } from "../config/environment.ts";
import { startSupervision } from "./supervision.ts";

let folder = temporaryFolder();
beforeEach(() => {
  folder = temporaryFolder();
  // Stands where systemd's program is looked for, and writes down what it was told.
  const program = join(folder.path, "systemd-notify");
  writeFileSync(program, `#!/bin/sh\necho "$@" >> ${join(folder.path, "told")}\n`);
  chmodSync(program, 0o755);
  writeFileSync(join(folder.path, "told"), "");
  vi.stubEnv("PATH", `${folder.path}:/usr/bin:/bin`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  folder.remove();
});

const told = () => readFileSync(join(folder.path, "told"), "utf8").trim().split("\n");

test("systemd asks by its environment, or does not", () => {
  expect(supervisorOf({})).toBeUndefined();
  expect(supervisorOf({ NOTIFY_SOCKET: "" })).toBeUndefined();
  expect(supervisorOf({ NOTIFY_SOCKET: "/run/x" })).toEqual({ watchdogMs: undefined });
  expect(supervisorOf({ NOTIFY_SOCKET: "/run/x", WATCHDOG_USEC: "30000000" })).toEqual({ watchdogMs: 30_000 });
  expect(supervisorOf({ NOTIFY_SOCKET: "/run/x", WATCHDOG_USEC: "nonsense" })).toEqual({ watchdogMs: undefined });
});

test("tells that it is ready, then beats while the journal answers, and no longer when it hangs", async () => {
  const clock = virtualClock(0);
  let answers = true;
  const journal = { cursor: () => (answers ? Promise.resolve(1) : new Promise<number>(() => undefined)) };
  const supervision = startSupervision({ supervisor: { watchdogMs: 30_000 }, clock, journal, pid: 42 });
  await waitFor("ready", () => told().includes("--pid=42 --ready"));
  await clock.advance(10_000);
  await waitFor("a beat", () => told().filter((line) => line === "--pid=42 WATCHDOG=1").length === 1);
  answers = false;
  await clock.advance(10_000);
  answers = true;
  await clock.advance(60_000);
  supervision.stop();
  await waitFor("the stop", () => told().includes("--pid=42 STOPPING=1"));
  expect(told().filter((line) => line === "--pid=42 WATCHDOG=1")).toHaveLength(1);
});

test("what systemd's program is called with is what it takes", () => {
  const usage = execFileSync(
    "/bin/sh",
    ["-c", "PATH=/usr/bin:/bin; command -v systemd-notify && systemd-notify --help || true"],
    {
      encoding: "utf8",
    },
  );
  // A machine without systemd has nobody to be told.
  if (usage.trim() !== "") for (const flag of ["--ready", "--pid"]) expect(usage).toContain(flag);
});

test("who is at a shell is the account behind sudo, else the one that is signed in", () => {
  expect(personAtShell({ SUDO_USER: "anna", USER: "root" })).toBe("anna");
  expect(personAtShell({ SUDO_USER: "", LOGNAME: "root" })).toBe("root");
  expect(personAtShell({})).toBe("unknown");
});
