// The program as it goes on a board: one byte a word or operator, packed integers and strings where they are shorter. The numbers
// are those of the engine's `src/jslex.h` (2v26 and later).
import babel from "@babel/core";
import { type Node, walk } from "./tree.ts";

const FIRST = 138;
const WORDS =
  "== === != !== <= << <<= >= >> >>> >>= >>>= += -= ++ -- *= /= %= &= && |= || ^= => if else do while for break continue function return var let const this throw try catch finally true false null undefined new in instanceof switch case default delete typeof void debugger class extends super static of".split(
    " ",
  );
const STRING8 = 0xd1;
const INT0 = 0xd3;
const INT8 = 0xd4;
const INT16 = 0xd5;
/** `catch` stays text: engines have stumbled over its token. */
const AS_TEXT = "catch";

interface Piece {
  readonly start: number;
  readonly end: number;
  /** What it is instead of its text. */
  readonly value: string | number | undefined;
}

function isInteger(value: number): boolean {
  return value >= -32768 && value < 32768 && value % 1 === 0 && !Object.is(value, -0);
}

/** Whole expressions that are one token, where the tokeniser would see several, or only text. */
function wholesOf(ast: Node): Map<number, Piece> {
  const wholes = new Map<number, Piece>();
  const put = (node: Node, value: Piece["value"]): false => {
    wholes.set(node.start, { start: node.start, end: node.end, value });
    return false;
  };
  walk(ast.program, (node) => {
    if (node.type === "TemplateLiteral" || node.type === "RegExpLiteral") return put(node, undefined);
    if (node.type === "StringLiteral") return put(node, node.value);
    if (node.type === "NumericLiteral") return put(node, node.value);
    if (node.type !== "UnaryExpression" || node.argument.type !== "NumericLiteral") return undefined;
    const { value } = node.argument;
    if (node.operator === "!" && value < 2) return put(node, value ? "false " : "true ");
    if (node.operator === "void") return put(node, "undefined ");
    return node.operator === "-" && isInteger(-value) ? put(node, -value) : undefined;
  });
  return wholes;
}

function packed(value: number): string {
  if (value === 0) return String.fromCharCode(INT0);
  if (value >= -128 && value < 128) return String.fromCharCode(INT8, value & 255);
  return String.fromCharCode(INT16, value & 255, (value >> 8) & 255);
}

function isLatin(text: string): boolean {
  return text.length > 0 && text.length < 256 && [...text].every((one) => one.charCodeAt(0) < 256);
}

function bytesFor(piece: Piece, text: string): string {
  const { value } = piece;
  if (value === undefined) return text;
  if (typeof value === "number") {
    const short = isInteger(value) ? packed(value) : text;
    return short.length < text.length || value < 0 ? short : text;
  }
  if (value.endsWith(" ") && !/^["']/.test(text)) return String.fromCharCode(FIRST + WORDS.indexOf(value.trim()));
  const raw = isLatin(value) ? String.fromCharCode(STRING8, value.length) + value : text;
  return raw.length < text.length ? raw : text;
}

function needsSpace(before: string, next: string): boolean {
  const last = before.at(-1) ?? "";
  const first = next[0] ?? "";
  if (/[\w$]/.test(last) && /[\w$]/.test(first)) return true;
  return last === first && "+-/".includes(last);
}

/** The pieces of a program in their order: wholes, and the tokeniser's tokens between them. */
function piecesOf(ast: Node): Piece[] {
  const wholes = wholesOf(ast);
  const pieces: Piece[] = [];
  let end = 0;
  for (const token of ast.tokens) {
    if (token.start < end || token.start === token.end) continue;
    const piece = wholes.get(token.start) ?? { start: token.start, end: token.end, value: undefined };
    pieces.push(piece);
    end = piece.end;
  }
  return pieces;
}

/** A program of Latin characters in tokens, a character a byte. */
export function tokenise(code: string): string {
  const ast: Node = babel.parseSync(code, {
    configFile: false,
    babelrc: false,
    sourceType: "script",
    parserOpts: { tokens: true },
  });
  const out: string[] = [];
  let isText = false;
  let before = "";
  for (const piece of piecesOf(ast)) {
    const text = code.slice(piece.start, piece.end);
    const at = piece.value === undefined && text !== AS_TEXT ? WORDS.indexOf(text) : -1;
    const made = at >= 0 ? String.fromCharCode(FIRST + at) : bytesFor(piece, text);
    const staysText = at < 0 && made === text;
    if (staysText && isText && needsSpace(before, made)) out.push(" ");
    out.push(made);
    before = made;
    isText = staysText;
  }
  return out.join("");
}

function quoted(text: string): string {
  const inside = [...text].map((one) => {
    const code = one.charCodeAt(0);
    if (one === '"' || one === "\\") return `\\${one}`;
    return code < 32 || code > 126 ? `\\x${code.toString(16).padStart(2, "0")}` : one;
  });
  return `"${inside.join("")}"`;
}

/** The token that begins at `at` as text, and how many bytes it has; undefined where text stands. */
function textAt(tokens: string, at: number): { text: string; bytes: number } | undefined {
  const code = tokens.charCodeAt(at);
  const low = tokens.charCodeAt(at + 1);
  if (code === INT0) return { text: "0", bytes: 1 };
  if (code === INT8) return { text: String((low << 24) >> 24), bytes: 2 };
  if (code === INT16) return { text: String(((low | (tokens.charCodeAt(at + 2) << 8)) << 16) >> 16), bytes: 3 };
  if (code === STRING8) return { text: quoted(tokens.substr(at + 2, low)), bytes: 2 + low };
  const word = WORDS[code - FIRST];
  return word === undefined ? undefined : { text: word, bytes: 1 };
}

/** The text of a program in tokens. */
export function untokenise(tokens: string): string {
  let out = "";
  let wasToken = false;
  for (let at = 0; at < tokens.length; ) {
    const token = textAt(tokens, at);
    const text = token?.text ?? (tokens[at] as string);
    if ((token !== undefined || wasToken) && needsSpace(out, text)) out += " ";
    out += text;
    wasToken = token !== undefined;
    at += token?.bytes ?? 1;
  }
  return out;
}
