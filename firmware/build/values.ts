// Names that stand for something simple give way to it: copies, short constants, functions that only hand on. What nobody needs
// any more goes.
import { types } from "@babel/core";
import {
  bytesOf,
  callsOf,
  functionOf,
  initOf,
  isConstant,
  isInLoop,
  isLiteral,
  isPlain,
  isPure,
  isUndefined,
  isVisible,
  type Program,
} from "./facts.ts";
import { removeStatement } from "./inline.ts";
import { type Binding, identifier, isFunction, type Node, replace, some } from "./tree.ts";

/** What a variable costs beside its value: `,xx=`. */
const VARIABLE_BYTES = 4;

function copyOf(node: Node): Node {
  return types.cloneNode(node, true, true);
}

/** Whether the program puts something of its own in the place of the engine's. */
export function changesEngine(program: Program): boolean {
  const { index } = program;
  for (const node of index.parents.keys()) {
    if (node.type !== "AssignmentExpression") continue;
    let root = node.left;
    while (root.type === "MemberExpression") root = root.object;
    while (root.type === "Identifier" && initOf(index, index.bindings.get(root.name)) !== undefined) {
      root = initOf(index, index.bindings.get(root.name));
    }
    if (root.type === "Identifier" && index.free.has(root.name)) return true;
  }
  return false;
}

/** A part of the engine that is the same for ever: a pin, a module, a function of `Math`. */
function isOfEngine(program: Program, node: Node): boolean {
  if (node.type === "MemberExpression") return !node.computed && isOfEngine(program, node.object);
  return node.type === "Identifier" && program.index.free.has(node.name) && node.name !== "arguments";
}

function standsFor(program: Program, binding: Binding, isFixed: boolean): Node | undefined {
  const { index } = program;
  const value = initOf(index, binding);
  if (value === undefined) return undefined;
  const reads = binding.reads.length;
  if (value.type === "Identifier" && !isUndefined(value) && index.bindings.has(value.name)) {
    return isConstant(index, index.bindings.get(value.name)) && value.name !== binding.name ? value : undefined;
  }
  if (!isLiteral(value) && !(isFixed && isOfEngine(program, value))) return undefined;
  const bytes = bytesOf(value);
  return reads * bytes <= reads * 2 + bytes + VARIABLE_BYTES ? value : undefined;
}

/** All constants whose value is as short as their name. */
export function spreadConstants(program: Program): boolean {
  const { index } = program;
  const isFixed = !changesEngine(program);
  let isChanged = false;
  for (const binding of index.bindings.values()) {
    const value = standsFor(program, binding, isFixed);
    if (value === undefined || binding.reads.length === 0) continue;
    for (const read of binding.reads) replace(index, read, copyOf(value));
    binding.reads.length = 0;
    isChanged = true;
  }
  return isChanged;
}

/** Parameters that get the same in every call: the function takes it from where it is. */
export function dropSameArguments(program: Program): boolean {
  const { index } = program;
  for (const binding of index.bindings.values()) {
    const fn = functionOf(index, binding);
    const calls = callsOf(index, binding);
    if (fn === undefined || calls === undefined || calls.length === 0 || !isPlain(fn)) continue;
    for (let at = 0; at < fn.params.length; at++) {
      const param = index.bindings.get(fn.params[at].name) as Binding;
      if (calls.some((call) => call.arguments.length > fn.params.length) || param.writes > 0) continue;
      const value = sameArgument(program, fn, calls, at, param);
      if (value === undefined) continue;
      for (const read of param.reads) if (index.parents.get(read) !== undefined) replace(index, read, copyOf(value));
      fn.params.splice(at, 1);
      for (const call of calls) call.arguments.splice(at, 1);
      return true;
    }
  }
  return false;
}

function sameArgument(
  program: Program,
  fn: Node,
  calls: readonly Node[],
  at: number,
  param: Binding,
): Node | undefined {
  const { index } = program;
  const given = calls.map((call) => call.arguments[at] ?? identifier("undefined"));
  const others = given.filter((one) => one.type !== "Identifier" || one.name !== param.name);
  const first = others[0];
  if (first === undefined) return undefined;
  if (param.reads.length === 0) return given.every(isPure) ? first : undefined;
  if (isLiteral(first)) {
    const text = JSON.stringify([first.value, first.operator, first.argument?.value, first.type]);
    const isSame = others.every(
      (one) => isLiteral(one) && JSON.stringify([one.value, one.operator, one.argument?.value, one.type]) === text,
    );
    return isSame && bytesOf(first) <= 3 ? first : undefined;
  }
  if (first.type !== "Identifier" || others.some((one) => one.type !== "Identifier" || one.name !== first.name))
    return undefined;
  const bound = index.bindings.get(first.name);
  if (bound === undefined)
    return isOfEngine(program, first) && first.name.length <= 3 && !changesEngine(program) ? first : undefined;
  const scope = index.parents.get(fn);
  return isConstant(index, bound) && isVisible(index, bound.owner, scope) ? first : undefined;
}

/** The value of a comparison with nothing, where the program says it. */
function answerOf(program: Program, node: Node): boolean | undefined {
  const { index } = program;
  if (!/^[!=]==$/.test(node.operator)) return undefined;
  const other = isUndefined(node.right) ? node.left : isUndefined(node.left) ? node.right : undefined;
  if (other === undefined) return undefined;
  const value =
    other.type === "Identifier"
      ? (functionOf(index, index.bindings.get(other.name)) ?? initOf(index, index.bindings.get(other.name)) ?? other)
      : other;
  const isThere =
    isFunction(value) || /^(Object|Array|New)Expression$/.test(value.type) || (isLiteral(value) && !isUndefined(value));
  if (isThere) return node.operator === "!==";
  return isUndefined(value) ? node.operator === "===" : undefined;
}

function truthOf(node: Node): boolean | undefined {
  if (node.type === "BooleanLiteral" || node.type === "NumericLiteral") return Boolean(node.value);
  if (isUndefined(node)) return node.type === "Identifier" ? false : undefined;
  if (node.type !== "UnaryExpression" || node.operator !== "!") return undefined;
  const inner = truthOf(node.argument);
  return inner === undefined ? undefined : !inner;
}

function folded(program: Program, node: Node): Node | undefined {
  if (node.type === "BinaryExpression") {
    const answer = answerOf(program, node);
    return answer === undefined ? undefined : types.booleanLiteral(answer);
  }
  const truth = truthOf(node.test ?? node.left ?? { type: "" });
  if (truth === undefined) return undefined;
  if (node.type === "ConditionalExpression") return truth ? node.consequent : node.alternate;
  if (node.type === "IfStatement") return (truth ? node.consequent : node.alternate) ?? types.emptyStatement();
  if (node.type !== "LogicalExpression" || node.operator === "??") return undefined;
  return truth === (node.operator === "&&") ? node.right : node.left;
}

/** Questions that the program itself answers. */
export function fold(program: Program): boolean {
  for (const node of program.index.parents.keys()) {
    if (!/^(Binary|Conditional|Logical)Expression$|^IfStatement$/.test(node.type)) continue;
    const result = folded(program, node);
    if (result === undefined) continue;
    replace(program.index, node, result);
    return true;
  }
  return false;
}

/** Functions and variables that nobody reads. */
export function dropUnused(program: Program): boolean {
  const { index } = program;
  let isChanged = false;
  for (const binding of index.bindings.values()) {
    if (binding.writes > 0 || binding.reads.some((read) => !isVisible(index, binding.node, read))) continue;
    const holder = index.parents.get(binding.node);
    if (binding.kind === "function") removeStatement(program, binding.node);
    else if (binding.kind !== "var" || (binding.node.init && !isPure(binding.node.init))) continue;
    else if (binding.reads.length > 0 || !/^(Program|BlockStatement)$/.test(index.parents.get(holder).type)) continue;
    else if (holder.declarations.length > 1) holder.declarations.splice(holder.declarations.indexOf(binding.node), 1);
    else removeStatement(program, holder);
    isChanged = true;
  }
  return isChanged;
}

/** The expression that a function gives back and nothing else. */
function resultOf(fn: Node): Node | undefined {
  if (fn.body.type !== "BlockStatement") return fn.body;
  const [only, more] = fn.body.body;
  return more === undefined && only?.type === "ReturnStatement" ? (only.argument ?? undefined) : undefined;
}

/**
 * Whether parameters may be replaced by what a call gives: each is read once, in order, before anything that does something, and
 * before anything is read that an argument could change.
 */
function isForwarder(program: Program, fn: Node, result: Node): boolean {
  const { bindings } = program.index;
  const params: string[] = fn.params.map((one: Node) => one.name);
  let next = 0;
  const isSimple = (node: Node): boolean => {
    if (isLiteral(node)) return true;
    if (node.type === "Identifier") {
      if (params.includes(node.name)) return params[next++] === node.name;
      return next === params.length || !bindings.has(node.name) || isConstant(program.index, bindings.get(node.name));
    }
    if (node.type === "UnaryExpression") return node.operator !== "delete" && isSimple(node.argument);
    if (node.type === "BinaryExpression") return isSimple(node.left) && isSimple(node.right);
    if (node.type === "MemberExpression") {
      const isInside = isSimple(node.object) && (!node.computed || isSimple(node.property));
      return isInside && (next === params.length || (node === result.callee && !node.computed));
    }
    if (node.type !== "CallExpression" || (node !== result && params.length > 0)) return false;
    return isSimple(node.callee) && node.arguments.every(isSimple);
  };
  return isSimple(result) && next === params.length;
}

function handOn(program: Program, binding: Binding, fn: Node, result: Node): boolean {
  const { index } = program;
  const calls = binding.reads
    .map((read) => index.parents.get(read))
    .filter((call, i) => call.type === "CallExpression" && call.callee === binding.reads[i]);
  const saved = calls.map(
    (call) =>
      bytesOf(call) - bytesOf(result) - call.arguments.reduce((sum: number, one: Node) => sum + bytesOf(one) - 2, 0),
  );
  const gone = calls.length === binding.reads.length ? bytesOf(result) + 8 : 0;
  if (calls.length === 0 || saved.reduce((sum, one) => sum + one, gone) < 0) return false;
  const fits = (call: Node): boolean =>
    call.arguments.length === fn.params.length &&
    call.arguments.every((one: Node) => one.type !== "SpreadElement" && one !== call);
  if (!calls.every(fits) || calls.some((call) => some(fn, (one) => one === call))) return false;
  const call = calls[0];
  const made = copyOf(result);
  const given = new Map<string, Node>(fn.params.map((one: Node, i: number) => [one.name, call.arguments[i]]));
  const box = { type: "ExpressionStatement", expression: made };
  substitute(box, given);
  replace(index, call, box.expression);
  return true;
}

function substitute(node: Node, given: ReadonlyMap<string, Node>): void {
  for (const key of types.VISITOR_KEYS[node.type] ?? []) {
    const isName = (node.type === "MemberExpression" && key === "property" && !node.computed) || key === "key";
    const put = (child: Node): Node => {
      if (child?.type === "Identifier" && !isName && given.has(child.name)) return given.get(child.name);
      if (child) substitute(child, given);
      return child;
    };
    node[key] = Array.isArray(node[key]) ? node[key].map(put) : put(node[key]);
  }
}

/** One step: a call of a function that only hands on, replaced by what it hands on. */
export function inlineForwarders(program: Program): boolean {
  const { index } = program;
  for (const binding of index.bindings.values()) {
    const fn = functionOf(index, binding);
    const result = fn === undefined || !isPlain(fn) ? undefined : resultOf(fn);
    if (result === undefined || !isForwarder(program, fn, result)) continue;
    if (handOn(program, binding, fn, result)) return true;
  }
  return false;
}

/** Flags that are never set: every write gives what they began with. */
export function spreadUnchanging(program: Program): boolean {
  const { index } = program;
  for (const binding of index.bindings.values()) {
    if (binding.kind !== "var" || binding.writes === 0 || isInLoop(index, binding.node)) continue;
    const first = binding.node.init;
    if (first?.type !== "BooleanLiteral") continue;
    const sets = setsOf(program, binding.name);
    const isSame = sets.every((one) => one.right.type === "BooleanLiteral" && one.right.value === first.value);
    if (sets.length !== binding.writes || !isSame) continue;
    for (const one of [...sets, ...binding.reads]) replace(index, one, copyOf(first));
    return true;
  }
  return false;
}

function setsOf(program: Program, name: string): Node[] {
  const sets: Node[] = [];
  for (const node of program.index.parents.keys()) {
    if (node.type === "AssignmentExpression" && node.operator === "=" && node.left.name === name) sets.push(node);
  }
  return sets;
}
