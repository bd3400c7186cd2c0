// Functions that are called from one place only go to that place, with their parameters as variables.
import { types } from "@babel/core";
import { functionOf, hostOf, isConstant, isInLoop, isLiteral, isPlain, isPure, type Program } from "./facts.ts";
import { returnsIn, withoutReturns } from "./returns.ts";
import {
  type Binding,
  expressionStatement,
  freshName,
  identifier,
  isFunction,
  type Node,
  replace,
  some,
  variableDeclaration,
  variableDeclarator,
} from "./tree.ts";

/** How the result of a call is used: dropped, kept in a variable, or handed on. */
interface Place {
  readonly statement: Node;
  readonly body: Node[];
  readonly use: "drop" | "var" | "set" | "return";
  readonly target: Node;
  /** Nothing of its function comes after it: a return from there is a return from here. */
  readonly isLast: boolean;
  /** The statement stays, and asks a variable for what the call gave. */
  readonly isAhead: boolean;
}

export function setVariable(name: string, value: Node): Node {
  return variableDeclaration("var", [variableDeclarator(identifier(name), value)]);
}

function placeOf(program: Program, call: Node, fn: Node): Place | undefined {
  const { parents } = program.index;
  let statement = parents.get(call);
  let use: Place["use"] = "drop";
  let target: Node;
  if (statement.type === "VariableDeclarator") {
    target = statement.id;
    statement = parents.get(statement);
    if (statement.declarations.length !== 1) return undefined;
    use = "var";
  } else if (statement.type === "AssignmentExpression") {
    if (statement.operator !== "=" || statement.left.type !== "Identifier") return undefined;
    target = statement.left;
    statement = parents.get(statement);
    use = "set";
  } else if (statement.type === "ReturnStatement") use = "return";
  if (!/^(ExpressionStatement|VariableDeclaration|ReturnStatement)$/.test(statement.type)) return undefined;
  const block = parents.get(statement);
  if (block.type !== "Program" && block.type !== "BlockStatement") return undefined;
  return fits(program, block, fn)
    ? { statement, body: block.body, use, target, isLast: isLastIn(program, statement), isAhead: false }
    : undefined;
}

/** What is evaluated before anything else of a node. */
function firstOf(program: Program, node: Node): Node | undefined {
  const isFixed = (one: Node): boolean =>
    isLiteral(one) || (one.type === "Identifier" && isConstant(program.index, program.index.bindings.get(one.name)));
  if (node.type === "ExpressionStatement") return node.expression;
  if (node.type === "VariableDeclaration")
    return node.declarations.length === 1 ? node.declarations[0].init : undefined;
  if (/^(Return|Unary)(Statement|Expression)$/.test(node.type)) return node.argument;
  if (/^(If|Conditional)(Statement|Expression)$/.test(node.type)) return node.test;
  if (node.type === "BinaryExpression") return isFixed(node.left) ? node.right : node.left;
  if (node.type === "LogicalExpression") return node.left;
  if (node.type === "MemberExpression") return node.object;
  if (node.type === "AssignmentExpression")
    return node.left.type === "Identifier" && node.operator === "=" ? node.right : undefined;
  if (node.type !== "CallExpression" || node.callee.type !== "Identifier" || !isFixed(node.callee)) return undefined;
  return node.arguments.find((one: Node) => !isFixed(one));
}

/** A place before the statement, where the call is the first thing that it does. */
function placeAhead(program: Program, call: Node, fn: Node): Place | undefined {
  const { parents } = program.index;
  let at = call;
  while (!/(Statement|Declaration)$/.test(at.type)) {
    const parent = parents.get(at);
    const around = parent.type === "VariableDeclarator" ? parents.get(parent) : parent;
    if (around === undefined || firstOf(program, around) !== at) return undefined;
    at = around;
  }
  const block = parents.get(at);
  if (block.type !== "Program" && block.type !== "BlockStatement") return undefined;
  if (!fits(program, block, fn)) return undefined;
  const target = identifier(freshName("given", program.taken));
  return { statement: at, body: block.body, use: "var", target, isLast: false, isAhead: true };
}

/** Whether the function's own variables begin anew there as they did: its scope is gone, and a loop comes again. */
function fits(program: Program, block: Node, fn: Node): boolean {
  if (isOnce(program, block)) return true;
  const isLoop = isInLoop(program.index, block);
  return !some(fn.body, (node) => {
    if (isFunction(node)) return isLoop || node.type === "FunctionDeclaration";
    return isLoop && node.type === "VariableDeclarator" && !node.init;
  });
}

/** The body of a function, or a branch of the program itself: what stands there runs once for each of its scope. */
function isOnce(program: Program, block: Node): boolean {
  const { parents } = program.index;
  const host = hostOf(program.index, block.body[0] ?? block);
  let at = block;
  while (host.type === "Program" && at !== host) {
    at = parents.get(at);
    if (!/^(Program|BlockStatement|IfStatement)$/.test(at.type)) return false;
  }
  return host.type === "Program" || block === host.body;
}

function isLastIn(program: Program, statement: Node): boolean {
  const host = hostOf(program.index, statement);
  return host.type !== "Program" && Array.isArray(host.body.body) && host.body.body.at(-1) === statement;
}

/** Whether one of the returns has a value. */
function givesIn(statements: readonly Node[]): boolean {
  return statements.some((one) =>
    some(
      one,
      (node) => node.type === "ReturnStatement" && node.argument !== null,
      (node) => !isFunction(node),
    ),
  );
}

function resultStatement(place: Place, value: Node | undefined): Node[] {
  const result = value ?? identifier("undefined");
  if (place.use === "var") return [variableDeclaration("var", [variableDeclarator(place.target, result)])];
  if (place.use === "set") return [expressionStatement(types.assignmentExpression("=", place.target, result))];
  if (place.use === "return") return [types.returnStatement(value ?? null)];
  return value === undefined || isPure(value) ? [] : [expressionStatement(value)];
}

/** The statements that do what the call did, without its functions; undefined where it returns from a loop. */
function statementsFor(fn: Node, place: Place): Node[] | undefined {
  if (fn.body.type !== "BlockStatement") return resultStatement(place, fn.body);
  const all = fn.body.body.filter((one: Node) => one.type !== "FunctionDeclaration");
  const last = all.at(-1);
  const ends = last?.type === "ReturnStatement";
  const before = ends ? all.slice(0, -1) : all;
  const result = resultStatement(place, ends ? (last.argument ?? undefined) : undefined);
  if (!returnsIn(before)) return [...before, ...result];
  if (place.use === "return") return [...all, ...(ends ? [] : [types.returnStatement()])];
  if (place.use === "drop" && place.isLast && !ends && !givesIn(before)) return before;
  // A variable that several ways set is declared before them.
  const declared = place.use === "var" ? [variableDeclaration("var", [variableDeclarator(place.target)])] : [];
  const set: Place = place.use === "var" ? { ...place, use: "set" } : place;
  const rest = withoutReturns(all, (value) => resultStatement(set, value));
  return rest === undefined ? undefined : [...declared, ...rest];
}

/**
 * What is worth to be taken apart: a function that makes functions, or one with nothing but a result; anything where it leaves no
 * variables behind, because the scope of its call ends soon too.
 */
function isWorth(fn: Node, host: Node): boolean {
  if (fn.body.type !== "BlockStatement" || fn.body.body.length < 2) return true;
  return some(fn.body, isFunction) || (host.type !== "Program" && !some(host.body, isFunction));
}

export function removeStatement(program: Program, statement: Node): void {
  const block = program.index.parents.get(statement);
  const body = Array.isArray(block.body) ? block.body : block.consequent;
  body.splice(body.indexOf(statement), 1);
}

function removeFunction(program: Program, binding: Binding): void {
  if (binding.kind === "function") removeStatement(program, binding.node);
  else {
    const declaration = program.index.parents.get(binding.node);
    declaration.declarations.splice(declaration.declarations.indexOf(binding.node), 1);
    if (declaration.declarations.length === 0) removeStatement(program, declaration);
  }
}

function inlineCall(program: Program, binding: Binding, fn: Node, call: Node, place: Place): boolean {
  const statements = statementsFor(fn, place);
  if (statements === undefined) return false;
  const given = fn.params.map((param: Node, i: number) =>
    setVariable(param.name, call.arguments[i] ?? identifier("undefined")),
  );
  const more = call.arguments.slice(fn.params.length).filter((one: Node) => !isPure(one));
  const host = hostOf(program.index, call);
  place.body.splice(
    place.body.indexOf(place.statement),
    place.isAhead ? 0 : 1,
    ...given,
    ...more.map((one: Node) => expressionStatement(one)),
    ...statements,
  );
  if (place.isAhead) replace(program.index, call, identifier(place.target.name));
  removeFunction(program, binding);
  const inner =
    fn.body.type === "BlockStatement" ? fn.body.body.filter((one: Node) => one.type === "FunctionDeclaration") : [];
  const top = host.type === "Program" ? host.body : host.body.body;
  top.unshift(...inner);
  return true;
}

/** One step: the first function that can go to its only call. */
export function inlineOnce(program: Program): boolean {
  const { index } = program;
  for (const binding of index.bindings.values()) {
    const fn = functionOf(index, binding);
    const call = index.parents.get(binding.reads[0]);
    if (fn === undefined || binding.reads.length !== 1 || call.type !== "CallExpression") continue;
    if (call.callee !== binding.reads[0] || call.arguments.some((one: Node) => one.type === "SpreadElement")) continue;
    if (!isPlain(fn) || !isWorth(fn, hostOf(index, call)) || some(fn, (node) => node === call)) continue;
    const place = placeOf(program, call, fn) ?? placeAhead(program, call, fn);
    if (place !== undefined && inlineCall(program, binding, fn, call, place)) return true;
  }
  return false;
}
