// Frames, tags and topics only: all that firmware may import.
export * from "./frames/catalogue.ts";
export * from "./frames/crc32.ts";
export * from "./frames/downlink.ts";
export * from "./frames/fields.ts";
export * from "./frames/header.ts";
export * from "./frames/tag.ts";
export * from "./frames/uplink.ts";
export * from "./topics.ts";
