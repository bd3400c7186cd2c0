// What a program names again and again gets a short name: parts of the engine, a long property. Functions that are one expression
// become arrows, and functions that are the same become one.
import { types } from "@babel/core";
import { functionOf, hostOf, initOf, isPlain } from "./facts.ts";
import { setVariable } from "./inline.ts";
import { freshName, type Index, identifier, indexOf, type Node, replace, walk } from "./tree.ts";
import { changesEngine } from "./values.ts";

/** A new variable beside its value: `,xx=`, and `"` twice where the value is a property's name. */
const VARIABLE_BYTES = 4;
/** A function that adds an argument beside its value: `,xx=a=>yy(,a)`. */
const CALL_BYTES = 12;
const NAME_BYTES = 2;
const QUOTES = 2;
const BRACKETS = 1;
/** Parts of these objects do not ask on what they are called, but for a few. */
const OBJECTS = ["Math", "E", "JSON"];
const BOUND = ["on", "emit", "removeListener", "removeAllListeners"];

/** `Uint8Array`, or `Math.min`, where an identifier of the engine stands; undefined where it is only asked for, or set. */
function partAt(index: Index, node: Node): Node | undefined {
  const parent = index.parents.get(node);
  if (OBJECTS.includes(node.name)) {
    const isPart = parent.type === "MemberExpression" && parent.object === node && !parent.computed;
    const call = index.parents.get(parent);
    if (!isPart || BOUND.includes(parent.property.name)) return undefined;
    return call.type === "CallExpression" && call.callee === parent ? parent : undefined;
  }
  const isCalled = /^(Call|New)Expression$/.test(parent.type) && parent.callee === node;
  return isCalled && node.name !== "require" && node.name !== "eval" ? node : undefined;
}

function textOf(part: Node): string {
  return part.type === "Identifier" ? part.name : `${part.object.name}.${part.property.name}`;
}

/** Names that the program itself has for such a part give way to the part, so that it gets one name. */
function spreadNamedParts(ast: Node): void {
  const index = indexOf(ast);
  for (const binding of index.bindings.values()) {
    const value = initOf(index, binding);
    const isPart = value?.type === "MemberExpression" && !value.computed && index.free.has(value.object.name);
    if (!isPart || !OBJECTS.includes(value.object.name) || BOUND.includes(value.property.name)) continue;
    const areCalls = binding.reads.every((read) => {
      const call = index.parents.get(read);
      return call.type === "CallExpression" && call.callee === read;
    });
    if (!areCalls || binding.reads.length < 2) continue;
    for (const read of binding.reads) replace(index, read, types.cloneNode(value, true));
    const holder = index.parents.get(binding.node);
    holder.declarations.splice(holder.declarations.indexOf(binding.node), 1);
    if (holder.declarations.length === 0) replace(index, holder, types.emptyStatement());
  }
}

/** Short names for parts of the engine that are called often enough. */
function nameParts(ast: Node, taken: Set<string>): void {
  spreadNamedParts(ast);
  const index = indexOf(ast);
  const parts = new Map<string, Node[]>();
  walk(ast.program, (node, parent) => {
    if (node.type !== "Identifier" || !index.free.has(node.name)) return undefined;
    if (parent.type === "MemberExpression" && parent.property === node && !parent.computed) return undefined;
    const part = partAt(index, node);
    if (part !== undefined) parts.set(textOf(part), [...(parts.get(textOf(part)) ?? []), part]);
    return undefined;
  });
  for (const [text, all] of parts) {
    const saved = all.length * (text.length - NAME_BYTES) - text.length - VARIABLE_BYTES;
    if (saved <= 0) continue;
    const name = freshName(types.toIdentifier(text), taken);
    const value = types.cloneNode(all[0], true);
    for (const one of all) replace(index, one, identifier(name));
    ast.program.body.unshift(setVariable(name, value));
  }
}

/** `a.length` as `a[n]`, with one `n` for all, where that is shorter. */
function nameProperties(ast: Node, taken: Set<string>): void {
  const members = new Map<string, Node[]>();
  walk(ast.program, (node) => {
    if (node.type === "MemberExpression" && !node.computed) {
      members.set(node.property.name, [...(members.get(node.property.name) ?? []), node]);
    }
    return undefined;
  });
  for (const [text, all] of members) {
    const saved = all.length * (text.length - NAME_BYTES - BRACKETS) - text.length - QUOTES - VARIABLE_BYTES;
    if (saved <= 0) continue;
    const name = freshName(text, taken);
    for (const one of all) {
      one.computed = true;
      one.property = identifier(name);
    }
    ast.program.body.unshift(setVariable(name, types.stringLiteral(text)));
  }
}

/** Names for long numbers that stand in many places. */
function nameNumbers(ast: Node, taken: Set<string>): void {
  const numbers = new Map<number, Node[]>();
  const index = indexOf(ast);
  for (const [node, parent] of index.parents) {
    if (node.type !== "NumericLiteral" || parent.key === node) continue;
    numbers.set(node.value, [...(numbers.get(node.value) ?? []), node]);
  }
  for (const [value, all] of numbers) {
    const { length } = String(value);
    if (all.length * (length - NAME_BYTES) <= length + VARIABLE_BYTES) continue;
    const name = freshName(`number${value}`.replace(".", "_"), taken);
    for (const one of all) replace(index, one, identifier(name));
    ast.program.body.unshift(setVariable(name, types.numericLiteral(value)));
  }
}

/** `later(1, f)` as `soon(f)` where many calls of a function of the root begin with the same number. */
function nameCalls(ast: Node, taken: Set<string>): void {
  const index = indexOf(ast);
  for (const binding of index.bindings.values()) {
    if (binding.owner.type !== "Program" || functionOf(index, binding)?.params.length !== 2) continue;
    const groups = new Map<number, Node[]>();
    for (const read of binding.reads) {
      const call = index.parents.get(read);
      if (call.type !== "CallExpression" || call.callee !== read || call.arguments.length !== 2) continue;
      const [first, second] = call.arguments;
      if (first.type !== "NumericLiteral" || second.type === "SpreadElement") continue;
      groups.set(first.value, [...(groups.get(first.value) ?? []), call]);
    }
    for (const [value, calls] of groups) {
      const { length } = String(value);
      if (calls.length * (length + 1) <= length + CALL_BYTES) continue;
      const name = freshName(`${binding.name}${calls.length}`, taken);
      const rest = freshName("rest", taken);
      for (const call of calls) {
        call.callee = identifier(name);
        call.arguments.shift();
      }
      const call = types.callExpression(identifier(binding.name), [types.numericLiteral(value), identifier(rest)]);
      ast.program.body.unshift(setVariable(name, types.arrowFunctionExpression([identifier(rest)], call)));
    }
  }
}

/** Functions whose text is the same but for the names of what is their own, in one scope; whether there was one. */
function mergeSame(ast: Node): boolean {
  const index = indexOf(ast);
  const known = new Map<string, Node>();
  const scopes = new Map<Node, number>();
  for (const binding of index.bindings.values()) {
    if (binding.kind !== "function" || binding.writes > 0 || !isPlain(binding.node)) continue;
    const host = hostOf(index, binding.node);
    if (!scopes.has(host)) scopes.set(host, scopes.size);
    const text = `${scopes.get(host)} ${shapeOf(binding.node)}`;
    const first = known.get(text);
    if (first === undefined) known.set(text, binding.node);
    else {
      for (const read of binding.reads) replace(index, read, identifier(first.id.name));
      const { body } = index.parents.get(binding.node);
      body.splice(body.indexOf(binding.node), 1);
      return true;
    }
  }
  return false;
}

function shapeOf(fn: Node): string {
  const own = indexOf({ program: fn }).bindings;
  const numbers = new Map<string, number>();
  return JSON.stringify([fn.params, fn.body], (key, value) => {
    if (/^(loc|start|end|extra|range|leadingComments|trailingComments|innerComments)$/.test(key)) return undefined;
    if (key !== "name" || !own.has(value) || value === fn.id?.name) return value;
    if (!numbers.has(value)) numbers.set(value, numbers.size);
    return numbers.get(value);
  });
}

/** `function f(a) { return b }` as `f = a => b`, at the head of its scope as it was. */
function makeArrows(ast: Node): void {
  walk(ast.program, (node) => {
    if (node.type !== "Program" && node.type !== "BlockStatement") return undefined;
    const arrows: Node[] = [];
    node.body = node.body.filter((one: Node) => {
      const only =
        one.type === "FunctionDeclaration" && isPlain(one) && one.body.body.length === 1 ? one.body.body[0] : undefined;
      if (only?.type !== "ReturnStatement" || !only.argument) return true;
      arrows.push(setVariable(one.id.name, types.arrowFunctionExpression(one.params, only.argument)));
      return false;
    });
    node.body.unshift(...arrows);
    return undefined;
  });
}

/** `() => a` as `b => a`: a parameter that nobody asks for is a byte less, for a variable of the engine. */
function fillParameters(ast: Node, taken: Set<string>): void {
  walk(ast.program, (node) => {
    if (node.type === "ArrowFunctionExpression" && node.params.length === 0)
      node.params.push(identifier(freshName("none", taken)));
    return undefined;
  });
}

export function shortenMore(ast: Node): void {
  const taken = new Set<string>();
  walk(ast.program, (node) => {
    if (node.type === "Identifier") taken.add(node.name);
    return undefined;
  });
  while (mergeSame(ast));
  makeArrows(ast);
  if (!changesEngine({ ast, index: indexOf(ast), taken })) nameParts(ast, taken);
  nameProperties(ast, taken);
  nameCalls(ast, taken);
  nameNumbers(ast, taken);
  fillParameters(ast, taken);
}
