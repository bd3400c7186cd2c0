// One statement from a button: its id is made when the button is first pressed, so that a second press counts once.
import { useRef, useState } from "preact/hooks";
import type { Statement } from "../../../protocol/schema/index.ts";
import { addEntry } from "./actions.ts";
import { saysTheSame } from "./entry-draft.ts";
import { failureWords } from "./entry-form.tsx";
import { newEntryId } from "./entry-store.ts";
import type { Format } from "./format.ts";
import { nowMs } from "./live.ts";

interface Asked {
  readonly entryId: string;
  readonly at: string;
  readonly statement: Statement;
}

export interface QuickEntry {
  readonly isBusy: boolean;
  /** Why it did not work; empty when it did, or nothing was tried. */
  readonly problem: string;
  /** True when it is recorded. */
  readonly tell: (statement: Statement) => Promise<boolean>;
}

export function useQuickEntry(pointId: string, format: Format): QuickEntry {
  const asked = useRef<Asked | undefined>(undefined);
  const isSending = useRef(false);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const tell = async (statement: Statement): Promise<boolean> => {
    if (isSending.current) return false;
    const before = asked.current;
    const now =
      before !== undefined && saysTheSame(before.statement, statement)
        ? before
        : { entryId: newEntryId(), at: new Date(Math.floor(nowMs.value / 1000) * 1000).toISOString(), statement };
    asked.current = now;
    isSending.current = true;
    setBusy(true);
    const outcome = await addEntry(pointId, { ...now, via: "screen" });
    isSending.current = false;
    setBusy(false);
    setProblem(outcome.kind === "failed" ? failureWords(outcome, format) : "");
    if (outcome.kind === "done") asked.current = undefined;
    return outcome.kind === "done";
  };
  return { isBusy, problem, tell };
}
