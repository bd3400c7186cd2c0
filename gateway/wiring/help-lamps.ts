// Whoever pressed a help button sees that it was taken: the 'seen' lamp, by a command that waits for its device.
import type { Clock } from "../clock.ts";
import type { Engine } from "../engine/engine.ts";
import type { Commands } from "../ingress/commands.ts";

const COMMAND = "acknowledge-help";
/** Whoever pressed is gone by then, or has heard of it. */
export const SEEN_FOR_MS = 12 * 3_600_000;
/** After a queue that was full or a journal that refused. */
const AGAIN_MS = 60_000;

export interface LampDeps {
  readonly engine: Pick<Engine, "requests" | "onChange">;
  readonly commands: Pick<Commands, "ask">;
  readonly clock: Clock;
  log?(event: string, detail: Readonly<Record<string, string | number>>): void;
}

/** A command is kept before its request is marked: after a crash between the two it is sent twice, never not at all. */
export function startHelpLamps({ engine, commands, clock, log }: LampDeps): () => Promise<void> {
  let busy = Promise.resolve();
  let isStopping = false;

  async function light(): Promise<void> {
    for (const { requestIds, deviceIds } of engine.requests.lampsDue()) {
      if (isStopping) return;
      const expiresMs = clock.nowMs() + SEEN_FOR_MS;
      const asks = deviceIds.map((deviceId) => ({ deviceId, command: COMMAND, argument: 0, expiresMs }));
      const refused = asks.length === 0 ? [] : await commands.ask(asks);
      // Their queues are full of what they do not answer: they would be given no more by asking again.
      for (const deviceId of refused)
        log?.("too many commands wait for a device: its 'seen' lamp stays dark", { deviceId });
      await engine.requests.lampsAsked(requestIds);
    }
  }

  function look(): void {
    busy = busy.then(light).catch((error: unknown) => {
      log?.("'seen' lamps are asked for again", { error: error instanceof Error ? error.message : String(error) });
    });
  }

  const unsubscribe = engine.onChange(({ requests = [] }) => {
    if (requests.length > 0) look();
  });
  const timer = clock.every(AGAIN_MS, look);
  look();
  return async () => {
    isStopping = true;
    unsubscribe();
    timer.stop();
    await busy;
  };
}
