// A writer that appends, closes ranges and drops old ones until it is killed, and says after each append where the log ends:
// of the store that a module opens.
import { writeSync } from "node:fs";
import type { RecordStore } from "../gateway/journal/store.ts";
import { actRecord, CHILD_ROWS, rowRecord } from "./store-conformance.ts";

/** What it leaves when it drops. */
const KEPT_ROWS = 40;

const [module = "", argument = ""] = process.argv.slice(2);
const { openStore } = (await import(module)) as { openStore(argument: string): Promise<RecordStore> };
const store = await openStore(argument);
const { epoch, next } = await store.takeOver();
let { row, change } = next;
for (;;) {
  const rows = Array.from({ length: CHILD_ROWS }, (_, i) => rowRecord(row + i, epoch));
  const cursor = { cursor: { name: "child", id: row + CHILD_ROWS - 1 } };
  const act = actRecord(`append ${change}`);
  const changes = "change" in act ? { change: { ...act.change, ...cursor } } : act;
  const { outcome } = await store.append(epoch, { row, change }, [...rows, changes]);
  if (outcome !== "durable") throw new Error(outcome);
  row += CHILD_ROWS;
  change++;
  if (change % 3 === 0) await store.turn(epoch, change);
  if (change % 8 === 0) await store.drop(epoch, row - 1 - KEPT_ROWS, undefined);
  writeSync(1, `${row} ${change}\n`);
}
