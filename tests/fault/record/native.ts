// Our own small C programs, compiled where they are used. Where there is no compiler, what needs them is skipped and says so.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Skipped } from "../proof.ts";

const SOURCES = fileURLToPath(new URL("./native/", import.meta.url));
const OUT = fileURLToPath(new URL("../../out/native/", import.meta.url));

const FLAGS = { "disk.so": ["-shared", "-fPIC"], shutdown: [] } as const;

/** The path of a compiled program. Throws Skipped. */
export function native(name: keyof typeof FLAGS): string {
  if (process.platform !== "linux") throw new Skipped("it stands on Linux system calls");
  const target = `${OUT}${name}`;
  const source = `${SOURCES}${name.replace(".so", "")}.c`;
  if (existsSync(target) && statSync(target).mtimeMs > statSync(source).mtimeMs) return target;
  mkdirSync(OUT, { recursive: true });
  // Two proofs may compile at once: each its own, and the last to finish stays.
  const mine = `${target}.${process.pid}`;
  const done = spawnSync("cc", ["-O2", "-Wall", ...FLAGS[name], "-o", mine, source, "-lpthread"], { encoding: "utf8" });
  if (done.error !== undefined) throw new Skipped("no C compiler: apt-get install gcc libc6-dev");
  if (done.status !== 0) throw new Error(`${source} does not compile: ${done.stderr}`);
  renameSync(mine, target);
  return target;
}

export interface DiskFaults {
  /** The data folder, without a link in its path. */
  readonly dir: string;
  readonly trace?: string;
  readonly acks?: string;
  /** A sync of a name with this ending is answered and not done. */
  readonly lies?: string;
  /** One of so many syncs fails with EIO. */
  readonly failEvery?: number;
  readonly failSeed?: number;
  /** One of so many failures ends the process at once. */
  readonly failEnds?: number;
  readonly syncMs?: number;
  readonly jitterMs?: number;
  readonly stallMs?: number;
  readonly stallEvery?: number;
  /** While this file is there, no file of the folder grows. */
  readonly full?: string;
  /** File with the milliseconds by which the wall clock is off. */
  readonly clock?: string;
}

/** The environment of a process whose disk, or clock, is like this. Throws Skipped. */
export function environmentOf(faults: DiskFaults): NodeJS.ProcessEnv {
  const { dir, trace, acks, lies, failEvery, failSeed, failEnds, syncMs, jitterMs, stallMs, stallEvery, full, clock } =
    faults;
  const set = {
    LD_PRELOAD: native("disk.so"),
    FAULT_DIR: dir,
    FAULT_TRACE: trace,
    FAULT_ACKS: acks,
    FAULT_LIES: lies,
    FAULT_FAIL_EVERY: failEvery?.toString(),
    FAULT_FAIL_SEED: failSeed?.toString(),
    FAULT_FAIL_ENDS: failEnds?.toString(),
    FAULT_SYNC_MS: syncMs?.toString(),
    FAULT_JITTER_MS: jitterMs?.toString(),
    FAULT_STALL_MS: stallMs?.toString(),
    FAULT_STALL_EVERY: stallEvery?.toString(),
    FAULT_FULL: full,
    FAULT_CLOCK: clock,
  };
  return { ...process.env, ...set };
}
