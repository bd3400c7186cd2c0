// Rows of the data folder to a file or to standard output. The journal is read through a connection of its own that cannot
// write, so the gateway may run meanwhile.
import { once } from "node:events";
import { createWriteStream, existsSync, renameSync, rmSync, type WriteStream } from "node:fs";
import { join } from "node:path";
import type { Exporter, ExportRequest } from "../cli/export.ts";
import { listProblems } from "../config/problems.ts";
import { GatewayError } from "../errors.ts";
import { JOURNAL_FILE } from "../journal/file.ts";
import { createReader } from "../journal/reader.ts";
import { loadRegistry } from "../registry/registry.ts";
import { type ExportSource, exportPages } from "../sinks/export.ts";

/** Throws FILE_UNREADABLE without a journal, FILE_UNWRITABLE, JOURNAL_UNUSABLE. */
export function createExporter(output: NodeJS.WritableStream): Exporter {
  return async (request) => {
    const { dir } = request.config.data;
    const path = join(dir, JOURNAL_FILE);
    if (!existsSync(path)) throw new GatewayError("FILE_UNREADABLE", { path });
    const points = new Map(loadRegistry(dir, listProblems).devices.map((one) => [one.deviceId, one.pointId]));
    const reader = createReader(dir);
    const source: ExportSource = {
      read: (afterId, limit) => reader.ask({ kind: "rows", afterId, limit }),
    };
    const context = { pointOf: (deviceId: string) => points.get(deviceId) };
    try {
      return await (request.out === undefined
        ? writePages(output, source, { request, context })
        : writeFile(request.out, source, { request, context }));
    } finally {
      await reader.close();
    }
  };
}

interface Work {
  readonly request: ExportRequest;
  readonly context: { pointOf(deviceId: string): string | undefined };
}

/** Waits while the reader of the output is slow, so that one page is held and no more. */
async function writePages(output: NodeJS.WritableStream, source: ExportSource, work: Work): Promise<number> {
  let rows = 0;
  let broken: NodeJS.ErrnoException | undefined;
  const note = (error: NodeJS.ErrnoException) => {
    broken = error;
  };
  output.on("error", note);
  try {
    for await (const page of exportPages(source, work.request, work.context)) {
      if (!output.write(page.text)) await once(output, "drain");
      if (broken !== undefined) throw broken;
      rows += page.rows;
    }
  } catch (error) {
    // Who reads standard output has seen enough (`| head`).
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
  }
  output.off("error", note);
  return rows;
}

/** Under another name until it is whole: half an export never looks like one. */
async function writeFile(out: string, source: ExportSource, work: Work): Promise<number> {
  const part = `${out}.part`;
  const file: WriteStream = createWriteStream(part, { mode: 0o640 });
  try {
    await once(file, "open");
    const rows = await writePages(file, source, work);
    file.end();
    await once(file, "finish");
    renameSync(part, out);
    return rows;
  } catch (cause) {
    file.destroy();
    if (existsSync(part)) rmSync(part);
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError("FILE_UNWRITABLE", { path: out }, { cause });
  }
}
