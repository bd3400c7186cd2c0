// Everything that crosses a boundary, for Node and the browser.
export { asyncApiDocument } from "./schema/asyncapi.ts";
export * from "./schema/index.ts";
export { NAMED_SCHEMAS, withReferences } from "./schema/named.ts";
export * from "./wire.ts";
