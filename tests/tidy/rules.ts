// The rules of the house, as pure checks over file names and texts. Each gives what is wrong and where.

export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface Offence {
  readonly path: string;
  readonly what: string;
}

const LINES_MAX = 400;
const TEST_LINES_MAX = 600;
const FUNCTION_LINES_MAX = 70;

export function isTest(path: string): boolean {
  return path.endsWith(".test.ts") || path.startsWith("tests/");
}

function isSource(path: string): boolean {
  return /\.tsx?$/.test(path) && !path.endsWith(".d.ts");
}

/** Lowest first; a folder may import its own rung and those below. Rungs in one group never import each other. */
const GATEWAY_LADDER: readonly (readonly string[])[] = [
  ["domain"],
  ["journal", "history", "registry", "engine", "config"],
  ["ingress", "backup", "sinks", "notify", "reports", "api", "cli", "ups"],
  ["wiring", "doctor"],
];
const DEVICE_FOLDERS = ["drivers", "links", "store", "device", "boards"];

function resolvePath(from: string, target: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

export function importsOf(file: SourceFile): string[] {
  const found = file.text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^;]*?from\s*"([^"]+)"|import\(\s*"([^"]+)"\s*\)|(?:^|\n)import\s*"([^"]+)"/g,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? "").filter((target) => target.startsWith("."));
}

function rung(folder: string | undefined): number {
  return GATEWAY_LADDER.findIndex((group) => group.includes(folder ?? ""));
}

function wrongImport(from: string, to: string): string | undefined {
  const [fromTop, fromFolder] = from.split("/");
  const [toTop, toFolder] = to.split("/");
  if (fromTop === "tests" || toTop === undefined || isTest(from)) return undefined;
  if (toTop === "tests") return "product code imports tests";
  // It puts all of them in one bundle.
  if (fromTop === "packaging") return undefined;
  if (fromTop !== toTop) return toTop === "protocol" ? deviceOutside(from, to) : `${fromTop} imports ${toTop}`;
  if (fromTop === "firmware") return deviceOutside(from, to);
  if (fromTop !== "gateway") return undefined;
  const [mine, theirs] = [rung(fromFolder), rung(toFolder)];
  if (mine < 0 || theirs < 0 || fromFolder === toFolder) {
    if (mine === 0 && to === "gateway/clock.ts") return "the domain asks the clock";
    return mine >= 0 && to === "gateway/app.ts" ? "imports upwards" : undefined;
  }
  if (theirs > mine) return `imports upwards: ${fromFolder} → ${toFolder}`;
  // The command line and the application put parts together: they alone see registry and configuration.
  if (mine === theirs) return `${fromFolder} and ${toFolder} never import each other`;
  return undefined;
}

function deviceOutside(from: string, to: string): string | undefined {
  const [top, folder] = from.split("/");
  if (top !== "firmware" || !(DEVICE_FOLDERS.includes(folder ?? "") || from === "firmware/hal.ts")) return undefined;
  const allowed =
    to === "protocol/wire.ts" || to === "firmware/hal.ts" || DEVICE_FOLDERS.includes(to.split("/")[1] ?? "");
  return allowed ? undefined : `device code imports ${to}: only protocol/wire.ts and device folders`;
}

export function checkImports(files: readonly SourceFile[]): Offence[] {
  return files
    .filter((file) => isSource(file.path))
    .flatMap((file) => {
      return importsOf(file).flatMap((target) => {
        const what = wrongImport(file.path, resolvePath(file.path, target));
        return what === undefined ? [] : [{ path: file.path, what }];
      });
    });
}

const FORBIDDEN_FOLDERS = ["utils", "helpers", "common", "types-shared", "core", "misc", "lib"];

export function checkShape(files: readonly SourceFile[]): Offence[] {
  const offences: Offence[] = [];
  for (const { path, text } of files) {
    const name = path.split("/").pop() ?? "";
    if (path.split("/").some((part) => FORBIDDEN_FOLDERS.includes(part)))
      offences.push({ path, what: "a folder that names no thing" });
    if (!isSource(path)) continue;
    if (!/^[a-z0-9.-]+$/.test(name)) offences.push({ path, what: "file names are kebab-case" });
    const lines = text.split("\n").length;
    const most = isTest(path) ? TEST_LINES_MAX : LINES_MAX;
    if (lines > most) offences.push({ path, what: `${lines} lines, at most ${most}` });
    if (!isTest(path)) offences.push(...longFunctions(path, text));
  }
  return offences;
}

/** Functions by their braces: from a line that opens one to the line with its closing brace at the same indent. */
function longFunctions(path: string, text: string): Offence[] {
  const lines = text.split("\n");
  const offences: Offence[] = [];
  lines.forEach((line, start) => {
    const head = /^(\s*)(?:export )?(?:async )?function (\w+)/.exec(line);
    if (head === null) return;
    const end = lines.findIndex((other, i) => i > start && other === `${head[1]}}`);
    const body = lines.slice(start, end).filter((one) => !/^\s*(\/\/|\*|\/\*)/.test(one));
    // A factory's inner functions are measured one by one.
    const inner = body.filter((one, i) => i > 0 && /^\s+(?:async )?function \w+/.test(one)).length;
    if (end > 0 && inner === 0 && end - start + 1 > FUNCTION_LINES_MAX) {
      offences.push({ path, what: `function ${head[2]} has ${end - start + 1} lines, at most ${FUNCTION_LINES_MAX}` });
    }
  });
  return offences;
}

interface Ban {
  readonly pattern: RegExp;
  readonly instead: string;
  readonly doors: readonly RegExp[];
}

const BANS: readonly Ban[] = [
  {
    pattern: /\bDate\.now\(|\bnew Date\(\)/,
    instead: "the clock that is handed in",
    doors: [/^gateway\/clock\.ts$/, /simulator\/real-clock\.ts$/, /^dashboards\/web\/src\/live\.ts$/],
  },
  {
    pattern: /\bsetTimeout\(|\bsetInterval\(/,
    instead: "the clock that is handed in",
    doors: [
      /^gateway\/clock\.ts$/,
      /simulator\/real-clock\.ts$/,
      /^firmware\/boards\//,
      // Text that a board runs.
      /^firmware\/build\/loader\.ts$/,
      /^protocol\/console\/flash\.ts$/,
      /^dashboards\/web\/src\/live\.ts$/,
    ],
  },
  { pattern: /\bMath\.random\b/, instead: "the generator that is handed in", doors: [/^firmware\/boards\//] },
  {
    pattern: /\bprocess\.env\b/,
    instead: "configuration",
    doors: [/^gateway\/config\//, /^protocol\/console\/flash\.ts$/],
  },
  {
    pattern: /\bconsole\.(log|error|warn|info|debug)\b/,
    instead: "the log, or the command's own output",
    doors: [/^firmware\/build\/bundle\.ts$/],
  },
  { pattern: /\bexport default\b/, instead: "a named export", doors: [/\.config\.ts$/] },
];

export function checkBans(files: readonly SourceFile[]): Offence[] {
  return files
    .filter((file) => isSource(file.path) && !isTest(file.path))
    .flatMap((file) => {
      const code = file.text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, "");
      return BANS.flatMap(({ pattern, instead, doors }) => {
        if (doors.some((door) => door.test(file.path)) || !pattern.test(code)) return [];
        return [{ path: file.path, what: `${pattern.exec(code)?.[0]} — use ${instead}` }];
      });
    });
}

export function checkTests(files: readonly SourceFile[]): Offence[] {
  return files
    .filter((file) => isTest(file.path) && isSource(file.path) && !file.path.startsWith("tests/tidy/"))
    .flatMap((file) => {
      const offences: Offence[] = [];
      if (/\b(?:test|it|describe)\.(?:only|todo|skip)\(/.test(file.text))
        offences.push({ path: file.path, what: "a test that is only, todo or skipped" });
      const door =
        ["tests/fixtures.ts", "tests/virtual-clock.ts"].includes(file.path) ||
        /^tests\/(demo|fault|bench|e2e)\//.test(file.path);
      if (!door && /\bsetTimeout\(/.test(file.text))
        offences.push({ path: file.path, what: "a sleep: use waitFor or a virtual clock" });
      return offences;
    });
}

/** Nothing in the tree speaks of a machine it was made on. */
const MACHINE = /(^|[^.A-Za-z0-9_/])\/(?:work|farm|root)\/|registry\.npmjs|deb\.debian|bash_jobs/;

export function checkPlaces(files: readonly SourceFile[]): Offence[] {
  return files.flatMap((file) => {
    if (file.path.startsWith("tests/tidy/")) return [];
    const line = file.text.split("\n").findIndex((one) => MACHINE.test(one));
    return line < 0 ? [] : [{ path: file.path, what: `line ${line + 1} names a place of one machine` }];
  });
}
