// Node-RED and its nodes for the ingest bench: installed on demand outside the project and its lock file, and kept.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

const HOME = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "waakvlam", "node-red");
const PACKAGES = ["node-red@4.1.15", "node-red-contrib-aedes@0.6.0", "node-red-node-sqlite@1.1.1"];
const INSTALL_MS = 900_000;

export interface Found {
  readonly home: string | undefined;
  readonly why: string;
}

/** Where the headers are of the very Node that will load what is compiled: beside its program, or in the package that was made for this machine. */
function headersOfNode(): string {
  const home = join(dirname(process.execPath), "..");
  const made = join(home, "node_modules", `node-${process.platform}-${process.arch}`);
  return existsSync(join(made, "include")) ? made : home;
}

/** Where Node-RED is; installs it when `install`, which takes some minutes: its SQLite is compiled. */
export function findNodeRed(install: boolean, log: (line: string) => void): Found {
  const built = join(HOME, "node_modules/sqlite3/build/Release/node_sqlite3.node");
  if (existsSync(built)) return { home: HOME, why: "" };
  if (!install) return { home: undefined, why: "not installed: --peers yes installs it" };
  log(`ingest: installing ${PACKAGES.join(", ")} in ${HOME}`);
  mkdirSync(HOME, { recursive: true });
  writeFileSync(join(HOME, "package.json"), '{ "private": true }\n');
  const env = {
    ...process.env,
    PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
    npm_config_nodedir: headersOfNode(),
  };
  const args = ["install", "--no-audit", "--no-fund", "--save-exact", ...PACKAGES];
  const result = spawnSync("npm", args, { cwd: HOME, env, encoding: "utf8", timeout: INSTALL_MS });
  if (existsSync(built)) return { home: HOME, why: "" };
  return { home: undefined, why: `npm could not install it: ${(result.stderr ?? "").trim().split("\n").at(-1) ?? ""}` };
}
