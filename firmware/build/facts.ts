// What the passes over a whole program ask about it: what is constant, what has no effect, what is in a loop, how many bytes.
import { type Binding, childrenOf, type Index, isFunction, type Node, some } from "./tree.ts";

export const LOOPS = /^(For|ForIn|ForOf|While|DoWhile)Statement$/;
const LITERALS = /^(Numeric|String|Boolean|Null)Literal$/;
/** About what a name has in a finished bundle. */
const NAME_BYTES = 2;

export interface Program {
  readonly ast: Node;
  readonly index: Index;
  readonly taken: Set<string>;
}

export function isUndefined(node: Node): boolean {
  return (
    (node.type === "Identifier" && node.name === "undefined") ||
    (node.type === "UnaryExpression" && node.operator === "void")
  );
}

export function isLiteral(node: Node): boolean {
  if (node.type === "UnaryExpression" && /[-!+]/.test(node.operator)) return node.argument.type === "NumericLiteral";
  return LITERALS.test(node.type) || isUndefined(node);
}

export function hostOf(index: Index, node: Node): Node {
  let at = index.parents.get(node);
  while (at.type !== "Program" && !isFunction(at)) at = index.parents.get(at);
  return at;
}

export function isInLoop(index: Index, node: Node): boolean {
  for (let at = index.parents.get(node); at !== undefined && !isFunction(at); at = index.parents.get(at)) {
    if (LOOPS.test(at.type)) return true;
  }
  return false;
}

/** Whether what is in `scope` can name what is declared in `owner`. */
export function isVisible(index: Index, owner: Node, scope: Node): boolean {
  for (let at = scope; at !== undefined; at = index.parents.get(at)) if (at === owner) return true;
  return false;
}

/** A variable that has one value for all of its life, a parameter among them. */
export function isConstant(index: Index, binding: Binding | undefined): boolean {
  if (binding === undefined || binding.writes > 0) return false;
  if (binding.kind === "var") return !isInLoop(index, binding.node);
  return binding.kind !== "other";
}

/** The expression that a constant variable stands for; the engine's `undefined` where there is none. */
export function initOf(index: Index, binding: Binding | undefined): Node | undefined {
  if (binding?.kind !== "var" || !isConstant(index, binding)) return undefined;
  return binding.node.init ?? { type: "Identifier", name: "undefined" };
}

/** The function that a name always is. */
export function functionOf(index: Index, binding: Binding | undefined): Node | undefined {
  if (binding?.kind === "function" && binding.writes === 0) return binding.node;
  const value = initOf(index, binding);
  return value !== undefined && isFunction(value) ? value : undefined;
}

/** Whether it uses what only a call of its own has. */
export function usesCall(node: Node): boolean {
  return some(
    node.body,
    (one) =>
      one.type === "ThisExpression" || one.type === "Super" || (one.type === "Identifier" && one.name === "arguments"),
    (one) => !isFunction(one) || one.type === "ArrowFunctionExpression",
  );
}

export function isPlain(node: Node): boolean {
  return (
    !node.async && !node.generator && node.params.every((one: Node) => one.type === "Identifier") && !usesCall(node)
  );
}

/** Evaluating it changes nothing, and nobody would miss it. */
export function isPure(node: Node): boolean {
  if (isLiteral(node) || node.type === "Identifier" || isFunction(node)) return true;
  if (
    /^(ObjectExpression|ObjectProperty|ArrayExpression|BinaryExpression|LogicalExpression|ConditionalExpression)$/.test(
      node.type,
    )
  ) {
    return childrenOf(node).every(isPure);
  }
  if (node.type === "UnaryExpression") return node.operator !== "delete" && isPure(node.argument);
  return node.type === "MemberExpression" && !node.computed && node.object.type === "Identifier";
}

/** An object of which every key stands in the program. */
export function isStaticObject(node: Node | undefined): boolean {
  if (node?.type !== "ObjectExpression") return false;
  const keys = node.properties.map((one: Node) => {
    if (one.computed || (one.type !== "ObjectProperty" && one.type !== "ObjectMethod")) return undefined;
    if (one.type === "ObjectMethod" && (one.kind !== "method" || usesCall(one))) return undefined;
    if (one.type === "ObjectProperty" && one.value.type === "FunctionExpression" && usesCall(one.value))
      return undefined;
    return keyOf(one);
  });
  return keys.every((key: unknown) => key !== undefined) && new Set(keys).size === keys.length;
}

export function keyOf(property: Node): string {
  return property.key.name ?? String(property.key.value);
}

/** `object.key` around an identifier, if that is what stands there. */
export function memberOf(index: Index, node: Node): Node | undefined {
  const parent = index.parents.get(node);
  if (parent.type !== "MemberExpression" || parent.object !== node || parent.computed) return undefined;
  const around = index.parents.get(parent);
  return around.type === "UnaryExpression" && around.operator === "delete" ? undefined : parent;
}

/** `x === undefined` or the like around an identifier. */
export function comparisonOf(index: Index, node: Node): Node | undefined {
  const parent = index.parents.get(node);
  if (parent.type !== "BinaryExpression" || !/^[!=]==?$/.test(parent.operator)) return undefined;
  return isUndefined(parent.left === node ? parent.right : parent.left) ? parent : undefined;
}

/** All calls of a function, if its name has no other use. */
export function callsOf(index: Index, binding: Binding): Node[] | undefined {
  const calls = binding.reads.map((read) => index.parents.get(read));
  const areCalls = calls.every(
    (call, i) =>
      call.type === "CallExpression" &&
      call.callee === binding.reads[i] &&
      call.arguments.every((one: Node) => one.type !== "SpreadElement"),
  );
  return areCalls ? calls : undefined;
}

/** About the bytes of an expression in a bundle. */
export function bytesOf(node: Node): number {
  if (node.type === "Identifier") return Math.min(node.name.length, NAME_BYTES);
  if (isUndefined(node)) return 1;
  if (node.type === "NumericLiteral") return String(node.value).length;
  if (node.type === "StringLiteral") return node.value.length + 2;
  const inside = childrenOf(node).reduce((sum, one) => sum + bytesOf(one), 0);
  if (/^(Return|Expression)Statement$/.test(node.type)) return inside + 1;
  if (isFunction(node)) return inside + 5 + node.params.length;
  if (node.type === "CallExpression") return inside + 1 + Math.max(1, node.arguments.length);
  return inside + Math.max(1, childrenOf(node).length - 1);
}
