// Stores that break one promise each: the conformance suite must catch every one of them.
import { systemClock } from "../gateway/clock.ts";
import { openSqliteStore } from "../gateway/journal/sqlite-store.ts";
import { endOf, type RecordStore, type StoreRecord } from "../gateway/journal/store.ts";

const SLOW_MS = 40;
const DURABLE = { outcome: "durable" } as const;

function slow(): Promise<void> {
  return new Promise((resolve) => void systemClock.after(SLOW_MS, resolve));
}

/** By what is wrong with it; the second has a name of the check that sees it. */
export const BROKEN = {
  "acknowledges before the commit": (store: RecordStore): RecordStore => {
    // In its own time, one after the other.
    let tail: Promise<unknown> = Promise.resolve();
    return {
      ...store,
      append: (epoch, first, records) => {
        tail = tail.then(slow).then(() => store.append(epoch, first, records));
        return Promise.resolve(DURABLE);
      },
    };
  },
  "commits an append in two halves": (store: RecordStore): RecordStore => ({
    ...store,
    append: async (epoch, first, records) => {
      if (records.length < 2) return store.append(epoch, first, records);
      const half = Math.floor(records.length / 2);
      const head = await store.append(epoch, first, records.slice(0, half));
      await slow();
      if (head.outcome !== "durable") return head;
      return store.append(epoch, endOf(first, records.slice(0, half)), records.slice(half));
    },
  }),
  "forgets the fence": (store: RecordStore): RecordStore => {
    let fence = 0;
    const again = async <T>(run: (epoch: number) => Promise<T>, epoch: number): Promise<T> => {
      const result = await run(Math.max(fence, epoch));
      const { outcome, epoch: newer } = result as { outcome?: string; epoch?: number };
      if (outcome !== "fenced" || newer === undefined) return result;
      fence = newer;
      return run(newer);
    };
    return {
      ...store,
      append: (epoch, first, records) => again((now) => store.append(now, first, records), epoch),
      read: (epoch, from, limit) => again((now) => store.read(now, from, limit), epoch),
      turn: (epoch, runMs) => again((now) => store.turn(now, runMs), epoch),
      drop: (epoch, through, loss) => again((now) => store.drop(now, through, loss), epoch),
    };
  },
  "stores twice on a resend": (store: RecordStore): RecordStore => ({
    ...store,
    append: (epoch, _, records) => {
      const { next } = store.health();
      return store.append(epoch, next, renumbered(records, next.row));
    },
  }),
  "closes gaps by itself": (store: RecordStore): RecordStore => ({
    ...store,
    append: (epoch, first, records) => {
      const { next } = store.health();
      if (first.row <= next.row && first.change <= next.change) return store.append(epoch, first, records);
      return store.append(epoch, next, renumbered(records, next.row));
    },
  }),
  "loses cursors": (store: RecordStore): RecordStore => ({ ...store, cursors: () => Promise.resolve(new Map()) }),
  "reads one range only": (store: RecordStore): RecordStore => ({
    ...store,
    read: async (epoch, fromId, limit) => {
      const range = (await store.ranges()).find((one) => one.lastId >= fromId);
      return store.read(epoch, fromId, Math.min(limit, (range?.lastId ?? fromId) - fromId + 1));
    },
  }),
  "does not count what it drops": (store: RecordStore): RecordStore => ({
    ...store,
    drop: (epoch, throughId) => store.drop(epoch, throughId, undefined),
  }),
  "trims more than it was told": (store: RecordStore): RecordStore => ({
    ...store,
    trim: (epoch, trims) =>
      store.trim(
        epoch,
        trims.map((one) => ({ ...one, overMax: Number.MAX_SAFE_INTEGER })),
      ),
  }),
  "restarts its ids": (store: RecordStore): RecordStore => ({
    ...store,
    takeOver: async () => {
      const taken = await store.takeOver();
      const read = await store.read(taken.epoch, 1, 1);
      const isEmpty = read.outcome === "rows" && read.rows.length === 0;
      return isEmpty ? { ...taken, next: { ...taken.next, row: 1 } } : taken;
    },
  }),
  "takes all that comes": (store: RecordStore): RecordStore => {
    let tail: Promise<unknown> = Promise.resolve();
    return {
      ...store,
      append: (epoch, first, records) => {
        const result = tail.then(() => store.append(epoch, first, records));
        tail = result;
        return result;
      },
    };
  },
  "does not know where it stands": (store: RecordStore): RecordStore => ({
    ...store,
    health: () => ({ ...store.health(), next: { row: 1, change: 1 } }),
  }),
} as const;

export type Fault = keyof typeof BROKEN;

function renumbered(records: readonly StoreRecord[], firstId: number): StoreRecord[] {
  let id = firstId;
  return records.map((record) => ("row" in record ? { row: { ...record.row, id: id++ } } : record));
}

/** `FOLDER`, or `FOLDER?FAULT` for a broken one: how the child of the conformance suite opens its log. */
export async function openStore(argument: string): Promise<RecordStore> {
  const [dir = "", fault] = argument.split("?");
  const store = openSqliteStore({ dir });
  return fault === undefined ? store : BROKEN[fault as Fault](store);
}
