// What the engine needs of others, in the smallest shape that serves it.
import type { NotifyState, SinkState } from "../../protocol/index.ts";
import type { JournalRecord } from "../domain/record.ts";
import type { SelfFacts } from "../domain/self.ts";
import type { EngineAct } from "./state.ts";

export interface EngineChangeSet {
  readonly cursor?: { readonly name: string; readonly id: number };
  readonly put?: readonly { readonly kind: string; readonly key: string; readonly json: string }[];
  readonly remove?: readonly { readonly kind: string; readonly key: string }[];
  readonly setAside?: readonly {
    readonly id: number;
    readonly cursor: string;
    readonly error: string;
    readonly atMs: number;
  }[];
  readonly acts?: readonly EngineAct[];
}

export interface EngineJournal {
  read(afterId: number, limit: number): Promise<readonly JournalRecord[]>;
  save(change: EngineChangeSet): Promise<void>;
  documents(kind: string): Promise<readonly { readonly key: string; readonly json: string }[]>;
  cursor(name: string): Promise<number>;
  setAside(limit: number): Promise<readonly { readonly id: number }[]>;
  newestId(): number;
  /** The oldest row that is kept: entries are forgotten with their rows. All of them are kept when left out. */
  oldestId?(): number;
  onCommitted(listener: () => void): () => void;
  health(): { readonly pendingRows: number; readonly failing?: string };
}

/** What happened outside the journal and may need a person. */
export interface Signal {
  readonly kind: "refusal";
  readonly reason: string;
  /** The device or person that was signed in, or who it said it was. */
  readonly sender?: string;
}

/** Figures of other parts for the gateway's own state. */
export interface Surroundings {
  refusals(): Readonly<Record<string, number>>;
  sinks(): readonly SinkState[];
  isClockTrusted(): boolean;
  /** Paths that are known to bring nobody, whoever is silent: no base station of theirs is heard. */
  deadPaths?(): ReadonlySet<string>;
  /** Undefined where nobody is to be told. */
  notify?(): NotifyState | undefined;
  /** What the gateway watches about itself; without it no alert about it is raised. */
  self?(): SelfFacts;
}
