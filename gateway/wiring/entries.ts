// What people told, into the journal: a row like any other, on disk before anybody is told that it counts.
import { randomUUID } from "node:crypto";
import type { ApiEntries } from "../api/interfaces.ts";
import type { Clock } from "../clock.ts";
import { makeEntry } from "../domain/manual/new-entry.ts";
import type { AppendOutcome } from "../domain/record.ts";
import type { Engine } from "../engine/engine.ts";
import { GatewayError } from "../errors.ts";
import type { Journal } from "../journal/journal.ts";

/** A person waits so long for the disk; then the answer is that nobody knows, and that it may be sent again. */
const STORED_MS_MAX = 10_000;

export interface EntryDeps {
  readonly journal: Pick<Journal, "append" | "health">;
  readonly engine: Pick<Engine, "point" | "hasEntry" | "caughtUp">;
  readonly clock: Clock;
  isClockTrusted(): boolean;
}

/** `tell` rejects with POINT_UNKNOWN, ENTRY_INVALID, JOURNAL_UNUSABLE, JOURNAL_BUSY, JOURNAL_CLOSED. */
export function createEntries({ journal, engine, clock, isClockTrusted }: EntryDeps): ApiEntries {
  function pointOf(pointId: string) {
    const point = engine.point(pointId);
    if (point === undefined) throw new GatewayError("POINT_UNKNOWN", { pointId });
    return point;
  }

  /** Rejects when the disk does not take it in time; the row may be stored all the same. */
  function stored(append: Promise<AppendOutcome>): Promise<AppendOutcome> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new GatewayError("JOURNAL_UNUSABLE", { reason: `no answer in ${STORED_MS_MAX} ms` }));
      const deadline = clock.after(STORED_MS_MAX, late);
      append.then(resolve, reject).finally(() => deadline.stop());
    });
  }

  return {
    async tell(pointId, asked, by) {
      const point = pointOf(pointId);
      const nowMs = clock.nowMs();
      const made = makeEntry({ pointId, asked, by, newId: randomUUID(), nowMs });
      if ("problem" in made) throw new GatewayError("ENTRY_INVALID", { problems: [made.problem] });
      const { entry } = made;
      if (engine.hasEntry(pointId, entry.entryId)) return point;
      const { failing } = journal.health();
      if (failing !== undefined) throw new GatewayError("JOURNAL_UNUSABLE", { reason: failing });
      const outcome = await stored(
        journal.append({
          deviceId: pointId,
          header: undefined,
          toldMs: Date.parse(entry.at),
          receivedMs: nowMs,
          clockTrusted: isClockTrusted(),
          link: "manual",
          frame: new TextEncoder().encode(JSON.stringify(entry)),
        }),
      );
      if (outcome.outcome === "too-many-devices")
        throw new GatewayError("JOURNAL_UNUSABLE", { reason: outcome.outcome });
      await engine.caughtUp();
      return pointOf(pointId);
    },
  };
}
