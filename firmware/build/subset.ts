// The subset of JavaScript that an Espruino engine runs right. What it lacks fails at least loudly; what it gets silently
// wrong must not reach it. Both are errors of the build, with the place and what to write instead.
import type { NodePath } from "@babel/core";
import babel from "@babel/core";

export interface Offence {
  readonly file: string;
  readonly line: number;
  readonly what: string;
  readonly instead: string;
}

type Report = (node: { loc?: { start: { line: number } } | null | undefined }, what: string, instead: string) => void;

/** Globals and methods that are not there. */
const MISSING_GLOBALS = [
  "Map",
  "Set",
  "WeakMap",
  "WeakSet",
  "Symbol",
  "Reflect",
  "Proxy",
  "BigInt",
  "TextEncoder",
  "TextDecoder",
  "RangeError",
  "queueMicrotask",
  "setImmediate",
];
const MISSING_METHODS: Readonly<Record<string, readonly string[]>> = {
  Number: [
    "isInteger",
    "isFinite",
    "isNaN",
    "EPSILON",
    "MAX_SAFE_INTEGER",
    "MIN_SAFE_INTEGER",
    "parseFloat",
    "parseInt",
  ],
  Object: ["freeze", "is", "hasOwn", "groupBy"],
  Array: ["from", "of"],
  Math: ["imul", "trunc", "hypot", "log2", "log10", "clz32", "fround", "cbrt"],
  Promise: ["race", "allSettled", "any"],
  Date: ["UTC"],
};
const MISSING_ON_VALUES = [
  "flat",
  "flatMap",
  "lastIndexOf",
  "reduceRight",
  "findLast",
  "findLastIndex",
  "at",
  "codePointAt",
  "trimStart",
  "trimEnd",
  "localeCompare",
  "toPrecision",
  "matchAll",
];

type Visitor = Record<string, (path: NodePath<never>) => void>;
// biome-ignore lint/suspicious/noExplicitAny: the visitor walks nodes of every kind
type AnyPath = NodePath<any>;

function visitorOf(report: Report): Record<string, (path: AnyPath) => void> {
  return {
    ForStatement: (path) => captured(path, report),
    ForOfStatement: (path) => captured(path, report),
    ForInStatement: (path) => captured(path, report),
    RegExpLiteral: (path) => regExp(path, report),
    Identifier: (path) => identifier(path, report),
    MemberExpression: (path) => member(path, report),
    AssignmentExpression: (path) => {
      const { left } = path.node;
      if (left.type === "MemberExpression" && left.property.name === "length") {
        report(path.node, "setting length", "splice, or a new array");
      }
    },
    Class: (path) => classes(path, report),
    Function: (path) => functions(path, report),
    LabeledStatement: (path) => report(path.node, "a label", "a function that returns"),
    TaggedTemplateExpression: (path) => report(path.node, "a tagged template", "a plain call"),
    BigIntLiteral: (path) => report(path.node, "a BigInt", "a number"),
    SwitchStatement: (path) => {
      const at = path.node.cases.findIndex((one: { test: unknown }) => one.test === null);
      if (at >= 0 && at < path.node.cases.length - 1) report(path.node, "a case after default", "default last");
    },
    CallExpression: (path) => calls(path, report),
    BinaryExpression: (path) => {
      if (path.node.operator === "instanceof" && path.node.right.name === "String") {
        report(path.node, "instanceof String (true for primitives)", 'typeof x === "string"');
      }
    },
  };
}

/** One binding for all turns: a function that captures it sees the last value. */
function captured(path: AnyPath, report: Report): void {
  const declaration = path.node.type === "ForStatement" ? path.node.init : path.node.left;
  if (declaration?.type !== "VariableDeclaration" || declaration.kind === "var") return;
  for (const name of Object.keys(path.scope.bindings)) {
    const binding = path.scope.bindings[name];
    if (binding === undefined || !binding.path.findParent((one: AnyPath) => one.node === declaration)) continue;
    const own = path.getFunctionParent()?.node;
    for (const reference of binding.referencePaths) {
      if (reference.getFunctionParent()?.node !== own) {
        report(
          reference.node,
          `a function that captures the loop variable ${name} (one binding for all turns)`,
          "a const inside the body",
        );
      }
    }
  }
}

function regExp(path: AnyPath, report: Report): void {
  const pattern = path.node.pattern.replace(/\\[dwsDWS.\\/[\](){}^$*+?|-]/g, "");
  if (/[?{}]|\(\?|\\[buB]/.test(pattern) || /[^gi]/.test(path.node.flags)) {
    report(
      path.node,
      `the regular expression /${path.node.pattern}/${path.node.flags} (silently never matches)`,
      "parse by hand",
    );
  }
}

function identifier(path: AnyPath, report: Report): void {
  const { name } = path.node;
  if (!MISSING_GLOBALS.includes(name) || path.scope.hasBinding(name, true)) return;
  if (path.parent.type === "MemberExpression" && path.parent.property === path.node && !path.parent.computed) return;
  if (path.parent.type === "ObjectProperty" && path.parent.key === path.node) return;
  report(
    path.node,
    `${name} (not there)`,
    name === "Map" || name === "Set" ? "a plain object or an array" : "something the engine has",
  );
}

function member(path: AnyPath, report: Report): void {
  const { object, property, computed } = path.node;
  if (computed || property.type !== "Identifier") return;
  if (
    object.type === "Identifier" &&
    !path.scope.hasBinding(object.name, true) &&
    MISSING_METHODS[object.name]?.includes(property.name)
  ) {
    report(path.node, `${object.name}.${property.name} (not there)`, "arithmetic or a loop");
  } else if (MISSING_ON_VALUES.includes(property.name)) report(path.node, `.${property.name} (not there)`, "a loop");
}

function classes(path: AnyPath, report: Report): void {
  const parent = path.node.superClass;
  if (parent?.type === "Identifier" && ["Error", "Array", "Map", "Promise"].includes(parent.name)) {
    report(path.node, `extends ${parent.name} (a broken object)`, "a plain object with a code");
  }
  for (const one of path.node.body.body) {
    if (one.type === "ClassProperty" || one.type === "ClassPrivateProperty" || one.type === "StaticBlock") {
      report(one, "a class field (shared by all instances)", "a property set in the constructor, or a closure");
    }
  }
}

function functions(path: AnyPath, report: Report): void {
  if (path.node.async) report(path.node, "async", "a callback");
  if (path.node.generator) report(path.node, "a generator", "a loop or a callback");
  if (path.node.type === "ArrowFunctionExpression" || path.isFunctionDeclaration()) return;
}

function calls(path: AnyPath, report: Report): void {
  const { callee, arguments: given } = path.node;
  if (callee.type !== "MemberExpression" || callee.computed) return;
  const { name } = callee.property;
  const of = callee.object.name;
  if (name === "split" && given.length > 1) report(path.node, "split with a limit (ignored)", "split and slice");
  if (of === "JSON" && (name === "parse" || name === "stringify") && given.length > 1) {
    report(path.node, `JSON.${name} with a second argument (ignored)`, "a loop over the result");
  }
  if (name === "erasePage" || (of === "Flash" && name === "write")) return;
}

/** Everything in `source` that must not reach an engine. */
export function findOffences(source: string, file: string): Offence[] {
  const offences: Offence[] = [];
  const report: Report = (node, what, instead) =>
    offences.push({ file, line: node.loc?.start.line ?? 0, what, instead });
  const visitor = visitorOf(report) as unknown as Visitor;
  babel.transformSync(source, {
    filename: file,
    configFile: false,
    babelrc: false,
    code: false,
    presets: [["@babel/preset-typescript", { optimizeConstEnums: true }]],
    plugins: [() => ({ visitor })],
  });
  return offences;
}

export function describeOffence(offence: Offence): string {
  return `${offence.file}:${offence.line}: ${offence.what}. Write ${offence.instead} instead.`;
}
