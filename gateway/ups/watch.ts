// Keeps asking for the state of the gateway's own supply; slower while nobody answers.
import type { Clock, Timer } from "../clock.ts";
import type { UpsFacts } from "../domain/self.ts";
import { askUps, type NutAnswer, type UpsAddress } from "./ask.ts";
import { upsFactsOf } from "./nut.ts";

export const BACKOFF_MS_MAX = 60_000;

export interface UpsWatchDeps {
  readonly address: UpsAddress;
  readonly pollMs: number;
  readonly clock: Clock;
  /** Test seam: in place of a connection. */
  ask?(): Promise<NutAnswer>;
  log?(event: string, detail: Readonly<Record<string, string | number>>): void;
}

export interface UpsWatch {
  /** Undefined until the first answer, or failure. */
  facts(): UpsFacts | undefined;
  stop(): void;
}

export function startUpsWatch({ address, pollMs, clock, ask, log }: UpsWatchDeps): UpsWatch {
  let facts: UpsFacts | undefined;
  let failures = 0;
  let timer: Timer | undefined;
  let stopped = false;

  function take(answer: NutAnswer): void {
    facts = answer.kind === "done" ? upsFactsOf(answer.variables) : { kind: "unreachable", reason: answer.reason };
    if (facts.kind === "reading") failures = 0;
    else {
      if (failures === 0) log?.("ups does not answer", { ups: address.name, reason: facts.reason });
      failures++;
    }
  }

  async function turn(): Promise<void> {
    take(await (ask === undefined ? askUps(address, clock) : ask()));
    if (stopped) return;
    timer = clock.after(
      Math.min(Math.max(pollMs, BACKOFF_MS_MAX), pollMs * 2 ** Math.min(failures, 6)),
      () => void turn(),
    );
  }

  void turn();
  return {
    facts: () => facts,
    stop: () => {
      stopped = true;
      timer?.stop();
    },
  };
}
