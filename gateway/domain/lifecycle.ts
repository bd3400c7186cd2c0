// The phase of a point: who put it where, and when. A device's button and a person can both move it; of two the later moment
// wins. Nothing that somebody on the spot says is refused: each step gets a reason instead. Pure and total.
import { PHASES, type Phase, type Told } from "../../protocol/index.ts";
import type { Profile } from "./profile.ts";
import { type Spans, spansUntil, withSpan } from "./spans.ts";

/** Who says it: a device or a person, never both. */
export interface PhaseSource {
  readonly deviceId?: string;
  readonly told?: Told;
}

export interface PhaseChange extends PhaseSource {
  readonly phase: Phase;
  readonly atMs: number;
}

/** `late`: something newer was known when it was typed in. */
type ToldPhase = PhaseChange & { readonly late?: true };

export interface Lifecycle {
  readonly current: PhaseChange | undefined;
  /** The moves, the newest last: made anew from what was said, in the order of its moments. */
  readonly changes: readonly PhaseChange[];
  /** What people said, in the order of its moments. */
  readonly told: readonly ToldPhase[];
  /** By deviceId: the phase that it says in its reports, as an index. Only a change of it is a statement. */
  readonly words: Readonly<Record<string, Spans<number>>>;
}

/** More than an outage has. */
export const CHANGES_MAX = 32;
export const NO_LIFECYCLE: Lifecycle = { current: undefined, changes: [], told: [], words: {} };

export type PhaseReason =
  /** Nobody had said anything before. */
  | "first"
  /** One on in the order of the phases, or between open, limited and full. */
  | "forward"
  /** Phases were passed over: nobody pressed the button for them. */
  | "skipped"
  | "back"
  /** From closed: the next round begins. */
  | "ready-again"
  | "taken-out"
  | "returned"
  | "same"
  /** Older than what holds: kept in the list, and moves nothing. */
  | "late"
  /** A device that is new at the point does not overrule a person by what it starts with. */
  | "first-word"
  /** Absent, unknown, or a phase of a later version. */
  | "no-word";

/** Reasons by which the phase is another one than before. */
export const MOVES: readonly PhaseReason[] = [
  "first",
  "forward",
  "skipped",
  "back",
  "ready-again",
  "taken-out",
  "returned",
];

export interface PhaseStep {
  readonly lifecycle: Lifecycle;
  readonly reason: PhaseReason;
}

/** Open, limited and full are one rung: a point goes to and fro between them. */
const RUNGS: Readonly<Record<Phase, number>> = {
  standby: 0,
  opening: 1,
  open: 2,
  limited: 2,
  full: 2,
  closing: 3,
  closed: 4,
  "out-of-service": 5,
};

/** How a step from one phase to another is called. */
export function transitionOf(from: Phase, to: Phase): PhaseReason {
  if (from === to) return "same";
  if (to === "out-of-service") return "taken-out";
  if (from === "out-of-service") return "returned";
  if (from === "closed" && to === "standby") return "ready-again";
  const rungs = RUNGS[to] - RUNGS[from];
  if (rungs < 0) return "back";
  return rungs > 1 ? "skipped" : "forward";
}

/** A person says what the phase is since a moment. */
export function stepToldPhase(lifecycle: Lifecycle, said: PhaseChange & { readonly told: Told }): PhaseStep {
  const before = statementsOf(lifecycle);
  const isLate = before.some(({ atMs }) => atMs > said.atMs);
  const told = [...lifecycle.told, isLate ? { ...said, late: true as const } : said];
  const after = folded({ ...lifecycle, told: told.sort(byMoment).slice(-CHANGES_MAX) });
  if (isLate) return { lifecycle: after, reason: "late" };
  const last = before.at(-1);
  return { lifecycle: after, reason: last === undefined ? "first" : transitionOf(last.phase, said.phase) };
}

export interface PhaseReport {
  readonly deviceId: string;
  readonly phase: string;
  readonly atMs: number;
  /** What lies ahead of this was said by a clock that was wrong, and is forgotten. */
  readonly untilMs: number;
}

/**
 * A device's report. The same reports in whatever order give the same phase; late ones between others may leave a short
 * phase more in the list of changes.
 */
export function stepDevicePhase(lifecycle: Lifecycle, { deviceId, phase, atMs, untilMs }: PhaseReport): PhaseStep {
  const index = (PHASES as readonly string[]).indexOf(phase);
  if (index < 0) return { lifecycle, reason: "no-word" };
  const before = lifecycle.words[deviceId] ?? [];
  const spans = withSpan(spansUntil(before, untilMs), atMs, index);
  const next = { ...lifecycle, words: { ...lifecycle.words, [deviceId]: spans } };
  const isSame = spans.length === before.length && spans.every((span, i) => isSameStart(span, before[i]));
  if (isSame) return { lifecycle: next, reason: "same" };
  const after = folded(next);
  const { current } = after;
  if (current?.deviceId !== deviceId || current.atMs !== atMs) {
    return { lifecycle: after, reason: before.length === 0 ? "first-word" : "late" };
  }
  const from = lifecycle.current;
  return { lifecycle: after, reason: from === undefined ? "first" : transitionOf(from.phase, current.phase) };
}

/** What devices said ahead of `untilMs` is forgotten; what people said then, they say now. */
export function lifecycleUntil(lifecycle: Lifecycle, untilMs: number, nowMs: number): Lifecycle {
  const words = Object.entries(lifecycle.words);
  const isAhead = lifecycle.told.some(({ atMs }) => atMs > untilMs);
  if (!isAhead && words.every(([, spans]) => (spans.at(-1)?.[1] ?? 0) <= untilMs)) return lifecycle;
  const told = lifecycle.told.map((one) => (one.atMs > untilMs ? { ...one, atMs: nowMs } : one));
  const sound = words.map(([deviceId, spans]) => [deviceId, spansUntil(spans, untilMs)] as const);
  return folded({ ...lifecycle, told, words: Object.fromEntries(sound.filter(([, spans]) => spans.length > 0)) });
}

function isSameStart(a: Spans<number>[number], b: Spans<number>[number] | undefined): boolean {
  return b !== undefined && a[0] === b[0] && a[2] === b[2];
}

/** At one moment a person's word comes behind a device's, and so it counts. */
function byMoment(a: PhaseChange, b: PhaseChange): number {
  return a.atMs - b.atMs || (a.told === undefined ? 0 : 1) - (b.told === undefined ? 0 : 1);
}

/** All that was said, in order. What a device starts with is no statement when a person has spoken before. */
function statementsOf({ told, words }: Lifecycle): PhaseChange[] {
  const spokenMs = told.find(({ late }) => late !== true)?.atMs ?? Number.POSITIVE_INFINITY;
  const said = Object.entries(words).flatMap(([deviceId, spans]) =>
    spans.flatMap(([atMs, , index], i): PhaseChange[] => {
      const phase = PHASES[index];
      return phase === undefined || (i === 0 && atMs >= spokenMs) ? [] : [{ phase, atMs, deviceId }];
    }),
  );
  return [...said, ...told.map(({ late: _, ...one }) => one)].sort(byMoment);
}

function folded(lifecycle: Lifecycle): Lifecycle {
  const changes: PhaseChange[] = [];
  for (const said of statementsOf(lifecycle)) if (said.phase !== changes.at(-1)?.phase) changes.push(said);
  return { ...lifecycle, current: changes.at(-1), changes: changes.slice(-CHANGES_MAX) };
}

/** Phases in which people may be inside: nobody knows what became of them when nothing is heard. */
const RUNNING: readonly Phase[] = ["opening", "open", "limited", "full", "closing"];

export interface PhaseNow extends PhaseSource {
  readonly phase: Phase | "unknown";
  /** Undefined when nobody ever said anything. */
  readonly sinceMs: number | undefined;
}

export interface Hearing {
  readonly nowMs: number;
  readonly hasDevice: boolean;
  /** Newest sign of life or statement. */
  readonly heardMs: number | undefined;
  readonly norms: Profile["lifecycle"];
}

/** What the phase counts as now: unknown when a running point has not been heard for longer than the norm. */
export function phaseNow({ current }: Lifecycle, { nowMs, hasDevice, heardMs, norms }: Hearing): PhaseNow {
  if (current === undefined) return { phase: "unknown", sinceMs: undefined };
  const { phase, atMs, deviceId, told } = current;
  const untilMs = (heardMs ?? atMs) + (hasDevice ? norms.unknownAfterS : norms.unknownToldAfterS) * 1000;
  if (RUNNING.includes(phase) && nowMs > untilMs) return { phase: "unknown", sinceMs: untilMs };
  return {
    phase,
    sinceMs: atMs,
    ...(deviceId === undefined ? {} : { deviceId }),
    ...(told === undefined ? {} : { told }),
  };
}
