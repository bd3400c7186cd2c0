// The control of slowdisk: the same ingress, with a commit on the thread that also reads the sockets.
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { systemClock } from "../../../gateway/clock.ts";
import type { AppendOutcome, CheckedFrame } from "../../../gateway/domain/record.ts";
import { createMqttIngress } from "../../../gateway/ingress/mqtt.ts";
import { loadKeys } from "../../../gateway/registry/keys.ts";
import { takeOrders } from "./orders.ts";

const { values } = parseArgs({ options: { dir: { type: "string" } } });
const dir = values.dir ?? "";
const db = new DatabaseSync(`${dir}/main-thread.db`);
db.exec(
  "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE row(id INTEGER PRIMARY KEY, device TEXT, frame BLOB)",
);
const insert = db.prepare("INSERT INTO row(device, frame) VALUES(?, ?)");
let waiting: { readonly frame: CheckedFrame; readonly settled: (outcome: AppendOutcome) => void }[] = [];

function commit(): void {
  const batch = waiting;
  waiting = [];
  db.exec("BEGIN");
  for (const { frame } of batch) insert.run(frame.deviceId, frame.frame);
  db.exec("COMMIT");
  for (const { settled } of batch) settled({ outcome: "stored", id: 0, ack: undefined });
}

const keys = loadKeys(dir);
const ingress = await createMqttIngress({
  host: "127.0.0.1",
  port: 0,
  journal: {
    take: (frame, settled) => {
      if (waiting.length === 0) setImmediate(commit);
      waiting.push({ frame, settled });
    },
    health: () => ({ pendingRows: waiting.length }),
    onCommitted: () => () => undefined,
  },
  clock: systemClock,
  isClockTrusted: () => true,
  identities: { key: keys.get, isEnabled: () => true },
  people: { verify: async () => undefined },
});
takeOrders({ stop: ingress.close });
process.stdout.write(`${ingress.address.port}\n`);
