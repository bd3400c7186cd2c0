// An engine process for the poison proof, on a journal that is there already. --die ID: the process goes down at that row.
import { parseArgs } from "node:util";
import { systemClock } from "../../gateway/clock.ts";
import { openJournal } from "../../gateway/journal/journal.ts";
import { passedBy, poisonedEngine } from "./poison.ts";

const { values } = parseArgs({ options: { dir: { type: "string" }, die: { type: "string" } } });
const journal = await openJournal({ dir: values.dir ?? "", clock: systemClock });
const engine = poisonedEngine(journal, {
  beforeStep: (record) => {
    if (record.id === Number(values.die)) process.kill(process.pid, "SIGKILL");
  },
});
await engine.start();
process.stdout.write(`${JSON.stringify(await passedBy(engine, journal))}\n`);
await engine.stop();
await journal.close();
