// What the journal keeps and everything behind it reads.

import type { Stamp } from "./stamp.ts";

export type Link = "mqtt" | "lorawan" | "manual";

/**
 * How sure the moment of a record is: `synced` by the device's own clock, `estimated` by the gateway for a device
 * whose clock was not set, `suspect` when the device's clock cannot be right, or neither clock can be believed.
 */
export type TimeQuality = "synced" | "estimated" | "suspect";

/** One journaled row. Identity is (deviceId, sequence); order is `id`, which never restarts. */
export interface JournalRecord {
  readonly id: number;
  readonly deviceId: string;
  /** Extended to 32 bits (protocol section 1); starts in the second cycle so that older records stay positive. */
  readonly sequence: number;
  readonly receivedMs: number;
  /** The moment of the sample, as placed. */
  readonly timeMs: number;
  readonly timeQuality: TimeQuality;
  readonly link: Link;
  /** Which run of the gateway stored it, counted from 1; 0 or absent where that is not known. */
  readonly boot?: number;
  /**
   * Milliseconds that the gateway had run by then, over all its boots. Within one boot differences are exact, so that a row
   * of a clock that was not set can be placed by a later one of the same boot.
   */
  readonly runMs?: number;
  /** The frame as received, without its tag; of a sample that came in a backlog frame, its report frame on the device. */
  readonly frame: Uint8Array;
  /** The row's checksum does not fit: nothing in it can be believed, and it is set aside. */
  readonly damaged?: true;
}

/** A person told it: `deviceId` is the point's, and the frame is an Entry as JSON. */
export function isTold({ link, damaged }: Pick<JournalRecord, "link" | "damaged">): boolean {
  return link === "manual" && damaged !== true;
}

/** Device and sequence name it, as the journal counts a record once; else only its place in the file does. */
export function hasIdentity({ sequence, damaged }: Pick<JournalRecord, "sequence" | "damaged">): boolean {
  return damaged !== true && sequence > 0;
}

/** A frame that its receiver has checked, on its way to the journal. */
export interface CheckedFrame {
  readonly deviceId: string;
  /** As on the wire, 16 bits; undefined when the header cannot be read (a newer version): such a row has no identity. */
  readonly header: Stamp | undefined;
  /** Of what a person told: when it was so. Then there is no header. */
  readonly toldMs?: number;
  readonly receivedMs: number;
  readonly clockTrusted: boolean;
  readonly link: Link;
  readonly frame: Uint8Array;
  /** Made here of what another's device told: its time is that of the receipt, anew each time that it comes. */
  readonly isStampedOnReceipt?: true;
  /** Rows that it becomes, at most; 1 when left out. A backlog frame becomes one for each sample and its own. */
  readonly rows?: number;
}

/** What an ack frame says after a commit: bit 31 = `baseSequence` … bit 0 = `baseSequence` + 31. */
export interface AckWindow {
  readonly baseSequence: number;
  readonly bitmap: number;
}

/** `after` has the 32 records behind this one, as `bitmap` has those up to it: bit 31 = the next one. */
export interface AckContext extends AckWindow {
  readonly after: number;
}

export type AppendOutcome =
  /** `id` of the last row that it became; `ack` is undefined for a frame without identity. */
  | { readonly outcome: "stored"; readonly id: number; readonly ack: AckContext | undefined }
  | { readonly outcome: "duplicate"; readonly ack: AckContext }
  /** Refused; the window says what is stored, so that a device whose clock was wrong is answered all the same. */
  | { readonly outcome: "replay"; readonly ack: AckContext }
  /** Refused: of so many devices ever seen nobody keeps one more apart. No answer names it, so the device keeps it. */
  | { readonly outcome: "too-many-devices"; readonly ack?: undefined };
