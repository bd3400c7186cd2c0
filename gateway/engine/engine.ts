// Reads the journal in order, steps the domain, saves what changed with the cursor, and only then tells of it. A crash
// anywhere evaluates again from the cursor. A row at which the engine has crashed twice is set aside.
import type { Alert, DeviceState, GatewayState, Overview, PointState } from "../../protocol/index.ts";
import type { Clock, Timer } from "../clock.ts";
import type { RegistryView } from "../domain/point.ts";
import type { Profile } from "../domain/profile.ts";
import type { JournalRecord } from "../domain/record.ts";
import { GatewayError } from "../errors.ts";
import { transit } from "./alerts.ts";
import { createAttempts } from "./attempts.ts";
import type { EngineJournal, Signal, Surroundings } from "./interfaces.ts";
import { createPicture, type Picture } from "./picture.ts";
import { createRefusalWatch } from "./refusal-watch.ts";
import { loadState, Unsaved } from "./saving.ts";
import { applyDraft, createDraft, type Draft, type EngineState } from "./state.ts";
import { evaluate, setAsideAlert, stepRow } from "./step.ts";

export const BATCH_ROWS_MAX = 200;
const TICK_MS = 1_000;
/** A tick looks at a tenth of the points: each once in ten seconds. */
const TICK_SHARE = 10;
/** A row is tried so often before it is set aside. */
const ATTEMPTS_MAX = 2;
/** After a failure of the journal the turn is taken again. */
const RETRY_MS = 1_000;
const GATEWAY_STATE_MS = 5_000;
const CURSOR = "engine";

export interface EngineChange {
  readonly points: readonly PointState[];
  /** Changed alerts; state normal means closed. */
  readonly alerts: readonly Alert[];
  readonly gateway?: GatewayState;
}

export interface EngineOptions {
  readonly journal: EngineJournal;
  readonly registry: RegistryView;
  readonly profile: Profile;
  readonly clock: Clock;
  readonly gatewayId: string;
  readonly version: string;
  readonly surroundings: Surroundings;
  log?(event: string, detail: Readonly<Record<string, string | number>>): void;
  /** Test seam: called before a row is stepped, and may throw or kill. */
  beforeStep?(record: JournalRecord): void;
  /** Test seam: Infinity is the engine that never sets a row aside. */
  readonly attemptsMax?: number;
}

export interface Engine {
  /** Loads the state and takes all rows that wait. */
  start(): Promise<void>;
  stop(): Promise<void>;
  overview(): Overview;
  point(pointId: string): PointState | undefined;
  alert(alertId: string): Alert | undefined;
  devices(): readonly DeviceState[];
  device(deviceId: string): DeviceState | undefined;
  gateway(): GatewayState;
  /** Throws ALERT_UNKNOWN, ALERT_NOT_ACKNOWLEDGEABLE. */
  acknowledge(
    alertId: string,
    act: { readonly by: string; readonly note?: string; readonly origin: string },
  ): Promise<Alert>;
  onChange(listener: (change: EngineChange) => void): () => void;
  note(signal: Signal): void;
  setRegistry(view: RegistryView): void;
  /** Resolves when all rows committed before this call have been taken. */
  caughtUp(): Promise<void>;
}

export function createEngine(options: EngineOptions): Engine {
  const { journal, clock } = options;
  let state: EngineState;
  let picture: Picture;
  let cursor = 0;
  let stopped = false;
  let busy: Promise<unknown> = Promise.resolve();
  let turnQueued = false;
  const timers: Timer[] = [];
  const listeners = new Set<(change: EngineChange) => void>();
  const refusals = createRefusalWatch(options.profile);
  const attempts = createAttempts(journal, clock);
  let unsubscribe = () => {};
  let unsaved = new Unsaved();
  let tickAt = 0;

  /** One at a time: rows, ticks and people never step the same state at once. */
  function exclusive<T>(work: () => Promise<T>): Promise<T> {
    const next = busy.then(work, work);
    busy = next.catch(() => undefined);
    return next;
  }

  function commitDraft(draft: Draft): void {
    applyDraft(state, draft);
    unsaved.add(draft);
  }

  async function flush(newCursor?: number): Promise<void> {
    if (unsaved.isEmpty() && newCursor === undefined) return;
    const saving = unsaved;
    unsaved = new Unsaved();
    await journal.save(saving.changeSet(state, newCursor === undefined ? undefined : { name: CURSOR, id: newCursor }));
    if (newCursor !== undefined) cursor = newCursor;
    const points = picture.refresh([...new Set([...saving.points, ...saving.shown])]);
    tell({ points, alerts: saving.alertsNow(state) });
  }

  function tell(change: EngineChange): void {
    if (change.points.length === 0 && change.alerts.length === 0 && change.gateway === undefined) return;
    for (const listener of listeners) listener(change);
  }

  async function takeRow(record: JournalRecord): Promise<void> {
    const most = options.attemptsMax ?? ATTEMPTS_MAX;
    const crashes = await attempts.begin(record.id);
    let failure = crashes >= most ? new Error("the gateway went down at this row twice") : undefined;
    for (let attempt = 1; failure === undefined || attempt <= most; attempt++) {
      if (failure !== undefined && crashes >= most) break;
      const draft = createDraft(state);
      try {
        options.beforeStep?.(record);
        const result = stepRow(draft, record, picture.context);
        commitDraft(draft);
        if (result.kind === "taken") picture.contacts.heard(result.deviceId);
        else options.log?.("row of an unknown device passed by", { row: record.id, deviceId: record.deviceId });
        return;
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
        if (attempt >= most) break;
        // Only the variant without an end comes here more than once.
        if (most === Number.POSITIVE_INFINITY) await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
        if (stopped) return;
      }
    }
    setAside(record, failure as Error);
  }

  function setAside(record: JournalRecord, error: Error): void {
    state.setAside++;
    options.log?.("row set aside", { row: record.id, deviceId: record.deviceId, error: error.message });
    unsaved.setAside.push({ id: record.id, cursor: CURSOR, error: error.message.slice(0, 500), atMs: clock.nowMs() });
    const draft = createDraft(state);
    setAsideAlert(draft, record.id, clock.nowMs(), state.setAside);
    commitDraft(draft);
  }

  async function turn(): Promise<void> {
    turnQueued = false;
    for (;;) {
      if (stopped) return;
      const rows = await journal.read(cursor, BATCH_ROWS_MAX);
      const last = rows[rows.length - 1];
      if (last === undefined) return;
      picture.renewOutage();
      for (const row of rows) {
        await takeRow(row);
        if (stopped) return;
        // A row that is behind is never taken again, whatever the next one does to the process.
        if (attempts.isCareful(row.id)) await flush(row.id);
      }
      if (cursor < last.id) await flush(last.id);
    }
  }

  function wake(): void {
    if (turnQueued || stopped) return;
    turnQueued = true;
    exclusive(turn).catch((error: unknown) => {
      options.log?.("engine turn failed", { error: error instanceof Error ? error.message : String(error) });
      clock.after(RETRY_MS, wake);
    });
  }

  async function tick(): Promise<void> {
    if (stopped) return;
    const nowMs = clock.nowMs();
    picture.renewDay(nowMs);
    picture.renewOutage();
    const ids = picture.pointIds();
    const share = Math.max(1, Math.ceil(ids.length / TICK_SHARE));
    const slice = ids.slice(tickAt, tickAt + share);
    tickAt = tickAt + share >= ids.length ? 0 : tickAt + share;
    for (const pointId of slice) {
      const draft = createDraft(state);
      const contact = picture.contactOf(pointId);
      evaluate(draft, pointId, { nowMs, contact, onlySilence: !picture.isFresh(pointId, nowMs) }, picture.context);
      commitDraft(draft);
      unsaved.shown.add(pointId);
    }
    const draft = createDraft(state);
    refusals.apply(draft, nowMs, (deviceId) => picture.subjectOf(deviceId));
    commitDraft(draft);
    if (!unsaved.isEmpty()) await flush();
    else tell({ points: picture.refresh(slice), alerts: [] });
  }

  return {
    async start() {
      state = await loadState(journal);
      cursor = await journal.cursor(CURSOR);
      picture = createPicture(
        options,
        () => state,
        () => cursor,
      );
      await attempts.load(cursor, BATCH_ROWS_MAX);
      unsubscribe = journal.onCommitted(wake);
      await exclusive(turn);
      picture.renewOutage();
      picture.refresh(picture.pointIds());
      timers.push(clock.every(TICK_MS, () => void exclusive(tick).catch(() => undefined)));
      timers.push(clock.every(GATEWAY_STATE_MS, () => tell({ points: [], alerts: [], gateway: picture.gateway() })));
      wake();
    },
    async stop() {
      unsubscribe();
      for (const timer of timers) timer.stop();
      await exclusive(async () => {
        stopped = true;
        await flush();
        await attempts.close();
      });
    },
    overview: () => ({ gateway: picture.gateway(), points: picture.points(), alerts: picture.alerts() }),
    point: (pointId) => picture.point(pointId),
    alert: (alertId) => state.alerts.get(alertId)?.alert,
    devices: () => picture.devices(),
    device: (deviceId) => picture.device(deviceId),
    gateway: () => picture.gateway(),
    acknowledge: (alertId, act) =>
      exclusive(async () => {
        const open = state.alerts.get(alertId);
        if (open === undefined) throw new GatewayError("ALERT_UNKNOWN", { alertId });
        if (open.alert.state === "acknowledged") {
          throw new GatewayError("ALERT_NOT_ACKNOWLEDGEABLE", { alertId, by: open.alert.acknowledged?.by ?? "" });
        }
        const draft = createDraft(state);
        const who = { nowMs: clock.nowMs(), actor: act.by, origin: act.origin, note: act.note };
        const alert = transit(draft, open, { kind: "acknowledge" }, who);
        commitDraft(draft);
        await flush();
        return alert;
      }),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    note: (signal) => refusals.note(signal),
    setRegistry: (view) => {
      picture.setRegistry(view, clock.nowMs());
      tell({ points: picture.refresh(picture.pointIds()), alerts: [], gateway: picture.gateway() });
    },
    caughtUp: () => exclusive(turn),
  };
}
