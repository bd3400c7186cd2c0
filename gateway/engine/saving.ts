// What changed since the last save, and the way there and back between the state and its documents.
import type { Alert, HelpRequest } from "../../protocol/index.ts";
import { type DeviceModel, emptyDevice } from "../domain/device-model.ts";
import { type AssetModel, emptyAsset } from "../domain/endurance/asset-model.ts";
import { NO_LIFECYCLE, stepDevicePhase } from "../domain/lifecycle.ts";
import { emptyModel, type PointModel } from "../domain/point-model.ts";
import type { KeptRequest } from "../domain/requests.ts";
import type { EngineChangeSet, EngineJournal } from "./interfaces.ts";
import {
  applyDraft,
  createDraft,
  type Draft,
  type EngineAct,
  type EngineState,
  type EntryLog,
  emptyState,
  type OpenAlert,
} from "./state.ts";

const SET_ASIDE_MAX = 1_000_000;

/** The cursor of the engine in the journal. */
export const CURSOR = "engine";

class Unsaved {
  readonly points = new Set<string>();
  readonly entries = new Set<string>();
  readonly devices = new Set<string>();
  readonly assets = new Set<string>();
  readonly alerts = new Set<string>();
  readonly closed = new Map<string, Alert>();
  readonly requests = new Set<string>();
  readonly acts: EngineAct[] = [];
  readonly setAside: { id: number; cursor: string; error: string; atMs: number }[] = [];

  add(draft: Draft): void {
    for (const id of draft.points.keys()) this.points.add(id);
    for (const id of draft.entries.keys()) this.entries.add(id);
    for (const id of draft.devices.keys()) this.devices.add(id);
    for (const id of draft.assets.keys()) this.assets.add(id);
    for (const id of draft.alerts.keys()) this.alerts.add(id);
    for (const [id, alert] of draft.closed) this.closed.set(id, alert);
    for (const id of draft.requests.keys()) this.requests.add(id);
    this.acts.push(...draft.acts);
  }

  isEmpty(): boolean {
    const maps = [this.points, this.entries, this.devices, this.assets, this.alerts, this.requests];
    return maps.every(({ size }) => size === 0) && this.acts.length === 0 && this.setAside.length === 0;
  }

  alertsNow(state: EngineState): Alert[] {
    return [...this.alerts].flatMap((id) => {
      const alert = state.alerts.get(id)?.alert ?? this.closed.get(id);
      return alert === undefined ? [] : [alert];
    });
  }

  requestsNow(state: EngineState): HelpRequest[] {
    return [...this.requests].flatMap((id) => state.requests.get(id)?.request ?? []);
  }

  changeSet(state: EngineState, cursor: EngineChangeSet["cursor"]): EngineChangeSet {
    const put: { kind: string; key: string; json: string }[] = [];
    const remove: { kind: string; key: string }[] = [];
    for (const id of this.points) put.push({ kind: "point", key: id, json: JSON.stringify(state.points.get(id)) });
    for (const id of this.entries) put.push({ kind: "entries", key: id, json: JSON.stringify(state.entries.get(id)) });
    for (const id of this.devices) put.push({ kind: "device", key: id, json: JSON.stringify(state.devices.get(id)) });
    for (const id of this.assets) put.push({ kind: "asset", key: id, json: JSON.stringify(state.assets.get(id)) });
    for (const id of this.alerts) {
      const open = state.alerts.get(id);
      if (open === undefined) remove.push({ kind: "alert", key: id });
      else put.push({ kind: "alert", key: id, json: JSON.stringify(open) });
    }
    for (const id of this.requests) {
      const kept = state.requests.get(id);
      if (kept === undefined) remove.push({ kind: "request", key: id });
      else put.push({ kind: "request", key: id, json: JSON.stringify(kept) });
    }
    if (this.alerts.size > 0) {
      put.push({ kind: "engine", key: "counter", json: String(state.counter) });
      put.push({ kind: "engine", key: "gap-rows-told", json: String(state.gapRowsTold) });
    }
    const acts = this.acts;
    return { ...(cursor === undefined ? {} : { cursor }), put, remove, setAside: this.setAside, acts };
  }
}

/** What a save has put on disk, to be shown now. */
export interface Saved {
  readonly points: readonly string[];
  readonly alerts: readonly Alert[];
  readonly requests: readonly HelpRequest[];
}

export interface Saver {
  /** Id of the last row that was taken or set aside; it is on disk after the next flush. */
  takenId(): number;
  savedId(): number;
  passed(id: number): void;
  /** Alerts have changed since the last save. */
  hasAlerts(): boolean;
  commit(draft: Draft): void;
  setAside(row: { readonly id: number; readonly error: string; readonly atMs: number }): void;
  /** Saves what changed, with the cursor. A save that fails leaves all of it for the next one. */
  flush(): Promise<Saved>;
  /** Saves this draft alone, and undoes it when that fails: a person must not be shown what is not on disk. */
  saveNow(draft: Draft): Promise<Saved>;
}

export function createSaver(journal: EngineJournal, state: EngineState, cursorId: number): Saver {
  let unsaved = new Unsaved();
  let takenId = cursorId;
  let savedId = cursorId;

  async function save(changes: Unsaved, id: number): Promise<Saved> {
    await journal.save(changes.changeSet(state, id === savedId ? undefined : { name: CURSOR, id }));
    savedId = id;
    const [alerts, requests] = [changes.alertsNow(state), changes.requestsNow(state)];
    return { points: [...changes.points], alerts, requests };
  }

  return {
    takenId: () => takenId,
    savedId: () => savedId,
    hasAlerts: () => unsaved.alerts.size > 0,
    passed: (id) => {
      takenId = id;
    },
    commit: (draft) => {
      applyDraft(state, draft);
      unsaved.add(draft);
    },
    setAside: (row) => {
      unsaved.setAside.push({ ...row, cursor: CURSOR });
    },
    async flush() {
      if (unsaved.isEmpty() && takenId === savedId) return { points: [], alerts: [], requests: [] };
      const saving = unsaved;
      unsaved = new Unsaved();
      try {
        return await save(saving, takenId);
      } catch (error) {
        // Rows, ticks and people take turns, so nothing was added meanwhile.
        unsaved = saving;
        throw error;
      }
    },
    async saveNow(draft) {
      const undo = createDraft(state);
      for (const id of draft.alerts.keys()) undo.alerts.set(id, state.alerts.get(id));
      for (const id of draft.requests.keys()) undo.requests.set(id, state.requests.get(id));
      applyDraft(state, draft);
      const changes = new Unsaved();
      changes.add(draft);
      try {
        return await save(changes, savedId);
      } catch (error) {
        applyDraft(state, undo);
        // It may be on disk all the same: the next flush writes what is shown over it.
        unsaved.add(undo);
        throw error;
      }
    },
  };
}

export async function loadState(journal: EngineJournal): Promise<EngineState> {
  const state = emptyState();
  for (const row of await journal.documents("point")) state.points.set(row.key, pointOf(row));
  for (const row of await journal.documents("entries")) state.entries.set(row.key, JSON.parse(row.json) as EntryLog);
  for (const row of await journal.documents("device")) state.devices.set(row.key, deviceOf(row));
  for (const row of await journal.documents("asset")) state.assets.set(row.key, assetOf(row));
  for (const row of await journal.documents("alert")) {
    const open = JSON.parse(row.json) as OpenAlert;
    state.alerts.set(row.key, open);
    state.byMatter.set(open.matter, row.key);
  }
  for (const row of await journal.documents("request"))
    state.requests.set(row.key, JSON.parse(row.json) as KeptRequest);
  for (const row of await journal.documents("engine")) {
    if (row.key === "counter") state.counter = Number(row.json);
    if (row.key === "gap-rows-told") state.gapRowsTold = Number(row.json);
  }
  state.setAside = (await journal.setAside(SET_ASIDE_MAX)).length;
  return state;
}

/** Documents of an earlier version lack what came later. */
function pointOf(row: { readonly key: string; readonly json: string }): PointModel {
  const { phase, ...kept } = JSON.parse(row.json) as Partial<PointModel> & { readonly phase?: EarlierPhase };
  const { mainsLostMs, lastSampleMs = mainsLostMs } = kept;
  const lost = mainsLostMs === undefined ? [] : [[mainsLostMs, lastSampleMs ?? mainsLostMs, 1] as const];
  const lifecycle = phase === undefined ? NO_LIFECYCLE : lifecycleOf(phase);
  return { ...emptyModel(row.key), mains: lost, lifecycle, ...kept };
}

/** Before phases had a life of their own. */
interface EarlierPhase {
  readonly value: string;
  readonly deviceId: string;
  readonly atMs: number;
}

function lifecycleOf({ value, deviceId, atMs }: EarlierPhase): PointModel["lifecycle"] {
  return stepDevicePhase(NO_LIFECYCLE, { deviceId, atMs, phase: value, untilMs: atMs }).lifecycle;
}

function assetOf(row: { readonly key: string; readonly json: string }): AssetModel {
  return { ...emptyAsset(row.key), ...(JSON.parse(row.json) as Partial<AssetModel>) };
}

function deviceOf(row: { readonly key: string; readonly json: string }): DeviceModel {
  return { ...emptyDevice(row.key, ""), ...(JSON.parse(row.json) as Partial<DeviceModel>) };
}
