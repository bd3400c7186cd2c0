// The body of a function as statements that stand elsewhere: what it returned becomes what they end with.
import { types } from "@babel/core";
import { isFunction, type Node, some } from "./tree.ts";

export function returnsIn(statements: readonly Node[]): boolean {
  return statements.some((one) =>
    some(
      one,
      (node) => node.type === "ReturnStatement",
      (node) => !isFunction(node),
    ),
  );
}

function bodyOf(branch: Node | null | undefined): Node[] {
  if (!branch) return [];
  return branch.type === "BlockStatement" ? branch.body : [branch];
}

/** Whether nothing comes after the statements: each way through them returns. */
function endsAlways(statements: readonly Node[]): boolean {
  const last = statements.at(-1);
  if (last?.type === "ReturnStatement" || last?.type === "ThrowStatement") return true;
  if (last?.type === "BlockStatement") return endsAlways(last.body);
  return last?.type === "IfStatement" && endsAlways(bodyOf(last.consequent)) && endsAlways(bodyOf(last.alternate));
}

/**
 * `if (a) return b; c; return d` as `if (a) { …b } else { c; …d }`, with what `result` makes of each value; undefined where a
 * return stands in a loop, or where two ways meet again after one.
 */
export function withoutReturns(
  statements: readonly Node[],
  result: (value: Node | undefined) => Node[],
): Node[] | undefined {
  const at = statements.findIndex((one) => returnsIn([one]));
  const one = statements[at];
  if (one === undefined) return [...statements, ...result(undefined)];
  const before = statements.slice(0, at);
  const rest = statements.slice(at + 1);
  if (one.type === "ReturnStatement") return [...before, ...result(one.argument ?? undefined)];
  if (one.type === "BlockStatement") return withoutReturns([...before, ...one.body, ...rest], result);
  if (one.type !== "IfStatement") return undefined;
  const yes = bodyOf(one.consequent);
  const no = bodyOf(one.alternate);
  if (!endsAlways(yes) && !endsAlways(no) && rest.length > 0) return undefined;
  const isYesOver = endsAlways(yes);
  const then = withoutReturns(isYesOver ? yes : [...yes, ...rest], result);
  const other = withoutReturns(isYesOver ? [...no, ...rest] : no, result);
  return then === undefined || other === undefined ? undefined : [...before, branch(one.test, then, other)];
}

function branch(test: Node, then: Node[], other: Node[]): Node {
  if (then.length === 0) return types.ifStatement(types.unaryExpression("!", test), types.blockStatement(other));
  return types.ifStatement(test, types.blockStatement(then), other.length > 0 ? types.blockStatement(other) : null);
}
