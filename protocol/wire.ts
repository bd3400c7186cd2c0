// Frames, tags and topics only: all that firmware may import.
export * from "./frames/backlog.ts";
export * from "./frames/backlog-encoder.ts";
export {
  BACKLOG_BATTERY,
  BACKLOG_ENVIRONMENT,
  BACKLOG_HEADER_BYTES,
  BACKLOG_OCCUPANCY,
  BACKLOG_PHASE,
  BACKLOG_POWER,
  BACKLOG_SAMPLES_MAX,
  BACKLOG_SUPPLIES,
  type BacklogRow,
  takeCodes,
} from "./frames/backlog-model.ts";
export * from "./frames/catalogue.ts";
export * from "./frames/crc32.ts";
export * from "./frames/downlink.ts";
export * from "./frames/fields.ts";
export * from "./frames/header.ts";
export * from "./frames/tag.ts";
export * from "./frames/uplink.ts";
export * from "./topics.ts";
