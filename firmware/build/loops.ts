// `for (i = 0; i < list.length; i++)` as `for (one of list)` or `for (i in list)`: shorter, and the engine walks the list itself.
import { types } from "@babel/core";
import { callsOf, functionOf, hostOf, isPlain, type Program } from "./facts.ts";
import {
  type Binding,
  freshName,
  type Index,
  identifier,
  indexOf,
  isFunction,
  type Node,
  replace,
  some,
  variableDeclaration,
  variableDeclarator,
  walk,
} from "./tree.ts";

const TYPED = /^(Ui|I)nt(8|16|32)Array$/;
/** What gives a list of its own that has no holes and that nobody else has, when it is called on a list or a text. */
const FRESH = ["slice", "concat", "split"];
/** What a list can be asked without a change. */
const ASKED = ["length", "indexOf", "slice", "concat"];
const ASSIGNED = /^(Assignment|Update)Expression$/;
const ARITHMETIC = ["-", "*", "/", "%", "<", ">", "<=", ">=", "<<", ">>", ">>>", "&", "|", "^"];

interface Counted {
  readonly loop: Node;
  readonly counter: Binding;
  readonly list: Binding;
  /** Where the body reads the counter. */
  readonly reads: readonly Node[];
}

/** A loop over all of a list whose counter nobody sets, keeps for a callback, or asks for afterwards. */
function countedAt(index: Index, loop: Node): Counted | undefined {
  const { init, test, update } = loop;
  if (init?.type !== "VariableDeclaration" || init.declarations.length !== 1) return undefined;
  const [{ id, init: from }] = init.declarations;
  const counter = index.bindings.get(id.name);
  if (from?.type !== "NumericLiteral" || from.value !== 0 || counter?.kind !== "var" || counter.writes !== 1)
    return undefined;
  const isUp = update?.type === "UpdateExpression" && update.operator === "++" && update.argument.name === id.name;
  if (!isUp || test?.type !== "BinaryExpression" || test.operator !== "<" || test.left.name !== id.name)
    return undefined;
  const { right } = test;
  if (right.type !== "MemberExpression" || right.computed || right.property.name !== "length") return undefined;
  const list = index.bindings.get(right.object.name);
  const reads = counter.reads.filter((read) => read !== test.left);
  const areInside = reads.every(
    (read) => hostOf(index, read) === hostOf(index, loop) && some(loop.body, (node) => node === read),
  );
  return list === undefined || !areInside ? undefined : { loop, counter, list, reads };
}

/** The expression that a function gives back and nothing else, around a call of it. */
function resultOf(index: Index, call: Node): Node | undefined {
  const fn = call.callee.type === "Identifier" ? functionOf(index, index.bindings.get(call.callee.name)) : undefined;
  const [only, more] = fn?.body.type === "BlockStatement" ? fn.body.body : [];
  return only?.type === "ReturnStatement" && more === undefined ? only.argument : undefined;
}

/** Whether an expression makes a list without holes that nobody else has. */
function isFresh(index: Index, value: Node | undefined, seen: Set<Binding>): boolean {
  if (value?.type === "NewExpression") return value.callee.type === "Identifier" && TYPED.test(value.callee.name);
  if (value?.type === "ArrayExpression")
    return value.elements.every((one: Node) => one !== null && one.type !== "SpreadElement");
  if (value?.type !== "CallExpression") return false;
  const { callee } = value;
  if (callee.type !== "MemberExpression") return isFresh(index, resultOf(index, value) ?? undefined, seen);
  if (callee.computed || !FRESH.includes(callee.property.name)) return false;
  if (callee.property.name === "split") return true;
  const parts = callee.property.name === "concat" ? [callee.object, ...value.arguments] : [callee.object];
  return parts.every((one) => isFresh(index, one, seen) || isStill(index, index.bindings.get(one.name), seen));
}

/** All that a variable is ever given; undefined where that is not known. */
function valuesOf(index: Index, binding: Binding): Node[] | undefined {
  if (binding.kind === "param") return binding.writes === 0 ? argumentsFor(index, binding) : undefined;
  if (binding.kind !== "var" || !binding.node.init) return undefined;
  const values = [binding.node.init];
  if (binding.writes === 0) return values;
  for (const node of index.parents.keys()) {
    if (node.type === "AssignmentExpression" && node.operator === "=" && node.left.name === binding.name)
      values.push(node.right);
  }
  return values.length === binding.writes + 1 ? values : undefined;
}

/** What all calls hand over for a parameter; undefined where its function has other uses. */
function argumentsFor(index: Index, { name, owner }: Binding): Node[] | undefined {
  const holder = index.parents.get(owner);
  const own = owner.id ?? (holder?.type === "VariableDeclarator" ? holder.id : undefined);
  const binding = own ? index.bindings.get(own.name) : undefined;
  if (binding === undefined || functionOf(index, binding) !== owner || !isPlain(owner)) return undefined;
  const at = owner.params.findIndex((one: Node) => one.name === name);
  const given = callsOf(index, binding)?.map((call) => call.arguments[at]);
  return given?.every((one) => one !== undefined) ? given : undefined;
}

/** Whether a variable holds lists without holes of which nobody ever changes anything. */
function isStill(index: Index, binding: Binding | undefined, seen: Set<Binding> = new Set()): boolean {
  if (binding === undefined) return false;
  if (seen.has(binding)) return true;
  seen.add(binding);
  const values = valuesOf(index, binding);
  const isGiven = (one: Node): boolean =>
    one.type === "Identifier" && isStill(index, index.bindings.get(one.name), seen);
  if (values === undefined || !values.every((one) => isGiven(one) || isFresh(index, one, seen))) return false;
  return binding.reads.every((read) => isAsked(index, read, seen));
}

/** Whether a list is only asked for its elements there, or becomes that of another such variable. */
function isAsked(index: Index, read: Node, seen: Set<Binding>): boolean {
  const parent = index.parents.get(read);
  if (/^For(In|Of)Statement$/.test(parent.type)) return true;
  if (parent.type === "NewExpression") return TYPED.test(parent.callee.name ?? "");
  if (parent.type === "VariableDeclarator") return isStill(index, index.bindings.get(parent.id.name), seen);
  if (parent.type === "AssignmentExpression" && parent.right === read && parent.operator === "=")
    return parent.left.type === "Identifier" && isStill(index, index.bindings.get(parent.left.name), seen);
  if (parent.type === "CallExpression" && parent.callee.type === "Identifier" && parent.callee !== read) {
    const fn = functionOf(index, index.bindings.get(parent.callee.name));
    const param = fn !== undefined && isPlain(fn) ? fn.params[parent.arguments.indexOf(read)] : undefined;
    return param !== undefined && isStill(index, index.bindings.get(param.name), seen);
  }
  if (parent.type !== "MemberExpression" || parent.object !== read) return isArgumentOfConcat(index, read);
  const around = index.parents.get(parent);
  if (ASSIGNED.test(around.type) && (around.left ?? around.argument) === parent) return false;
  if (around.type === "UnaryExpression" && around.operator === "delete") return false;
  return parent.computed ? around.callee !== parent : ASKED.includes(parent.property.name);
}

function isArgumentOfConcat(index: Index, read: Node): boolean {
  const call = index.parents.get(read);
  return call.type === "CallExpression" && call.callee !== read && call.callee.property?.name === "concat";
}

/** Whether the length can never change: that of a typed array. */
function isTyped(index: Index, value: Node | undefined): boolean {
  if (value?.type === "NewExpression") return TYPED.test(value.callee.name ?? "");
  return value?.type === "CallExpression" && isTyped(index, resultOf(index, value));
}

/** `list[i]` as it is read, around a read of the counter. */
function elementAt(index: Index, { list }: Counted, read: Node): Node | undefined {
  const member = index.parents.get(read);
  if (member.type !== "MemberExpression" || !member.computed || member.property !== read) return undefined;
  if (member.object.name !== list.name) return undefined;
  const around = index.parents.get(member);
  if (ASSIGNED.test(around.type) && (around.left ?? around.argument) === member) return undefined;
  if (around.type === "UnaryExpression" && around.operator === "delete") return undefined;
  return around.callee === member ? undefined : member;
}

function overElements(program: Program, counted: Counted, elements: readonly Node[]): Node {
  const { loop } = counted;
  const head = loop.body.type === "BlockStatement" ? loop.body.body[0] : undefined;
  const only =
    head?.type === "VariableDeclaration" && head.declarations.length === 1 ? head.declarations[0] : undefined;
  const isNamed = elements.length === 1 && only?.init === elements[0] && isSetOnce(program, only, loop);
  const name = isNamed ? only.id.name : freshName("one", program.taken);
  if (isNamed) loop.body.body.shift();
  else for (const element of elements) replace(program.index, element, identifier(name));
  return types.forOfStatement(declared(name), identifier(counted.list.name), loop.body);
}

/** Whether the variable is only asked for within the loop, and by no function that could be called after its turn. */
function isSetOnce({ index }: Program, declarator: Node, loop: Node): boolean {
  const binding = index.bindings.get(declarator.id.name);
  return (
    binding?.writes === 0 &&
    binding.reads.every(
      (read) => hostOf(index, read) === hostOf(index, loop) && some(loop.body, (node) => node === read),
    )
  );
}

function declared(name: string): Node {
  return variableDeclaration("var", [variableDeclarator(identifier(name))]);
}

/** A key is a text: where it is counted with, it is made a number. */
function overKeys({ index }: Program, { loop, counter, list, reads }: Counted): Node {
  for (const read of reads) {
    const parent = index.parents.get(read);
    const isKey = parent.type === "MemberExpression" && parent.property === read;
    const isCounted = parent.type === "BinaryExpression" && ARITHMETIC.includes(parent.operator);
    const isSafe = isCounted && (parent.left === read ? parent.right : parent.left).type === "NumericLiteral";
    if (!isKey && !isSafe) replace(index, read, types.unaryExpression("+", identifier(counter.name)));
  }
  return types.forInStatement(declared(counter.name), identifier(list.name), loop.body);
}

function shorter(program: Program, loop: Node): Node | undefined {
  const { index } = program;
  const counted = countedAt(index, loop);
  if (counted === undefined || counted.list.writes > 0) return undefined;
  const { list, reads } = counted;
  const elements = reads.map((read) => elementAt(index, counted, read));
  const isQuiet = isStill(index, list);
  if (isQuiet && !some(loop.body, isFunction) && elements.every((one) => one !== undefined))
    return overElements(program, counted, elements as Node[]);
  const isFixed = list.kind === "var" && isTyped(index, list.node.init);
  return isQuiet || isFixed ? overKeys(program, counted) : undefined;
}

/** All loops over lists that stay as long as they are. */
export function shortenLoops(ast: Node, taken: Set<string>): void {
  const loops: Node[] = [];
  walk(ast.program, (node) => {
    if (node.type === "ForStatement") loops.push(node);
    return undefined;
  });
  for (const loop of loops) {
    const index = indexOf(ast);
    const made = shorter({ ast, index, taken }, loop);
    if (made !== undefined) replace(index, loop, made);
  }
}
