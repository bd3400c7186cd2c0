// Short names for properties. A name may change only where nobody outside the program knows it and no text can become it.
// Kept therefore: what the engine has (its ambient declarations, against which every use is type-checked, and the standard
// library), what stands in JSON (interfaces that say so), every quoted key, and every string of the program that could be a name.
import type { types } from "@babel/core";
import babel from "@babel/core";

/** An interface with this word in the comment before it describes JSON: its names are not ours to change. */
const JSON_MARK = "@json";
const NAME = /^[A-Za-z_$][\w$]*$/;
const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ$_";
/** Two letters that are words of the language. */
const WORDS = ["do", "if", "in", "of", "as"];

const STANDARD = [
  Object,
  Array,
  Function,
  Number,
  String,
  Boolean,
  Error,
  Math,
  Date,
  RegExp,
  JSON,
  Promise,
  ArrayBuffer,
  DataView,
  Uint8Array,
  Object.getPrototypeOf(Uint8Array),
  globalThis,
];

/** Names of the standard library. What an engine lacks of it does no harm here. */
function standardNames(): string[] {
  return STANDARD.flatMap((one) => {
    const prototype = (one as { prototype?: object }).prototype;
    return [...Object.getOwnPropertyNames(one), ...(prototype ? Object.getOwnPropertyNames(prototype) : [])];
  });
}

function keyName(key: types.Node): string | undefined {
  if (key.type === "Identifier") return key.name;
  return key.type === "StringLiteral" ? key.value : undefined;
}

function parse(source: string, file: string): types.File {
  return babel.parseSync(source, {
    filename: file,
    configFile: false,
    babelrc: false,
    presets: ["@babel/preset-typescript"],
  }) as types.File;
}

/** Names that a source file takes from outside: members in its ambient declarations and in its JSON interfaces. */
export function outsideNames(source: string, file: string): string[] {
  const found: string[] = [];
  const isAmbient = file.endsWith(".d.ts");
  const inside = (path: babel.NodePath): void => {
    path.traverse({
      TSPropertySignature: ({ node }) => void found.push(keyName(node.key) ?? ""),
      TSMethodSignature: ({ node }) => void found.push(keyName(node.key) ?? ""),
    });
  };
  babel.traverse(parse(source, file), {
    TSInterfaceDeclaration: (path) => {
      const host = path.parentPath?.isExportNamedDeclaration() ? path.parentPath.node : path.node;
      const said = (host.leadingComments ?? []).some((comment) => comment.value.includes(JSON_MARK));
      if (isAmbient || said) inside(path);
    },
    VariableDeclaration: (path) => {
      if (path.node.declare) inside(path);
    },
    TSDeclareFunction: (path) => inside(path),
  });
  return found;
}

function shortNames(taken: ReadonlySet<string>): () => string {
  let count = 0;
  return () => {
    for (;;) {
      const at = count++;
      const head = at < LETTERS.length ? "" : (LETTERS[Math.floor(at / LETTERS.length) - 1] as string);
      const name = head + LETTERS[at % LETTERS.length];
      if (!taken.has(name) && !WORDS.includes(name)) return name;
    }
  };
}

interface Found {
  /** Every place where a property is named, by its name. */
  readonly places: Map<string, ((name: string) => void)[]>;
  readonly kept: Set<string>;
}

function find(ast: types.File, kept: Set<string>): Found {
  const places: Found["places"] = new Map();
  const place = (name: string, rename: (name: string) => void): void => {
    places.set(name, [...(places.get(name) ?? []), rename]);
  };
  const keep = (text: string): void => {
    if (NAME.test(text)) kept.add(text);
  };
  const key = (node: types.ObjectProperty | types.ObjectMethod | types.ClassMethod | types.ClassProperty): void => {
    const { key: own } = node;
    if (node.computed || own.type !== "Identifier") return;
    const rename = (name: string): void => {
      if (node.type === "ObjectProperty") node.shorthand = false;
      node.key = babel.types.identifier(name);
    };
    place(own.name, rename);
  };
  babel.traverse(ast, {
    StringLiteral: ({ node }) => keep(node.value),
    TemplateElement: ({ node }) => keep(node.value.cooked ?? ""),
    ObjectProperty: ({ node }) => key(node),
    ObjectMethod: ({ node }) => key(node),
    ClassMethod: ({ node }) => key(node),
    ClassProperty: ({ node }) => key(node),
    MemberExpression: ({ node }) => {
      const { property } = node;
      if (node.computed) refuseMade(property);
      else if (property.type === "Identifier") {
        place(property.name, (name) => {
          node.property = babel.types.identifier(name);
        });
      }
    },
  });
  return { places, kept };
}

/** A name put together at run time could be any. */
function refuseMade(property: types.Node): void {
  const isMade =
    (property.type === "TemplateLiteral" && property.expressions.length > 0) ||
    (property.type === "BinaryExpression" && property.operator === "+" && property.left.type === "StringLiteral");
  if (isMade) throw new Error("a key made of parts of text: the build could not keep its name");
}

/** The program with short names for all properties that are its own; the most frequent get the shortest. */
export function shortenProperties(code: string, outside: Iterable<string>): string {
  const ast = parse(code, "bundle.js");
  const { places, kept } = find(ast, new Set([...standardNames(), ...outside]));
  const own = [...places.keys()].filter((name) => !kept.has(name));
  const count = (name: string): number => places.get(name)?.length ?? 0;
  own.sort((a, b) => count(b) - count(a) || (a < b ? -1 : 1));
  const next = shortNames(kept);
  for (const name of own) {
    const short = next();
    for (const rename of places.get(name) ?? []) rename(short);
  }
  return babel.transformFromAstSync(ast, code, { configFile: false, babelrc: false })?.code ?? "";
}
