// The registry as tables: a CSV file a noun, for people who keep their points in a spreadsheet.
import { NOUNS, type Noun, type Registry } from "../../protocol/index.ts";
import { nearest } from "../../protocol/nearest.ts";
import { fromRd, toRd } from "../domain/rd.ts";
import { type Column, cellOf, columnsOfNoun, parseCell, RD_COLUMNS } from "./columns.ts";
import { type CsvTable, parseCsv, type Separator, writeCsv } from "./csv.ts";
import { judge } from "./registry.ts";
import { type ListProblems, relabel } from "./shape.ts";

type Row = Record<string, unknown>;

/** A place by RD and by WGS84 may differ by so much: both are often rounded. */
const PLACE_M_MAX = 25;
const RD_RANGE = { x: [0, 300_000], y: [300_000, 625_000] } as const;
/** More than a file has lines. */
const LINES_FAR = 1e6;
/** Degrees of a place that came as RD: a centimetre. */
const DEGREE_DIGITS = 7;

export type Tables = Readonly<Partial<Record<Noun, string>>>;

export function tableOf(noun: Noun, registry: Registry, separator: Separator = ";"): string {
  const columns = columnsOfNoun(noun);
  const rows = (registry[noun] as readonly Row[]).map((row) => {
    const rd = noun === "points" ? rdOf(row) : {};
    return columns.map((column) => cellOf(at({ ...row, ...rd }, column.name), column, separator));
  });
  return writeCsv(
    columns.map((one) => one.name),
    rows,
    separator,
  );
}

function rdOf(row: Row): Row {
  const { x, y } = toRd(row["location"] as { lat: number; lon: number });
  return { rdX: Math.round(x), rdY: Math.round(y) };
}

function at(row: Row, name: string): unknown {
  return name.split(".").reduce<unknown>((inner, part) => (inner as Row | undefined)?.[part], row);
}

function put(row: Row, name: string, value: unknown): void {
  const parts = name.split(".");
  let inner = row;
  for (const part of parts.slice(0, -1)) {
    inner[part] ??= {};
    inner = inner[part] as Row;
  }
  inner[parts.at(-1) ?? ""] = value;
}

interface Read {
  readonly rows: readonly Row[];
  readonly lines: readonly number[];
  readonly problems: readonly string[];
  /** `points/3/capacity/day`: told of already. */
  readonly told: readonly string[];
}

function readTable(noun: Noun, text: string): Read {
  const table = parseCsv(text);
  const file = `${noun}.csv`;
  if ("faults" in table) {
    const problems = table.faults.map((fault) => `${file} line ${fault.line}: ${fault.text}`);
    return { rows: [], lines: [], problems, told: [] };
  }
  const columns = columnsOfNoun(noun);
  const known = columns.map((one) => one.name);
  const problems = table.heads
    .filter((name) => !known.includes(name))
    .map((name) => {
      const near = nearest(name, known);
      return `${file} line 1: column ${name} is not known${near === undefined ? "" : `: did you mean ${near}?`}`;
    });
  const told: string[] = [];
  const rows = table.rows.map(({ line, cells }, index) => {
    return readRow(noun, cells, { table, columns }, (column, fault) => {
      problems.push(`${file} line ${line}, column ${column} ${fault}`);
      told.push(`${noun}/${index}/${column.replaceAll(".", "/")}`);
    });
  });
  return { rows, lines: table.rows.map((row) => row.line), problems, told };
}

function readRow(
  noun: Noun,
  cells: readonly string[],
  { table, columns }: { readonly table: CsvTable; readonly columns: readonly Column[] },
  tell: (column: string, fault: string) => void,
): Row {
  const row: Row = {};
  table.heads.forEach((name, i) => {
    const column = columns.find((one) => one.name === name);
    // What our own export put before a text that a spreadsheet would take for a formula.
    const text = (cells[i] ?? "").trim().replace(/^'(?=[=@+\-\t\r])/, "");
    if (column === undefined || text === "") return;
    const read = parseCell(text, column);
    if ("fault" in read) tell(name, `${text} ${read.fault}`);
    put(row, name, "fault" in read ? text : read.value);
  });
  return noun === "points" ? placed(row, tell) : row;
}

/** A row with its place in degrees: given so, or by RD. */
function placed(row: Row, tell: (column: string, fault: string) => void): Row {
  const { rdX: x, rdY: y, ...point } = row;
  if (x === undefined && y === undefined) return point;
  const isOff = (value: unknown, [min, max]: readonly [number, number]) =>
    typeof value === "number" && (value < min || value > max);
  if (typeof x !== "number" || typeof y !== "number") {
    if (x === undefined || y === undefined)
      tell(RD_COLUMNS[x === undefined ? 0 : 1], "is missing beside the other one");
    return point;
  }
  if (isOff(x, RD_RANGE.x) || isOff(y, RD_RANGE.y)) {
    tell(RD_COLUMNS[0], `${x}, ${y} lies outside RD (0 to 300000, 300000 to 625000): are the two swapped?`);
    return point;
  }
  const given = point["location"] as { lat?: unknown; lon?: unknown } | undefined;
  if (given === undefined) {
    const round = (degrees: number) => Number(degrees.toFixed(DEGREE_DIGITS));
    const { lat, lon } = fromRd({ x, y });
    return { ...point, location: { lat: round(lat), lon: round(lon) } };
  }
  if (typeof given.lat === "number" && typeof given.lon === "number") {
    const rd = toRd({ lat: given.lat, lon: given.lon });
    const farM = Math.hypot(rd.x - x, rd.y - y);
    if (farM > PLACE_M_MAX)
      tell(RD_COLUMNS[0], `and rdY lie ${Math.round(farM)} m from location.lat and location.lon: leave one pair out`);
  }
  return point;
}

/**
 * The registry in tables; a noun without one stays as it is in `base`. With every problem, by file, line and column.
 */
export function readTables(
  tables: Tables,
  base: Registry,
  listProblems: ListProblems,
): { readonly registry: Registry; readonly problems: readonly string[] } {
  const read: Partial<Record<Noun, Read>> = {};
  for (const noun of NOUNS) {
    const text = tables[noun];
    if (text !== undefined) read[noun] = readTable(noun, text);
  }
  const value: Row = { ...base };
  for (const [noun, one] of Object.entries(read)) value[noun] = one.rows;
  const found = Object.values(read).flatMap((one) => one.problems);
  const told = Object.values(read).flatMap((one) => one.told);
  // A table that is none would make all that refers to it look wrong.
  const isWhole = Object.values(read).every((one) => one.rows.length > 0 || one.problems.length === 0);
  if (!isWhole) return { registry: base, problems: found };
  const { registry, problems: said } = judge(value, listProblems);
  const rest = said.filter((problem) => !isTold(problem, told));
  const problems = [...found, ...rest.map((problem) => byLine(problem, read))];
  return { registry, problems: problems.sort((a, b) => rank(a) - rank(b)) };
}

/** In the order in which somebody goes through the files; what is of no line stays where it is. */
function rank(problem: string): number {
  const [, noun, line] = /^(\w+)\.csv line (\d+)/.exec(problem) ?? [];
  return NOUNS.indexOf(noun as Noun) * LINES_FAR + Number(line ?? 0);
}

function isTold(problem: string, told: readonly string[]): boolean {
  const path = (/^(\w+\/\d+)(?: \([^)]*\))?(\/\S+)? /.exec(problem) ?? []).slice(1, 3).join("");
  return told.some((one) => path === one || path.startsWith(`${one}/`));
}

/** `points.csv line 5 (alm-01), column capacity.day must be <= 2039`. */
function byLine(problem: string, read: Partial<Record<Noun, Read>>): string {
  const placed = relabel(problem, (noun, i) => {
    const line = read[noun]?.lines[i];
    return line === undefined ? `${noun}/${i}` : `${noun}.csv line ${line}`;
  });
  return placed.replace(/^(\S+\.csv line \d+(?: \([^)]*\))?)\/(\S+)/, (_, place: string, path: string) => {
    const parts = path.split("/");
    const end = parts.findIndex((part) => /^\d+$/.test(part));
    return `${place}, column ${(end < 0 ? parts : parts.slice(0, end)).join(".")}`;
  });
}
