// The real engine over a journal in memory and a clock that is told to go: what rules would raise, and nothing is written.
import type { Alert } from "../../protocol/index.ts";
import type { RegistryView } from "../domain/point.ts";
import type { Profile } from "../domain/profile.ts";
import { createEngine, type Engine } from "./engine.ts";
import { createMemoryJournal, type MemoryJournal } from "./memory-journal.ts";
import { type VirtualClock, virtualClock } from "./virtual-clock.ts";

export interface TrialOptions {
  readonly registry: RegistryView;
  readonly profile: Profile;
  readonly startMs: number;
  /** Changed alerts, as they are told. */
  onAlert?(alert: Alert, nowMs: number): void;
}

export interface Trial {
  readonly clock: VirtualClock;
  readonly store: MemoryJournal;
  engine(): Engine;
  /** Goes on to this moment; one that lies behind changes nothing. */
  until(ms: number): Promise<void>;
  /** The gateway was down until this moment. */
  downUntil(ms: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startTrial({ registry, profile, startMs, onAlert }: TrialOptions): Promise<Trial> {
  const clock = virtualClock(startMs);
  const store = createMemoryJournal();

  async function start(): Promise<Engine> {
    const surroundings = { refusals: () => ({}), sinks: () => [], isClockTrusted: () => true };
    const { journal } = store;
    const made = createEngine({ journal, registry, profile, clock, gatewayId: "trial", version: "0", surroundings });
    made.onChange(({ alerts }) => {
      for (const alert of alerts) onAlert?.(alert, clock.nowMs());
    });
    await made.start();
    return made;
  }

  let engine = await start();
  return {
    clock,
    store,
    engine: () => engine,
    async until(ms) {
      await clock.advance(Math.max(0, ms - clock.nowMs()));
      await engine.caughtUp();
    },
    async downUntil(ms) {
      await engine.stop();
      clock.jump(Math.max(0, ms - clock.nowMs()));
      engine = await start();
    },
    stop: () => engine.stop(),
  };
}
