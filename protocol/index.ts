// Everything that crosses a boundary, for Node and the browser.
export * from "./schema/index.ts";
export * from "./wire.ts";
