// Writes docs/data-dictionary.md: `node gateway/sinks/write-dictionary.ts`. Its head is kept, from the first table on it is made.
import { readFileSync, writeFileSync } from "node:fs";
import { dictionaryMarkdown } from "./dictionary.ts";

const path = new URL("../../docs/data-dictionary.md", import.meta.url);
const head = readFileSync(path, "utf8").split(/^## /m)[0] ?? "";
writeFileSync(path, head + dictionaryMarkdown());
