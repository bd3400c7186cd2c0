// A program as a tree for the passes that rewrite all of it: every name once, and where each is declared, read and written.

// A program as a tree for the passes that rewrite all of it: every name once, and where each is declared, read and written.
import babel, { types } from "@babel/core";

// biome-ignore lint/suspicious/noExplicitAny: the passes walk nodes of every kind
export type Node = any;

/** A name of the program, after `openTree` the only one of its spelling. */
export interface Binding {
  readonly name: string;
  /** The function, or the program, whose scope it is in. */
  readonly owner: Node;
  /** What declares it: a function, a declarator, or the function of which it is a parameter. */
  readonly node: Node;
  readonly kind: "function" | "var" | "param" | "other";
  readonly reads: Node[];
  writes: number;
}

export interface Index {
  readonly bindings: ReadonlyMap<string, Binding>;
  readonly parents: ReadonlyMap<Node, Node>;
  readonly free: ReadonlySet<string>;
}

export const { identifier, expressionStatement, variableDeclaration, variableDeclarator } = types;

const FUNCTIONS = new Set([
  "FunctionDeclaration",
  "FunctionExpression",
  "ArrowFunctionExpression",
  "ObjectMethod",
  "ClassMethod",
]);
const KEYED = new Set(["ObjectProperty", "ObjectMethod", "ClassMethod", "ClassProperty"]);

export function isFunction(node: Node): boolean {
  return FUNCTIONS.has(node.type);
}

export function childrenOf(node: Node): Node[] {
  const found: Node[] = [];
  for (const key of types.VISITOR_KEYS[node.type] ?? []) {
    const child = node[key];
    if (Array.isArray(child)) found.push(...child.filter((one) => one !== null));
    else if (child) found.push(child);
  }
  return found;
}

/** Visits a node and all below it; `visit` returns false where it wants to see nothing below. */
export function walk(node: Node, visit: (node: Node, parent: Node) => boolean | undefined, parent?: Node): void {
  if (visit(node, parent) === false) return;
  for (const child of childrenOf(node)) walk(child, visit, node);
}

export function some(
  node: Node,
  test: (node: Node) => boolean,
  goesInto: (node: Node) => boolean = () => true,
): boolean {
  let found = false;
  walk(node, (one) => {
    if (found || test(one)) found = true;
    return found || (one !== node && !goesInto(one)) ? false : undefined;
  });
  return found;
}

/** Whether an identifier is the name of a variable here, and not of a property. */
export function isVariable(node: Node, parent: Node): boolean {
  if (parent === undefined) return false;
  if (parent.type === "MemberExpression") return parent.object === node || parent.computed;
  if (KEYED.has(parent.type)) {
    return parent.key !== node || parent.computed || (parent.shorthand && parent.value === node);
  }
  return true;
}

/** Parses a program and gives every variable a name of its own. */
export function openTree(code: string): Node {
  const ast: Node = babel.parseSync(code, { configFile: false, babelrc: false, sourceType: "module", comments: false });
  types.removePropertiesDeep(ast.program, { preserveComments: false } as never);
  const found = new Map<Node, { readonly identifiers: Node[]; readonly name: string }>();
  const free = new Set<string>();
  babel.traverse(ast, {
    ObjectProperty: ({ node }) => {
      if (node.shorthand && node.key === node.value) node.value = identifier((node.key as Node).name);
      node.shorthand = false;
    },
  });
  babel.traverse(ast, {
    Identifier: (path) => {
      const { node, parent } = path;
      if (!isVariable(node, parent)) return;
      const isOwnName = parent.type === "FunctionDeclaration" && parent.id === node;
      const scope = isOwnName ? path.parentPath?.parentPath?.scope : path.scope;
      const binding = scope?.getBinding(node.name);
      if (binding === undefined) free.add(node.name);
      else {
        const known = found.get(binding.identifier) ?? { identifiers: [], name: node.name };
        known.identifiers.push(node);
        found.set(binding.identifier, known);
      }
    },
  });
  const taken = new Set(free);
  for (const { identifiers, name } of found.values()) {
    const own = freshName(name, taken);
    for (const one of identifiers) one.name = own;
  }
  return ast;
}

/** A name like `base` that nobody has, taken at once. */
export function freshName(base: string, taken: Set<string>): string {
  let name = base;
  for (let i = 1; taken.has(name); i++) name = `${base.replace(/\$\d+$/, "")}$${i}`;
  taken.add(name);
  return name;
}

interface Building {
  readonly bindings: Map<string, Binding>;
  readonly parents: Map<Node, Node>;
  readonly used: [string, Node, Node][];
}

function declare(building: Building, id: Node, owner: Node, node: Node, kind: Binding["kind"]): void {
  if (id === null || id === undefined || id.type !== "Identifier") return;
  const old = building.bindings.get(id.name);
  if (old !== undefined) old.writes++;
  else building.bindings.set(id.name, { name: id.name, owner, node, kind, reads: [], writes: 0 });
}

function enter(building: Building, node: Node, parent: Node, owner: Node): void {
  building.parents.set(node, parent);
  if (node.type === "Identifier") {
    if (isVariable(node, parent)) building.used.push([node.name, node, parent]);
    return;
  }
  declareIn(building, node, parent, owner);
  const below = isFunction(node) ? node : owner;
  for (const key of types.VISITOR_KEYS[node.type] ?? []) {
    const child = node[key];
    if (!Array.isArray(child)) {
      if (child) enter(building, child, node, below);
    } else for (const one of child) if (one) enter(building, one, node, below);
  }
}

function declareIn(building: Building, node: Node, parent: Node, owner: Node): void {
  if (node.type === "FunctionDeclaration") declare(building, node.id, owner, node, "function");
  else if (node.type === "ClassDeclaration" || node.type === "ClassExpression")
    declare(building, node.id, owner, node, "other");
  else if (node.type === "FunctionExpression") declare(building, node.id, node, node, "other");
  else if (node.type === "CatchClause") declare(building, node.param, owner, node, "other");
  else if (node.type === "VariableDeclarator") {
    const loop = building.parents.get(parent);
    const isHead = /^For(In|Of)Statement$/.test(loop?.type ?? "") && loop.left === parent;
    declare(building, node.id, owner, node, isHead ? "other" : "var");
  }
  if (isFunction(node)) for (const param of node.params) declare(building, param, node, node, "param");
}

/** Where every name is declared, read and written. */
export function indexOf(ast: Node): Index {
  const building: Building = { bindings: new Map(), parents: new Map(), used: [] };
  enter(building, ast.program, undefined, ast.program);
  const free = new Set<string>();
  for (const [name, node, parent] of building.used) {
    const binding = building.bindings.get(name);
    if (binding === undefined) free.add(name);
    else if ((parent.type === "AssignmentExpression" && parent.left === node) || parent.type === "UpdateExpression")
      binding.writes++;
    else if (/^For(In|Of)Statement$/.test(parent.type) && parent.left === node) binding.writes++;
    else if (!isDeclaration(node, parent)) binding.reads.push(node);
  }
  return { bindings: building.bindings, parents: building.parents, free };
}

function isDeclaration(node: Node, parent: Node): boolean {
  if (isFunction(parent)) return parent.id === node || parent.params.includes(node);
  if (/^(VariableDeclarator|ClassDeclaration|ClassExpression)$/.test(parent.type)) return parent.id === node;
  return parent.type === "CatchClause" && parent.param === node;
}

/** Puts `to` where `from` was. */
export function replace(index: Index, from: Node, to: Node): void {
  const parent = index.parents.get(from);
  for (const key of types.VISITOR_KEYS[parent.type] ?? []) {
    const child = parent[key];
    if (child === from) parent[key] = to;
    else if (Array.isArray(child) && child.includes(from)) child.splice(child.indexOf(from), 1, to);
  }
  (index.parents as Map<Node, Node>).set(to, parent);
}

export function print(ast: Node): string {
  return babel.transformFromAstSync(ast, "", { configFile: false, babelrc: false, compact: true })?.code ?? "";
}
