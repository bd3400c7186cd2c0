// Opens and closes what has threads, once, so that the compile cache has their sources without types (compile-cache.ts): no thread of
// a test runs WebAssembly. What is installed is plain JavaScript (packaging/main.ts).
import { systemClock } from "../gateway/clock.ts";
import { startReader } from "../gateway/history/reader.ts";
import { startWriter } from "../gateway/history/writer.ts";
import { openJournal } from "../gateway/journal/journal.ts";
import { temporaryFolder } from "./fixtures.ts";

const folder = temporaryFolder();
const dir = folder.path;
const journal = await openJournal({ dir, clock: systemClock, reserveMb: 0 });
await journal.documents("point");
const writer = await startWriter({ dir, journal: { epoch: journal.epoch, newestId: journal.newestId() } });
const reader = startReader(dir);
await reader.samples({ source: { deviceId: "none", fromMs: 0, toMs: 1, tail: [] }, limit: 1 });
await reader.close();
await writer.close();
await journal.close();
folder.remove();
