// Whether the gateway does its work now, for whatever watches it from outside. Pure.

/** Rows the engine may be behind the journal: some seconds of work. */
export const READY_BEHIND_ROWS_MAX = 1_000;

export interface ReadinessFacts {
  readonly engineBehindRows: number;
  /** Why the journal cannot commit. */
  readonly journalFailing?: string;
  readonly devicesListen: boolean;
  readonly stopping: boolean;
}

export interface NotReady {
  readonly code: "engine-behind" | "journal-refusing" | "not-listening" | "stopping";
  readonly detail: string;
}

/** Every reason why not; empty when it is ready. */
export function notReady(facts: ReadinessFacts): NotReady[] {
  const reasons: NotReady[] = [];
  if (facts.stopping) reasons.push({ code: "stopping", detail: "the gateway is being stopped" });
  if (!facts.devicesListen) reasons.push({ code: "not-listening", detail: "devices cannot connect" });
  if (facts.journalFailing !== undefined)
    reasons.push({ code: "journal-refusing", detail: `nothing can be stored: ${facts.journalFailing}` });
  if (facts.engineBehindRows > READY_BEHIND_ROWS_MAX)
    reasons.push({ code: "engine-behind", detail: `${facts.engineBehindRows} rows are stored and not yet judged` });
  return reasons;
}
