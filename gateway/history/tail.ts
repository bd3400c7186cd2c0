// Rows of the journal that are in no chunk yet, by device: what the newest minutes of every question come from.
import type { JournalRecord } from "../domain/record.ts";
import { type DeviceRecord, isOfDevice } from "./row.ts";
import type { Batch } from "./store.ts";

export interface Tail {
  /** Takes the rows that follow in the journal, up to `throughId`. */
  push(rows: readonly JournalRecord[], throughId: number): void;
  of(deviceId: string): readonly DeviceRecord[];
  rows(): number;
  readonly throughId: number;
  /** All that is held, in the order of the journal. */
  batch(): Batch;
  /** Forgets what is in chunks now. */
  drop(throughId: number): void;
}

export function createTail(fromId: number): Tail {
  let devices = new Map<string, DeviceRecord[]>();
  let rows: DeviceRecord[] = [];
  let damagedIds: number[] = [];
  let throughId = fromId;
  function keep(row: DeviceRecord): void {
    rows.push(row);
    const known = devices.get(row.deviceId);
    if (known === undefined) devices.set(row.deviceId, [row]);
    else known.push(row);
  }
  return {
    push(more, id) {
      for (const row of more) {
        if (row.damaged === true) damagedIds.push(row.id);
        else if (isOfDevice(row)) keep(row);
      }
      throughId = Math.max(throughId, id);
    },
    of: (deviceId) => devices.get(deviceId) ?? [],
    rows: () => rows.length,
    get throughId() {
      return throughId;
    },
    batch: () => ({ rows: [...rows], throughId, damaged: damagedIds.length }),
    drop(id) {
      const left = rows.filter((row) => row.id > id);
      devices = new Map();
      rows = [];
      damagedIds = damagedIds.filter((one) => one > id);
      for (const row of left) keep(row);
    },
  };
}
