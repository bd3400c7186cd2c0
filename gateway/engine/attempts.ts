// Remembers on disk at which row the engine stands, but only where it matters: after a stop that was not clean, for the
// rows of one batch. A row at which the process went down twice is known when it comes up the third time.
import type { Clock } from "../clock.ts";
import type { EngineJournal } from "./interfaces.ts";

const KIND = "engine";
const RUNNING = "running";
const ATTEMPT = "attempt";

export interface Attempts {
  /** Marks the engine as running; after an unclean stop the rows up to `cursor + rows` are taken with care. */
  load(cursor: number, rows: number): Promise<void>;
  /** True for a row that is taken with care: its outcome is saved before the next one begins. */
  isCareful(id: number): boolean;
  /** Before a row: how often the process went down at it. */
  begin(id: number): Promise<number>;
  /** A clean stop. */
  close(): Promise<void>;
}

export function createAttempts(journal: EngineJournal, clock: Clock): Attempts {
  let carefulUntilId = 0;
  let suspect = { id: 0, crashes: 0 };

  return {
    async load(cursor, rows) {
      const documents = new Map((await journal.documents(KIND)).map((row) => [row.key, row.json]));
      if (documents.get(RUNNING) === "true") carefulUntilId = cursor + rows;
      const attempt = documents.get(ATTEMPT);
      if (attempt !== undefined) suspect = JSON.parse(attempt) as typeof suspect;
      await journal.save({ put: [{ kind: KIND, key: RUNNING, json: "true" }] });
    },
    isCareful: (id) => id <= carefulUntilId,
    async begin(id) {
      if (id > carefulUntilId) return 0;
      const crashes = suspect.id === id ? suspect.crashes : 0;
      suspect = { id, crashes: crashes + 1 };
      await journal.save({
        put: [{ kind: KIND, key: ATTEMPT, json: JSON.stringify({ ...suspect, atMs: clock.nowMs() }) }],
      });
      return crashes;
    },
    async close() {
      await journal.save({ put: [{ kind: KIND, key: RUNNING, json: "false" }] });
    },
  };
}
