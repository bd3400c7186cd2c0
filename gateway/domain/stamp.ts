// What a frame says of itself in its header, also one that is not understood.
import type { Uplink, UplinkFault } from "../../protocol/index.ts";
import type { StampedHeader } from "./placing.ts";

export interface Stamp extends StampedHeader {
  /** As on the wire, 16 bits. */
  readonly sequence: number;
}

/** Undefined when the header cannot be read. */
export function stampOf(decoded: Uplink | UplinkFault): Stamp | undefined {
  const header = decoded.kind === "fault" ? decoded.header : decoded.value;
  if (header === undefined) return undefined;
  return { sequence: header.sequence, timeS: header.time, clockSynced: header.flags.clockSynced === true };
}
