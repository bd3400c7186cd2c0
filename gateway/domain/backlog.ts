// A backlog frame taken apart: every sample in it becomes a record of its own, under its own sequence and with the very
// report frame that lay on the device.
import { type Backlog, decodeUplink } from "../../protocol/wire.ts";

export interface BacklogSample {
  /** Extended; always behind the frame's own. */
  readonly sequence: number;
  /** As the device stamped it: Unix seconds when synchronised, else seconds since its boot. */
  readonly timeS: number;
  readonly clockSynced: boolean;
  /** The report frame. */
  readonly frame: Uint8Array;
}

/** Undefined for what is no backlog frame, or one that this version cannot read. */
export function unpackBacklog(frame: Uint8Array): Backlog | undefined {
  const decoded = decodeUplink(frame);
  return decoded.kind === "backlog" ? decoded.value : undefined;
}

/** What is in a frame with this extended sequence, oldest first. */
export function samplesOf(backlog: Backlog, frameSequence: number): BacklogSample[] {
  const samples = backlog.reports.map((frame): BacklogSample => {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    // A sample was taken before the frame was made, so it lies behind it, however far.
    const behind = (frameSequence - view.getUint16(1)) & 0xffff;
    const clockSynced = (view.getUint8(7) & 0x80) !== 0;
    return { sequence: frameSequence - behind, timeS: view.getUint32(3), clockSynced, frame };
  });
  return samples.sort((a, b) => a.sequence - b.sequence);
}
