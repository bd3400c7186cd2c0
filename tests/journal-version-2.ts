// Makes a journal of today one of version 2, as gateways before ranges wrote it: all rows in one table, no summaries.
import type { DatabaseSync } from "node:sqlite";
import { rowChecksum, type StoredRow } from "../gateway/journal/row.ts";

const JOURNAL_2 = `CREATE TABLE journal(id INTEGER PRIMARY KEY AUTOINCREMENT, received_ms INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, quality INTEGER NOT NULL, device INTEGER NOT NULL, sequence INTEGER NOT NULL,
  link INTEGER NOT NULL, frame BLOB NOT NULL, crc INTEGER NOT NULL) STRICT`;

export function toVersion2(db: DatabaseSync): void {
  const rows = db.prepare("SELECT * FROM journal ORDER BY id").all() as unknown as StoredRow[];
  const ranges = db.prepare("SELECT range FROM range").all() as unknown as { range: number }[];
  db.exec("BEGIN; DROP VIEW journal");
  for (const { range } of ranges) db.exec(`DROP TABLE journal_${range}`);
  db.exec(`DROP TABLE range; DROP TABLE gap; DROP TABLE device_state; DROP TABLE mark; ${JOURNAL_2}`);
  const insert = db.prepare("INSERT INTO journal VALUES(?,?,?,?,?,?,?,?,?)");
  for (const row of rows) {
    const crc = rowChecksum({ ...row, boot: 0 });
    // biome-ignore format: one line a row reads as the table does
    insert.run(row.id, row.received_ms, row.time_ms, row.quality, row.device, row.sequence, row.link, row.frame, crc);
  }
  db.exec("PRAGMA user_version=2; COMMIT");
}
