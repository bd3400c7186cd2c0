// Commands that wait for their devices, kept in the journal's file: sent after an uplink until its event says that it was applied
// or refused (protocol section 2).
import { decodeUplink, encodeCommand } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import {
  AGAIN_MS,
  addCommand,
  type CommandQueue,
  dropExpired,
  EMPTY_QUEUE,
  takeAnswer,
  takeSequence,
} from "../domain/downlink-queue.ts";

const DOCUMENTS = "commands";

export interface CommandJournal {
  documents(kind: string): Promise<readonly { readonly key: string; readonly json: string }[]>;
  save(change: {
    readonly put?: readonly { readonly kind: string; readonly key: string; readonly json: string }[];
  }): Promise<void>;
}

export interface CommandAsk {
  readonly deviceId: string;
  readonly command: string;
  /** Undefined: `resend-from` for all that the device has. */
  readonly argument?: number | undefined;
  readonly expiresMs: number;
  /** How far the counter goes forward beside its one. */
  readonly jump?: number;
}

export interface Commands {
  /** Resolves when all of them are kept; gives the devices for which too many wait already. */
  ask(asks: readonly CommandAsk[]): Promise<readonly string[]>;
  /** A frame of this device is stored: it may be the answer to a command. */
  saw(deviceId: string, frame: Uint8Array): void;
  /** What is to be sent to this device now, without its tag; undefined when nothing is. */
  due(deviceId: string): Uint8Array | undefined;
  waiting(): number;
}

export interface CommandDeps {
  readonly journal: CommandJournal;
  readonly clock: Clock;
  isClockTrusted(): boolean;
  log?(event: string, detail: Readonly<Record<string, string | number>>): void;
}

export async function openCommands({ journal, clock, isClockTrusted, log }: CommandDeps): Promise<Commands> {
  const queues = new Map<string, CommandQueue>();
  const sentMs = new Map<string, number>();
  for (const { key, json } of await journal.documents(DOCUMENTS)) queues.set(key, JSON.parse(json) as CommandQueue);

  function keep(deviceIds: readonly string[]): Promise<void> {
    const put = deviceIds.map((key) => ({
      kind: DOCUMENTS,
      key,
      json: JSON.stringify(queues.get(key) ?? EMPTY_QUEUE),
    }));
    return journal.save({ put });
  }

  function set(deviceId: string, queue: CommandQueue): void {
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
    async ask(asks) {
      const unixS = isClockTrusted() ? Math.floor(clock.nowMs() / 1000) : undefined;
      const refused: string[] = [];
      const changed = new Map<string, { readonly before: CommandQueue | undefined; readonly next: CommandQueue }>();
      for (const { deviceId, jump, ...ask } of asks) {
        const queue = dropExpired(queues.get(deviceId) ?? EMPTY_QUEUE, clock.nowMs());
        const next = addCommand(queue, ask, unixS, jump);
        if (next === undefined) refused.push(deviceId);
        else {
          changed.set(deviceId, { before: changed.get(deviceId)?.before ?? queues.get(deviceId), next });
          queues.set(deviceId, next);
        }
      }
      try {
        if (changed.size > 0) await keep([...changed.keys()]);
      } catch (error) {
        // Who asked will ask again: what is not kept must not wait twice then. Its counter is used up, as it may have been sent.
        for (const [deviceId, { before = EMPTY_QUEUE, next }] of changed)
          if (queues.get(deviceId) === next) queues.set(deviceId, { ...before, counter: next.counter });
        throw error;
      }
      return refused;
    },
    saw(deviceId, frame) {
      const queue = queues.get(deviceId);
      if (queue === undefined || queue.waiting.length === 0) return;
      const decoded = decodeUplink(frame);
      if (decoded.kind === "fault") return;
      const known = takeSequence(queue, decoded.value.sequence);
      if (known !== queue) set(deviceId, known);
      if (decoded.kind !== "event") return;
      const { event, argument } = decoded.value;
      if (event !== "downlink-applied" && event !== "downlink-refused") return;
      const next = takeAnswer(known, argument);
      if (next === known) return;
      if (event === "downlink-refused") log?.("a device refuses a command", { deviceId, counter: argument });
      sentMs.delete(deviceId);
      set(deviceId, next);
    },
    due(deviceId) {
      const found = queues.get(deviceId);
      if (found === undefined || found.waiting.length === 0) return undefined;
      const queue = dropExpired(found, clock.nowMs());
      if (queue !== found) set(deviceId, queue);
      const first = queue.waiting[0];
      const now = clock.monotonicMs();
      if (first?.argument === undefined || now - (sentMs.get(deviceId) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS)
        return undefined;
      sentMs.set(deviceId, now);
      const { command, argument, counter } = first;
      return encodeCommand({ command, argument, counter });
    },
    waiting: () => [...queues.values()].reduce((sum, { waiting }) => sum + waiting.length, 0),
  };
}
