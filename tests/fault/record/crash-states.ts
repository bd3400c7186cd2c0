// What may be on a disk when the power goes: of every file all that was synced, and of what was written since, nothing, all, or
// some sectors of some writes. A file that was synced is in its folder (ext4, XFS and Btrfs keep that). What a failed sync should
// have written is not there.
import type { Random } from "../../../firmware/simulator/random.ts";
import type { Step } from "./trace.ts";

/** A disk writes this or nothing. */
const SECTOR_BYTES = 512;

type Change = Extract<Step, { kind: "write" | "truncate" | "unlink" }>;

/** A file that grows by doubling: undefined where there is none. */
interface Content {
  bytes: Buffer;
  length: number;
}

interface Kept {
  durable: Content | undefined;
  pending: Change[];
}

export type Way = "nothing" | "all" | "prefix" | "sectors" | "subset";
const MIXED: readonly Way[] = ["nothing", "all", "prefix", "prefix", "sectors", "sectors", "subset"];

function copyOf(content: Content | undefined): Content | undefined {
  return content && { bytes: Buffer.from(content.bytes.subarray(0, content.length)), length: content.length };
}

function sized(content: Content, length: number): void {
  if (content.bytes.length < length) {
    const grown = Buffer.alloc(Math.max(length, content.bytes.length * 2, 65_536));
    content.bytes.copy(grown, 0, 0, content.length);
    content.bytes = grown;
  }
  if (length < content.length) content.bytes.fill(0, length, content.length);
  content.length = length;
}

function put(content: Content, bytes: Buffer, offset: number): void {
  if (offset + bytes.length > content.length) sized(content, offset + bytes.length);
  bytes.copy(content.bytes, offset);
}

/** `isKept` is asked for each sector of a write. */
function apply(content: Content | undefined, change: Change, isKept?: () => boolean): Content | undefined {
  if (change.kind === "unlink") return undefined;
  const to = content ?? { bytes: Buffer.alloc(0), length: 0 };
  if (change.kind === "truncate") sized(to, change.length);
  else if (isKept === undefined) put(to, change.bytes, change.offset);
  else {
    const { offset, bytes } = change;
    for (let from = 0; from < bytes.length; ) {
      const until = Math.min(bytes.length, from + SECTOR_BYTES - ((offset + from) % SECTOR_BYTES));
      if (isKept()) put(to, bytes.subarray(from, until), offset + from);
      from = until;
    }
  }
  return to;
}

function surviving({ durable, pending }: Kept, way: Way, random: Random): Content | undefined {
  let content = copyOf(durable);
  const chance = random.next();
  const half = () => random.next() < 0.5;
  const until = Math.floor(random.next() * (pending.length + 1));
  pending.forEach((change, i) => {
    if (way === "all" || (way === "prefix" && i < until)) content = apply(content, change);
    else if (way === "prefix" && i === until) content = apply(content, change, half);
    else if (way === "sectors") {
      if (change.kind === "write") content = apply(content, change, () => random.next() < chance);
      else if (random.next() < chance) content = apply(content, change);
    } else if (way === "subset" && random.next() < chance) content = apply(content, change);
  });
  return content;
}

export interface CrashDisk {
  take(step: Step): void;
  /** A state that the files may be found in now. */
  state(random: Random): ReadonlyMap<string, Buffer>;
}

export function createCrashDisk(): CrashDisk {
  const files = new Map<string, Kept>();

  function file(name: string): Kept {
    let found = files.get(name);
    if (found === undefined) {
      found = { durable: undefined, pending: [] };
      files.set(name, found);
    }
    return found;
  }

  function settle(kept: Kept, count: number): void {
    for (const change of kept.pending.splice(0, count)) kept.durable = apply(kept.durable, change);
  }

  /**
   * A sync that failed: the pages count as written, so no later one writes them. Sizes and names are the filesystem's own
   * and go on.
   */
  function forget(kept: Kept): void {
    kept.pending = kept.pending.filter((change) => change.kind !== "write");
  }

  /** A folder's sync keeps what happened to names: what was removed is gone, what was made is there. */
  function syncFolder(): void {
    for (const kept of files.values()) {
      settle(kept, kept.pending.findLastIndex((change) => change.kind === "unlink") + 1);
      if (kept.pending.length > 0) kept.durable ??= { bytes: Buffer.alloc(0), length: 0 };
    }
  }

  return {
    take(step) {
      if (step.kind === "ack") return;
      if (step.kind === "fail") forget(file(step.name));
      else if (step.kind !== "sync") file(step.name).pending.push(step);
      else if (step.name === "") syncFolder();
      else settle(file(step.name), Number.POSITIVE_INFINITY);
    },
    state(random) {
      const draw = Math.floor(random.next() * 8);
      const out = new Map<string, Buffer>();
      for (const [name, kept] of files) {
        const mixed = MIXED[Math.floor(random.next() * MIXED.length)] as Way;
        const way: Way = draw === 0 ? "nothing" : draw === 1 ? "all" : mixed;
        const content = surviving(kept, way, random);
        if (content !== undefined) out.set(name, content.bytes.subarray(0, content.length));
      }
      return out;
    },
  };
}
