// From when to when a variable of the root is needed: what is only asked for while the program starts can leave its name, and its
// room, to one that is set later.
import { functionOf, hostOf } from "./facts.ts";
import { type Binding, type Index, isFunction, isVariable, type Node, walk } from "./tree.ts";

/** In steps of the root: after `from`, up to and with `to`. */
export interface Lifetime {
  readonly from: number;
  readonly to: number;
}

const ALWAYS: Lifetime = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
/** What is set and never asked for is there for a moment all the same. */
const MOMENT = 0.5;

/** What the root does, one after the other: a statement, or one variable of a declaration. */
export function stepsOf(program: Node): Node[] {
  return program.body.flatMap((one: Node) => {
    if (one.type === "FunctionDeclaration") return [];
    return one.type === "VariableDeclaration" ? one.declarations : [one];
  });
}

/** Names that run when a step does; the body of a function that only gets its name here does not. */
function namesIn(node: Node): Set<string> {
  const found = new Set<string>();
  const isNamed = node.type === "VariableDeclarator" && node.init && isFunction(node.init);
  if (isNamed) return found;
  walk(node, (one, parent) => {
    if (
      one.type === "Identifier" &&
      isVariable(one, parent) &&
      !(one === node.id && node.type !== "FunctionDeclaration")
    )
      found.add(one.name);
    return undefined;
  });
  return found;
}

/** The first step in which each name can be touched: by the step itself, or by a function that it could call. */
export function firstTouches(index: Index, steps: readonly Node[]): Map<string, number> {
  const first = new Map<string, number>();
  const touch = (name: string, at: number): void => {
    if (first.has(name)) return;
    first.set(name, at);
    const binding = index.bindings.get(name);
    const fn = binding?.kind === "function" ? binding.node : binding?.kind === "var" ? binding.node.init : undefined;
    if (!fn || !isFunction(fn)) return;
    walk(fn, (one, parent) => {
      if (one.type === "Identifier" && isVariable(one, parent ?? fn)) touch(one.name, at);
      return undefined;
    });
  };
  for (const [at, step] of steps.entries()) for (const name of namesIn(step)) touch(name, at);
  return first;
}

/** A variable is born where it is declared with its value, unless something could touch it before. */
function birthOf(index: Index, binding: Binding, steps: readonly Node[], touched: ReadonlyMap<string, number>): number {
  const at = steps.indexOf(binding.node);
  if (binding.kind !== "var" || at < 0 || !binding.node.init) return ALWAYS.from;
  if (index.parents.get(binding.node).kind !== "var") return ALWAYS.from;
  return (touched.get(binding.name) ?? at + 1) > at ? at : ALWAYS.from;
}

/** What keeps a name: the last step of the root that asks for it, and functions that do. */
interface Needs {
  last: number;
  readonly by: Set<string>;
}

/** The function of the root around a use, if it has a name and is only ever called; else undefined. */
function calledAround(index: Index, host: Node): Binding | undefined {
  const holder = index.parents.get(host);
  const own =
    host.type === "FunctionDeclaration" ? host.id : holder.type === "VariableDeclarator" ? holder.id : undefined;
  const binding = own ? index.bindings.get(own.name) : undefined;
  if (binding === undefined || binding.owner.type !== "Program" || functionOf(index, binding) !== host)
    return undefined;
  const areCalls = binding.reads.every((read) => {
    const call = index.parents.get(read);
    return call.type === "CallExpression" && call.callee === read;
  });
  return areCalls ? binding : undefined;
}

function needsOf(index: Index, steps: readonly Node[]): Map<string, Needs> {
  const stepOf = new Map(steps.map((step, at) => [step, at]));
  const all = new Map<string, Needs>();
  for (const [node, parent] of index.parents) {
    if (node.type !== "Identifier" || !isVariable(node, parent)) continue;
    if (parent.type === "FunctionDeclaration" && parent.id === node) continue;
    if (parent.type === "VariableDeclarator" && parent.id === node && !parent.init) continue;
    const needs = all.get(node.name) ?? { last: ALWAYS.from, by: new Set() };
    all.set(node.name, needs);
    const host = hostOf(index, node);
    const caller = host.type === "Program" ? undefined : calledAround(index, host);
    if (caller !== undefined) needs.by.add(caller.name);
    else needs.last = Math.max(needs.last, host.type === "Program" ? stepAround(index, stepOf, node) : ALWAYS.to);
  }
  return all;
}

/** The last step that can ask for each name; a function that is only ever called asks until the last of its calls. */
function deathsOf(index: Index, steps: readonly Node[]): Map<string, number> {
  const needs = needsOf(index, steps);
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    for (const one of needs.values()) {
      const last = Math.max(one.last, ...[...one.by].map((name) => needs.get(name)?.last ?? ALWAYS.from));
      if (last > one.last) isChanged = true;
      one.last = last;
    }
  }
  return new Map([...needs].map(([name, { last }]) => [name, last]));
}

function stepAround(index: Index, stepOf: ReadonlyMap<Node, number>, node: Node): number {
  for (let at = node; at !== undefined; at = index.parents.get(at)) {
    const step = stepOf.get(at);
    if (step !== undefined) return step;
  }
  return ALWAYS.to;
}

/** Lifetimes of the variables of the root. */
export function lifetimesOf(ast: Node, index: Index): Map<Binding, Lifetime> {
  const steps = stepsOf(ast.program);
  const touched = firstTouches(index, steps);
  const deaths = deathsOf(index, steps);
  const found = new Map<Binding, Lifetime>();
  for (const binding of index.bindings.values()) {
    if (binding.owner.type !== "Program") continue;
    const from = birthOf(index, binding, steps, touched);
    found.set(binding, { from, to: Math.max(deaths.get(binding.name) ?? from, from + MOMENT) });
  }
  return found;
}

export function overlap(a: Lifetime, b: Lifetime): boolean {
  return Math.max(a.from, b.from) < Math.min(a.to, b.to);
}
