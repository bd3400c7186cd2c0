// Commands and settings that wait for their devices, kept in the journal's file: sent after an uplink until its event says that they
// were applied or refused (protocol section 2), and told of for a while after that.
import { decodeUplink, encodeCommand, encodeConfig } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import {
  AGAIN_MS,
  addDownlink,
  type DownlinkContent,
  type DownlinkQueue,
  dropExpired,
  EMPTY_QUEUE,
  isAwaited,
  markSent,
  queueOf,
  takeAnswer,
  takeSequence,
  type WaitingDownlink,
  withdraw,
} from "../domain/downlink-queue.ts";

const DOCUMENTS = "commands";

/** One row of the log of acts. */
export interface CommandAct {
  readonly atMs: number;
  readonly actor: string;
  readonly action: string;
  readonly object: string;
  readonly result: string;
  readonly origin: string;
  readonly detail: string;
}

export interface CommandJournal {
  documents(kind: string): Promise<readonly { readonly key: string; readonly json: string }[]>;
  save(change: {
    readonly put?: readonly { readonly kind: string; readonly key: string; readonly json: string }[];
    readonly acts?: readonly CommandAct[];
  }): Promise<void>;
}

export type CommandAsk = DownlinkContent & {
  readonly deviceId: string;
  readonly expiresMs: number;
  /** How far the counter goes forward beside its one. */
  readonly jump?: number;
  /** A person; undefined for the gateway itself. */
  readonly by?: string;
  /** Whoever asks twice under the same id asks once. */
  readonly downlinkId?: string | undefined;
};

export interface Commands {
  /** Resolves when all of them are kept, and the acts with them; gives the devices for which too many wait already. */
  ask(asks: readonly CommandAsk[], acts?: readonly CommandAct[]): Promise<readonly string[]>;
  /** Takes back what waits; resolves when that is kept, with false when nothing waits under this id. */
  withdraw(deviceId: string, downlinkId: string, acts?: readonly CommandAct[]): Promise<boolean>;
  /** A frame of this device is stored: it may be the answer to a command. */
  saw(deviceId: string, frame: Uint8Array): void;
  /** What is to be sent to this device now, without its tag; undefined when nothing is. */
  due(deviceId: string): Uint8Array | undefined;
  /** What waits for it, the oldest first, and what is over, the newest first. */
  list(deviceId: string): Pick<DownlinkQueue, "waiting" | "done">;
  waiting(): number;
}

export interface CommandDeps {
  readonly journal: CommandJournal;
  readonly clock: Clock;
  isClockTrusted(): boolean;
  log?(event: string, detail: Readonly<Record<string, string | number>>): void;
}

export async function openCommands({ journal, clock, isClockTrusted, log }: CommandDeps): Promise<Commands> {
  const queues = new Map<string, DownlinkQueue>();
  const sentMs = new Map<string, number>();
  for (const { key, json } of await journal.documents(DOCUMENTS)) queues.set(key, queueOf(JSON.parse(json)));

  function keep(deviceIds: readonly string[], acts: readonly CommandAct[] = []): Promise<void> {
    const put = deviceIds.map((key) => ({
      kind: DOCUMENTS,
      key,
      json: JSON.stringify(queues.get(key) ?? EMPTY_QUEUE),
    }));
    return journal.save(acts.length === 0 ? { put } : { put, acts });
  }

  function set(deviceId: string, queue: DownlinkQueue): void {
    queues.set(deviceId, queue);
    keep([deviceId]).catch((error: unknown) => {
      // It is sent once more than needed after a restart; the device answers a repeat as it did before.
      log?.("a command's answer is not kept", {
        deviceId,
        reason: error instanceof Error ? error.message : String(error),
      });
    });
  }

  return {
    async ask(asks, acts) {
      const unixS = isClockTrusted() ? Math.floor(clock.nowMs() / 1000) : undefined;
      const refused: string[] = [];
      const known: string[] = [];
      const changed = new Map<string, { readonly before: DownlinkQueue | undefined; readonly next: DownlinkQueue }>();
      for (const { deviceId, jump, ...ask } of asks) {
        const queue = dropExpired(queues.get(deviceId) ?? EMPTY_QUEUE, clock.nowMs());
        const next = addDownlink(queue, { ...ask, askedMs: clock.nowMs() }, unixS, jump);
        if (next === undefined) refused.push(deviceId);
        else if (next === queue) known.push(deviceId);
        else {
          changed.set(deviceId, { before: changed.get(deviceId)?.before ?? queues.get(deviceId), next });
          queues.set(deviceId, next);
        }
      }
      try {
        if (changed.size > 0) await keep([...changed.keys()], acts);
        // The one that it repeats may not be kept yet.
        if (known.length > 0) await keep(known);
      } catch (error) {
        // Who asked will ask again: what is not kept must not wait twice then. Its counter is used up, as it may have been sent.
        for (const [deviceId, { before = EMPTY_QUEUE, next }] of changed)
          if (queues.get(deviceId) === next) queues.set(deviceId, { ...before, counter: next.counter });
        throw error;
      }
      return refused;
    },
    async withdraw(deviceId, downlinkId, acts) {
      const before = queues.get(deviceId) ?? EMPTY_QUEUE;
      const next = withdraw(dropExpired(before, clock.nowMs()), downlinkId, clock.nowMs());
      if (next === undefined) return false;
      queues.set(deviceId, next);
      sentMs.delete(deviceId);
      try {
        await keep([deviceId], acts);
      } catch (error) {
        if (queues.get(deviceId) === next) queues.set(deviceId, before);
        throw error;
      }
      return true;
    },
    saw(deviceId, frame) {
      const queue = queues.get(deviceId);
      if (queue === undefined || !isAwaited(queue, clock.nowMs())) return;
      const decoded = decodeUplink(frame);
      if (decoded.kind === "fault") return;
      const known = takeSequence(queue, decoded.value.sequence);
      if (known !== queue) set(deviceId, known);
      if (decoded.kind !== "event") return;
      const { event, argument } = decoded.value;
      if (event !== "downlink-applied" && event !== "downlink-refused") return;
      const outcome = event === "downlink-applied" ? "applied" : "refused";
      const next = takeAnswer(dropExpired(known, clock.nowMs()), argument, outcome, clock.nowMs());
      if (next === known) return;
      if (outcome === "refused") log?.("a device refuses a command", { deviceId, counter: argument });
      sentMs.delete(deviceId);
      set(deviceId, next);
    },
    due(deviceId) {
      const found = queues.get(deviceId);
      if (found === undefined || found.waiting.length === 0) return undefined;
      const queue = dropExpired(found, clock.nowMs());
      const first = queue.waiting[0];
      const now = clock.monotonicMs();
      const waits = now - (sentMs.get(deviceId) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS;
      const frame = first === undefined || waits ? undefined : frameOf(first);
      const next = frame === undefined ? queue : markSent(queue, (first as WaitingDownlink).counter, clock.nowMs());
      if (next !== found) set(deviceId, next);
      if (frame !== undefined) sentMs.set(deviceId, now);
      return frame;
    },
    list: (deviceId) => dropExpired(queues.get(deviceId) ?? EMPTY_QUEUE, clock.nowMs()),
    waiting: () => [...queues.values()].reduce((sum, { waiting }) => sum + waiting.length, 0),
  };
}

/** Undefined while its argument is not known. */
function frameOf(downlink: WaitingDownlink): Uint8Array | undefined {
  const { counter, settings, command, argument } = downlink;
  if (settings !== undefined) return encodeConfig({ counter, settings });
  return argument === undefined ? undefined : encodeCommand({ counter, command, argument });
}
