// A journal in memory: for engines that judge what never was, or what has been, and write nothing.
import type { JournalRecord } from "../domain/record.ts";
import type { EngineJournal } from "./interfaces.ts";
import type { EngineAct } from "./state.ts";

export interface MemoryJournal {
  readonly journal: EngineJournal;
  /** Their ids follow one another. */
  readonly rows: JournalRecord[];
  readonly acts: EngineAct[];
  readonly asides: Map<number, { id: number }>;
  /** Saves that fail before one goes well again. */
  failures: number;
  /** Takes a row as the newest, and wakes who reads. */
  put(row: Omit<JournalRecord, "id">): void;
  /** Forgets rows up to this one, which all have read. */
  forget(id: number): void;
}

/** Keeps rows, and what an engine saves, over as many starts of an engine as one likes. */
export function createMemoryJournal(): MemoryJournal {
  const rows: JournalRecord[] = [];
  const documents = new Map<string, Map<string, string>>();
  const cursors = new Map<string, number>();
  const asides = new Map<number, { id: number }>();
  const listeners = new Set<() => void>();
  const acts: EngineAct[] = [];
  let forgotten = 0;
  const newestId = () => rows.at(-1)?.id ?? forgotten;
  const journal: EngineJournal = {
    read: async (afterId, limit) => {
      const from = Math.max(0, afterId - forgotten);
      return rows.slice(from, from + limit);
    },
    save: async (change) => {
      if (store.failures > 0) {
        store.failures--;
        throw new Error("the disk refuses");
      }
      for (const { kind, key, json } of change.put ?? []) {
        const kept = documents.get(kind) ?? new Map<string, string>();
        documents.set(kind, kept.set(key, json));
      }
      for (const { kind, key } of change.remove ?? []) documents.get(kind)?.delete(key);
      for (const row of change.setAside ?? []) asides.set(row.id, { id: row.id });
      if (change.cursor !== undefined) cursors.set(change.cursor.name, change.cursor.id);
      for (const act of change.acts ?? []) acts.push(act);
    },
    documents: async (kind) => [...(documents.get(kind) ?? [])].map(([key, json]) => ({ key, json })),
    cursor: async (name) => cursors.get(name) ?? 0,
    setAside: async () => [...asides.values()],
    newestId,
    onCommitted: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    health: () => ({ pendingRows: 0 }),
  };
  const store: MemoryJournal = {
    journal,
    rows,
    acts,
    asides,
    failures: 0,
    put(row) {
      rows.push({ ...row, id: newestId() + 1 });
      for (const listener of listeners) listener();
    },
    forget(id) {
      const count = Math.min(rows.length, Math.max(0, id - forgotten));
      rows.splice(0, count);
      forgotten += count;
    },
  };
  return store;
}
