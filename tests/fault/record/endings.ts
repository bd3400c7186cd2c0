// What a proof leaves behind on a machine is undone however it ends: by itself, by an error, or by a signal in the middle.
import { temporaryFolder } from "../../fixtures.ts";

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const undoings = new Set<() => void>();

function undoAll(): void {
  for (const undo of [...undoings].reverse()) {
    try {
      undo();
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  undoings.clear();
}

/** Runs `undo`, which waits for nothing, when the process ends before the function that it gives back is called. */
export function atEnd(undo: () => void): () => void {
  if (process.listeners("exit").indexOf(undoAll) < 0) {
    process.on("exit", undoAll);
    for (const [signal, code] of Object.entries(SIGNALS)) process.on(signal, () => process.exit(code));
  }
  undoings.add(undo);
  return () => void undoings.delete(undo);
}

/** A folder of its own that goes with the process. */
export function proofFolder(): { readonly path: string; remove(): void } {
  const { path, remove } = temporaryFolder();
  const isDone = atEnd(remove);
  return {
    path,
    remove() {
      isDone();
      remove();
    },
  };
}
