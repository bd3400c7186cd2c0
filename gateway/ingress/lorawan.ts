// LoRaWAN ingress: takes frames that a network server has deciphered and checked, and says what to send back in the
// receive window. Airtime is short: an ack frame goes out only where a device asks or shows that it missed one.
import { encodeAck } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import type { AckContext, AckWindow, AppendOutcome, CheckedFrame } from "../domain/record.ts";
import { createUnreadableLimit } from "./unreadable.ts";
import { judgeLorawanUplink, LORAWAN_PORT, type RefusalReason } from "./uplink.ts";

const WINDOW = 32;
/** Records of one device that wait to be named in an ack frame; more than it can have on the way. */
const UNNAMED_MAX = 256;

export interface LorawanJournal {
  append(frame: CheckedFrame): Promise<AppendOutcome>;
}

export interface LorawanOptions {
  readonly journal: LorawanJournal;
  readonly clock: Clock;
  isClockTrusted(): boolean;
  /** Registered, and not disabled. */
  isWelcome(deviceId: string): boolean;
  onRefusal?(refusal: {
    readonly reason: RefusalReason;
    readonly sender: string;
    readonly topic: string;
    readonly bytes: Uint8Array;
  }): void;
}

export interface LorawanIngress {
  /**
   * Takes one uplink; resolves after the commit with the ack frame for its receive window, or with undefined when there
   * is nothing to say. Rejects when the journal cannot take it: nothing is said then, and the device sends it again.
   */
  takeUplink(deviceId: string, frame: Uint8Array, port?: number): Promise<Uint8Array | undefined>;
}

export function createLorawanIngress(options: LorawanOptions): LorawanIngress {
  const { journal, clock } = options;
  const mayStoreUnreadable = createUnreadableLimit(clock);
  const unnamed = new Map<string, Set<number>>();

  function refuse(deviceId: string, reason: RefusalReason, bytes: Uint8Array): undefined {
    options.onRefusal?.({ reason, sender: deviceId, topic: "lorawan", bytes });
  }

  function answer(deviceId: string, sequence: number, ack: AckContext): Uint8Array {
    const waiting = unnamed.get(deviceId) ?? new Set<number>();
    const window = bestWindow(ack, (at) => waiting.has(at));
    for (let i = 0; i < WINDOW; i++) waiting.delete((window.baseSequence + i) & 0xffff);
    waiting.delete(sequence);
    const time = options.isClockTrusted() ? Math.floor(clock.nowMs() / 1000) : 0;
    return encodeAck({ time, ...window });
  }

  function noteUnnamed(deviceId: string, sequence: number): void {
    const waiting = unnamed.get(deviceId) ?? new Set<number>();
    unnamed.set(deviceId, waiting);
    waiting.add(sequence);
    if (waiting.size > UNNAMED_MAX) waiting.delete(waiting.values().next().value as number);
  }

  return {
    async takeUplink(deviceId, frame, port = LORAWAN_PORT) {
      if (!options.isWelcome(deviceId)) return refuse(deviceId, "unknown-device", frame);
      const receipt = { deviceId, receivedMs: clock.nowMs(), clockTrusted: options.isClockTrusted() };
      const verdict = judgeLorawanUplink(port, frame, receipt);
      if (verdict.kind === "refused") return refuse(deviceId, verdict.reason, frame);
      const { header } = verdict.frame;
      if (header === undefined && !mayStoreUnreadable(deviceId)) return refuse(deviceId, "too-many-unreadable", frame);
      const outcome = await journal.append(verdict.frame);
      if (outcome.outcome === "too-many-devices") return refuse(deviceId, outcome.outcome, frame);
      if (outcome.outcome === "replay") refuse(deviceId, "replay", frame);
      if (header === undefined || outcome.ack === undefined) return undefined;
      if (outcome.outcome === "stored") noteUnnamed(deviceId, header.sequence);
      const isAnswered = verdict.asksAck || outcome.outcome === "duplicate";
      return isAnswered ? answer(deviceId, header.sequence, outcome.ack) : undefined;
    },
  };
}

/** Of the windows that hold the record, the one that names most of what waits; then what is stored; then the newest. */
export function bestWindow(ack: AckContext, isWaiting: (sequence: number) => boolean): AckWindow {
  const stored = (at: number) => ((at < WINDOW ? ack.bitmap >>> (31 - at) : ack.after >>> (63 - at)) & 1) === 1;
  let best = { baseSequence: ack.baseSequence, bitmap: ack.bitmap };
  let bestScore = -1;
  for (let shift = 0; shift < WINDOW; shift++) {
    let bitmap = 0;
    let score = 0;
    for (let i = 0; i < WINDOW; i++) {
      const isStored = stored(shift + i);
      bitmap = bitmap * 2 + (isStored ? 1 : 0);
      if (isStored) score += isWaiting((ack.baseSequence + shift + i) & 0xffff) ? 64 : 1;
    }
    if (score < bestScore || (score === bestScore && ack.after === 0)) continue;
    bestScore = score;
    best = { baseSequence: (ack.baseSequence + shift) & 0xffff, bitmap };
  }
  return best;
}
