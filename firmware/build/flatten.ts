// Takes a whole program apart: what was written as modules with options and results becomes plain functions and variables, as far
// as nothing can tell the difference.
import { types } from "@babel/core";
import { LOOPS, type Program } from "./facts.ts";
import { inlineOnce } from "./inline.ts";
import { shortenLoops } from "./loops.ts";
import { splitOptions, spreadLateObject, spreadObject } from "./objects.ts";
import { indexOf, type Node, openTree, print, walk } from "./tree.ts";
import { dropSameArguments, dropUnused, fold, inlineForwarders, spreadConstants, spreadUnchanging } from "./values.ts";

const PASSES = [
  dropUnused,
  spreadConstants,
  fold,
  spreadObject,
  inlineOnce,
  dropSameArguments,
  splitOptions,
  inlineForwarders,
  spreadLateObject,
  spreadUnchanging,
];
const { blockStatement } = types;
const STEPS_MAX = 5000;

/** One declarator a statement, and a block for every branch and loop, so that the passes find them. */
function straighten(ast: Node): void {
  walk(ast.program, (node) => {
    for (const key of ["consequent", "alternate", "body"]) {
      const isBranch = node.type === "IfStatement" || LOOPS.test(node.type);
      const isOne = isBranch && node[key] && node[key].type !== "BlockStatement";
      // An `else if` stays a chain.
      if (isOne && (key !== "alternate" || node[key].type !== "IfStatement")) node[key] = blockStatement([node[key]]);
    }
    return undefined;
  });
  walk(ast.program, (node) => {
    const body = Array.isArray(node.body) ? node.body : undefined;
    if (node.type !== "Program" && node.type !== "BlockStatement") return undefined;
    const apart = body.flatMap((one: Node) => {
      if (one.type !== "VariableDeclaration" || one.declarations.length < 2) return [one];
      return one.declarations.map((declarator: Node) => ({ ...one, declarations: [declarator] }));
    });
    node.body = apart;
    return undefined;
  });
}

export function flatten(code: string): string {
  const ast = openTree(code);
  straighten(ast);
  const taken = new Set<string>();
  walk(ast.program, (node) => {
    if (node.type === "Identifier") taken.add(node.name);
    return undefined;
  });
  for (let step = 0; step < STEPS_MAX; step++) {
    const program: Program = { ast, index: indexOf(ast), taken };
    if (PASSES.some((pass) => pass(program))) continue;
    shortenLoops(ast, taken);
    return print(ast);
  }
  throw new Error("the passes over the program find no end");
}
