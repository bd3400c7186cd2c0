// Where a key stands in a TOML file: for people, who look for a line. It reads only what names keys (TOML 1.0 §Keys,
// §Table); what it does not follow has no line, and that costs no more than the number.

export type Positions = ReadonlyMap<string, number>;

/** Lines (from 1) by path: `mqtt/port`, `mqtt`; of an array of tables `webhook/0/url`. */
export function keyPositions(text: string): Positions {
  const found = new Map<string, number>();
  const counts = new Map<string, number>();
  let table = "";
  let until: string | undefined;
  // A file of Windows ends its lines with two signs.
  text.split(/\r?\n/).forEach((line, index) => {
    if (until !== undefined) {
      if (line.includes(until)) until = undefined;
      return;
    }
    const header = /^\s*(\[\[?)\s*([^\]]+?)\s*\]/.exec(line);
    if (header !== null) {
      table = pathOf(header[2] as string);
      if (header[1] === "[[") {
        const number = counts.get(table) ?? 0;
        counts.set(table, number + 1);
        table = `${table}/${number}`;
      }
      note(found, table, index + 1);
      return;
    }
    const key = /^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=(.*)$/.exec(line);
    if (key === null) return;
    note(found, table === "" ? pathOf(key[1] as string) : `${table}/${pathOf(key[1] as string)}`, index + 1);
    until = opened(key[2] as string);
  });
  return found;
}

function pathOf(key: string): string {
  const parts = key.match(/[\w-]+|"[^"]*"|'[^']*'/g) ?? [];
  return parts.map((part) => part.replace(/^["']|["']$/g, "")).join("/");
}

/** A path and those it lies in, each at its first line. */
function note(found: Map<string, number>, path: string, line: number): void {
  for (let at = path; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) {
    if (!found.has(at)) found.set(at, line);
  }
}

/** The mark that ends a text of several lines which this value begins. */
function opened(value: string): string | undefined {
  return ['"""', "'''"].find((mark) => value.split(mark).length === 2);
}

/** The same problem with its line before it. A problem begins with its path: `mqtt/port must be …`, `http.host 0.0.0.0 …`. */
export function withLine(problem: string, positions: Positions): string {
  const path = /^[\w./-]+/.exec(problem)?.[0].replaceAll(".", "/") ?? "";
  for (let at = path; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) {
    const line = positions.get(at);
    if (line !== undefined) return `line ${line}: ${problem}`;
  }
  return problem;
}
