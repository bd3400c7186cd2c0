// A filesystem of its own in a file, whose power can be cut. Unmounted and detached whatever happens; only what was attached
// here is detached.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, realpathSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { waitFor } from "../../fixtures.ts";
import { Skipped } from "../proof.ts";
import { atEnd, proofFolder } from "./endings.ts";
import { native } from "./native.ts";

const DISK_BYTES = 256 * 1024 * 1024;
const COMMAND_MS = 30_000;
/** A folder for each filesystem that the kernel has in use (kernel.org: Documentation/ABI/testing/sysfs-fs-ext4). */
const IN_USE = "/sys/fs/ext4";

function run(command: string, ...words: readonly string[]): string {
  const done = spawnSync(command, words, { encoding: "utf8", timeout: COMMAND_MS });
  if (done.error !== undefined) throw done.error;
  if (done.status !== 0) throw new Error(`${command} ${words.join(" ")}: ${done.stderr.trim()}`);
  return done.stdout.trim();
}

export interface LoopDisk {
  /** Where it is mounted. */
  readonly path: string;
  /** What is not on the disk now never gets there. The writer must stand still: a sync during the cut may be answered. */
  cutPower(): void;
  /** After a cut: unmounts, and mounts what is left. Rejects when somebody else holds on to the disk. */
  powerUp(): Promise<void>;
  remove(): void;
}

/** Throws Skipped where there are no rights, no loop devices or no mkfs.ext4. */
export function createLoopDisk(): LoopDisk {
  if (process.getuid?.() !== 0) throw new Skipped("mounting needs root");
  if (!existsSync("/dev/loop-control")) throw new Skipped("this kernel has no loop devices");
  for (const tool of ["losetup", "mkfs.ext4", "mount", "umount"]) {
    if (spawnSync("which", [tool]).status !== 0)
      throw new Skipped(`${tool} is not there: apt-get install e2fsprogs mount`);
  }
  const shutdown = native("shutdown");
  const folder = proofFolder();
  const place = realpathSync(folder.path);
  const [image, path] = [join(place, "disk"), join(place, "mounted")];
  let device: string | undefined;
  let isMounted = false;
  const mount = () => {
    run("mount", "-t", "ext4", device as string, path);
    isMounted = true;
  };
  const unmount = () => {
    run("umount", path);
    isMounted = false;
  };
  const remove = () => {
    isRemoved();
    // Somebody may still be ending on it: then it goes when that one is gone.
    if (isMounted && spawnSync("umount", [path]).status !== 0) run("umount", "--lazy", path);
    isMounted = false;
    if (device !== undefined) run("losetup", "--detach", device);
    device = undefined;
    folder.remove();
  };
  const isRemoved = atEnd(remove);
  try {
    mkdirSync(path);
    writeFileSync(image, "");
    truncateSync(image, DISK_BYTES);
    run("mkfs.ext4", "-q", image);
    try {
      device = run("losetup", "--find", "--show", image);
    } catch (error) {
      throw new Skipped(`no loop device can be attached here: ${(error as Error).message}`);
    }
    mount();
  } catch (error) {
    remove();
    throw error;
  }
  return {
    path,
    cutPower: () => void run(shutdown, path),
    powerUp: async () => {
      unmount();
      // Who makes a mount namespace now has this mount in it as well: until that one has gone the disk stays shut down, and
      // what is mounted anew is still that one.
      const inUse = join(IN_USE, basename(device as string));
      await waitFor("another mount namespace to let go of the disk", () => !existsSync(inUse), COMMAND_MS);
      mount();
    },
    remove,
  };
}
