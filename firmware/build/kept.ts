// Programs that were made before: making one takes ten seconds, and tests, benches and demo ask for the same few. One counts only
// while every file that it was made of is as it was, and the builder, its tools and the engine's names are.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { threadId } from "node:worker_threads";

/** Below the root of the project; git does not see it. */
const FOLDER = ".cache/bundles";
const BUILDER = "firmware/build";
/** Beside the builder's own files: its tools, and the names that must stay. */
const ALSO = ["package-lock.json", "firmware/types/espruino.d.ts"];

/** What was asked for. */
export interface Asked {
  /** Path of the entry, below the root. */
  readonly entry: string;
  readonly keepsNames: boolean;
}

interface Kept {
  /** SHA-256, in hex. */
  readonly builder: string;
  readonly inputs: Readonly<{ [path: string]: string }>;
  readonly code: string;
  readonly sum: string;
}

export interface Keeper {
  /** The program, or undefined when it is to be made. */
  find(asked: Asked): string | undefined;
  /** `inputs`: every file that was read for it, whole paths. */
  keep(asked: Asked, inputs: readonly string[], code: string): void;
}

/** `root` is that of the project. */
export function createKeeper(root: string): Keeper {
  const sumOfFile = (path: string) => sumOf(readFileSync(resolve(root, path)));

  function builder(): string {
    const own = readdirSync(resolve(root, BUILDER)).filter(
      (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"),
    );
    const files = [...own.sort().map((name) => `${BUILDER}/${name}`), ...ALSO];
    return sumOf(files.map((path) => `${path} ${sumOfFile(path)}`).join("\n"));
  }

  /** Undefined for an entry from elsewhere: such a one comes under another name each time. */
  function pathOf({ entry, keepsNames }: Asked): string | undefined {
    const inside = relative(root, resolve(root, entry));
    if (inside.startsWith("..")) return undefined;
    return resolve(root, FOLDER, `${inside.replaceAll(/[/\\]/g, "+")}${keepsNames ? "+names" : ""}.json`);
  }

  return {
    find(asked) {
      const path = pathOf(asked);
      if (path === undefined) return undefined;
      try {
        const { builder: madeBy, inputs, code, sum } = JSON.parse(readFileSync(path, "utf8")) as Kept;
        const isSame = Object.entries(inputs).every(([input, was]) => sumOfFile(input) === was);
        return isSame && madeBy === builder() && sum === sumOf(code) ? code : undefined;
      } catch {
        // Not there, torn, or a file that it was made of is gone: it is made again.
        return undefined;
      }
    },
    keep(asked, inputs, code) {
      const path = pathOf(asked);
      if (path === undefined) return;
      const sums = Object.fromEntries(inputs.map((input) => [relative(root, input), sumOfFile(input)]));
      const record: Kept = { builder: builder(), inputs: sums, code, sum: sumOf(code) };
      try {
        mkdirSync(dirname(path), { recursive: true });
        // Two processes, or threads of one, may make the same one: each puts a whole file there.
        const own = join(dirname(path), `${process.pid}-${threadId}.new`);
        writeFileSync(own, JSON.stringify(record));
        renameSync(own, path);
      } catch {
        // A folder that cannot be written: the next one is made again.
      }
    },
  };
}

function sumOf(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
