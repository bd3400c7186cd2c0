// What the doctor looks at. Gathered by `gather.ts`, judged by `checks.ts`.
import type { DiskFacts, UpsFacts } from "../domain/self.ts";

/** What can be known without a configuration. */
export interface MachineFacts {
  readonly nowMs: number;
  readonly node: { readonly version: string; readonly sqlite: string };
  /** Who runs this. */
  readonly account: string;
  /** No path: the defaults. */
  readonly config: { readonly path?: string; readonly problems: readonly string[] };
  readonly clock: { readonly plausible: boolean; readonly synchronised?: boolean };
  /** Undefined where there is no such unit. */
  readonly unit?: { readonly active: string; readonly enabled: string; readonly restarts: number };
}

export interface DoctorFacts extends MachineFacts {
  readonly folder: {
    readonly dir: string;
    readonly exists: boolean;
    readonly writable: boolean;
    /** Permission bits. */
    readonly mode?: number;
    /** Files that nobody else may read, with their permission bits. */
    readonly secrets: readonly { readonly path: string; readonly mode: number }[];
  };
  readonly disk?: DiskFacts;
  readonly journal: JournalFacts;
  readonly history: HistoryFileFacts;
  readonly registry: RegistryFacts;
  readonly people: { readonly total: number; readonly admins: number } | Unreadable;
  readonly certificates: readonly CertificateFacts[];
  readonly http: HttpFacts;
  readonly mqtt: { readonly host: string; readonly port: number; readonly answers: boolean };
  /** Addresses that the configuration sends to. */
  readonly targets: readonly { readonly key: string; readonly url: string; readonly failure?: string }[];
  /** Undefined where nobody is to be told. */
  readonly notify?: {
    readonly file: string;
    readonly problems: readonly string[];
    readonly recipients: number;
    /** Ways to people that can be looked at, with what is wrong; or, `waits`, why only a message would show it. */
    readonly ways: readonly { readonly name: string; readonly failure?: string; readonly waits?: string }[];
  };
  /** Undefined where none is configured. */
  readonly copy?: CopyFacts | undefined;
  /** Undefined where none is configured. */
  readonly ups?: UpsFacts & { readonly name: string };
}

export type JournalFacts =
  | { readonly kind: "none" }
  | { readonly kind: "unreadable"; readonly reason: string }
  /** Of another form than this program writes. */
  | { readonly kind: "version"; readonly found: number; readonly known: number }
  | {
      readonly kind: "open";
      readonly newestId: number;
      readonly cursors: readonly { readonly name: string; readonly id: number }[];
      readonly setAside: number;
      readonly deadLetters: readonly { readonly sink: string; readonly count: number }[];
      /** Rows that were dropped before all had read them, ever, and the last time. */
      readonly gapRows: number;
      readonly lastGap?: { readonly why: string; readonly atMs: number };
      /** Acts and notes on rows that went before their time, because there were too many. */
      readonly droppedEarly: number;
      /** Of the newest rows, so many were looked at, and so many do not fit their checksum. */
      readonly checkedRows: number;
      readonly damagedRows: number;
      /** What SQLite says of the file; undefined when it was not done in time. */
      readonly quickCheck?: readonly string[];
    };

export type HistoryFileFacts =
  | { readonly kind: "none" }
  | { readonly kind: "unreadable"; readonly reason: string }
  /** Every row of the journal up to `covered` is in it. */
  | { readonly kind: "open"; readonly covered: number };

export interface Unreadable {
  readonly reason: string;
  readonly path?: string;
  /** It can be opened, and is not what the gateway wrote. */
  readonly isTorn: boolean;
}

export type RegistryFacts =
  | ({ readonly kind: "unreadable" } & Unreadable)
  | {
      readonly kind: "read";
      readonly points: number;
      readonly devices: readonly string[];
      /** Devices that have a key. */
      readonly keyed: readonly string[];
    };

export interface CertificateFacts {
  /** The configuration key that names it. */
  readonly key: string;
  readonly path: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly names: readonly string[];
  /** Where screens or devices ask for it; undefined for every address of the machine. */
  readonly host?: string;
}

export interface HttpFacts {
  readonly host: string;
  readonly port: number;
  readonly answer: "gateway" | "other" | "nobody";
  /** Why it is not ready, as `/readyz` says; empty when it is. */
  readonly notReady: readonly string[];
}

export interface CopyFacts {
  /** Where copies are kept. */
  readonly dir: string;
  readonly everyS: number;
  readonly place:
    | { readonly kind: "there"; readonly writable: boolean; readonly sameDisk: boolean }
    | { readonly kind: "missing" }
    | { readonly kind: "silent" }
    | { readonly kind: "unreadable"; readonly reason: string };
  /** The copy of this journal; undefined while there is no journal. */
  readonly found?:
    | {
        readonly folder: string;
        /** When its newest whole state was written. */
        readonly newestMs?: number;
        /** States that are newer, and not whole. */
        readonly damaged: readonly string[];
        /** Files that copies which were ended have left. */
        readonly parts: number;
        /** Where the data have one: when the one in the copy was written, undefined while there is none. */
        readonly history?: { readonly writtenMs: number | undefined };
      }
    | undefined;
  readonly passphrase:
    | { readonly kind: "none" }
    | { readonly kind: "usable" }
    | { readonly kind: "unusable"; readonly path: string; readonly reason: string };
}
