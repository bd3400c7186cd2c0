// Short names for variables: the most used get the shortest, and a name is used again wherever no scope needs both.
import { shortenMore } from "./aliases.ts";
import { hostOf } from "./facts.ts";
import { type Lifetime, lifetimesOf, overlap } from "./lifetimes.ts";
import { declareFirst } from "./order.ts";
import { dropBare, openScopes } from "./scopes.ts";
import { type Binding, type Index, indexOf, type Node, openTree, print, walk } from "./tree.ts";
import { shortenTruths } from "./truths.ts";

const FIRST = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ$_";
const REST = `${FIRST}0123456789`;
const WORDS = ["do", "if", "in", "of", "as"];

const SPREADS = [0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1];

function nameAt(at: number): string {
  if (at < FIRST.length) return FIRST[at] as string;
  const rest = at - FIRST.length;
  return nameAt(Math.floor(rest / REST.length)) + (REST[rest % REST.length] as string);
}

interface Uses {
  readonly binding: Binding;
  /** Of a variable of the root. */
  readonly life: Lifetime | undefined;
  /** Every identifier of it. */
  readonly nodes: Node[];
  /** The scopes from its own down to each use: in none of them another may have its name. */
  readonly scopes: Set<Node>;
}

function usesOf(ast: Node, index: Index, lives: ReadonlyMap<Binding, Lifetime>): Uses[] {
  const uses = new Map<string, Uses>();
  for (const binding of index.bindings.values())
    uses.set(binding.name, { binding, life: lives.get(binding), nodes: [], scopes: new Set([binding.owner]) });
  walk(ast.program, (node, parent) => {
    if (node.type !== "Identifier" || !index.bindings.has(node.name) || isProperty(node, parent)) return undefined;
    const use = uses.get(node.name) as Uses;
    use.nodes.push(node);
    let scope =
      parent.type === "FunctionDeclaration" && parent.id === node ? hostOf(index, parent) : hostOf(index, node);
    for (; scope !== use.binding.owner; scope = hostOf(index, scope)) use.scopes.add(scope);
    return undefined;
  });
  return [...uses.values()];
}

function isProperty(node: Node, parent: Node): boolean {
  if (parent.type === "MemberExpression") return parent.property === node && !parent.computed;
  return /^(Object|Class)(Property|Method)$/.test(parent.type) && parent.key === node && !parent.computed;
}

/**
 * Gives names in the order of their uses, where `spread` says how much it counts against a variable that it takes its name from many
 * scopes.
 */
function nameAll(
  uses: readonly Uses[],
  never: ReadonlySet<string>,
  spread: number,
): { names: Map<Uses, string>; bytes: number } {
  const weight = (use: Uses): number => use.nodes.length / use.scopes.size ** spread;
  const names = new Map<Uses, string>();
  const taken = new Map<Node, Map<string, (Lifetime | undefined)[]>>();
  const isTaken = (scope: Node, name: string, life: Lifetime | undefined): boolean =>
    taken
      .get(scope)
      ?.get(name)
      ?.some((other) => scope.type !== "Program" || !life || !other || overlap(life, other)) === true;
  let bytes = 0;
  for (const use of [...uses].sort((a, b) => weight(b) - weight(a))) {
    const scopes = [...use.scopes];
    let at = 0;
    while (never.has(nameAt(at)) || scopes.some((scope) => isTaken(scope, nameAt(at), use.life))) at++;
    const name = nameAt(at);
    for (const scope of scopes) {
      const all = taken.get(scope) ?? new Map<string, (Lifetime | undefined)[]>();
      taken.set(scope, all.set(name, [...(all.get(name) ?? []), use.life]));
    }
    names.set(use, name);
    bytes += name.length * use.nodes.length;
  }
  return { names, bytes };
}

/** `reserved` are names that nothing of the program may hide. A program that is a guest in its root gets no new names there. */
export function shortenVariables(code: string, reserved: Iterable<string>, isGuest = false): string {
  const ast = openTree(code);
  let bare: Node[] = [];
  if (!isGuest) {
    shortenTruths(ast);
    shortenMore(ast);
    bare = openScopes(ast);
  }
  declareFirst(ast);
  const index = indexOf(ast);
  const never = new Set([...reserved, ...index.free, ...WORDS]);
  const uses = usesOf(ast, index, isGuest ? new Map() : lifetimesOf(ast, index));
  const tries = SPREADS.map((spread) => nameAll(uses, never, spread));
  const best = tries.reduce((a, b) => (b.bytes < a.bytes ? b : a));
  for (const [use, name] of best.names) for (const node of use.nodes) node.name = name;
  dropBare(ast, bare);
  return print(ast);
}
