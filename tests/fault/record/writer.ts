// A writing process for the proofs of the record: the real journal, frames with a number each, and a line in a file for each
// that it was told is stored: "number id", or "number" alone for one that was there already. A saved state: "s number". With
// --early it is the broken variant that tells before the commit.
import { openSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { createRandom } from "../../../firmware/simulator/random.ts";
import { systemClock } from "../../../gateway/clock.ts";
import { openJournal } from "../../../gateway/journal/journal.ts";
import { numbered } from "./frames.ts";

const text = { type: "string" } as const;
const { values } = parseArgs({
  options: {
    dir: text,
    acks: text,
    from: text,
    count: text,
    seed: text,
    abrupt: { type: "boolean" },
    early: { type: "boolean" },
  },
});
const from = Number(values.from);
const end = from + Number(values.count);
const random = createRandom(Number(values.seed));
const acks = openSync(values.acks ?? "", "a");
const journal = await openJournal({ dir: values.dir ?? "", clock: systemClock });
// Somebody reads, as in the gateway: the writer's connection is not the last, whose closing writes the log into the file.
await journal.read(0, 1);
process.stdout.write("writing\n");

/** Most commits are of one frame, some of dozens: many commits fill the WAL, and its checkpoint falls into the run. */
const BURST_MAX = 48;
/** The broken variant tells so long before it stores. */
const EARLY_MS = 40;

async function one(number: number): Promise<void> {
  if (values.early === true) {
    writeSync(acks, `${number}\n`);
    await new Promise((resolve) => setTimeout(resolve, EARLY_MS));
  }
  const outcome = await journal.append(numbered(number));
  if (outcome.outcome === "replay") throw new Error(`${number} was refused`);
  writeSync(acks, outcome.outcome === "stored" ? `${number} ${outcome.id}\n` : `${number}\n`);
  if (number % 16 !== 0) return;
  await journal.save({ put: [{ kind: "proof", key: "newest", json: String(number) }] });
  writeSync(acks, `s ${number}\n`);
}

for (let next = from; next < end; ) {
  const burst = Math.min(end - next, Math.floor(random.next() ** 14 * BURST_MAX) + 1);
  await Promise.all(Array.from({ length: burst }, (_, i) => one(next + i)));
  next += burst;
}
// The next start then has to recover what this one left.
if (values.abrupt === true) process.exit(0);
await journal.close();
