// A process that stores and compacts, and dies where it is told: before, during or after the rows come into history, or
// after the cursor moved. With --cursor-first it is the broken variant.
import { parseArgs } from "node:util";
import { systemClock } from "../../gateway/clock.ts";
import { compactOnce, HISTORY_CURSOR } from "../../gateway/history/compactor.ts";
import { isOfDevice } from "../../gateway/history/row.ts";
import type { Batch } from "../../gateway/history/store.ts";
import { type HistoryWriter, startWriter } from "../../gateway/history/writer.ts";
import { type Journal, openJournal } from "../../gateway/journal/journal.ts";
import { checkedFrame, NOON_MS } from "../fixtures.ts";

const text = { type: "string" } as const;
const { values } = parseArgs({
  options: { dir: text, from: text, die: text, "after-ms": text, rounds: text, "cursor-first": { type: "boolean" } },
});
const dir = values.dir ?? "";
const rounds = Number(values.rounds);
const isBroken = values["cursor-first"] === true;
const DEVICES = 4;
const SAMPLES = 30;

function die(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("still here");
}

async function store(journal: Journal, first: number): Promise<void> {
  process.stdout.write(`sent ${first + SAMPLES - 1}\n`);
  const appends = Array.from({ length: DEVICES * SAMPLES }, (_, i) => {
    const sequence = first + Math.floor(i / DEVICES);
    const atMs = NOON_MS + sequence * 60_000;
    return journal.append(
      checkedFrame({ deviceId: `dev-${i % DEVICES}`, sequence, time: atMs / 1000, receivedMs: atMs }),
    );
  });
  await Promise.all(appends);
  process.stdout.write(`acked ${first + SAMPLES - 1}\n`);
}

async function compact(journal: Journal, writer: HistoryWriter, batch: Batch, step: string | undefined): Promise<void> {
  const move = () => journal.save({ cursor: { name: HISTORY_CURSOR, id: batch.throughId } });
  const absorb = async (rows: Batch) => {
    if (step === "before") die();
    if (step === "during") setTimeout(die, Number(values["after-ms"]));
    const done = await writer.absorb(rows);
    if (step === "between") die();
    return done;
  };
  if (isBroken) {
    await move();
    await absorb(batch);
  } else await compactOnce({ absorb }, journal, batch);
  if (step === "after") die();
}

const journal = await openJournal({ dir, clock: systemClock });
const writer = await startWriter({ dir, journal: { epoch: journal.epoch, newestId: journal.newestId() } });
let through = isBroken ? await journal.cursor(HISTORY_CURSOR) : writer.opened.covered;
for (let round = 0; round < rounds; round++) {
  const isLast = round === rounds - 1;
  if (values.from !== undefined) await store(journal, Number(values.from) + round * SAMPLES);
  const rows = await journal.read(through, 5_000);
  through = rows[rows.length - 1]?.id ?? through;
  await compact(
    journal,
    writer,
    { rows: rows.filter(isOfDevice), throughId: through, damaged: 0 },
    isLast ? values.die : undefined,
  );
}
if (values.die !== undefined) await new Promise<void>((resolve) => setTimeout(resolve, 1_000));
await writer.close();
await journal.close();
