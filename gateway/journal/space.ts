// The one door to how much room the disk has, and a file that keeps some of it back.
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, statfsSync, statSync, unlinkSync, writeSync } from "node:fs";
import { GatewayError } from "../errors.ts";

export interface Space {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

const MB = 1024 * 1024;
/** Free space is low below this, or below this share of the disk. */
const LOW_BYTES = 512 * MB;
const LOW_SHARE = 0.05;
/** One step of making the reserve: short, since commits wait for it. */
const STEP_BYTES = 2 * MB;
export const RESERVE_FILE = "reserve.bin";

/** What a program without privileges may still write on the disk that holds `dir`. Throws FILE_UNREADABLE. */
export function measureSpace(dir: string): Space {
  try {
    const { bavail, blocks, bsize } = statfsSync(dir);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch (cause) {
    throw new GatewayError("FILE_UNREADABLE", { path: dir }, { cause });
  }
}

export function lowBytesOf({ totalBytes }: Space): number {
  return Math.max(LOW_BYTES, Math.floor(totalBytes * LOW_SHARE));
}

/** With the reserve gone, rows are taken only above this: the rest is for saving and dropping, which alone make room again. */
const FLOOR_BYTES = 8 * MB;

/** Room that is given back when the disk is full, so that dropping rows and saving the engine's state can be committed. */
export interface Reserve {
  /** Free room below which no rows are taken; 0 while it has something to give. */
  floorBytes(): number;
  /** What it lacks. */
  missingBytes(): number;
  /** Makes it a step larger. False when it is whole, or the disk refuses. */
  grow(): boolean;
  /** True when it gave room back. */
  release(): boolean;
}

export function createReserve(dir: string, bytes: number): Reserve {
  const path = `${dir}/${RESERVE_FILE}`;
  let size = sizeOf(path);
  return {
    floorBytes: () => (size > 0 ? 0 : Math.min(FLOOR_BYTES, bytes)),
    missingBytes: () => Math.max(0, bytes - size),
    grow() {
      if (size >= bytes) return false;
      let file: number | undefined;
      try {
        file = openSync(path, "a", 0o640);
        // Not zeros: a file system that packs them would keep nothing back.
        size += writeSync(file, randomBytes(Math.min(STEP_BYTES, bytes - size)));
        fsyncSync(file);
        return true;
      } catch {
        // No room for it: there is nothing to hold back.
        return false;
      } finally {
        if (file !== undefined) closeSync(file);
      }
    },
    release() {
      if (size === 0) return false;
      try {
        unlinkSync(path);
      } catch {
        return false;
      }
      size = 0;
      return true;
    },
  };
}

/**
 * A start writes before anything can be dropped: on a disk without room what is kept back goes first. Only for who holds the lock
 * on the folder. True when it gave room back.
 */
export function makeRoomToStart(dir: string): boolean {
  return measureSpace(dir).freeBytes < FLOOR_BYTES && createReserve(dir, FLOOR_BYTES).release();
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
