// What is known of one device, in a form that is kept beside the rows: with it the table of devices is there after a start
// without reading back the window of every device. The runs of the timeline are the stored records of the window, unless its
// oldest were forgotten: then the window is kept as it is.
import { markRun, type StoredWindow, WINDOW_RECORDS } from "../domain/dedupe.ts";
import type { Timeline } from "../domain/timeline.ts";

export interface DeviceSummary {
  window: StoredWindow | undefined;
  /** The highest record with a synchronised time. */
  synced: { readonly sequence: number; readonly timeMs: number } | undefined;
  /** The latest time that a record told with a clock, believed or not: Unix seconds; 0 for none. */
  latestS: number;
  timeline: Timeline;
  /** Stored records up to this one may stand in the window alone; 0 for none. */
  forgottenTo: number;
}

type KeptRun = readonly [
  first: number,
  last: number,
  firstMs: number,
  lastMs: number,
  firstSureMs: number | null,
  lastSureMs: number | null,
];
/** Earlier versions kept no latest time: that of the highest record serves. */
type Kept = readonly [
  synced: readonly [sequence: number, timeMs: number] | null,
  timeline: readonly KeptRun[],
  latestS?: number,
  /** Where the runs do not say all of the window: up to where, and its bits in base64. */
  beside?: readonly [forgottenTo: number, bits: string],
];

export function summaryJson({ window, synced, latestS, timeline, forgottenTo }: DeviceSummary): string {
  const areRunsAll = window === undefined || forgottenTo <= window.highest - WINDOW_RECORDS;
  const said = [
    synced === undefined ? null : [synced.sequence, synced.timeMs],
    timeline.map((run): KeptRun => {
      return [run.first, run.last, run.firstMs, run.lastMs, run.firstSureMs ?? null, run.lastSureMs ?? null];
    }),
    latestS,
  ] as const satisfies Kept;
  const kept: Kept = areRunsAll ? said : [...said, [forgottenTo, Buffer.from(window.bits).toString("base64")]];
  return JSON.stringify(kept);
}

export function parseSummary(json: string): DeviceSummary {
  const [synced, runs, latestS = Math.floor((synced?.[1] ?? 0) / 1000), beside] = JSON.parse(json) as Kept;
  const highest = runs.at(-1)?.[1];
  return {
    window: highest === undefined ? undefined : windowOf(highest, runs, beside?.[1]),
    forgottenTo: beside?.[0] ?? 0,
    synced: synced === null ? undefined : { sequence: synced[0], timeMs: synced[1] },
    latestS,
    timeline: runs.map(([first, last, firstMs, lastMs, firstSureMs, lastSureMs]) => {
      const sure = { firstSureMs: firstSureMs ?? undefined, lastSureMs: lastSureMs ?? undefined };
      return { first, last, firstMs, lastMs, ...sure };
    }),
  };
}

function windowOf(highest: number, runs: readonly KeptRun[], kept: string | undefined): StoredWindow {
  if (kept !== undefined) return { highest, bits: new Uint8Array(Buffer.from(kept, "base64")) };
  const window = { highest, bits: new Uint8Array(WINDOW_RECORDS / 8) };
  for (const [first, last] of runs) markRun(window, first, last);
  return window;
}
