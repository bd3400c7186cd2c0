// What the journal holds of what devices were told is stored.
import { systemClock } from "../../gateway/clock.ts";
import { FIRST_CYCLE_BASE } from "../../gateway/domain/sequence.ts";
import { openJournal, READ_ROWS_MAX } from "../../gateway/journal/journal.ts";
import type { LoadDevice } from "./kill9-load.ts";

export interface Count {
  readonly acknowledged: number;
  readonly lost: number;
  readonly twice: number;
  readonly stored: number;
  /** Records of a device that stand before an earlier one of it, though they came behind it. */
  readonly outOfOrder: number;
}

/** Opens the journal as the gateway does, and reads all of it. */
export async function countStored(dir: string, devices: readonly LoadDevice[]): Promise<Count> {
  const found = new Map(devices.map((device) => [device.deviceId, [] as number[]]));
  const journal = await openJournal({ dir, clock: systemClock });
  try {
    for (let afterId = 0; ; ) {
      const rows = await journal.read(afterId, READ_ROWS_MAX);
      const last = rows.at(-1);
      if (last === undefined) break;
      afterId = last.id;
      for (const row of rows) {
        if (row.damaged !== true) found.get(row.deviceId)?.push(row.sequence - FIRST_CYCLE_BASE);
      }
    }
  } finally {
    await journal.close();
  }
  const count = { acknowledged: 0, lost: 0, twice: 0, stored: 0, outOfOrder: 0 };
  for (const device of devices) {
    const sequences = found.get(device.deviceId) ?? [];
    const stored = new Set(sequences);
    count.acknowledged += device.acknowledged.size;
    count.stored += stored.size;
    count.twice += sequences.length - stored.size;
    for (const sequence of device.acknowledged) if (!stored.has(sequence)) count.lost++;
    sequences.forEach((sequence, i) => {
      if (sequence < (sequences[i - 1] ?? -1)) count.outOfOrder++;
    });
  }
  return count;
}
