// `npm run test:engine [-- --long]`: everything that runs on a real Espruino, when there is one.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { boardsFound, HOW_TO } from "./find.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const boards = boardsFound();
if (boards.length === 0) process.stdout.write(`skipped: no Espruino found\n${HOW_TO}\n`);
else {
  process.stdout.write(`engines for ${boards.join(", ")}\n`);
  const args = process.argv.slice(2);
  const result = spawnSync(
    process.execPath,
    ["node_modules/vitest/vitest.mjs", "run", "--project", "engine", ...args.filter((one) => one !== "--long")],
    {
      cwd: ROOT,
      stdio: "inherit",
      env: { ...process.env, ...(args.includes("--long") ? { ENGINE_LONG: "1" } : {}) },
    },
  );
  process.exitCode = result.status ?? 1;
}
