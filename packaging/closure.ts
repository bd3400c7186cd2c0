// What a program needs to run: its files, by their relative imports, and the packages those name, by the lock file; and the form in
// which they run.
import { stripTypeScriptTypes } from "node:module";
import { posix } from "node:path";

export interface Closure {
  readonly files: readonly string[];
  readonly packages: readonly string[];
}

const FROM =
  /(?:^|\n)\s*(?:import|export)\b[\w\s{},*$]*?\bfrom\s*"([^"\s]+)"|\bimport\(\s*"([^"\s]+)"\s*\)|(?:^|\n)import\s*"([^"\s]+)"/g;
/** Workers are named by address. */
const BY_ADDRESS = /new URL\(\s*"([^"]+\.ts)",\s*import\.meta\.url\s*\)/g;

function targetsOf(text: string): string[] {
  const imports = [...text.matchAll(FROM)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
  return [...imports, ...[...text.matchAll(BY_ADDRESS)].map((match) => match[1] ?? "")];
}

/** Plain JavaScript of a file of the closure, its lines where they were; what it names by a relative path ends in .js. */
export function plainOf(text: string): string {
  const renamed = (words: string): string => words.replace(/"(\.[^"\s]+)\.ts"/, '"$1.js"');
  return stripTypeScriptTypes(text).replace(FROM, renamed).replace(BY_ADDRESS, renamed);
}

/** The package of a bare specifier: `a/b.js` is a's, `@a/b/c` is `@a/b`'s. */
function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Files from `entries` on, paths with slashes, and the packages that they import; `read` gives the text of a file. */
export function closureOf(entries: readonly string[], read: (path: string) => string): Closure {
  const files = new Set<string>();
  const packages = new Set<string>();
  const open = [...entries];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (files.has(path)) continue;
    files.add(path);
    for (const target of targetsOf(read(path))) {
      if (target.startsWith(".")) open.push(posix.join(posix.dirname(path), target));
      else if (!target.startsWith("node:")) packages.add(packageOf(target));
    }
  }
  return { files: [...files].sort(), packages: [...packages].sort() };
}

/** One entry of `packages` in package-lock.json (lockfileVersion 3). */
export interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** Where `name` is found from a package at `from`: the nearest folder upwards, as Node looks. */
function placeOf(name: string, from: string, locked: Readonly<Record<string, LockedPackage>>): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    const place = at === "" ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (locked[place] !== undefined) return place;
    if (at === "") return undefined;
  }
}

/** Folders of `names` and of all that they depend on, optional ones where the lock file has them. */
export function placesOf(names: readonly string[], locked: Readonly<Record<string, LockedPackage>>): string[] {
  const places = new Set<string>();
  const open = names.map((name) => ({ name, from: "", isNeeded: true }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const place = placeOf(next.name, next.from, locked);
    if (place === undefined) {
      if (next.isNeeded) throw new Error(`${next.name} is not in the lock file`);
      continue;
    }
    if (places.has(place)) continue;
    places.add(place);
    const entry = locked[place] as LockedPackage;
    for (const name of Object.keys(entry.dependencies ?? {})) open.push({ name, from: place, isNeeded: true });
    for (const name of Object.keys({ ...entry.optionalDependencies, ...entry.peerDependencies }))
      open.push({ name, from: place, isNeeded: false });
  }
  return [...places].sort();
}
