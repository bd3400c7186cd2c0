// Which screen, from the part of the address behind the #: it can be sent to a colleague, and back is back.
import { signal } from "@preact/signals";

/** What a form can be opened for. */
export const WHATS = ["phase", "count", "dip", "delivery", "power", "supplies", "note"] as const;
export type What = (typeof WHATS)[number];

export type Route =
  | { readonly kind: "overview" }
  | { readonly kind: "point"; readonly pointId: string }
  | { readonly kind: "requests" }
  | { readonly kind: "notices" }
  | { readonly kind: "entry"; readonly pointId?: string; readonly what?: What };

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Anything that is no address of ours is the overview. */
export function parseRoute(hash: string): Route {
  const [screen, id, what] = hash.replace(/^#\/?/, "").split("/").map(unescaped);
  if (screen === "punt" && id !== undefined && id !== "") return { kind: "point", pointId: id };
  if (screen === "verzoeken") return { kind: "requests" };
  if (screen === "berichten") return { kind: "notices" };
  if (screen !== "invoer") return { kind: "overview" };
  const known = WHATS.find((one) => one === what);
  return {
    kind: "entry",
    ...(id === undefined || id === "" ? {} : { pointId: id }),
    ...(known === undefined ? {} : { what: known }),
  };
}

export function hrefOf(route: Route): string {
  switch (route.kind) {
    case "overview":
      return "#/";
    case "point":
      return `#/punt/${encodeURIComponent(route.pointId)}`;
    case "requests":
      return "#/verzoeken";
    case "notices":
      return "#/berichten";
    case "entry": {
      const parts =
        route.pointId === undefined ? [] : [route.pointId, ...(route.what === undefined ? [] : [route.what])];
      return ["#/invoer", ...parts.map(encodeURIComponent)].join("/");
    }
  }
}

export const route = signal<Route>({ kind: "overview" });

export function goTo(to: Route): void {
  location.hash = hrefOf(to);
}

/** Follows the address until the page is closed. */
export function followAddress(): void {
  const follow = () => {
    route.value = parseRoute(location.hash);
  };
  window.addEventListener("hashchange", follow);
  follow();
}
