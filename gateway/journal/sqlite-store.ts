// The record store in SQLite, on one file. After an I/O error nothing goes on with the same handle: the kernel may have
// dropped pages that SQLite believes written, so the next call begins again from the file. A start does too: nobody knows how
// the run before it ended.
import { GatewayError } from "../errors.ts";
import { settleLog } from "./settle.ts";
import { createSqliteReader, type SqliteReader } from "./sqlite-reader.ts";
import {
  dropRanges,
  fenceOf,
  openSession,
  putRecords,
  refresh,
  runMsOf,
  type Session,
  turnRange,
} from "./sqlite-session.ts";
import { trimLists } from "./sqlite-trim.ts";
import { endOf, type Position, placeInLog, type RecordStore, type StoreVerdict, type TakenOver } from "./store.ts";

/** Appends that wait for the one before. The gateway's writer has one under way. */
const IN_FLIGHT_MAX = 8;

/** SQLite result codes (sqlite.org/rescode.html): the low byte of the extended code. */
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
/**
 * What a connection cannot get over: it is given up, and opened again at the next call. One that was opened while the file system
 * could not be written stays read-only for good.
 */
const GIVEN_UP: readonly number[] = [SQLITE_READONLY, SQLITE_IOERR, SQLITE_CANTOPEN];
const DURABLE = { outcome: "durable" } as const;

export interface SqliteStoreOptions {
  readonly dir: string;
  /** Test seam: caps the file at this many pages, as a full disk would. */
  readonly pagesMax?: number | undefined;
}

/** Opens the file, or makes it. Throws when it cannot be used. */
export function openSqliteStore(options: SqliteStoreOptions): RecordStore {
  const open = () => openSession(options.dir, options.pagesMax);
  let session: Session | undefined = open();
  let isDoubtful = true;
  let reader: SqliteReader | undefined;
  let epochNow = fenceOf(session);
  let next = session.next;
  let failing: string | undefined;
  let inFlight = 0;
  let tail: Promise<unknown> = Promise.resolve();

  function live(): Session {
    session ??= open();
    if (isDoubtful) {
      settleLog(session.db, options.dir);
      isDoubtful = false;
    }
    return session;
  }

  function read(): SqliteReader {
    const { db } = live();
    reader ??= createSqliteReader(db);
    return reader;
  }

  function abandon(): void {
    try {
      session?.db.close();
    } catch {
      // A handle that cannot even be closed is left to the end of the process.
    }
    session = undefined;
    reader = undefined;
    isDoubtful = true;
  }

  /** One call after the other, in the order in which they came. */
  function inTurn<T>(run: () => T): Promise<T> {
    const result = tail.then(run);
    tail = result.catch(() => undefined);
    return result;
  }

  /** A question: what the file refuses is an operating failure. */
  function ask<T>(question: (reader: SqliteReader) => T): Promise<T> {
    return inTurn(() => {
      try {
        return question(read());
      } catch (cause) {
        const code = (cause as { errcode?: unknown }).errcode;
        if (code === undefined) throw cause;
        failing = (cause as Error).message;
        if (GIVEN_UP.includes(Number(code) & 0xff)) abandon();
        throw new GatewayError("JOURNAL_UNUSABLE", { reason: failing }, { cause });
      }
    });
  }

  /** One transaction of a writer that nobody has fenced off. `work` says whether there is anything to commit. */
  function write(epoch: number, work: (session: Session) => StoreVerdict | undefined): StoreVerdict {
    let isCommitting = false;
    try {
      const now = live();
      now.sql.begin.run();
      const fence = fenceOf(now);
      const verdict = epoch !== fence ? ({ outcome: "fenced", epoch: fence } as const) : work(now);
      if (verdict !== undefined) {
        now.db.exec("ROLLBACK");
        return verdict;
      }
      isCommitting = true;
      now.sql.commit.run();
      failing = undefined;
      return DURABLE;
    } catch (error) {
      return afterFailure(error, isCommitting);
    }
  }

  function afterFailure(error: unknown, wasCommitting: boolean): StoreVerdict {
    const code = (Number((error as { errcode?: unknown }).errcode) || 0) & 0xff;
    failing = error instanceof Error ? error.message : String(error);
    if (GIVEN_UP.includes(code)) {
      abandon();
      return wasCommitting
        ? { outcome: "unknown", reason: failing }
        : { outcome: "not-durable", reason: failing, retry: true };
    }
    try {
      if (session?.db.isTransaction === true) session.db.exec("ROLLBACK");
      if (session !== undefined) refresh(session);
    } catch {
      abandon();
    }
    const retry = code === SQLITE_FULL || code === SQLITE_BUSY;
    return { outcome: "not-durable", reason: failing, retry, ...(code === SQLITE_FULL ? { full: true } : {}) };
  }

  function appendNow(epoch: number, first: Position, records: Parameters<RecordStore["append"]>[2]): StoreVerdict {
    const end = endOf(first, records);
    const verdict = write(epoch, (now) => {
      const place = placeInLog(first, end, now.next);
      if (place === "stored") return DURABLE;
      if (place !== "next") return { outcome: "not-durable", reason: `${place} in the sequences`, retry: false };
      putRecords(now, records, end.change - 1);
      return undefined;
    });
    if (verdict.outcome === "durable" && session !== undefined && session.next.row <= end.row) {
      session.next = { row: end.row, change: Math.max(end.change, session.next.change) };
    }
    next = session?.next ?? next;
    return verdict;
  }

  function takeOverNow(): TakenOver {
    const now = live();
    now.db.exec("BEGIN IMMEDIATE");
    const epoch = fenceOf(now) + 1;
    now.sql.mark.run("fence", epoch);
    now.db.exec("COMMIT");
    refresh(now);
    epochNow = epoch;
    next = now.next;
    return { epoch, name: now.name, next, runMs: runMsOf(now) };
  }

  function rangesChange(epoch: number, work: (session: Session) => void): StoreVerdict {
    const verdict = write(epoch, (now) => void work(now));
    if (verdict.outcome === "durable" && session !== undefined) refresh(session);
    return verdict;
  }

  return {
    takeOver: () => inTurn(takeOverNow),
    append(epoch, first, records) {
      if (inFlight >= IN_FLIGHT_MAX) {
        return Promise.resolve({ outcome: "not-durable", reason: "too much under way", retry: true });
      }
      inFlight++;
      return inTurn(() => {
        inFlight--;
        return appendNow(epoch, first, records);
      });
    },
    read: (epoch, fromId, limit) => {
      return ask((reader) => {
        const fence = fenceOf(live());
        return epoch !== fence
          ? { outcome: "fenced", epoch: fence }
          : { outcome: "rows", rows: reader.rows(fromId, limit) };
      });
    },
    cursors: () => ask((reader) => reader.cursors()),
    documents: (kind) => ask((reader) => reader.documents(kind)),
    acts: (limit) => ask((reader) => reader.acts(limit)),
    setAside: (limit) => ask((reader) => reader.setAside(limit)),
    writerState: () => ask((reader) => reader.writerState()),
    ranges: () => ask((reader) => reader.ranges()),
    gaps: (limit) => ask((reader) => reader.gaps(limit)),
    turn: (epoch, runMs) => inTurn(() => rangesChange(epoch, (now) => turnRange(now, runMs))),
    drop: (epoch, throughId, loss) => inTurn(() => rangesChange(epoch, (now) => dropRanges(now, throughId, loss))),
    trim: (epoch, trims) => inTurn(() => write(epoch, ({ db }) => void trimLists(db, trims))),
    health: () => {
      const freeInsideBytes = session === undefined ? 0 : freeInside(session);
      const base = { inFlight, inFlightMax: IN_FLIGHT_MAX, epoch: epochNow, next, freeInsideBytes };
      return failing === undefined ? base : { ...base, failing };
    },
    close: () => {
      return inTurn(() => {
        try {
          session?.db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
        } catch {
          // A disk that refuses: what is committed stands in the log beside the file, and is read from there.
        }
        abandon();
      });
    },
  };
}

function freeInside({ db }: Session): number {
  const pages = db.prepare("PRAGMA freelist_count").get() as { freelist_count: number };
  const size = db.prepare("PRAGMA page_size").get() as { page_size: number };
  return pages.freelist_count * size.page_size;
}
