// A small real filesystem in memory that can be filled to its last page, and emptied again.
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../fixtures.ts";
import { Skipped } from "../proof.ts";

/** Room for a journal, what it keeps in reserve, and what fills the rest. */
const DISK_MB = 192;
const CHUNKS_BYTES = [1_048_576, 65_536, 4_096] as const;

export interface SmallDisk {
  readonly path: string;
  /** Takes what is free; gives the bytes that it took. */
  fill(): number;
  /** Gives back all that `fill` took. */
  free(): void;
  remove(): void;
}

/** Throws Skipped without the right to mount. */
export function createSmallDisk(): SmallDisk {
  if (process.getuid?.() !== 0) throw new Skipped("mounting needs root");
  const folder = temporaryFolder();
  const path = join(folder.path, "small");
  mkdirSync(path);
  const done = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MB}m`, "tmpfs", path], { encoding: "utf8" });
  if (done.status !== 0) {
    folder.remove();
    throw new Skipped(`no tmpfs can be mounted here: ${done.stderr?.trim() ?? done.error?.message}`);
  }
  const ballast = join(path, "ballast");
  return {
    path,
    fill() {
      const file = openSync(ballast, "a");
      let taken = 0;
      for (const bytes of CHUNKS_BYTES) {
        const chunk = Buffer.alloc(bytes);
        try {
          for (;;) taken += writeSync(file, chunk);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        }
      }
      closeSync(file);
      return taken;
    },
    free: () => rmSync(ballast, { force: true }),
    remove() {
      const gone = spawnSync("umount", [path], { encoding: "utf8" });
      if (gone.status !== 0) throw new Error(`umount ${path}: ${gone.stderr}`);
      folder.remove();
    },
  };
}
