// What beside the journal a gateway cannot do without, and which of it is a secret. Secrets are sealed with a passphrase, or left
// out: then the devices' keys are on the recovery sheet, and people and certificates are made anew.
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { GatewayError } from "../errors.ts";
import { writeWhole } from "../registry/file.ts";
import { LORAWAN_KEYS_FILE } from "../registry/lorawan-keys.ts";
import type { CopiedFile } from "./copier.ts";
import { PLAIN_FILE, readPieceNow, SEALED_FILE, standingSum, sumOf } from "./folder.ts";
import { seal, unseal } from "./sealing.ts";

/** In the data folder: who may know of it decides where it goes. */
const PLAIN = ["registry.json"];
const SECRET = ["keys.json", LORAWAN_KEYS_FILE, "people.json", "tls"];
const FILE_BYTES_MAX = 4_000_000;
const MODE = 0o600;

/** Paths below the data folder, and others by their whole path; bytes in base64. */
export interface Bundle {
  readonly version: 1;
  readonly files: Readonly<Record<string, string>>;
}

export interface NamedPaths {
  readonly plain: readonly string[];
  readonly secret: readonly string[];
}

export interface Sources {
  readonly dataDir: string;
  /** The configuration file; undefined: the defaults are in force. */
  readonly configFile?: string | undefined;
  /** Files that the configuration names, wherever they lie. Asked each time: one of them can name others. */
  named(): NamedPaths;
}

function readSmall(path: string): Buffer {
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw new Error(`more than ${FILE_BYTES_MAX} bytes`);
    return readFileSync(path);
  } catch (cause) {
    throw new GatewayError("FILE_UNREADABLE", { path }, { cause });
  }
}

function below(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(path, entry.name));
}

function bundleOf(dataDir: string, paths: readonly string[]): Bundle {
  const files: Record<string, string> = {};
  for (const path of paths
    .filter((one) => existsSync(one))
    .flatMap(below)
    .sort()) {
    const name = relative(dataDir, path);
    files[name.startsWith("..") ? path : name] = readSmall(path).toString("base64");
  }
  return { version: 1, files };
}

export interface FileCollector {
  /** Those that have changed since they were taken, or do not stand in `folder` as they were: it may be another disk's. */
  collect(folder: string): Promise<readonly CopiedFile[]>;
  /** The copy that was told of is there. */
  taken(): void;
}

/** SHA-256 of what is packed, and of the file that it was packed in. */
interface Known {
  readonly textSum: string;
  readonly fileSum: string;
}

/** `passphrase` undefined: secrets are left out. */
export function createFileCollector(sources: Sources, passphrase: string | undefined): FileCollector {
  const { dataDir, configFile } = sources;
  const known = new Map<string, Known>();
  let told = new Map<string, Known>();
  return {
    async collect(folder) {
      told = new Map();
      const changed: CopiedFile[] = [];
      const named = sources.named();
      const plain = [
        ...PLAIN.map((name) => join(dataDir, name)),
        ...(configFile === undefined ? [] : [resolve(configFile)]),
        ...named.plain,
      ];
      const parts = [
        { name: PLAIN_FILE, paths: plain, pack: async (text: string): Promise<Uint8Array> => Buffer.from(text) },
      ];
      if (passphrase !== undefined) {
        const paths = [...SECRET.map((name) => join(dataDir, name)), ...named.secret];
        parts.push({ name: SEALED_FILE, paths, pack: (text) => seal(Buffer.from(text), passphrase) });
      }
      for (const { name, paths, pack } of parts) {
        const text = JSON.stringify(bundleOf(dataDir, paths));
        const before = known.get(name);
        // Sealing takes a while, and never gives the same bytes twice.
        if (before?.textSum === sumOf(text) && (await standingSum(folder, name)) === before.fileSum) continue;
        const bytes = await pack(text);
        told.set(name, { textSum: sumOf(text), fileSum: sumOf(bytes) });
        changed.push({ name, bytes });
      }
      return changed;
    },
    taken() {
      for (const [name, sums] of told) known.set(name, sums);
    },
  };
}

/** Undefined when it is none, or cut. */
export function parseBundle(text: string): Bundle | undefined {
  try {
    const value = JSON.parse(text) as Partial<Bundle> | null;
    const files = Object.values(value?.files ?? { none: undefined });
    return files.every((one) => typeof one === "string") ? (value as Bundle) : undefined;
  } catch {
    return undefined;
  }
}

/** The files of a copy, to be placed. Throws FILE_UNREADABLE, PASSPHRASE_WRONG. Without a passphrase secrets are left out. */
export function readFiles(folder: string, passphrase: string | undefined): readonly Bundle[] {
  const bundles: Bundle[] = [];
  for (const name of [PLAIN_FILE, SEALED_FILE]) {
    const path = join(folder, name);
    if (!existsSync(path) || (name === SEALED_FILE && passphrase === undefined)) continue;
    const bytes = readPieceNow(folder, name);
    const text = name === SEALED_FILE ? Buffer.from(unseal(bytes, passphrase as string)) : bytes;
    const bundle = parseBundle(text.toString("utf8"));
    if (bundle === undefined) throw new GatewayError("FILE_UNREADABLE", { path, reason: "it is not whole" });
    bundles.push(bundle);
  }
  return bundles;
}

/** A folder and those above it, where they are not there. Throws FILE_UNWRITABLE, also when nothing can be put in it. */
export function makeDirs(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o750 });
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new GatewayError("FILE_UNWRITABLE", { path, reason: cause instanceof Error ? cause.message : "" }, { cause });
  }
}

/** A file of a place outside the data folder: where it was, and where it lies now. */
export interface FileAside {
  readonly was: string;
  readonly path: string;
}

/** Puts the copy's files into a data folder. Throws FILE_UNWRITABLE. */
export function placeFiles(bundles: readonly Bundle[], dataDir: string): readonly FileAside[] {
  const aside: FileAside[] = [];
  for (const { files } of bundles) {
    for (const [name, base64] of Object.entries(files)) {
      const isOutside = name.startsWith("/");
      const path = isOutside ? join(dataDir, "restored-files", name) : join(dataDir, name);
      // A name that climbs out of the folder is none of ours.
      if (relative(dataDir, path).startsWith("..")) continue;
      makeDirs(dirname(path));
      writeWhole(path, Buffer.from(base64, "base64"), MODE);
      if (isOutside) aside.push({ was: name, path });
    }
  }
  return aside;
}
