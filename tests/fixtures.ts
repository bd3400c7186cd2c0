// The one place where tests build things: defaults everywhere, so that each test names only what matters.
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CheckedFrame } from "../gateway/domain/record.ts";
import { encodeReport, type Report, type Sha256 } from "../protocol/wire.ts";

export const sha256: Sha256 = (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest());

/** A folder of its own under the system's temporary folder; `remove` it in afterEach. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "waakvlam-test-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** 2026-11-24 12:00:00 UTC. */
export const NOON_MS = Date.UTC(2026, 10, 24, 12, 0, 0);

export function report(part: Partial<Report> = {}): Report {
  return {
    sequence: 1,
    time: NOON_MS / 1000,
    flags: { clockSynced: true },
    phase: "open",
    power: { fuelLevelPct: 63.5, generator: "running", mains: "lost", loadKw: 4.2, starterBatteryV: 13.8 },
    ...part,
  };
}

export function checkedFrame(part: Partial<Report> & { deviceId?: string; receivedMs?: number } = {}): CheckedFrame {
  const { deviceId = "alm-01-d1", receivedMs = NOON_MS, ...rest } = part;
  const value = report(rest);
  return {
    deviceId,
    header: { sequence: value.sequence, timeS: value.time, clockSynced: value.flags.clockSynced === true },
    receivedMs,
    clockTrusted: true,
    link: "mqtt",
    frame: encodeReport(value),
  };
}

/** A port of loopback that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Waits in real time until `ready` holds, at most `timeoutMs`: the one door to waiting in tests. */
export async function waitFor(what: string, ready: () => unknown, timeoutMs = 10_000): Promise<void> {
  const until = performance.now() + timeoutMs;
  while (!(await ready())) {
    if (performance.now() > until) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}
