// A journal as a copy is made of it from outside the gateway, which may be running: it is only read.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "../errors.ts";
import { JOURNAL_FILE, openReaderFile } from "./file.ts";
import { type Piece, rowsPiece, statePiece } from "./pieces.ts";
import { createSqliteReader } from "./sqlite-reader.ts";

export interface OutsideSource {
  /** The name of this journal and no other. */
  readonly epoch: string;
  oldestId(): number;
  rowsPiece(fromId: number, limit: number): Promise<Piece | undefined>;
  statePiece(): Promise<Piece>;
  close(): void;
}

/** Throws FILE_UNREADABLE when there is no journal in `dir`, JOURNAL_UNUSABLE when it is none of this version. */
export function openOutsideSource(dir: string): OutsideSource {
  const path = join(dir, JOURNAL_FILE);
  if (!existsSync(path)) throw new GatewayError("FILE_UNREADABLE", { path, reason: "there is no journal" });
  try {
    const db = openReaderFile(dir);
    const { value } = db.prepare("SELECT value FROM meta WHERE key = 'epoch'").get() as { value: string };
    const reader = createSqliteReader(db);
    return {
      epoch: value,
      oldestId: () => reader.ranges()[0]?.firstId ?? 1,
      rowsPiece: async (fromId, limit) => rowsPiece(db, fromId, limit),
      statePiece: async () => statePiece(db),
      close: () => db.close(),
    };
  } catch (cause) {
    throw new GatewayError("JOURNAL_UNUSABLE", { dir, reason: cause instanceof Error ? cause.message : "" }, { cause });
  }
}
