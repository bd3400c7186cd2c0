// What the writer does for its file between commits: closes the day, drops old days, keeps the reserve, and writes down what
// is known of the devices. `retention.ts` decides.
import type { Clock } from "../clock.ts";
import { GatewayError } from "../errors.ts";
import { type ListBound, TRIM_MS, trimsAt } from "./bounds.ts";
import type { FileState } from "./changes.ts";
import { type Drop, isTurnDue, nextDrop, type RetentionRules } from "./retention.ts";
import { lowBytesOf, type Reserve, type Space } from "./space.ts";
import type { Loss, RecordStore } from "./store.ts";
import type { Writer } from "./writer.ts";

/** Rows after which the devices are summarised: 100 ms of reading at a start. */
export const SUMMARY_ROWS = 20_000;
/** Space and age are looked at so often. */
export const UPKEEP_MS = 10_000;
/** Cursors that nobody has used so long after the start belong to sinks that are gone: nobody waits for them. */
const UNUSED_MS = 3_600_000;
/** The reserve is made again when so much more than it needs is free. */
const RESERVE_ROOM = 2;

export interface UpkeepDeps {
  readonly store: RecordStore;
  readonly writer: Writer;
  readonly clock: Pick<Clock, "nowMs" | "monotonicMs">;
  readonly space: () => Space;
  readonly reserve: Reserve;
  readonly keepMs: number;
  /** Of what is written down beside the rows. */
  readonly lists: readonly ListBound[];
  /** In place of what the size of the disk says. */
  readonly lowBytes?: number | undefined;
}

export interface Upkeep {
  state(): FileState;
  /** Somebody reads by this cursor. */
  noteUse(cursor: string): void;
  /** Nobody does any more. */
  noteLeft(cursor: string): void;
  /** After a commit: what is due. */
  afterCommit(): Promise<void>;
  /** Now and then, also without commits. */
  round(): Promise<void>;
  /** False when what room is left is kept for saving and dropping. */
  hasRoomForRows(): boolean;
  /** A commit failed for want of space. True when there is more of it now. */
  makeRoom(): Promise<boolean>;
  /** Before a clean stop. */
  finish(): Promise<void>;
}

export async function createUpkeep(deps: UpkeepDeps): Promise<Upkeep> {
  const { store, writer, clock, space, reserve } = deps;
  const openedMs = clock.monotonicMs();
  let trimmedMs = openedMs;
  const inUse = new Set<string>();
  let lookedMs = Number.NEGATIVE_INFINITY;
  let state: FileState = { freeBytes: 0, lowWater: false, gapRows: 0, oldestId: 1 };

  const sinceOpenMs = () => clock.monotonicMs() - openedMs;
  const runMs = () => writer.runMs(sinceOpenMs());

  async function cursorsInUse(): Promise<ReadonlyMap<string, number>> {
    const stored = await store.cursors();
    const cursors = new Map<string, number>();
    for (const [name, id] of stored) if (inUse.has(name) || sinceOpenMs() < UNUSED_MS) cursors.set(name, id);
    for (const name of inUse) if (!cursors.has(name)) cursors.set(name, 0);
    return cursors;
  }

  /** What can be written before the disk is full. */
  const roomIn = (now: Space) => now.freeBytes + store.health().freeInsideBytes;

  function rules(now: Space): RetentionRules {
    return { keepMs: deps.keepMs, lowBytes: deps.lowBytes ?? lowBytesOf(now) };
  }

  /** Drops one range at a time, and looks again. True when any went. */
  async function prune(isFull: boolean): Promise<boolean> {
    let isDone = false;
    for (let drop = await decide(isFull); drop !== undefined; drop = await decide(false)) {
      if (!(await dropOne(drop))) break;
      isDone = true;
    }
    return isDone;
  }

  async function decide(isFull: boolean): Promise<Drop | undefined> {
    const now = space();
    const freeBytes = roomIn(now);
    const ranges = await store.ranges();
    return nextDrop({ ranges, cursors: await cursorsInUse(), runMs: runMs(), freeBytes, isFull }, rules(now));
  }

  async function dropOne({ throughId, lossFromId, why }: Drop): Promise<boolean> {
    // The rows go; what the table of devices had from them must be there without them.
    if (writer.summarisedId() < throughId && !(await writer.summarise(runMs()))) return false;
    const rows = lossFromId === undefined ? 0 : throughId - lossFromId + 1;
    const loss: Loss | undefined =
      lossFromId === undefined ? undefined : { fromId: lossFromId, toId: throughId, rows, why, atMs: clock.nowMs() };
    const verdict = await store.drop(writer.taken.epoch, throughId, loss);
    if (verdict.outcome !== "durable") return false;
    state = { ...state, gapRows: state.gapRows + rows };
    return true;
  }

  async function look(): Promise<boolean> {
    lookedMs = clock.monotonicMs();
    const now = space();
    const ranges = await store.ranges();
    const lowWater = now.freeBytes < rules(now).lowBytes;
    state = { ...state, freeBytes: now.freeBytes, lowWater, oldestId: ranges[0]?.firstId ?? 1 };
    return true;
  }

  /** Not at the start: a clock may be wrong then, and a machine that starts again and again must not lose much by it. */
  async function trim(): Promise<void> {
    if (clock.monotonicMs() - trimmedMs < TRIM_MS) return;
    trimmedMs = clock.monotonicMs();
    await store.trim(writer.taken.epoch, trimsAt(deps.lists, clock.nowMs()));
  }

  async function round(): Promise<boolean> {
    if (isTurnDue(await store.ranges(), runMs()) && (await writer.summarise(runMs()))) {
      await store.turn(writer.taken.epoch, runMs());
    }
    await prune(false);
    await trim();
    await look();
    const missing = reserve.missingBytes();
    const now = space();
    if (missing > 0 && now.freeBytes > rules(now).lowBytes + RESERVE_ROOM * missing) reserve.grow();
    return true;
  }

  /** The disk refuses: what is due is done the next time. */
  async function unlessRefused(work: () => Promise<boolean>): Promise<boolean> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof GatewayError) return false;
      throw error;
    }
  }

  const gaps = await store.gaps(Number.MAX_SAFE_INTEGER);
  state = { ...state, gapRows: gaps.reduce((sum, gap) => sum + gap.rows, 0) };
  await look();
  return {
    state: () => state,
    noteUse: (cursor) => void inUse.add(cursor),
    noteLeft: (cursor) => void inUse.delete(cursor),
    async afterCommit() {
      if (writer.newestId() - writer.summarisedId() >= SUMMARY_ROWS) await writer.summarise(runMs());
      if (clock.monotonicMs() - lookedMs >= UPKEEP_MS) await unlessRefused(round);
    },
    round: async () => void (await unlessRefused(round)),
    hasRoomForRows() {
      const floor = reserve.floorBytes();
      if (floor === 0) return true;
      const now = space();
      return now.freeBytes >= floor || roomIn(now) >= floor;
    },
    async makeRoom() {
      const isFreed = reserve.release();
      const isPruned = await unlessRefused(() => prune(true));
      await unlessRefused(look);
      return isFreed || isPruned;
    },
    async finish() {
      if (writer.newestId() > writer.summarisedId()) await writer.summarise(runMs());
    },
  };
}
