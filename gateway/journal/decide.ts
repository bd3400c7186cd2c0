// What becomes of a frame, given all that is stored and what its batch is about to store: the rows that it adds. A backlog
// frame adds a row for every sample in it that is not stored yet, and one for itself: all of them or none.
import type { Backlog } from "../../protocol/index.ts";
import { samplesOf } from "../domain/backlog.ts";
import { placeBacklog } from "../domain/backlog-placing.ts";
import { likenessOf } from "../domain/likeness.ts";
import { isReplay, isSure, type Placing, placeLate, placeTime } from "../domain/placing.ts";
import type { CheckedFrame } from "../domain/record.ts";
import { CYCLE, extendSequence } from "../domain/sequence.ts";
import { isKnown, newestOf, type Staged, stageRecord } from "./device-table.ts";

export interface NewRow {
  /** Extended; 0 for a frame whose header cannot be read. */
  readonly sequence: number;
  readonly placing: Placing;
  readonly frame: Uint8Array;
}

export type Decision =
  /** `sequence` is the frame's own. */
  | { readonly kind: "insert"; readonly sequence: number; readonly rows: readonly NewRow[] }
  | { readonly kind: "duplicate"; readonly sequence: number }
  /** `sequence` is 0 where nobody can tell it. */
  | { readonly kind: "replay"; readonly sequence: number };

/** `backlog` is what the frame holds when it is one that can be read. */
export function decide(staged: Staged, frame: CheckedFrame, backlog: Backlog | undefined): Decision {
  const { header } = frame;
  if (header === undefined) {
    const { toldMs, receivedMs, clockTrusted } = frame;
    const quality = toldMs !== undefined && clockTrusted ? "estimated" : "suspect";
    const placing: Placing = { timeMs: toldMs ?? receivedMs, quality };
    return { kind: "insert", sequence: 0, rows: [{ sequence: 0, placing, frame: frame.frame }] };
  }
  const live = placeTime(header, frame);
  const nearest = extendSequence(staged.highest, header.sequence);
  const likeness = isKnown(staged, nearest) ? likenessOf(staged.latestS, frame, live) : undefined;
  // To call another record a duplicate would be to acknowledge what nobody stored. To one that may be another no answer is
  // given that names it: it comes again when a report has shown where its device has come to.
  if (likeness === "unsure") return { kind: "replay", sequence: 0 };
  const sequence = likeness === "another" ? nearest + CYCLE : nearest;
  const rows: NewRow[] = [];
  if (!isKnown(staged, sequence)) {
    const newest = newestOf(staged);
    if (newest !== undefined && isReplay(newest, sequence, live, frame)) return { kind: "replay", sequence };
    const isLate = newest !== undefined && sequence < newest.sequence;
    const placing = isLate ? placeLate(live, sequence, staged.timeline) : live;
    take(staged, sequence, placing, frame.frame);
    rows.push({ sequence, placing, frame: frame.frame });
  }
  // The frame's own row comes last: whoever has read it has read its samples.
  if (backlog !== undefined) rows.unshift(...decideSamples(staged, frame, backlog, sequence));
  return rows.length === 0 ? { kind: "duplicate", sequence } : { kind: "insert", sequence, rows };
}

/** The samples of a backlog frame that are not stored yet. */
export function decideSamples(staged: Staged, frame: CheckedFrame, backlog: Backlog, frameSequence: number): NewRow[] {
  const { header } = frame;
  if (header === undefined) return [];
  const wanted = samplesOf(backlog, frameSequence).filter(({ sequence }) => {
    if (isKnown(staged, sequence)) return false;
    // A sequence that stands in the frame twice counts once.
    staged.sequences.add(sequence);
    return true;
  });
  const placings = placeBacklog(wanted, {
    backlog,
    header,
    sequence: frameSequence,
    receipt: frame,
    timeline: staged.timeline,
    boots: staged.boots,
  });
  return wanted.map((sample, i) => {
    const placing = placings[i] as Placing;
    take(staged, sample.sequence, placing, sample.frame);
    return { sequence: sample.sequence, placing, frame: sample.frame };
  });
}

function take(staged: Staged, sequence: number, { timeMs, quality }: Placing, frame: Uint8Array): void {
  stageRecord(staged, { sequence, timeMs, isSure: isSure(frame, quality) }, frame, quality === "synced");
}
