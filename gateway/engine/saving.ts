// What changed since the last save, and the way there and back between the state and its documents.
import type { Alert } from "../../protocol/index.ts";
import type { DeviceModel, PointModel } from "../domain/point-model.ts";
import type { EngineChangeSet, EngineJournal } from "./interfaces.ts";
import { type Draft, type EngineAct, type EngineState, emptyState, type OpenAlert } from "./state.ts";

const SET_ASIDE_MAX = 1_000_000;

export class Unsaved {
  readonly points = new Set<string>();
  readonly devices = new Set<string>();
  readonly alerts = new Set<string>();
  readonly closed = new Map<string, Alert>();
  readonly acts: EngineAct[] = [];
  readonly setAside: { id: number; cursor: string; error: string; atMs: number }[] = [];
  /** Points to be shown again although nothing of them is to be saved. */
  readonly shown = new Set<string>();

  add(draft: Draft): void {
    for (const id of draft.points.keys()) this.points.add(id);
    for (const id of draft.devices.keys()) this.devices.add(id);
    for (const id of draft.alerts.keys()) this.alerts.add(id);
    for (const [id, alert] of draft.closed) this.closed.set(id, alert);
    this.acts.push(...draft.acts);
  }

  isEmpty(): boolean {
    const sizes = [this.points.size, this.devices.size, this.alerts.size, this.acts.length, this.setAside.length];
    return sizes.every((size) => size === 0);
  }

  alertsNow(state: EngineState): Alert[] {
    return [...this.alerts].flatMap((id) => {
      const alert = state.alerts.get(id)?.alert ?? this.closed.get(id);
      return alert === undefined ? [] : [alert];
    });
  }

  changeSet(state: EngineState, cursor: EngineChangeSet["cursor"]): EngineChangeSet {
    const put: { kind: string; key: string; json: string }[] = [];
    const remove: { kind: string; key: string }[] = [];
    for (const id of this.points) put.push({ kind: "point", key: id, json: JSON.stringify(state.points.get(id)) });
    for (const id of this.devices) put.push({ kind: "device", key: id, json: JSON.stringify(state.devices.get(id)) });
    for (const id of this.alerts) {
      const open = state.alerts.get(id);
      if (open === undefined) remove.push({ kind: "alert", key: id });
      else put.push({ kind: "alert", key: id, json: JSON.stringify(open) });
    }
    if (this.alerts.size > 0) put.push({ kind: "engine", key: "counter", json: String(state.counter) });
    const acts = this.acts;
    return { ...(cursor === undefined ? {} : { cursor }), put, remove, setAside: this.setAside, acts };
  }
}

export async function loadState(journal: EngineJournal): Promise<EngineState> {
  const state = emptyState();
  for (const row of await journal.documents("point")) state.points.set(row.key, JSON.parse(row.json) as PointModel);
  for (const row of await journal.documents("device")) state.devices.set(row.key, JSON.parse(row.json) as DeviceModel);
  for (const row of await journal.documents("alert")) {
    const open = JSON.parse(row.json) as OpenAlert;
    state.alerts.set(row.key, open);
    state.byMatter.set(open.matter, row.key);
  }
  for (const row of await journal.documents("engine")) if (row.key === "counter") state.counter = Number(row.json);
  state.setAside = (await journal.setAside(SET_ASIDE_MAX)).length;
  return state;
}
