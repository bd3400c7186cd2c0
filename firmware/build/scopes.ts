// Scopes of their own for functions of the root that share variables: what only they name leaves the root, where short names are
// scarce. Which functions go together is tried out, by what all names take.
import { types } from "@babel/core";
import { functionOf, hostOf, isConstant, isLiteral, isPlain } from "./facts.ts";
import { firstTouches, stepsOf } from "./lifetimes.ts";
import {
  type Binding,
  expressionStatement,
  type Index,
  identifier,
  indexOf,
  isFunction,
  type Node,
  variableDeclaration,
  variableDeclarator,
  walk,
} from "./tree.ts";

const { arrowFunctionExpression, assignmentExpression, blockStatement, callExpression, returnStatement } = types;
/** Names of one letter that a scope has, about. */
const LETTERS = 51;
/** `(()=>{})(),` and `var ` of its own. */
const SCOPE_BYTES = 11;
/** About what a function takes more that is named outside: it is set and not declared. */
const OUTSIDE_BYTES = 1;
const SCOPES_MAX = 8;
/** The names that a scope has given, a bit each. */
const NAME_WORDS = 8;
const WORD_BITS = 32;
const ALL = -1;
const NEVER = Number.POSITIVE_INFINITY;
/** Functions that are moved on trial, and what a move may cost at the beginning, about. */
const MOVES = 50_000;
const HEAT_BYTES = 4;

/** A variable with all that asks for it. */
interface Use {
  readonly binding: Binding;
  readonly count: number;
  /** The functions of the root that name it, by their number; -1 is the root itself. */
  readonly units: Set<number>;
  /** The scopes inside, from its own down to each use, by their number. */
  readonly scopes: Set<number>;
  /** Of a function of the root, its own number. */
  readonly unit: number;
  readonly canMove: boolean;
  /** It can be set from this step of the root on. */
  readonly ready: number;
}

interface Program {
  readonly steps: readonly Node[];
  readonly units: readonly Binding[];
  /** The step of the root that is the first to call each unit. */
  readonly touches: readonly number[];
  readonly uses: readonly Use[];
  readonly scopeCount: number;
}

/** The function of the root around a node, if there is one. */
function unitAround(index: Index, units: ReadonlyMap<Node, number>, node: Node): number {
  for (let at = node; at !== undefined; at = index.parents.get(at)) {
    const unit = units.get(at);
    if (unit !== undefined) return unit;
  }
  return -1;
}

/** A name of the engine or a part of it, which is the same at any time. */
function isPart(index: Index, value: Node): boolean {
  if (value.type === "StringLiteral") return true;
  if (value.type === "MemberExpression") return !value.computed && isPart(index, value.object);
  return value.type === "Identifier" && index.free.has(value.name);
}

/** One variable a declaration in the root, so that a scope can come between any two. */
function splitRoot(ast: Node): void {
  ast.program.body = ast.program.body.flatMap((one: Node) => {
    if (one.type !== "VariableDeclaration") return [one];
    return one.declarations.map((declarator: Node) => ({ ...one, declarations: [declarator] }));
  });
}

/**
 * The step of the root from which on a value is the same whenever it is made, 0 for always; NEVER where that is not known.
 */
function readyAt(index: Index, steps: readonly Node[], value: Node): number {
  if (!value || isLiteral(value) || isPart(index, value)) return 0;
  const all = (nodes: readonly Node[]): number =>
    Math.max(0, ...nodes.map((one) => (one === null ? NEVER : readyAt(index, steps, one))));
  if (value.type === "Identifier") {
    const binding = index.bindings.get(value.name);
    if (binding === undefined || binding.kind !== "var" || !isConstant(index, binding)) return NEVER;
    return steps.indexOf(binding.node) + 1 || NEVER;
  }
  if (value.type === "ArrayExpression") return all(value.elements);
  if (value.type === "ObjectExpression") {
    const areValues = value.properties.every((one: Node) => one.type === "ObjectProperty");
    return areValues ? all(value.properties.map((one: Node) => one.value)) : NEVER;
  }
  if (value.type === "BinaryExpression") return all([value.left, value.right]);
  if (value.type === "NewExpression") {
    const named = index.bindings.get(value.callee.name)?.node.init ?? value.callee;
    return isPart(index, named) ? all([value.callee, ...value.arguments]) : NEVER;
  }
  return isFunction(value) && value.body.type === "BlockStatement" && value.body.body.length === 0 ? 0 : NEVER;
}

/** A function that can as well be an arrow. */
function isMovable(index: Index, binding: Binding): boolean {
  const fn = functionOf(index, binding);
  if (fn === undefined || !isPlain(fn)) return false;
  return binding.reads.every((read) => {
    const parent = index.parents.get(read);
    return !/^(NewExpression|MemberExpression)$/.test(parent.type);
  });
}

function open(ast: Node): Program {
  const index = indexOf(ast);
  const all = [...index.bindings.values()];
  const steps = stepsOf(ast.program);
  const touched = firstTouches(index, steps);
  const end = steps.findLastIndex((one) => one.type === "VariableDeclarator") + 1;
  const isOfRoot = (one: Binding): boolean => one.owner.type === "Program";
  const isStep = (one: Binding): boolean => steps.includes(one.node) || ast.program.body.includes(one.node);
  const units = all.filter((one) => isOfRoot(one) && isStep(one) && isMovable(index, one));
  const touches = units.map((one) => Math.min(touched.get(one.name) ?? end, end));
  const unitOf = new Map<Node, number>(units.map((one, at) => [functionOf(index, one), at]));
  const scopeOf = new Map<Node, number>();
  const numberOf = (scope: Node): number => {
    const known = scopeOf.get(scope) ?? scopeOf.size;
    scopeOf.set(scope, known);
    return known;
  };
  const uses = new Map<string, Use & { count: number }>();
  for (const one of all) {
    const unit = units.indexOf(one);
    const scopes = new Set(isOfRoot(one) ? [] : [numberOf(one.owner)]);
    const isVariable = isOfRoot(one) && unit < 0 && one.kind === "var" && isStep(one);
    // Nobody may see its value before the place where it had it until now.
    const set = isVariable && one.node.init ? steps.indexOf(one.node) + 1 : 0;
    const ready = isVariable ? Math.max(set, readyAt(index, steps, one.node.init)) : 0;
    const canMove = isVariable && ready < NEVER;
    uses.set(one.name, { binding: one, count: 0, units: new Set(), scopes, unit, canMove, ready });
  }
  walk(ast.program, (node, parent) => {
    const use = node.type === "Identifier" ? uses.get(node.name) : undefined;
    if (use === undefined || !isNamed(node, parent)) return undefined;
    use.count++;
    const isOwn = parent === use.binding.node && parent.id === node;
    if (!isOwn) use.units.add(unitAround(index, unitOf, node));
    let scope = isOwn ? use.binding.owner : hostOf(index, node);
    for (; scope !== use.binding.owner; scope = hostOf(index, scope)) use.scopes.add(numberOf(scope));
    return undefined;
  });
  const list = [...uses.values()].map((one) => ({
    ...one,
    units: isOfRoot(one.binding) ? one.units : new Set<number>([unitAround(index, unitOf, one.binding.owner)]),
  }));
  return { steps, touches, units, uses: list, scopeCount: scopeOf.size };
}

function isNamed(node: Node, parent: Node): boolean {
  if (parent.type === "MemberExpression") return parent.property !== node || parent.computed;
  return !(/^(Object|Class)(Property|Method)$/.test(parent.type) && parent.key === node && !parent.computed);
}

/** By scope, the step of the root that it has to come before. */
function placesOf(program: Program, scopeOf: readonly number[]): number[] {
  const places: number[] = [];
  for (const [unit, scope] of scopeOf.entries())
    places[scope] = Math.min(places[scope] ?? NEVER, program.touches[unit] as number);
  return places;
}

/** The scope in which a variable of the root can be: that of all who name it; 0 is the root. */
function homeOf(use: Use, scopeOf: readonly number[], places: readonly number[]): number {
  if (use.binding.owner.type !== "Program" || (!use.canMove && use.unit < 0)) return 0;
  let home = use.unit < 0 ? -1 : (scopeOf[use.unit] as number);
  for (const unit of use.units) {
    const one = unit < 0 ? 0 : (scopeOf[unit] as number);
    if (home < 0) home = one;
    if (one !== home) return 0;
  }
  return home > 0 && use.ready <= (places[home] as number) ? home : 0;
}

/** The first name that none of these scopes has given, which then has. */
function firstFree(taken: Int32Array, scopes: readonly number[]): number {
  for (let word = 0; ; word++) {
    let used = 0;
    for (const scope of scopes) used |= taken[scope * NAME_WORDS + word] as number;
    if (used === ALL) continue;
    const bit = WORD_BITS - 1 - Math.clz32(~used & (used + 1));
    for (const scope of scopes) (taken[scope * NAME_WORDS + word] as number) |= 1 << bit;
    return word * WORD_BITS + bit;
  }
}

/** The scopes in which a variable of the root needs its name, beside those inside its functions. */
function scopesAround(use: Use, scopeOf: readonly number[], home: number, into: number[], first: number): void {
  into.push(first + home);
  if (home > 0) return;
  for (const unit of [...use.units, use.unit]) {
    const scope = scopeOf[unit] ?? 0;
    if (scope > 0 && !into.includes(first + scope)) into.push(first + scope);
  }
}

/** About the bytes that all names take, and the scopes. */
function createCount(program: Program): (scopeOf: readonly number[]) => number {
  const weight = (use: Use): number => use.count / Math.sqrt(use.scopes.size + 1);
  const order = [...program.uses].sort((a, b) => weight(b) - weight(a));
  const inner = order.map((use) => [...use.scopes]);
  const first = program.scopeCount;
  const taken = new Int32Array((first + SCOPES_MAX + 1) * NAME_WORDS);
  return (scopeOf) => {
    let bytes = SCOPE_BYTES * new Set(scopeOf).size;
    taken.fill(0);
    const places = placesOf(program, scopeOf);
    for (const [at, use] of order.entries()) {
      const where = inner[at] as number[];
      const size = where.length;
      if (use.binding.owner.type === "Program") {
        const home = homeOf(use, scopeOf, places);
        scopesAround(use, scopeOf, home, where, first);
        if (home === 0 && use.unit >= 0 && (scopeOf[use.unit] as number) > 0) bytes += OUTSIDE_BYTES;
      }
      bytes += use.count * (firstFree(taken, where) < LETTERS ? 1 : 2);
      where.length = size;
    }
    return bytes;
  };
}

interface Choice {
  readonly scopeOf: readonly number[];
  readonly bytes: number;
}

/** Moves single functions from scope to scope as long as that makes all shorter. */
function settle(from: Choice, count: (scopeOf: readonly number[]) => number): Choice {
  let best = from;
  const scopes = Math.max(...from.scopeOf);
  for (let isBetter = true; isBetter; ) {
    isBetter = false;
    for (const unit of from.scopeOf.keys()) {
      for (let scope = 0; scope <= scopes; scope++) {
        if (scope === best.scopeOf[unit]) continue;
        const scopeOf = best.scopeOf.map((one, at) => (at === unit ? scope : one));
        const bytes = count(scopeOf);
        if (bytes >= best.bytes) continue;
        best = { scopeOf, bytes };
        isBetter = true;
      }
    }
  }
  return best;
}

/**
 * Moves single functions at random, at first also where that costs bytes, less and less so: most of what helps is a loss until others
 * have followed. The same program comes out the same.
 */
function anneal(from: Choice, count: (scopeOf: readonly number[]) => number): Choice {
  let seed = 1;
  // Park and Miller.
  const random = (): number => {
    seed = (seed * 16807) % 2147483647;
    return seed / 2147483647;
  };
  let best = from;
  let here = from;
  for (let left = MOVES; left > 0 && from.scopeOf.length > 0; left--) {
    const unit = Math.floor(random() * from.scopeOf.length);
    const scope = Math.floor(random() * (SCOPES_MAX + 1));
    if (here.scopeOf[unit] === scope) continue;
    const scopeOf = here.scopeOf.with(unit, scope);
    const bytes = count(scopeOf);
    if (bytes - here.bytes > (-Math.log(random()) * HEAT_BYTES * left) / MOVES) continue;
    here = { scopeOf, bytes };
    if (bytes < best.bytes) best = here;
  }
  return best;
}

/** Without a number that no function has. */
function numbered(scopeOf: readonly number[]): readonly number[] {
  const used = [...new Set(scopeOf)].filter((scope) => scope > 0);
  return scopeOf.map((scope) => used.indexOf(scope) + 1);
}

/** Gives every function of the root its scope, 0 for the root. */
function choose(program: Program): readonly number[] {
  const count = createCount(program);
  const none = program.units.map(() => 0);
  return numbered(settle(anneal({ scopeOf: none, bytes: count(none) }, count), count).scopeOf);
}

/** Takes a declaration out of the root. */
function takeOut(ast: Node, node: Node): void {
  ast.program.body = ast.program.body.filter((one: Node) => {
    if (one === node) return false;
    if (one.type !== "VariableDeclaration") return true;
    one.declarations = one.declarations.filter((declarator: Node) => declarator !== node);
    return one.declarations.length > 0;
  });
}

function moveInto(ast: Node, program: Program, scopeOf: readonly number[], scope: number): Node[] {
  const places = placesOf(program, scopeOf);
  const inside: Node[] = [];
  const variables: Node[] = [];
  const outside: [string, Node][] = [];
  for (const use of program.uses) {
    const { binding } = use;
    if (binding.owner.type !== "Program") continue;
    const isHome = homeOf(use, scopeOf, places) === scope;
    if (use.unit < 0 ? !isHome : scopeOf[use.unit] !== scope) continue;
    takeOut(ast, binding.node);
    const { node } = binding;
    if (!isHome) outside.push([binding.name, node.init ?? arrowFunctionExpression(node.params, node.body)]);
    else if (node.type === "FunctionDeclaration") inside.push(node);
    else variables.push(node);
  }
  const last = outside.pop() as [string, Node];
  const body = [
    ...inside,
    ...(variables.length > 0 ? [variableDeclaration("var", variables)] : []),
    ...outside.map(([name, value]) => expressionStatement(assignmentExpression("=", identifier(name), value))),
    returnStatement(last[1]),
  ];
  const whole = callExpression(arrowFunctionExpression([], blockStatement(body)), []);
  const bare = outside.map(([name]) => variableDeclarator(identifier(name)));
  const declared = [...bare, variableDeclarator(identifier(last[0]), whole)];
  const step = program.steps[places[scope] as number];
  const at = ast.program.body.findIndex((one: Node) => one === step || one.declarations?.includes(step));
  ast.program.body.splice(at < 0 ? ast.program.body.length : at, 0, variableDeclaration("var", declared));
  return bare;
}

/**
 * Moves functions of the root, and what only they name, into scopes of their own. Gives the declarations that are of no use once all
 * names are given: what a function sets that nobody declares is the root's.
 */
export function openScopes(ast: Node): Node[] {
  splitRoot(ast);
  const program = open(ast);
  const scopeOf = choose(program);
  const bare: Node[] = [];
  for (let scope = 1; scope <= Math.max(0, ...scopeOf); scope++) bare.push(...moveInto(ast, program, scopeOf, scope));
  return bare;
}

/** Takes declarations out of the root. */
export function dropBare(ast: Node, bare: readonly Node[]): void {
  for (const node of bare) takeOut(ast, node);
}
