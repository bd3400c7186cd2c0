// A disk that can be filled to its last page, and emptied again: a small real filesystem in memory where one can be mounted,
// else a folder whose files cannot grow.
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, realpathSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { atEnd, proofFolder } from "./endings.ts";
import { environmentOf } from "./native.ts";

/** Room for a journal, what it keeps in reserve, and what fills the rest. */
const DISK_MB = 192;
const CHUNKS_BYTES = [1_048_576, 65_536, 4_096] as const;

export interface SmallDisk {
  readonly way: "filesystem" | "writes";
  /** Data folder on it. */
  readonly dir: string;
  /** Of the process that writes there. */
  readonly env: NodeJS.ProcessEnv;
  /** Takes what is free, also what has become free since. */
  fill(): void;
  /** Gives back all that `fill` took. */
  free(): void;
  remove(): void;
}

function takeAll(ballast: string): void {
  const file = openSync(ballast, "a");
  for (const bytes of CHUNKS_BYTES) {
    const chunk = Buffer.alloc(bytes);
    try {
      for (;;) writeSync(file, chunk);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
  closeSync(file);
}

/** Throws Skipped where neither can be had. */
export function createSmallDisk(): SmallDisk {
  const folder = proofFolder();
  const place = realpathSync(folder.path);
  const disk = join(place, "disk");
  const dir = join(disk, "data");
  mkdirSync(disk);
  const mounted =
    process.getuid?.() === 0 &&
    spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MB}m`, "tmpfs", disk]).status === 0;
  if (!mounted) {
    mkdirSync(dir);
    const full = join(place, "full");
    try {
      return {
        way: "writes",
        dir,
        env: environmentOf({ dir, full }),
        fill: () => writeFileSync(full, ""),
        free: () => rmSync(full, { force: true }),
        remove: folder.remove,
      };
    } catch (error) {
      folder.remove();
      throw error;
    }
  }
  const remove = () => {
    isRemoved();
    // Somebody may still be ending on it: then it goes when that one is gone.
    if (spawnSync("umount", [disk]).status !== 0) spawnSync("umount", ["--lazy", disk]);
    folder.remove();
  };
  const isRemoved = atEnd(remove);
  mkdirSync(dir);
  const ballast = join(disk, "ballast");
  return {
    way: "filesystem",
    dir,
    env: process.env,
    fill: () => takeAll(ballast),
    free: () => rmSync(ballast, { force: true }),
    remove,
  };
}
