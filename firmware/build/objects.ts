// Objects that never leave the program's sight become variables, one a key; so do objects that only hand options to a function.
import { types } from "@babel/core";
import {
  callsOf,
  comparisonOf,
  functionOf,
  hostOf,
  initOf,
  isInLoop,
  isPlain,
  isPure,
  isStaticObject,
  keyOf,
  memberOf,
  type Program,
} from "./facts.ts";
import { setVariable } from "./inline.ts";
import {
  type Binding,
  expressionStatement,
  freshName,
  identifier,
  type Node,
  replace,
  variableDeclaration,
  variableDeclarator,
} from "./tree.ts";

/** What a property holds; a method as the function that it is. */
function valueOfProperty(property: Node): Node {
  if (property.type === "ObjectProperty") return property.value;
  return types.functionExpression(null, property.params, property.body);
}

/** Reads of an object's keys and questions whether it is there; undefined where it is used in any other way. */
interface Uses {
  readonly members: Node[];
  readonly comparisons: Node[];
}

function usesOf(program: Program, reads: readonly Node[]): Uses | undefined {
  const uses: Uses = { members: [], comparisons: [] };
  for (const read of reads) {
    const member = memberOf(program.index, read);
    const comparison = comparisonOf(program.index, read);
    if (member !== undefined) uses.members.push(member);
    else if (comparison !== undefined) uses.comparisons.push(comparison);
    else return undefined;
  }
  return uses;
}

/** A variable for every key, in the order of the keys. */
function variablesFor(program: Program, object: Node, uses: Uses): { names: Map<string, string>; statements: Node[] } {
  const names = new Map<string, string>();
  const statements = object.properties.map((property: Node) => {
    const name = freshName(types.toIdentifier(keyOf(property)), program.taken);
    names.set(keyOf(property), name);
    return setVariable(name, valueOfProperty(property));
  });
  for (const member of uses.members) {
    const { name } = member.property;
    if (names.has(name)) continue;
    names.set(name, freshName(name, program.taken));
    statements.push(setVariable(names.get(name) as string, identifier("undefined")));
  }
  return { names, statements };
}

function useVariables(program: Program, uses: Uses, names: ReadonlyMap<string, string>): void {
  for (const member of uses.members)
    replace(program.index, member, identifier(names.get(member.property.name) as string));
}

function putInPlace(program: Program, statement: Node, statements: readonly Node[]): boolean {
  const block = program.index.parents.get(statement);
  if (block.type !== "Program" && block.type !== "BlockStatement") return false;
  block.body.splice(block.body.indexOf(statement), 1, ...statements);
  return true;
}

/** One step: an object in a constant that is only asked for its keys. */
export function spreadObject(program: Program): boolean {
  const { index } = program;
  for (const binding of index.bindings.values()) {
    const object = initOf(index, binding);
    if (object === undefined || !isStaticObject(object)) continue;
    const declaration = index.parents.get(binding.node);
    const uses = usesOf(program, binding.reads);
    if (uses === undefined || declaration.declarations.length !== 1) continue;
    const { names, statements } = variablesFor(program, object, uses);
    if (!putInPlace(program, declaration, statements)) continue;
    useVariables(program, uses, names);
    for (const one of uses.comparisons) replace(index, one, types.booleanLiteral(one.operator.startsWith("!")));
    return true;
  }
  return false;
}

/** The reads of a variable and of constants that are copies of it for a while. */
function readsWithCopies(program: Program, binding: Binding): { reads: Node[]; copies: Node[] } {
  const { index } = program;
  const reads: Node[] = [];
  const copies: Node[] = [];
  for (const read of binding.reads) {
    const holder = index.parents.get(read);
    const copy = holder.type === "VariableDeclarator" ? index.bindings.get(holder.id.name) : undefined;
    const isNear = copy?.reads.every((one) => hostOf(index, one) === copy.owner);
    if (copy !== undefined && isNear && initOf(index, copy) === read) {
      copies.push(holder);
      reads.push(...copy.reads);
    } else reads.push(read);
  }
  return { reads, copies };
}

/** An object that is made once and late: the statement that makes it, and all uses of it under any of its names. */
interface Late {
  readonly set: Node;
  readonly object: Node;
  /** Where the object is made: `set` itself, or a constant that `set` takes it from. */
  readonly made: Node;
  readonly uses: Uses;
  readonly own: Uses;
  readonly copies: readonly Node[];
}

function lateObject(program: Program, binding: Binding): Late | undefined {
  const { index } = program;
  if (binding.kind !== "var" || binding.writes !== 1 || binding.node.init) return undefined;
  const { reads, copies } = readsWithCopies(program, binding);
  const uses = usesOf(program, reads);
  const set = findSet(program, binding.name);
  if (uses === undefined || set === undefined) return undefined;
  const { right } = set.expression;
  if (isStaticObject(right))
    return { set, object: right, made: set, uses, own: { members: [], comparisons: [] }, copies };
  const source = right.type === "Identifier" ? index.bindings.get(right.name) : undefined;
  const object = initOf(index, source);
  if (source === undefined || object === undefined || !isStaticObject(object)) return undefined;
  const own = usesOf(
    program,
    source.reads.filter((read) => read !== right),
  );
  const made = index.parents.get(source.node);
  return own === undefined || made.declarations.length !== 1 ? undefined : { set, object, made, uses, own, copies };
}

/**
 * One step: an object that is made once and late, in a variable that is asked whether it is there yet. The variable stays as the
 * answer.
 */
export function spreadLateObject(program: Program): boolean {
  const { index } = program;
  for (const binding of index.bindings.values()) {
    const late = lateObject(program, binding);
    const home = index.parents.get(index.parents.get(binding.node));
    if (late === undefined || (home.type !== "Program" && home.type !== "BlockStatement")) continue;
    const { set, made, uses, own } = late;
    const members = [...uses.members, ...own.members];
    const { names, statements } = variablesFor(program, late.object, { members, comparisons: [] });
    const isThere = types.assignmentExpression("=", identifier(binding.name), types.booleanLiteral(true));
    const sets = statements.map((one) => {
      const { id, init } = one.declarations[0];
      return expressionStatement(types.assignmentExpression("=", id, init));
    });
    if (made !== set && !putInPlace(program, made, sets)) continue;
    if (!putInPlace(program, set, [...(made === set ? sets : []), expressionStatement(isThere)])) continue;
    for (const copy of late.copies) copy.init = types.nullLiteral();
    useVariables(program, { members, comparisons: [] }, names);
    home.body.unshift(
      variableDeclaration(
        "var",
        [...names.values()].map((name) => variableDeclarator(identifier(name))),
      ),
    );
    for (const one of own.comparisons) replace(index, one, types.booleanLiteral(one.operator.startsWith("!")));
    for (const one of uses.comparisons) {
      const there = identifier(binding.name);
      replace(index, one, one.operator.startsWith("!") ? there : types.unaryExpression("!", there));
    }
    return true;
  }
  return false;
}

function findSet(program: Program, name: string): Node | undefined {
  for (const node of program.index.parents.keys()) {
    if (node.type !== "ExpressionStatement" || node.expression.type !== "AssignmentExpression") continue;
    const { left, operator } = node.expression;
    if (operator === "=" && left.type === "Identifier" && left.name === name && !isInLoop(program.index, node))
      return node;
  }
  return undefined;
}

function isSet(program: Program, member: Node): boolean {
  const parent = program.index.parents.get(member);
  return parent.left === member || parent.type === "UpdateExpression";
}

/** Whether nobody who has the object can change it: it is asked for keys, or handed to functions that ask for keys. */
function isOnlyRead(program: Program, reads: readonly Node[], depth = 0): boolean {
  const { index } = program;
  return reads.every((read) => {
    const member = memberOf(index, read);
    if (member !== undefined) return !isSet(program, member);
    const call = index.parents.get(read);
    if (call.type !== "CallExpression" || call.callee === read || call.callee.type !== "Identifier" || depth > 9)
      return false;
    const fn = functionOf(index, index.bindings.get(call.callee.name));
    const param = fn === undefined || !isPlain(fn) ? undefined : fn.params[call.arguments.indexOf(read)];
    const binding = index.bindings.get(param?.name);
    return binding !== undefined && binding.writes === 0 && isOnlyRead(program, binding.reads, depth + 1);
  });
}

/** The expression that a call hands over for a key; undefined where the argument is not an object of this program. */
function partOf(program: Program, argument: Node, key: string): Node | undefined {
  const { index } = program;
  if (isStaticObject(argument)) {
    const property = argument.properties.find((one: Node) => keyOf(one) === key);
    return property === undefined ? identifier("undefined") : valueOfProperty(property);
  }
  if (argument?.type !== "Identifier") return undefined;
  const binding = index.bindings.get(argument.name);
  if (binding === undefined || !isStaticObject(initOf(index, binding))) return undefined;
  if (!isOnlyRead(program, binding.reads)) return undefined;
  return types.memberExpression(identifier(argument.name), identifier(key));
}

/** Keys in the order in which their values are made; undefined when a value that does something would be lost or moved. */
function keysToPass(argument: Node, used: readonly string[]): string[] | undefined {
  if (argument.type === "Identifier") return [...used];
  const own = argument.properties.map(keyOf) as string[];
  const lost = argument.properties.some((one: Node) => !used.includes(keyOf(one)) && !isPure(valueOfProperty(one)));
  return lost ? undefined : [...own.filter((key) => used.includes(key)), ...used.filter((key) => !own.includes(key))];
}

function splitParameter(
  program: Program,
  fn: Node,
  at: number,
  calls: readonly Node[],
  reads: readonly Node[],
): boolean {
  const { index } = program;
  const members = reads.map((read) => memberOf(index, read));
  const isRead = members.every((one) => one !== undefined && !isSet(program, one));
  if (!isRead || calls.some((call) => call.arguments[at] === undefined)) return false;
  const used = [...new Set(members.map((one) => one.property.name as string))];
  if (calls.some((call) => used.some((key) => partOf(program, call.arguments[at], key) === undefined))) return false;
  const orders = calls.map((call) => keysToPass(call.arguments[at], used));
  const keys = orders[0];
  if (keys === undefined || orders.some((one) => one?.join() !== keys.join())) return false;
  const names = new Map(keys.map((key) => [key, freshName(key, program.taken)]));
  for (const call of calls) {
    call.arguments.splice(at, 1, ...keys.map((key) => partOf(program, call.arguments[at], key)));
  }
  fn.params.splice(at, 1, ...keys.map((key) => identifier(names.get(key) as string)));
  for (const member of members) replace(index, member, identifier(names.get(member.property.name) as string));
  return true;
}

/** One step: a parameter that is only asked for keys becomes a parameter for each. */
export function splitOptions(program: Program): boolean {
  const { index } = program;
  for (const binding of index.bindings.values()) {
    const fn = functionOf(index, binding);
    const calls = callsOf(index, binding);
    if (fn === undefined || calls === undefined || calls.length === 0 || !isPlain(fn)) continue;
    for (let at = 0; at < fn.params.length; at++) {
      const param = index.bindings.get(fn.params[at].name);
      if (param === undefined || param.writes > 0 || param.reads.length === 0) continue;
      if (calls.some((call) => hostOf(index, call) === fn)) continue;
      if (splitParameter(program, fn, at, calls, param.reads)) return true;
    }
  }
  return false;
}
