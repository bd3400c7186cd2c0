// What people told of a point, the newest first: who, how, and of when.
import { useEffect, useState } from "preact/hooks";
import type { Entry } from "../../../protocol/schema/index.ts";
import { entriesOf } from "./actions.ts";
import { Part, type PartProps } from "./part.tsx";
import { coded, lastToldMs, saidWords, sourceWord } from "./words.ts";

/** What says nothing of itself what it is about. */
const NAMED: readonly string[] = ["phase", "supplies"];

export function EntriesPart({ point, nowMs, format, turn }: PartProps & { readonly turn: number }) {
  const { pointId } = point;
  const newest = lastToldMs(point);
  const [entries, setEntries] = useState<readonly Entry[] | "none" | undefined>(undefined);
  useEffect(() => {
    let isCurrent = true;
    void entriesOf(pointId).then((found) => {
      if (isCurrent) setEntries(found ?? "none");
    });
    return () => {
      isCurrent = false;
    };
  }, [pointId, turn, newest]);
  return (
    <Part id="entries" title={format.text("entriesTitle")}>
      {!Array.isArray(entries) ? (
        <p>{format.text(entries === "none" ? "notLoaded" : "loading")}</p>
      ) : entries.length === 0 ? (
        <p>{format.text("noEntries")}</p>
      ) : (
        <ol class="entries">
          {entries.map((entry: Entry) => (
            <li key={entry.entryId}>
              <span class="sub">
                <time dateTime={entry.at}>{format.farMoment(Date.parse(entry.at), nowMs)}</time>
                {` · ${sourceWord({ told: entry }, format)}`}
              </span>
              {NAMED.includes(entry.statement.kind) && <b>{coded(format, "what", entry.statement.kind)}: </b>}
              {saidWords(entry.statement, format)}
              {entry.note !== undefined && <span class="sub">{entry.note}</span>}
            </li>
          ))}
        </ol>
      )}
    </Part>
  );
}
