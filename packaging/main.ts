// `npm run bundle [-- --out DIR]`: one folder that installs on a machine of this kind with no network, for a USB stick. What is
// installed is plain JavaScript: Node strips types with WebAssembly, in every thread anew, and V8 now and then falls over its own
// feet (SIGSEGV) when threads with WebAssembly come and go in one process.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { JOURNAL_VERSION } from "../gateway/journal/file.ts";
import { VERSION } from "../gateway/wiring/parts.ts";
import { closureOf, type LockedPackage, placesOf, plainOf } from "./closure.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ENTRIES = ["gateway/main.ts", "firmware/cli/main.ts"];
/** Beside what is imported. */
const ALSO = ["package.json", "LICENSE", "dashboards/web/dist", "firmware/dist", "docs", "README.md", "CHANGELOG.md"];
/** What the installer itself is made of, at the top of the bundle. */
const INSTALLER = ["install.sh", "waakvlam.service", "waakvlam.toml", "waakvlam", "waakvlam-device", "README.md"];
const USAGE = "usage: npm run bundle [-- --out DIR]";

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, dereference: true });
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

function lockedPackages(): Record<string, LockedPackage> {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, LockedPackage>;
  };
  return lock.packages;
}

/** The folder that was made. */
function makeBundle(out: string): string {
  const target = join(out, `waakvlam-${VERSION}-${process.platform}-${process.arch}`);
  rmSync(target, { recursive: true, force: true });
  const app = join(target, "app");
  const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
  const { files, packages } = closureOf(ENTRIES, read);
  for (const file of files) write(join(app, file.replace(/\.ts$/, ".js")), plainOf(read(file)));
  for (const file of ALSO) copy(join(ROOT, file), join(app, file));
  for (const place of placesOf(packages, lockedPackages())) copy(join(ROOT, place), join(app, place));
  copy(process.execPath, join(app, "bin/node"));
  for (const file of INSTALLER) copy(join(ROOT, "packaging", file), join(target, file));
  writeFileSync(join(target, "VERSION"), `${VERSION}\n`);
  writeFileSync(join(app, "JOURNAL_VERSION"), `${JOURNAL_VERSION}\n`);
  const sums = filesBelow(target).map(
    (file) =>
      `${createHash("sha256")
        .update(readFileSync(join(target, file)))
        .digest("hex")}  ${file}`,
  );
  writeFileSync(join(target, "SHA256SUMS"), `${sums.join("\n")}\n`);
  return target;
}

function main(): number {
  let out: string;
  try {
    out = parseArgs({ options: { out: { type: "string", default: join(ROOT, "dist") } } }).values.out;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
    return 2;
  }
  const target = makeBundle(out);
  const bytes = filesBelow(target).reduce((sum, file) => sum + statSync(join(target, file)).size, 0);
  process.stdout.write(`${target}: ${Math.round(bytes / 1e6)} MB. Copy it to a stick; there: sudo sh install.sh\n`);
  return 0;
}

process.exitCode = main();
