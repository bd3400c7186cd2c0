// What the engine holds in memory: the models, the open alerts, and what changed since the last save.
import type { Alert, Entry } from "../../protocol/index.ts";
import type { Life } from "../domain/alerts/life.ts";
import { type DeviceModel, emptyDevice } from "../domain/device-model.ts";
import { type AssetModel, emptyAsset } from "../domain/endurance/asset-model.ts";
import { emptyModel, type PointModel } from "../domain/point-model.ts";
import type { KeptRequest } from "../domain/requests.ts";

/** An alert and the matter it is about: at most one alert is open on a matter. */
export interface OpenAlert {
  readonly matter: string;
  readonly alert: Alert;
  /** A rule of the profile raised it: without that rule it is over. */
  readonly isRuled?: true;
  /** Since when its condition holds, while it does; since it was raised where that is not known. */
  readonly activeMs?: number;
  /** What is known of one that is hidden, beside its state. */
  readonly hidden?: Pick<Life, "isActive" | "owes" | "isSeen">;
}

/** An entry and its row in the journal. */
export interface KeptEntry {
  readonly id: number;
  readonly entry: Entry;
}

/** The last entries of one point, in the order of the journal. */
export type EntryLog = readonly KeptEntry[];

export interface EngineState {
  readonly points: Map<string, PointModel>;
  readonly entries: Map<string, EntryLog>;
  readonly devices: Map<string, DeviceModel>;
  /** What was learned of sets that have a name: it goes along when they move. */
  readonly assets: Map<string, AssetModel>;
  readonly alerts: Map<string, OpenAlert>;
  readonly byMatter: Map<string, string>;
  readonly requests: Map<string, KeptRequest>;
  /** Number of the last alert raised: ids are never used again. */
  counter: number;
  setAside: number;
  /** Rows lost to retention of which people were told. */
  gapRowsTold: number;
  /** Rows of devices that the registry does not know, since the start. */
  unknownDeviceRows: number;
}

export function emptyState(): EngineState {
  const maps = {
    points: new Map(),
    entries: new Map(),
    devices: new Map(),
    assets: new Map(),
    alerts: new Map(),
    byMatter: new Map(),
    requests: new Map(),
  };
  return { ...maps, counter: 0, setAside: 0, gapRowsTold: 0, unknownDeviceRows: 0 };
}

/** One act of the engine, for the append-only log. */
export interface EngineAct {
  readonly atMs: number;
  readonly actor: string;
  readonly action: string;
  readonly object: string;
  readonly result: string;
  readonly origin: string;
  readonly detail: string;
}

/**
 * Changes on top of a state: a row's step works on this, and it is merged only when the whole step went well. Values
 * are immutable, so leaving it is all that undoing takes.
 */
export interface Draft {
  readonly base: EngineState;
  readonly points: Map<string, PointModel>;
  readonly entries: Map<string, EntryLog>;
  readonly devices: Map<string, DeviceModel>;
  readonly assets: Map<string, AssetModel>;
  /** Undefined closes the alert. */
  readonly alerts: Map<string, OpenAlert | undefined>;
  readonly closed: Map<string, Alert>;
  /** Undefined forgets the request. */
  readonly requests: Map<string, KeptRequest | undefined>;
  readonly acts: EngineAct[];
  counter: number;
  gapRowsTold: number;
}

export function createDraft(base: EngineState): Draft {
  return {
    base,
    points: new Map(),
    entries: new Map(),
    devices: new Map(),
    assets: new Map(),
    alerts: new Map(),
    closed: new Map(),
    requests: new Map(),
    acts: [],
    counter: base.counter,
    gapRowsTold: base.gapRowsTold,
  };
}

export function draftPoint(draft: Draft, pointId: string): PointModel {
  return draft.points.get(pointId) ?? draft.base.points.get(pointId) ?? emptyModel(pointId);
}

export function draftEntries(draft: Draft, pointId: string): EntryLog {
  return draft.entries.get(pointId) ?? draft.base.entries.get(pointId) ?? [];
}

export function draftDevice(draft: Draft, deviceId: string, pointId: string): DeviceModel {
  return draft.devices.get(deviceId) ?? draft.base.devices.get(deviceId) ?? emptyDevice(deviceId, pointId);
}

export function draftAsset(draft: Draft, assetId: string): AssetModel {
  return draft.assets.get(assetId) ?? draft.base.assets.get(assetId) ?? emptyAsset(assetId);
}

export function draftAlertOn(draft: Draft, matter: string): OpenAlert | undefined {
  for (const open of draft.alerts.values()) if (open?.matter === matter) return open;
  const id = draft.base.byMatter.get(matter);
  return id === undefined || draft.alerts.has(id) ? undefined : draft.base.alerts.get(id);
}

/** What was drafted becomes the state. It is on disk with the next save, and shown only after that. */
export function applyDraft(state: EngineState, draft: Draft): void {
  for (const [id, point] of draft.points) state.points.set(id, point);
  for (const [id, log] of draft.entries) state.entries.set(id, log);
  for (const [id, device] of draft.devices) state.devices.set(id, device);
  for (const [id, asset] of draft.assets) state.assets.set(id, asset);
  for (const [id, open] of draft.alerts) {
    const before = state.alerts.get(id);
    if (before !== undefined) state.byMatter.delete(before.matter);
    if (open === undefined) state.alerts.delete(id);
    else {
      state.alerts.set(id, open);
      state.byMatter.set(open.matter, id);
    }
  }
  for (const [id, kept] of draft.requests) {
    if (kept === undefined) state.requests.delete(id);
    else state.requests.set(id, kept);
  }
  state.counter = draft.counter;
  state.gapRowsTold = draft.gapRowsTold;
}

/** All open alerts, with what was drafted. */
export function* draftAlerts(draft: Draft): Iterable<OpenAlert> {
  for (const [id, open] of draft.base.alerts) if (!draft.alerts.has(id)) yield open;
  for (const open of draft.alerts.values()) if (open !== undefined) yield open;
}

/** All requests for help that are kept, with what was drafted. */
export function* draftRequests(draft: Draft): Iterable<KeptRequest> {
  for (const [id, kept] of draft.base.requests) if (!draft.requests.has(id)) yield kept;
  for (const kept of draft.requests.values()) if (kept !== undefined) yield kept;
}
