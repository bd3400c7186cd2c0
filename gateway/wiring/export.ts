// Rows of the data folder to a file or to standard output. The journal is read through a connection of its own that cannot
// write, so the gateway may run meanwhile.
import { once } from "node:events";
import { createWriteStream, existsSync, fstatSync, renameSync, rmSync, statSync, type WriteStream } from "node:fs";
import { join } from "node:path";
import type { Exporter, ExportRequest } from "../cli/export.ts";
import { listProblems } from "../config/problems.ts";
import { GatewayError } from "../errors.ts";
import { JOURNAL_FILE } from "../journal/file.ts";
import { createReader } from "../journal/reader.ts";
import { deviceAt, deviceRows } from "../registry/places.ts";
import { loadRegistry } from "../registry/registry.ts";
import { type ExportSource, exportPages } from "../sinks/export.ts";
import type { LineContext } from "../sinks/lines.ts";

const STANDARD_OUTPUT = 1;

/**
 * Standard output, such that all of a page comes into it or an error does. Where it is a file (`> samples.csv`), Node's own
 * stream takes a page that a full disk cut short for written.
 */
export function wholeOutput(): NodeJS.WritableStream {
  if (!fstatSync(STANDARD_OUTPUT).isFile()) return process.stdout;
  return createWriteStream("standard output", { fd: STANDARD_OUTPUT, autoClose: false });
}

/** Throws FILE_UNREADABLE without a journal, FILE_UNWRITABLE, JOURNAL_UNUSABLE. */
export function createExporter(output: NodeJS.WritableStream): Exporter {
  return async (request) => {
    const { dir } = request.config.data;
    const path = join(dir, JOURNAL_FILE);
    if (!existsSync(path)) throw new GatewayError("FILE_UNREADABLE", { path });
    const rows = deviceRows(loadRegistry(dir, listProblems));
    const reader = createReader(dir);
    const source: ExportSource = {
      read: (afterId, limit) => reader.ask({ kind: "rows", afterId, limit }),
    };
    const context: LineContext = { pointOf: (deviceId, atMs) => deviceAt(rows, deviceId, atMs)?.pointId };
    try {
      const [oldest] = await source.read(0, 1);
      const rows = await (request.out === undefined
        ? writeOutput(output, source, { request, context })
        : writeFile(request.out, source, { request, context }));
      return { rows, oldestMs: oldest?.receivedMs };
    } finally {
      await reader.close();
    }
  };
}

interface Work {
  readonly request: ExportRequest;
  readonly context: LineContext;
}

/** Waits until each page is written, so that one is held and no more, and none is counted that is not there. */
async function writePages(output: NodeJS.WritableStream, source: ExportSource, work: Work): Promise<number> {
  let rows = 0;
  // What breaks is told of by the page under way; the stream says it once more, at a moment of its own.
  output.on("error", () => undefined);
  try {
    for await (const page of exportPages(source, work.request, work.context)) {
      await written(output, page.text);
      rows += page.rows;
    }
  } catch (error) {
    // Who reads standard output has seen enough (`| head`).
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
  }
  return rows;
}

function written(output: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, (error) => (error == null ? resolve() : reject(error)));
  });
}

/** Throws FILE_UNWRITABLE. */
async function writeOutput(output: NodeJS.WritableStream, source: ExportSource, work: Work): Promise<number> {
  try {
    return await writePages(output, source, work);
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    const reason = (cause as Error).message;
    throw new GatewayError("FILE_UNWRITABLE", { path: "standard output", reason }, { cause });
  }
}

/** Under another name until it is whole: half an export never looks like one. */
async function writeFile(out: string, source: ExportSource, work: Work): Promise<number> {
  // What stands there and is no file (/dev/stdout, a named pipe) takes the rows itself: a rename would put a file in its place.
  const isFile = statSync(out, { throwIfNoEntry: false })?.isFile() ?? true;
  const part = isFile ? `${out}.part` : out;
  const file: WriteStream = createWriteStream(part, { mode: 0o640 });
  try {
    await once(file, "open");
    const rows = await writePages(file, source, work);
    file.end();
    await once(file, "finish");
    if (isFile) renameSync(part, out);
    return rows;
  } catch (cause) {
    file.destroy();
    if (isFile && existsSync(part)) rmSync(part);
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError("FILE_UNWRITABLE", { path: out }, { cause });
  }
}
