// An engine knows a variable only from where its `var` has run: what is assigned before that would become a global.
import { variableDeclaration, isFunction, type Node, walk } from "./tree.ts";

/** Declarations without a value, taken out of where they stand. */
function takeBare(node: Node, found: Node[]): void {
  walk(node, (one) => {
    if (isFunction(one) && one !== node) return false;
    if (!Array.isArray(one.body)) return undefined;
    one.body = one.body.filter((statement: Node) => {
      if (statement.type !== "VariableDeclaration") return true;
      found.push(...statement.declarations.filter((declarator: Node) => !declarator.init));
      statement.declarations = statement.declarations.filter((declarator: Node) => declarator.init);
      return statement.declarations.length > 0;
    });
    return undefined;
  });
}

/** Puts every declaration without a value at the head of its function. */
export function declareFirst(ast: Node): void {
  walk(ast.program, (node) => {
    const body = node.type === "Program" ? node : isFunction(node) && node.body.type === "BlockStatement" ? node.body : undefined;
    if (body === undefined) return undefined;
    const found: Node[] = [];
    takeBare(body, found);
    const names = new Set(found.map((one) => one.id.name as string));
    const own = [...names].map((name) => found.find((one) => one.id.name === name));
    if (own.length === 0) return undefined;
    const first = body.body[0];
    if (first?.type === "VariableDeclaration") first.declarations.unshift(...own);
    else body.body.unshift(variableDeclaration("var", own));
    return undefined;
  });
}
