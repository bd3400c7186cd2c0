// A real Espruino as it comes: no prelude, its own console, its own clock, its own Storage. For what boots, allocates and listens.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import type { BoardTable } from "../../firmware/boards/table.ts";
import { STORAGE_HEADER_BYTES } from "../../firmware/boards/table.ts";
import type { EngineKind } from "./kind.ts";

const CTRL_C = 3;
/** Runs before everything else at the first boot. */
const FIRST = ".bootPowerOn";

export interface BareEngine {
  readonly folder: string;
  /** Starts it, killing the one before; gives its console as a serial line. */
  start(args?: readonly string[]): Duplex;
  /** All that it has printed since it was started. */
  said(): string;
  stop(): void;
  /** Its Storage, of the board's own length. */
  storage(): Uint8Array;
  /** Puts a Storage in place, and code that stands for the board's own parts in pages behind it that the board has not. */
  load(storage: Uint8Array, parts: string): void;
  dispose(): void;
}

export function createBareEngine(binary: string, kind: EngineKind, table: BoardTable): BareEngine {
  const folder = mkdtempSync(join(tmpdir(), "waakvlam-bare-"));
  const path = join(folder, "espruino.flash");
  const bytes = table.storagePages * table.pageBytes;
  let kill = () => {};
  let said = "";
  writeFileSync(path, Buffer.alloc(kind.fileBytes, 255));

  return {
    folder,
    start: (args = []) => {
      kill();
      said = "";
      const child = spawn(binary, args, { cwd: folder, stdio: ["pipe", "pipe", "ignore"] });
      child.stdout.on("data", (data: Buffer) => {
        said += data.toString("latin1");
      });
      child.stdin.on("error", () => undefined);
      const line = new Duplex({
        read: () => undefined,
        write: (chunk: Buffer, _encoding, done) => {
          // At a second Ctrl-C an engine for Linux ends; a board does not.
          child.stdin.write(chunk.filter((byte) => byte !== CTRL_C));
          done();
        },
      });
      child.stdout.on("data", (data: Buffer) => void line.push(data));
      kill = () => void child.kill("SIGKILL");
      return line;
    },
    said: () => said,
    stop: () => kill(),
    storage: () => new Uint8Array(readFileSync(path).subarray(kind.storageAt, kind.storageAt + bytes)),
    load: (storage, parts) => {
      const file = Buffer.alloc(kind.fileBytes, 255);
      file.set(storage, kind.storageAt);
      // Behind the board's files, in the place of what stood there before.
      let at = kind.storageAt;
      const size = () => file.readUInt32LE(at);
      while (size() !== 0xffffffff && file.toString("latin1", at + 4, at + 4 + FIRST.length) !== FIRST)
        at += STORAGE_HEADER_BYTES + Math.ceil(size() / 4) * 4;
      file.fill(255, at, at + table.pageBytes);
      file.writeUInt32LE(parts.length, at);
      file.fill(0, at + 4, at + STORAGE_HEADER_BYTES);
      file.write(FIRST, at + 4, "latin1");
      file.write(parts, at + STORAGE_HEADER_BYTES, "latin1");
      writeFileSync(path, file);
    },
    dispose: () => {
      kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
