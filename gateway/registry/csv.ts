// CSV (RFC 4180) as spreadsheets write it here: comma or semicolon, with or without a byte-order mark. Strict, and with the
// line of every row: a parser that mends what it reads would put a point somewhere else without a word.

export interface CsvRow {
  /** Of the file, from 1; a cell may go over several. */
  readonly line: number;
  readonly cells: readonly string[];
}

export interface CsvTable {
  readonly heads: readonly string[];
  readonly rows: readonly CsvRow[];
  readonly separator: "," | ";";
}

export type CsvFault = { readonly line: number; readonly text: string };
export const CSV_ROWS_MAX = 20_000;

export type Separator = CsvTable["separator"];

/** Whichever the line of the heads has more of, outside quotes. */
function separatorOf(text: string): Separator {
  const head = (text.split(/\r?\n/, 1)[0] ?? "").replace(/"[^"]*"/g, "");
  return head.split(";").length > head.split(",").length ? ";" : ",";
}

/** The table in a text, or everything that keeps it from being one. */
export function parseCsv(source: string): CsvTable | { readonly faults: readonly CsvFault[] } {
  const text = source.replace(/^\uFEFF/, "");
  const separator = separatorOf(text);
  const { rows, faults } = rowsOf(text, separator);
  const filled = rows.filter((row) => row.cells.some((cell) => cell !== ""));
  const [head, ...body] = filled;
  if (head === undefined) return { faults: [{ line: 1, text: "there is no line with the names of the columns" }] };
  const heads = head.cells.map((cell) => cell.trim());
  const all = [...faults, ...checkRows(heads, head.line, body)];
  return all.length > 0 ? { faults: all } : { heads, rows: body, separator };
}

function checkRows(heads: readonly string[], headLine: number, body: readonly CsvRow[]): CsvFault[] {
  const faults: CsvFault[] = [];
  heads.forEach((name, i) => {
    if (name === "") faults.push({ line: headLine, text: `column ${i + 1} has no name` });
    else if (heads.indexOf(name) < i) faults.push({ line: headLine, text: `column ${name} is there twice` });
  });
  if (body.length > CSV_ROWS_MAX) faults.push({ line: headLine, text: `${body.length} rows, at most ${CSV_ROWS_MAX}` });
  for (const { line, cells } of body) {
    if (cells.length !== heads.length)
      faults.push({ line, text: `has ${cells.length} cells, and there are ${heads.length} columns` });
  }
  return faults;
}

function rowsOf(text: string, separator: Separator): { rows: CsvRow[]; faults: CsvFault[] } {
  const rows: CsvRow[] = [];
  const faults: CsvFault[] = [];
  let line = 1;
  let at = 0;
  while (at < text.length) {
    const start = line;
    const cells: string[] = [];
    for (let ended = false; !ended; ) {
      const cell = cellAt(text, at, separator);
      for (let i = at; i < cell.end; i++) if (text[i] === "\n") line++;
      if (cell.fault !== undefined) faults.push({ line: start, text: `cell ${cells.length + 1} ${cell.fault}` });
      cells.push(cell.value);
      ended = text[cell.end] !== separator;
      at = cell.end + (text[cell.end] === "\r" && text[cell.end + 1] === "\n" ? 2 : 1);
    }
    line++;
    rows.push({ line: start, cells });
  }
  return { rows, faults };
}

/** One cell from `at`; `end` is at the separator, the end of the line, or that of the text. */
function cellAt(text: string, at: number, separator: Separator): { value: string; end: number; fault?: string } {
  const bare = (from: number) => {
    let end = from;
    while (end < text.length && text[end] !== separator && text[end] !== "\n" && text[end] !== "\r") end++;
    return end;
  };
  if (text[at] !== '"') {
    const end = bare(at);
    const value = text.slice(at, end);
    return {
      value,
      end,
      ...(value.includes('"') ? { fault: "has a quote in the middle: put all of it in quotes" } : {}),
    };
  }
  let value = "";
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] !== '"') value += text[i];
    else if (text[i + 1] === '"') value += text[i++];
    else {
      const end = bare(i + 1);
      return { value, end, ...(end === i + 1 ? {} : { fault: "goes on after its closing quote" }) };
    }
  }
  return { value, end: text.length, fault: "has no closing quote" };
}

function cellText(text: string, separator: Separator): string {
  // A spreadsheet takes these for formulas; a phone number and a negative one are none.
  const isFormula = /^[=@\t\r]/.test(text) || (/^[+-]/.test(text) && !/^[+-][0-9 ().,-]+$/.test(text));
  const safe = isFormula ? `'${text}` : text;
  return safe.includes(separator) || /["\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** With the line ends of RFC 4180. */
export function writeCsv(heads: readonly string[], rows: readonly (readonly string[])[], separator: Separator): string {
  return [heads, ...rows]
    .map((cells) => `${cells.map((cell) => cellText(cell, separator)).join(separator)}\r\n`)
    .join("");
}

/** 1.000 is a thousand to one and one to another. */
const TWO_WAYS = /^[+-]?[1-9]\d{0,2}[.,]\d{3}$/;

export type NumberRead = { readonly value: number } | { readonly fault: string };

/** A number as people write it here or in English: 12,5 or 12.5. `isPlace`: degrees, which nobody writes in thousands. */
export function parseNumber(text: string, isPlace = false): NumberRead {
  if (!/^[+-]?\d+([.,]\d+)?$/.test(text)) return { fault: "is not a number" };
  if (TWO_WAYS.test(text) && !isPlace)
    return { fault: `can be read in two ways: write ${text.replace(/[.,]/, "")} or ${text}0` };
  return { value: Number(text.replace(",", ".")) };
}

/** Such that `parseNumber` reads the same. Beside semicolons with a comma: a Dutch spreadsheet makes a date of 25.6. */
export function numberText(value: number, separator: Separator, isPlace = false): string {
  const text = separator === ";" ? String(value).replace(".", ",") : String(value);
  return TWO_WAYS.test(text) && !isPlace ? `${text}0` : text;
}
