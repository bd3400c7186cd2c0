// How connections are opened beside one that holds the file: another program that ends, or the writer that recovers it.
import { once } from "node:events";
import { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { openHistoryFile } from "../history/file.ts";
import { openWriterFile } from "./file.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const MAKES = {
  journal: () => openWriterFile(folder.path).db,
  history: () => openHistoryFile(folder.path),
};
const OPENERS = [
  ["journal", "openReaderFile", "./file.ts"],
  ["journal", "openWriterFile", "./file.ts"],
  ["history", "openHistoryReader", "../history/file.ts"],
  ["history", "openHistoryFile", "../history/file.ts"],
] as const;

/** A thread that says when it is about to open, and then that it has. */
function openInThread(name: string, module: string): Worker {
  const url = new URL(module, import.meta.url).href;
  const code = `
    const { parentPort } = require("node:worker_threads");
    import(${JSON.stringify(url)}).then((file) => {
      parentPort.postMessage("opening");
      const opened = file[${JSON.stringify(name)}](${JSON.stringify(folder.path)});
      (opened.db ?? opened).close();
      parentPort.postMessage("opened");
    });`;
  return new Worker(code, { eval: true });
}

/** A thread that says when it was refused, after a fifth of a second. */
function impatient(file: string): Worker {
  const code = `
    const { parentPort } = require("node:worker_threads");
    const { DatabaseSync } = require("node:sqlite");
    const db = new DatabaseSync(${JSON.stringify(`${folder.path}/${file}.db`)}, { readOnly: true, timeout: 200 });
    try {
      db.exec("PRAGMA cache_size=-100");
    } catch {
      parentPort.postMessage("refused");
    }
    db.close();`;
  return new Worker(code, { eval: true });
}

test.each(OPENERS)("the file of %s that somebody holds for a moment is waited for: %s", async (file, name, module) => {
  MAKES[file]().close();
  const holder = new DatabaseSync(`${folder.path}/${file}.db`);
  holder.exec("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT");
  const worker = openInThread(name, module);
  const ended = once(worker, "exit");
  expect(await once(worker, "message")).toEqual(["opening"]);
  const opened = once(worker, "message");
  // One that waits for a moment only is refused meanwhile; one that does not wait at all has failed by then.
  expect(await Promise.race([opened, once(impatient(file), "message")])).toEqual(["refused"]);
  holder.close();
  expect(await opened).toEqual(["opened"]);
  await ended;
});
