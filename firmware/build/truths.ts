// Values that are only asked whether they are true: `false` can be nothing at all, and `(a & 4) > 0` is `a & 4`.
import { callsOf, functionOf, hostOf, isPlain, LOOPS } from "./facts.ts";
import { type Binding, type Index, indexOf, isFunction, type Node, replace, walk } from "./tree.ts";

type Seen = Set<unknown>;

/** Whether nobody can tell a value from another that is as true. */
function isTested(index: Index, node: Node, seen: Seen = new Set()): boolean {
  if (seen.has(node)) return true;
  seen.add(node);
  const parent = index.parents.get(node);
  if (parent.type === "ExpressionStatement") return true;
  if (/^(If|Conditional)(Statement|Expression)$/.test(parent.type) || LOOPS.test(parent.type))
    return parent.test === node || (parent.type === "ConditionalExpression" && isTested(index, parent, seen));
  if (parent.type === "UnaryExpression") return parent.operator === "!";
  if (parent.type === "LogicalExpression") return parent.operator !== "??" && isTested(index, parent, seen);
  if (parent.type === "SequenceExpression") return parent.expressions.at(-1) !== node || isTested(index, parent, seen);
  if (parent.type === "ReturnStatement") return isResultTested(index, hostOf(index, parent), seen);
  if (isFunction(parent)) return parent.body === node && isResultTested(index, parent, seen);
  if (parent.type === "VariableDeclarator") return areReadsTested(index, index.bindings.get(parent.id.name), seen);
  if (parent.type === "AssignmentExpression" && parent.operator === "=" && parent.left.type === "Identifier")
    return areReadsTested(index, index.bindings.get(parent.left.name), seen) && isTested(index, parent, seen);
  return parent.type === "CallExpression" && isArgumentTested(index, parent, node, seen);
}

function areReadsTested(index: Index, binding: Binding | undefined, seen: Seen): boolean {
  if (binding === undefined || binding.kind === "function" || binding.kind === "other") return false;
  if (seen.has(binding)) return true;
  seen.add(binding);
  return binding.reads.every((read) => isTested(index, read, seen)) && isOnlySet(index, binding, seen);
}

/** Whether a variable is only ever given whole values: `x |= 4` asks for the one before. */
function isOnlySet(index: Index, binding: Binding, seen: Seen): boolean {
  if (seen.has(binding.name)) return true;
  seen.add(binding.name);
  if (binding.writes === 0) return true;
  for (const node of index.parents.keys()) {
    const target = node.type === "UpdateExpression" ? node.argument : node.left;
    const isSet = /^(Assignment|Update)Expression$|^For(In|Of)Statement$/.test(node.type);
    if (isSet && target?.name === binding.name && (node.type !== "AssignmentExpression" || node.operator !== "="))
      return false;
    // What is set to it is asked for at once: `y = x = 1`.
    if (isSet && target?.name === binding.name && !isTested(index, node, seen)) return false;
  }
  return true;
}

function isArgumentTested(index: Index, call: Node, node: Node, seen: Seen): boolean {
  const fn = call.callee.type === "Identifier" ? functionOf(index, index.bindings.get(call.callee.name)) : undefined;
  const param = fn !== undefined && isPlain(fn) ? fn.params[call.arguments.indexOf(node)] : undefined;
  return param !== undefined && areReadsTested(index, index.bindings.get(param.name), seen);
}

/** Whether a function is only ever called, and each time for a truth. */
function isResultTested(index: Index, fn: Node, seen: Seen): boolean {
  const holder = index.parents.get(fn);
  const own = fn.type === "FunctionDeclaration" ? fn.id : holder?.type === "VariableDeclarator" ? holder.id : undefined;
  const binding = own ? index.bindings.get(own.name) : undefined;
  if (binding === undefined || functionOf(index, binding) !== fn) return false;
  return callsOf(index, binding)?.every((call) => isTested(index, call, seen)) === true;
}

function isFalse(node: Node | null | undefined): boolean {
  if (node?.type === "BooleanLiteral") return !node.value;
  return node?.type === "UnaryExpression" && node.operator === "!" && node.argument.value === 1;
}

/** `(a & 4) > 0`: as true as `a & 4` where that is never less than nothing. */
function maskIn(node: Node): Node | undefined {
  if (node.type !== "BinaryExpression" || node.operator !== ">" || node.right.value !== 0) return undefined;
  const { left } = node;
  if (left.type !== "BinaryExpression" || left.operator !== "&") return undefined;
  return [left.left, left.right].some((one) => one.type === "NumericLiteral" && one.value < 2 ** 31) ? left : undefined;
}

/** What is as true as the node, and shorter. */
function asTrue(node: Node): Node | undefined {
  if (node.type === "UnaryExpression" && node.operator === "!" && node.argument.type === "UnaryExpression")
    return node.argument.operator === "!" && node.argument.argument.type !== "NumericLiteral"
      ? node.argument.argument
      : undefined;
  return maskIn(node);
}

function isLastOf(index: Index, statement: Node): boolean {
  const block = index.parents.get(statement);
  return block.type === "BlockStatement" && isFunction(index.parents.get(block)) && block.body.at(-1) === statement;
}

/** What is only asked whether it is true, in its shortest form. */
export function shortenTruths(ast: Node): void {
  const index = indexOf(ast);
  walk(ast.program, (node) => {
    const short = asTrue(node);
    if (short !== undefined && isTested(index, node)) replace(index, node, short);
    else if (node.type === "ReturnStatement" && isFalse(node.argument) && isTested(index, node.argument))
      node.argument = null;
    else if (
      node.type === "VariableDeclarator" &&
      isFalse(node.init) &&
      index.parents.get(index.parents.get(node)).type === "Program"
    ) {
      if (isTested(index, node.init)) node.init = null;
    }
    return undefined;
  });
  walk(ast.program, (node) => {
    const last = node.type === "BlockStatement" ? node.body.at(-1) : undefined;
    if (last?.type === "ReturnStatement" && !last.argument && isLastOf(index, last)) node.body.pop();
    return undefined;
  });
}
