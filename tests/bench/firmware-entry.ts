// Runs on the engine: codes a backlog frame of whole points, each turn of a sample between two marks for a profiler.
import { BACKLOG_HEADER_BYTES, backlogRowOf, createBacklogEncoder } from "../../protocol/wire.ts";

declare const global: { [name: string]: unknown };
declare const E: { [name: string]: (a: unknown, b?: number, c?: number) => unknown };
declare function atob(text: string): string;

const GROUPS = 15;
const FRAME_BYTES = 222;
const encoder = createBacklogEncoder(backlogRowOf(GROUPS), FRAME_BYTES);

function mark(): void {
  (E["clip"] as (value: unknown, low: number, high: number) => unknown)(1, 0, 2);
}

global["start"] = (intervalS: number) => {
  const head = new Uint8Array(BACKLOG_HEADER_BYTES);
  head[0] = 0x13;
  head[7] = 128;
  head[10] = GROUPS;
  encoder.start(head, FRAME_BYTES, intervalS);
};
global["add"] = (text: string) => {
  const report = (E["toUint8Array"] as (data: unknown) => unknown)(atob(text)) as Uint8Array;
  for (let isDone = false; !isDone; ) {
    mark();
    isDone = encoder.take(report);
    const isIn = !isDone || encoder.add(report);
    mark();
    if (!isIn) throw new Error("the frame is full");
  }
};
