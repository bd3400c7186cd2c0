// Whether the copy goes to the disk that it is meant for. Where nothing is mounted its folder lies on the disk of the data, and copies
// would go there, look current, and be lost with it.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "../errors.ts";
import { readWhole, writeWhole } from "../registry/file.ts";
import { areOnOneDisk } from "./folder.ts";

/** In the data folder: the place of the copy that was seen on a disk of its own. */
export const OWN_DISK_FILE = "copy-disk.json";
/** Also for whoever makes a copy by hand as another user. */
const MODE = 0o644;

/**
 * Whether the copy in `place` would go with the disk of the data, which somebody may want. Throws FILE_UNWRITABLE when it is not
 * there, or lay on another disk before: that disk is not mounted. What was seen of another place is forgotten.
 */
export async function isOnDataDisk(place: string, dataDir: string): Promise<boolean> {
  const isSame = await areOnOneDisk(place, dataDir).catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === "ENOENT" ? `it is not there: mount its disk, or make ${place}` : cause.message;
    throw new GatewayError("FILE_UNWRITABLE", { path: place, reason }, { cause });
  });
  const known = knownPlace(dataDir);
  if (isSame && known === place) {
    const reason = `its disk is not mounted: mount ${place}, or name another folder as backup.dir`;
    throw new GatewayError("FILE_UNWRITABLE", { path: place, reason });
  }
  if (isSame && known !== undefined) rmSync(join(dataDir, OWN_DISK_FILE), { force: true });
  if (!isSame && known !== place) keep(place, dataDir);
  return isSame;
}

function knownPlace(dataDir: string): string | undefined {
  try {
    const { place } = JSON.parse(readWhole(join(dataDir, OWN_DISK_FILE)) ?? "{}") as { place?: unknown };
    return typeof place === "string" ? place : undefined;
  } catch {
    // Damaged or another user's: as if nothing had been seen, and the copy goes on.
    return undefined;
  }
}

function keep(place: string, dataDir: string): void {
  try {
    writeWhole(join(dataDir, OWN_DISK_FILE), JSON.stringify({ version: 1, place }), MODE);
  } catch (error) {
    // A full disk of the data must not keep the copy from its own; it is tried again with the next one.
    if (!(error instanceof GatewayError)) throw error;
  }
}
