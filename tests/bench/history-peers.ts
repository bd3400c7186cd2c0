// What a bench of history is measured beside: a table of frames and one of JSON, each with an index by device and time.
import { DatabaseSync } from "node:sqlite";
import type { DeviceRecord } from "../../gateway/history/row.ts";
import { decodeUplink, type Report } from "../../protocol/index.ts";

export interface HistorySubject {
  readonly name: string;
  /** One transaction. */
  add(rows: readonly DeviceRecord[]): void;
  /** After the last one. */
  settle(): void;
  bytes(): number;
  /** Samples of one device with all their values; gives how many. */
  range(deviceId: string, fromMs: number, toMs: number): number;
  /** Lowest, highest and mean of every number in so many steps; gives how many steps had any. */
  steps(deviceId: string, range: { readonly fromMs: number; readonly toMs: number; readonly points: number }): number;
  close(): void;
}

const PRAGMAS = `PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000; PRAGMA journal_size_limit=8388608;`;

interface Stored {
  readonly ts: number;
  readonly body: Uint8Array | string;
}

function table(dir: string, name: string, type: "BLOB" | "TEXT", pack: (row: DeviceRecord) => Uint8Array | string) {
  const db = new DatabaseSync(`${dir}/${name}.db`);
  db.exec(`${PRAGMAS} CREATE TABLE sample(id INTEGER PRIMARY KEY, device INTEGER NOT NULL, ts INTEGER NOT NULL,
    received INTEGER NOT NULL, sequence INTEGER NOT NULL, body ${type} NOT NULL) STRICT;
    CREATE INDEX by_device ON sample(device, ts);`);
  const insert = db.prepare("INSERT INTO sample(id, device, ts, received, sequence, body) VALUES(?,?,?,?,?,?)");
  const select = db.prepare("SELECT ts, body FROM sample WHERE device = ? AND ts >= ? AND ts < ? ORDER BY ts");
  const unpack = (body: Uint8Array | string) =>
    (typeof body === "string" ? JSON.parse(body) : (decodeUplink(body) as { value: Report }).value) as Report;
  const numberOf = (deviceId: string) => Number(deviceId.slice(4));
  const rowsOf = (deviceId: string, fromMs: number, toMs: number) =>
    (select.all(numberOf(deviceId), fromMs, toMs) as unknown as Stored[]).map(({ ts, body }) => ({
      ts,
      report: unpack(body),
    }));
  const subject: HistorySubject = {
    name,
    add(rows) {
      db.exec("BEGIN IMMEDIATE");
      for (const row of rows)
        insert.run(row.id, numberOf(row.deviceId), row.timeMs, row.receivedMs, row.sequence, pack(row));
      db.exec("COMMIT");
    },
    settle: () => void db.exec("PRAGMA wal_checkpoint(TRUNCATE)"),
    bytes: () => Number(db.prepare("PRAGMA page_count").get()?.["page_count"]) * 4_096,
    range: (deviceId, fromMs, toMs) => rowsOf(deviceId, fromMs, toMs).length,
    steps(deviceId, { fromMs, toMs, points }) {
      const steps = Array.from({ length: points }, () => new Map<string, [number, number, number, number]>());
      for (const { ts, report } of rowsOf(deviceId, fromMs, toMs)) {
        const step = steps[Math.floor(((ts - fromMs) * points) / (toMs - fromMs))];
        for (const group of [report.power, report.battery, report.occupancy, report.environment]) {
          for (const [field, value] of Object.entries(group ?? {})) {
            if (typeof value !== "number" || step === undefined) continue;
            const known = step.get(field);
            if (known === undefined) step.set(field, [value, value, value, 1]);
            else {
              known[0] = Math.min(known[0], value);
              known[1] = Math.max(known[1], value);
              known[2] += value;
              known[3]++;
            }
          }
        }
      }
      return steps.filter((step) => step.size > 0).length;
    },
    close: () => db.close(),
  };
  return subject;
}

/** The frame as it came. */
export function indexedFrames(dir: string): HistorySubject {
  return table(dir, "indexed-frames", "BLOB", (row) => row.frame);
}

/** Its values as JSON. */
export function indexedJson(dir: string): HistorySubject {
  return table(dir, "indexed-json", "TEXT", (row) => {
    return JSON.stringify((decodeUplink(row.frame) as { value: Report }).value);
  });
}
