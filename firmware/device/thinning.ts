// Thinning: where a link is too slow for all of the history, of each bucket of samples those are kept that hold the least or the most
// of any number, and those at which a word or a flag changed. Events always go. Everything left out is counted, and frames say so.
import { type BacklogRow, takeCodes } from "../../protocol/wire.ts";
import type { Link } from "../hal.ts";
import type { Ring } from "../store/ring.ts";
import { REPORT } from "./frames.ts";
import type { Thinning } from "./history.ts";

/** History that would take longer than this is thinned. */
export const DRAIN_H = 24;
/** Bytes of a sample in a frame, at most, over a usual day. */
const SAMPLE_BYTES = 7;
const FRAME_BYTES = 51;
/** Samples of a bucket. */
export const BUCKET = 60;
const NOWHERE = 255;
/** A word is marked so in a row of fields. */
const WORD = 128;

/** Whether so many samples would take too long over this link. Pure. */
export function isTooSlow(link: Pick<Link, "costS">, samples: number): boolean {
  return ((samples * SAMPLE_BYTES) / FRAME_BYTES) * link.costS(FRAME_BYTES) > DRAIN_H * 3600;
}

export function createThinning(ring: Ring, row: BacklogRow, link: Pick<Link, "costS">): Thinning {
  const codes = new Uint16Array(row.length);
  const before = new Uint16Array(row.length);
  const least = new Uint16Array(row.length);
  const most = new Uint16Array(row.length);
  /** One bit a place of the bucket. */
  const kept = new Uint8Array(BUCKET >> 2);
  const leastAt = new Uint8Array(row.length);
  const mostAt = new Uint8Array(row.length);
  let start = -1;
  let looked = 0;
  let count = 0;
  let flags = 0;
  let hasBefore = false;

  function keep(at: number): void {
    kept[at >> 3] = (kept[at >> 3] as number) | (1 << (at & 7));
  }

  function look(at: number): void {
    const record = ring.read(start + at, true);
    if (!record || ((record[0] as number) & 15) !== REPORT) return;
    takeCodes(record, row, codes);
    let isChanged = !hasBefore || flags !== record[7];
    for (let i = 0; i < row.length; i++) {
      const code = codes[i] as number;
      const field = row[i] as number;
      const reasons = field & WORD ? 0 : (1 << (field & 15)) - 8;
      if (field & WORD || code >= reasons || (before[i] as number) >= reasons) {
        // A word, or a number that turns into a reason or back.
        if (code !== before[i]) isChanged = true;
      }
      if (field & WORD || code >= reasons) continue;
      if (code < (least[i] as number)) {
        least[i] = code;
        leastAt[i] = at;
      }
      if (code > (most[i] as number) || mostAt[i] === NOWHERE) {
        most[i] = code;
        mostAt[i] = at;
      }
    }
    if (isChanged) keep(at);
    flags = record[7] as number;
    before.set(codes);
    hasBefore = true;
  }

  return {
    isDue: (samples) => isTooSlow(link, samples),
    prepare: (place) => {
      const bucket = place - (place % BUCKET);
      if (bucket !== start) {
        start = bucket;
        looked = 0;
        hasBefore = false;
        kept.fill(0);
        least.fill(65535);
        leastAt.fill(NOWHERE);
        mostAt.fill(NOWHERE);
      }
      if (looked < BUCKET) look(looked++);
      if (looked < BUCKET) return false;
      if (looked > BUCKET) return true;
      looked++;
      for (let i = 0; i < row.length; i++) {
        // All of them were reasons, or it is a word.
        if (mostAt[i] === NOWHERE) continue;
        keep(leastAt[i] as number);
        keep(mostAt[i] as number);
      }
      return true;
    },
    keeps: (place) => {
      const at = place - start;
      if ((kept[at >> 3] as number) & (1 << (at & 7))) return true;
      count++;
      return false;
    },
    count: () => count,
  };
}
