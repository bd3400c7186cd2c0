// JSON values one after another in a text, as a series of answers of an HTTP API gives them: an array, lines, or objects in a row.

export type StreamRead = { readonly values: readonly unknown[] } | { readonly problem: string };

/** All values of a text, arrays by their items; or where it is no JSON, or that there are more than `most`. */
export function readJsonStream(text: string, most: number): StreamRead {
  const source = text.replace(/^\uFEFF/, "");
  const values: unknown[] = [];
  let from = 0;
  for (let at = source.search(/\S/); at >= 0 && at < source.length; at = nextWord(source, from)) {
    from = endOf(source, at);
    try {
      const value: unknown = JSON.parse(source.slice(at, from));
      for (const one of Array.isArray(value) ? value : [value]) values.push(one);
      if (values.length > most) return { problem: `more than ${most} values` };
    } catch (error) {
      const line = source.slice(0, at).split("\n").length;
      return {
        problem: `the value that begins on line ${line} is no JSON: ${error instanceof Error ? error.message : ""}`,
      };
    }
  }
  return { values };
}

function nextWord(source: string, from: number): number {
  const gap = source.slice(from).search(/[^\s,]/);
  return gap < 0 ? -1 : from + gap;
}

/** Behind the object or array that begins here; behind all of the text where it never ends. */
function endOf(source: string, at: number): number {
  let depth = 0;
  let isText = false;
  for (let i = at; i < source.length; i++) {
    const sign = source[i];
    if (isText) {
      if (sign === "\\") i++;
      else if (sign === '"') isText = false;
    } else if (sign === '"') isText = true;
    else if (sign === "{" || sign === "[") depth++;
    else if (sign === "}" || sign === "]") {
      depth--;
      if (depth <= 0) return i + 1;
    }
  }
  return source.length;
}
