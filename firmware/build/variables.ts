// Short names for variables: the most used get the shortest, and a name is used again wherever no scope needs both.
import { shortenMore } from "./aliases.ts";
import { hostOf } from "./facts.ts";
import { declareFirst } from "./order.ts";
import { type Binding, type Index, indexOf, type Node, openTree, print, walk } from "./tree.ts";

const FIRST = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ$_";
const REST = `${FIRST}0123456789`;
const WORDS = ["do", "if", "in", "of", "as"];

function nameAt(at: number): string {
  if (at < FIRST.length) return FIRST[at] as string;
  const rest = at - FIRST.length;
  return nameAt(Math.floor(rest / REST.length)) + (REST[rest % REST.length] as string);
}

interface Uses {
  readonly binding: Binding;
  /** Every identifier of it. */
  readonly nodes: Node[];
  /** The scopes from its own down to each use: in none of them another may have its name. */
  readonly scopes: Set<Node>;
}

function usesOf(ast: Node, index: Index): Uses[] {
  const uses = new Map<string, Uses>();
  for (const binding of index.bindings.values()) uses.set(binding.name, { binding, nodes: [], scopes: new Set([binding.owner]) });
  walk(ast.program, (node, parent) => {
    if (node.type !== "Identifier" || !index.bindings.has(node.name) || isProperty(node, parent)) return undefined;
    const use = uses.get(node.name) as Uses;
    use.nodes.push(node);
    let scope = parent.type === "FunctionDeclaration" && parent.id === node ? hostOf(index, parent) : hostOf(index, node);
    for (; scope !== use.binding.owner; scope = hostOf(index, scope)) use.scopes.add(scope);
    return undefined;
  });
  return [...uses.values()];
}

function isProperty(node: Node, parent: Node): boolean {
  if (parent.type === "MemberExpression") return parent.property === node && !parent.computed;
  return /^(Object|Class)(Property|Method)$/.test(parent.type) && parent.key === node && !parent.computed;
}

/** `reserved` are names that nothing of the program may hide. A program that is a guest in its root gets no new names there. */
export function shortenVariables(code: string, reserved: Iterable<string>, isGuest = false): string {
  const ast = openTree(code);
  if (!isGuest) shortenMore(ast);
  declareFirst(ast);
  const index = indexOf(ast);
  const never = new Set([...reserved, ...index.free, ...WORDS]);
  const taken = new Map<Node, Set<string>>();
  const uses = usesOf(ast, index).sort((a, b) => b.nodes.length - a.nodes.length);
  for (const { nodes, scopes } of uses) {
    let at = 0;
    const isTaken = (name: string): boolean => never.has(name) || [...scopes].some((scope) => taken.get(scope)?.has(name));
    while (isTaken(nameAt(at))) at++;
    const name = nameAt(at);
    for (const scope of scopes) taken.set(scope, (taken.get(scope) ?? new Set()).add(name));
    for (const node of nodes) node.name = name;
  }
  return print(ast);
}
