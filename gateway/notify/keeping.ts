// What the outbox keeps, as documents beside the journal. What cannot be kept now is held in memory and goes with the next save:
// that the disk is full is one of the things that people are to be told.
import type { Mute } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import type { KeptNotice } from "../domain/notify/delivery.ts";
import type { NotifyChanges } from "../domain/notify/step.ts";
import type { Tray } from "../domain/notify/tray.ts";
import type { Watched } from "../domain/notify/watch.ts";
import { GatewayError } from "../errors.ts";

interface Document {
  readonly kind: string;
  readonly key: string;
}

export interface NotifyAct {
  readonly atMs: number;
  readonly actor: string;
  readonly action: string;
  readonly object: string;
  readonly result: string;
  readonly origin: string;
  readonly detail: string;
}

export interface NotifyJournal {
  documents(kind: string): Promise<readonly { readonly key: string; readonly json: string }[]>;
  save(change: {
    readonly put?: readonly (Document & { readonly json: string })[];
    readonly remove?: readonly Document[];
    readonly acts?: readonly NotifyAct[];
  }): Promise<void>;
}

interface Maps {
  readonly watched: Map<string, Watched>;
  readonly trays: Map<string, Tray>;
  readonly notices: Map<string, KeptNotice>;
  readonly mutes: Map<string, Mute>;
}

type Changes = Partial<Omit<NotifyChanges, "decisions">>;

export interface Keeping {
  readonly model: Maps;
  /** In force at once; on disk when it resolves, or, where the disk does not take it in time, later. Never rejects. */
  keep(changes: Changes): Promise<void>;
  /** In force only when it is on disk. Rejects with JOURNAL_UNUSABLE. */
  keepNow(changes: Changes, act: NotifyAct): Promise<void>;
}

const KINDS = { watched: "notify-watched", trays: "notify-tray", notices: "notice", mutes: "notify-mute" } as const;
type Name = keyof typeof KINDS;
const NAMES = Object.keys(KINDS) as Name[];

/** A disk that does not answer holds up what people are to be told no longer than this. */
const SAVE_MS_MAX = 3_000;
/** Whoever asks waits so long. */
const ASKED_MS_MAX = 10_000;

export interface KeepingDeps {
  readonly journal: NotifyJournal;
  readonly clock: Pick<Clock, "after">;
  log(event: string, detail: Readonly<Record<string, string | number>>): void;
}

export async function createKeeping({ journal, clock, log }: KeepingDeps): Promise<Keeping> {
  const model: Maps = { watched: new Map(), trays: new Map(), notices: new Map(), mutes: new Map() };
  for (const name of NAMES) {
    const map = model[name] as Map<string, unknown>;
    for (const { key, json } of await journal.documents(KINDS[name])) map.set(key, JSON.parse(json));
  }
  /** Not on disk yet, by `name/key`. */
  const unsaved = new Map<string, { readonly name: Name; readonly key: string }>();
  let saving: Promise<void> | undefined;

  function apply(changes: Changes): void {
    for (const name of NAMES) {
      const map = model[name] as Map<string, unknown>;
      for (const [key, value] of changes[name] ?? []) {
        if (value === undefined) map.delete(key);
        else map.set(key, value);
        unsaved.set(`${name}/${key}`, { name, key });
      }
    }
  }

  function changeSet(names: readonly { readonly name: Name; readonly key: string }[]) {
    const put: (Document & { json: string })[] = [];
    const remove: Document[] = [];
    for (const { name, key } of names) {
      const value = model[name].get(key);
      if (value === undefined) remove.push({ kind: KINDS[name], key });
      else put.push({ kind: KINDS[name], key, json: JSON.stringify(value) });
    }
    return { put, remove };
  }

  async function save(): Promise<void> {
    const now = [...unsaved.values()];
    unsaved.clear();
    try {
      await journal.save(changeSet(now));
    } catch (error) {
      for (const one of now) unsaved.set(`${one.name}/${one.key}`, one);
      log("notices are not kept on disk yet", { reason: error instanceof Error ? error.message : String(error) });
    } finally {
      saving = undefined;
    }
  }

  /** The work goes on when its time is over. */
  function within<T>(ms: number, work: Promise<T>): Promise<T | "late"> {
    return new Promise((resolve, reject) => {
      const timer = clock.after(ms, () => resolve("late"));
      work.then(resolve, reject).finally(() => timer.stop());
    });
  }

  return {
    model,
    async keep(changes) {
      apply(changes);
      // While the disk takes nothing, what comes is gathered for when it does.
      if (saving === undefined && unsaved.size > 0) saving = save();
      if (saving !== undefined) await within(SAVE_MS_MAX, saving);
    },
    async keepNow(changes, act) {
      const mutes = [...(changes.mutes ?? [])];
      const put = mutes.flatMap(([key, mute]) =>
        mute === undefined ? [] : [{ kind: KINDS.mutes, key, json: JSON.stringify(mute) }],
      );
      const remove = mutes.flatMap(([key, mute]) => (mute === undefined ? [{ kind: KINDS.mutes, key }] : []));
      try {
        const saved = await within(ASKED_MS_MAX, journal.save({ put, remove, acts: [act] }));
        if (saved === "late") throw new GatewayError("JOURNAL_UNUSABLE", { reason: `no answer in ${ASKED_MS_MAX} ms` });
      } catch (error) {
        // It may be on disk all the same, or come there later: the next save writes what is in force over it.
        for (const [key] of mutes) unsaved.set(`mutes/${key}`, { name: "mutes", key });
        throw error;
      }
      apply(changes);
    },
  };
}
