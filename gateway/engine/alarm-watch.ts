// What the alerts of each turn mean for the figures about alerts: what people were shown as new, saw, and what returned.
import type { AlarmMetrics, Alert } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import {
  type AlarmEvent,
  type AlarmFigures,
  alarmMetrics,
  atMoment,
  noFigures,
  withAlarmEvent,
} from "../domain/alerts/alarm-figures.ts";
import type { EngineJournal } from "./interfaces.ts";

const KIND = "engine";
const KEY = "alarm-figures";
/** A crash costs the figures of so long: they are statistics, and a save a line would cost more than they are worth. */
const SAVE_MS = 60_000;

export interface AlarmWatch {
  /** Takes alerts as they are told; state normal is a closed one. */
  note(alerts: readonly Alert[]): void;
  metrics(open: readonly Alert[]): AlarmMetrics;
  /** What is to be saved now, when it is due; at the end, whatever is not saved yet. */
  due(isEnd?: boolean): { readonly kind: string; readonly key: string; readonly json: string } | undefined;
}

/** What is kept of one open alert between two turns. */
interface Shown {
  readonly state: Alert["state"];
  readonly priority: Alert["priority"];
  readonly sinceMs: number;
}

export async function openAlarmWatch(
  journal: EngineJournal,
  clock: Clock,
  open: readonly Alert[],
): Promise<AlarmWatch> {
  const kept = (await journal.documents(KIND)).find((row) => row.key === KEY);
  let figures: AlarmFigures = { ...noFigures(clock.nowMs()), ...(kept === undefined ? {} : JSON.parse(kept.json)) };
  const shown = new Map<string, Shown>();
  for (const { alertId, state, priority, updatedAt } of open)
    shown.set(alertId, { state, priority, sinceMs: Date.parse(updatedAt) });
  let changed = false;
  let savedMs = clock.monotonicMs();

  function take(event: AlarmEvent): void {
    figures = withAlarmEvent(figures, event, clock.nowMs());
    changed = true;
  }

  function noteOne(alert: Alert): void {
    const { alertId, state, priority } = alert;
    const before = shown.get(alertId);
    const nowMs = clock.nowMs();
    const isNew =
      state === "unacknowledged" &&
      (before === undefined || before.state !== "unacknowledged" || priority < before.priority);
    const sinceMs = isNew ? nowMs : (before?.sinceMs ?? nowMs);
    const afterMs = nowMs - sinceMs;
    if (isNew) take({ kind: "announced", alert });
    else if (before?.state === "unacknowledged" && state === "acknowledged") take({ kind: "acknowledged", afterMs });
    else if (before?.state === "returned-unacknowledged" && state === "normal") take({ kind: "acknowledged", afterMs });
    if (before?.state === "unacknowledged" && state === "returned-unacknowledged")
      take({ kind: "returned", afterMs, isSeen: false });
    if (state === "normal") shown.delete(alertId);
    else shown.set(alertId, { state, priority, sinceMs });
  }

  return {
    note: (alerts) => {
      for (const alert of alerts) noteOne(alert);
    },
    metrics: (alerts) => alarmMetrics(figures, alerts, clock.nowMs()),
    due(isEnd = false) {
      const wasFlood = figures.floodSinceMs;
      figures = atMoment(figures, clock.nowMs());
      changed ||= figures.floodSinceMs !== wasFlood;
      if (!changed || (!isEnd && clock.monotonicMs() - savedMs < SAVE_MS)) return undefined;
      changed = false;
      savedMs = clock.monotonicMs();
      return { kind: KIND, key: KEY, json: JSON.stringify(figures) };
    },
  };
}
