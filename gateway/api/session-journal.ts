// Keeps sessions and acts in the journal. Signing in never waits for it: a full disk must not lock people out.
import type { ApiAct, ApiJournal, ApiLog } from "./interfaces.ts";
import type { SessionChange, SessionRow } from "./sessions.ts";

const KIND = "session";

export interface SessionJournal {
  readonly rows: readonly SessionRow[];
  keep(change: SessionChange): void;
  record(act: ApiAct): void;
}

/** Without a journal sessions end with the process. Rejects when the journal cannot be read. */
export async function openSessionJournal(journal: ApiJournal | undefined, log: ApiLog): Promise<SessionJournal> {
  if (journal === undefined) return { rows: [], keep: () => undefined, record: () => undefined };
  const documents = await journal.documents(KIND);
  const failed = (error: unknown) => log("session not kept", { error: String(error) });
  return {
    rows: documents.map(({ json }) => JSON.parse(json) as SessionRow),
    keep: ({ put, remove }) => {
      const change = {
        put: put === undefined ? [] : [{ kind: KIND, key: put.hash, json: JSON.stringify(put) }],
        remove: remove.map((key) => ({ kind: KIND, key })),
      };
      journal.save(change).catch(failed);
    },
    record: (act) => {
      journal.save({ acts: [act] }).catch(failed);
    },
  };
}
