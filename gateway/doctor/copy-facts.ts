// What there is of the copy, as far as its disk answers in time.
import type { GatewayConfig } from "../../protocol/index.ts";
import { passphraseOf } from "../backup/sealing.ts";
import type { Clock } from "../clock.ts";
import { GatewayError } from "../errors.ts";
import type { CopyLine } from "./copy-probe.ts";
import type { CopyFacts } from "./facts.ts";
import { linesOf } from "./probes.ts";

export async function probeCopy(
  { backup, data }: Pick<GatewayConfig, "backup" | "data">,
  clock: Pick<Clock, "after">,
): Promise<CopyFacts | undefined> {
  if (backup === undefined) return undefined;
  const { dir, everyS } = backup;
  const probe = new URL("./copy-probe.ts", import.meta.url);
  const { lines } = await linesOf<CopyLine>(probe, [dir, data.dir], clock);
  const copy = lines.find((line) => line.step === "copy");
  const passphrase = readPassphrase(backup.passphraseFile);
  const facts = { dir, everyS, place: placeOf(lines), passphrase };
  if (copy === undefined) return facts;
  const { step: _, ...found } = copy;
  return { ...facts, found };
}

function placeOf(lines: readonly CopyLine[]): CopyFacts["place"] {
  const failed = lines.find((line) => line.step === "failed");
  if (failed !== undefined) return { kind: "unreadable", reason: failed.reason };
  const place = lines.find((line) => line.step === "place");
  if (place === undefined) return { kind: "silent" };
  if (!place.exists) return { kind: "missing" };
  return { kind: "there", writable: place.writable, sameDisk: place.sameDisk };
}

function readPassphrase(path: string | undefined): CopyFacts["passphrase"] {
  if (path === undefined) return { kind: "none" };
  try {
    passphraseOf(path);
    return { kind: "usable" };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { problems } = error.detail;
    const reason = Array.isArray(problems) ? problems.join("; ") : `${path} cannot be read by this user`;
    return { kind: "unusable", path, reason };
  }
}
