// What a path that nobody serves was probably meant to be.
import { nearest } from "../../protocol/nearest.ts";

export interface RouteShape {
  readonly url: string;
  readonly methods: readonly string[];
}

/** Longer ones are nobody's typing error, and comparing them costs. */
const PATH_LENGTH_MAX = 200;

function isWildcard(route: RouteShape): boolean {
  return route.url.includes("*") || route.url.includes("(");
}

/** The route's own words, with what stands in the path where the route has a parameter. */
function filledIn(url: string, path: string): string {
  const parts = path.split("/");
  return url
    .split("/")
    .map((part, i) => (part.startsWith(":") ? (parts[i] ?? part) : part))
    .join("/");
}

function shown(url: string): string {
  return url.replace(/:(\w+)/g, "{$1}");
}

/** Methods that this very path takes; none when there is no such path. */
export function allowedMethods(path: string, routes: readonly RouteShape[]): string[] {
  const depth = path.split("/").length;
  const found = routes.filter(
    (route) => !isWildcard(route) && route.url.split("/").length === depth && filledIn(route.url, path) === path,
  );
  return [...new Set(found.flatMap((route) => route.methods))].sort();
}

export function nearestPath(path: string, routes: readonly RouteShape[]): string | undefined {
  if (path.length > PATH_LENGTH_MAX) return undefined;
  const trimmed = path.replace(/\/+$/, "");
  const depth = trimmed.split("/").length;
  const known = new Map<string, string>();
  for (const route of routes) {
    if (isWildcard(route) || (route.url.includes(":") && route.url.split("/").length !== depth)) continue;
    known.set(filledIn(route.url, trimmed), route.url);
  }
  const found = nearest(trimmed, [...known.keys()]);
  return found === undefined ? undefined : shown(known.get(found) ?? found);
}
