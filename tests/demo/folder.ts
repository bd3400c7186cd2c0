// The demo's folder: emptied at each start, so it has to be the demo's own, and nobody's at this moment.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lockFolder } from "../../gateway/journal/file.ts";

/** Stands in a folder that a demo has made. */
const MARK = "made-by-npm-run-demo";

function isInUse(gatewayDir: string): boolean {
  if (!existsSync(gatewayDir)) return false;
  try {
    lockFolder(gatewayDir).close();
    return false;
  } catch {
    return true;
  }
}

/** Makes it, or empties it; or says why not, and leaves it as it is. `own` is emptied also without the mark. */
export function freshFolder(dir: string, own: string): string | undefined {
  const entries = existsSync(dir) ? readdirSync(dir) : [];
  if (entries.length > 0 && dir !== own && !entries.includes(MARK))
    return `${dir} is not empty, and no demo made it: give an empty folder or a new one, as it is emptied at each start`;
  if (isInUse(join(dir, "gateway"))) return `a demo runs in ${dir}: end it first, or give this one a --dir of its own`;
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, MARK), "");
  return undefined;
}
