// Events by exception: what changed between two samples that somebody should know at once. On raw codes. Pure.
import type { Tell } from "./alarms.ts";
import {
  FUEL_DROP,
  GENERATOR_FAILED,
  GENERATOR_STARTED,
  GENERATOR_STOPPED,
  MAINS_LOST,
  MAINS_RESTORED,
  REFUELLED,
} from "./frames.ts";

/** A rise or fall of the level by more than this between two samples is a delivery or a loss, in tenths of a percent. */
const LEVEL_STEP = 50;
/** Codes from here on are reasons. */
const LEVEL_REASONS = 1016;
const STOPPED = 1;
const RUNNING = 3;
const COOLING = 4;
const FAILED = 5;

/** Tells of the changes in the fields of the power group, whose codes begin at `at`: level, generator, mains. */
export function changesIn(before: Uint16Array, now: Uint16Array, at: number, tell: Tell): void {
  const was = before[at + 1];
  const is = now[at + 1];
  const mainsWas = before[at + 2] as number;
  const mainsIs = now[at + 2] as number;
  // Codes above 1 say nothing of the mains.
  if (mainsWas + mainsIs === 1) tell(mainsIs ? MAINS_RESTORED : MAINS_LOST, 0);
  if (was !== is) {
    if (is === RUNNING) tell(GENERATOR_STARTED, 0);
    else if (is === FAILED) tell(GENERATOR_FAILED, 0);
    else if (is === STOPPED && (was === RUNNING || was === COOLING)) tell(GENERATOR_STOPPED, 0);
  }
  const levelWas = before[at] as number;
  const levelIs = now[at] as number;
  if (levelWas >= LEVEL_REASONS || levelIs >= LEVEL_REASONS) return;
  if (levelIs - levelWas > LEVEL_STEP) tell(REFUELLED, levelIs - levelWas);
  if (levelWas - levelIs > LEVEL_STEP) tell(FUEL_DROP, levelWas - levelIs);
}
