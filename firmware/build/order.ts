// An engine knows a variable only from where its `var` has run: what is assigned before that would become a global.
import { isFunction, isVariable, type Node, variableDeclaration, walk } from "./tree.ts";

/** Names that a function uses before it declares them; its own functions come first anyway, and run later. */
function usedEarly(body: Node): Set<string> {
  const seen = new Set<string>();
  const early = new Set<string>();
  walk(body, (node, parent) => {
    if (node.type === "FunctionDeclaration") return false;
    if (node.type === "VariableDeclarator") {
      if (seen.has(node.id.name)) early.add(node.id.name);
    } else if (node.type === "Identifier" && isVariable(node, parent)) seen.add(node.name);
    return undefined;
  });
  return early;
}

/** Takes declarations without a value out of where they stand. */
function takeBare(body: Node, early: ReadonlySet<string>): Node[] {
  const found: Node[] = [];
  const isBare = (declarator: Node): boolean => !declarator.init && early.has(declarator.id.name);
  walk(body, (one) => {
    if (isFunction(one)) return false;
    if (!Array.isArray(one.body)) return undefined;
    one.body = one.body.filter((statement: Node) => {
      if (statement.type !== "VariableDeclaration") return true;
      found.push(...statement.declarations.filter(isBare));
      statement.declarations = statement.declarations.filter((declarator: Node) => !isBare(declarator));
      return statement.declarations.length > 0;
    });
    return undefined;
  });
  return found;
}

/** Puts a declaration that would come too late at the head of its function. */
export function declareFirst(ast: Node): void {
  walk(ast.program, (node) => {
    const body = isFunction(node) ? node.body : node;
    if (body.type !== "Program" && (body.type !== "BlockStatement" || body === node)) return undefined;
    const found = takeBare(body, usedEarly(body));
    const first = body.body[0];
    if (found.length === 0) return undefined;
    if (first?.type === "VariableDeclaration") first.declarations.unshift(...found);
    else body.body.unshift(variableDeclaration("var", found));
    return undefined;
  });
}
