// The trace that disk.c writes, as steps in the order in which they happened.
import { invariant } from "../../../gateway/errors.ts";

export type Step =
  | { readonly kind: "write"; readonly name: string; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: "truncate"; readonly name: string; readonly length: number }
  /** The name is empty for the folder itself. */
  | { readonly kind: "sync"; readonly name: string }
  /** A sync that failed with EIO. */
  | { readonly kind: "fail"; readonly name: string }
  | { readonly kind: "unlink"; readonly name: string }
  | { readonly kind: "ack"; readonly line: string };

const KINDS = [undefined, "write", "truncate", "sync", "unlink", undefined, "ack", "fail"] as const;
const HEAD_BYTES = 24;
/** Rebuilt by whoever opens the journal, without anything in it that could be lost. */
const NOT_KEPT = /-shm$|^journal\.lock|^reserve\./;

export function stepsOf(trace: Buffer): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < trace.length; ) {
    const kind = KINDS[trace.readUInt32LE(at)];
    const nameLength = trace.readUInt32LE(at + 4);
    const offset = Number(trace.readBigUInt64LE(at + 8));
    const length = Number(trace.readBigUInt64LE(at + 16));
    invariant(kind !== undefined, "a step that the replay knows");
    const nameAt = at + HEAD_BYTES;
    const name = trace.toString("utf8", nameAt, nameAt + nameLength);
    const bytes = trace.subarray(nameAt + nameLength, nameAt + nameLength + length);
    at = nameAt + nameLength + length;
    if (NOT_KEPT.test(name)) continue;
    if (kind === "ack") {
      for (const line of bytes.toString().trimEnd().split("\n")) steps.push({ kind, line });
    } else if (kind === "write") steps.push({ kind, name, offset, bytes });
    else if (kind === "truncate") steps.push({ kind, name, length: offset });
    else steps.push({ kind, name });
  }
  return steps;
}
