// Where Node keeps sources without their types, for all processes and threads that tests start. Node strips types with WebAssembly,
// in every thread anew, and V8 can fall over its own feet (SIGSEGV) where threads with WebAssembly come and go in one process. What
// is installed is plain JavaScript (packaging/main.ts).
import { execFileSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("./out/compile-cache", import.meta.url));
const FILLER = fileURLToPath(new URL("./warm.ts", import.meta.url));

/** From here on, for what this process starts. A process that is killed keeps nothing: the threads' part is filled at once. */
export function useCompileCache(anew = false): void {
  if (anew) rmSync(FOLDER, { recursive: true, force: true });
  process.env["NODE_COMPILE_CACHE"] ??= FOLDER;
  if (!existsSync(process.env["NODE_COMPILE_CACHE"])) execFileSync(process.execPath, [FILLER]);
}
