// Programs that were made before: making one takes ten seconds, and tests, benches and demo ask for the same few. One counts only
// while every file that it was made of is as it was read then, and the builder, its tools and the engine's names are.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { threadId } from "node:worker_threads";

/** Below the root of the project; git does not see it. */
const FOLDER = ".cache/bundles";
const BUILDER = "firmware/build";
/** Beside the builder's own files: its tools as they are to be and as they are installed, and the names that must stay. */
const ALSO = ["package-lock.json", "node_modules/.package-lock.json", "firmware/types/espruino.d.ts"];

/** What was asked for. */
export interface Asked {
  /** Path of the entry, below the root. */
  readonly entry: string;
  readonly keepsNames: boolean;
}

/** By whole path, the SHA-256 of each file as it was read. */
export type Inputs = ReadonlyMap<string, string>;

interface Kept extends Asked {
  /** SHA-256, in hex. */
  readonly builder: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly code: string;
  readonly sum: string;
}

export interface Keeper {
  /** The program, or undefined when it is to be made. */
  find(asked: Asked): string | undefined;
  keep(asked: Asked, inputs: Inputs, code: string): void;
}

/** `root` is that of the project. */
export function createKeeper(root: string): Keeper {
  const sumOfFile = (path: string) => sumOf(readFileSync(resolve(root, path)));
  let builder: string | undefined;

  /** As of the first question, before anything is made: what the running passes were read from. */
  function builderSum(): string {
    if (builder !== undefined) return builder;
    const own = readdirSync(resolve(root, BUILDER), { recursive: true, encoding: "utf8" });
    const passes = own.filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts")).sort();
    const files = [...passes.map((name) => `${BUILDER}/${name}`), ...ALSO];
    builder = sumOf([process.version, ...files.map((path) => `${path} ${sumOfFile(path)}`)].join("\n"));
    return builder;
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
        const madeBy = builderSum();
        const kept = JSON.parse(readFileSync(path, "utf8")) as Kept;
        const isAsked = kept.entry === asked.entry && kept.keepsNames === asked.keepsNames;
        const isSame = Object.entries(kept.inputs).every(([input, was]) => sumOfFile(input) === was);
        return isAsked && isSame && kept.builder === madeBy && kept.sum === sumOf(kept.code) ? kept.code : undefined;
      } catch {
        // Not there, torn, or a file that it was made of is gone: it is made again.
        return undefined;
      }
    },
    keep(asked, inputs, code) {
      const path = pathOf(asked);
      if (path === undefined) return;
      try {
        const sums = Object.fromEntries([...inputs].map(([input, sum]) => [relative(root, input), sum]));
        const kept: Kept = { ...asked, builder: builderSum(), inputs: sums, code, sum: sumOf(code) };
        mkdirSync(dirname(path), { recursive: true });
        // Two processes, or threads of one, may make the same one: each puts a whole file there.
        const own = join(dirname(path), `${process.pid}-${threadId}.new`);
        writeFileSync(own, JSON.stringify(kept));
        renameSync(own, path);
      } catch {
        // A folder that cannot be written, or tools whose state nobody can tell: the next one is made again.
      }
    },
  };
}

export function sumOf(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
