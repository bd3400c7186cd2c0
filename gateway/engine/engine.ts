// Reads the journal in order, steps the domain, saves what changed with the cursor, and only then tells of it. A crash
// anywhere evaluates again from the cursor. A row at which the engine has crashed twice is set aside.
import type {
  AlarmMetrics,
  Alert,
  DeviceState,
  Entry,
  GatewayState,
  HelpRequest,
  Overview,
  PointState,
} from "../../protocol/index.ts";
import type { Clock, Timer } from "../clock.ts";
import type { RegistryView } from "../domain/point.ts";
import type { Profile } from "../domain/profile.ts";
import type { JournalRecord } from "../domain/record.ts";
import { isOpenRequest } from "../domain/requests.ts";
import { GatewayError } from "../errors.ts";
import { type AlarmWatch, openAlarmWatch } from "./alarm-watch.ts";
import { createAttempts } from "./attempts.ts";
import { applyGroups, applyPaths, type CauseContext } from "./causes.ts";
import { type Deed, type Doer, doTo, endShelves } from "./deeds.ts";
import { type EndingContext, endAlerts } from "./endings.ts";
import { newestEntries, withoutForgotten } from "./entries.ts";
import type { EngineJournal, Signal, Surroundings } from "./interfaces.ts";
import { createPicture, type Picture } from "./picture.ts";
import { createRefusalWatch } from "./refusal-watch.ts";
import { createRequestDesk, type RequestDesk } from "./request-desk.ts";
import { forgetRequests } from "./requests.ts";
import { createRows, type Rows } from "./rows.ts";
import { CURSOR, createSaver, loadState, type Saver } from "./saving.ts";
import { createSelfWatch } from "./self-watch.ts";
import { createDraft, type Draft, type EngineState } from "./state.ts";
import { evaluate, mattersOf } from "./step.ts";

export const BATCH_ROWS_MAX = 200;
const TICK_MS = 1_000;
/** A tick looks at a tenth of the points: each once in ten seconds. */
const TICK_SHARE = 10;
/** After a failure of the journal the turn is taken again. */
const RETRY_MS = 1_000;
const GATEWAY_STATE_MS = 5_000;

export interface EngineChange {
  readonly points: readonly PointState[];
  /** Points that were told of and are none any more: the registry has them no longer, or their time is over. */
  readonly gone?: readonly string[];
  /** Changed alerts; state normal means closed. */
  readonly alerts: readonly Alert[];
  /** Requests for help that changed, at some of these points. */
  readonly requests?: readonly HelpRequest[];
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
  alerts(): readonly Alert[];
  alert(alertId: string): Alert | undefined;
  /** What people told of a point, the newest first, from before a moment. */
  entries(pointId: string, limit: number, beforeMs: number): readonly Entry[];
  /** True for an entry that has been taken: sent again, it counts no second time. */
  hasEntry(pointId: string, entryId: string): boolean;
  /** How the alerts themselves do. */
  alarmMetrics(): AlarmMetrics;
  devices(): readonly DeviceState[];
  device(deviceId: string): DeviceState | undefined;
  gateway(): GatewayState;
  /** Throws ALERT_UNKNOWN and what `doTo` throws. */
  act(alertId: string, deed: Deed, doer: Doer): Promise<Alert>;
  /** What people ask for, and what becomes of it. */
  readonly requests: RequestDesk;
  onChange(listener: (change: EngineChange) => void): () => void;
  note(signal: Signal): void;
  setRegistry(view: RegistryView): void;
  profile(): Profile;
  /** Other norms, from the next step on; open alerts are judged anew by them. */
  setProfile(next: Profile): void;
  /** Resolves when all rows committed before this call have been taken. */
  caughtUp(): Promise<void>;
}

export function createEngine(options: EngineOptions): Engine {
  const { journal, clock } = options;
  let state: EngineState;
  let picture: Picture;
  let saver: Saver;
  let rows: Rows;
  let alarms: AlarmWatch;
  let stopping = false;
  let busy: Promise<unknown> = Promise.resolve();
  let turnQueued = false;
  let tickQueued = false;
  let tickAt = 0;
  let unsubscribe = () => {};
  const timers: Timer[] = [];
  const listeners = new Set<(change: EngineChange) => void>();
  let { profile } = options;
  const refusals = createRefusalWatch(() => profile);
  const { self } = options.surroundings;
  const own = self === undefined ? undefined : createSelfWatch({ clock, profile: () => profile, facts: self });
  const attempts = createAttempts(journal, clock);

  /** One at a time: rows, ticks and people never step the same state at once. */
  function exclusive<T>(work: () => Promise<T>): Promise<T> {
    const next = busy.then(work, work);
    busy = next.catch(() => undefined);
    return next;
  }

  function tell(change: EngineChange): void {
    alarms.note(change.alerts);
    const gone = picture.takeGone();
    const isNothing = change.points.length === 0 && change.alerts.length === 0 && change.gateway === undefined;
    if (isNothing && gone.length === 0) return;
    const told = gone.length === 0 ? change : { ...change, gone };
    for (const listener of listeners) listener(told);
  }

  /** What is told is on disk. `alsoShown`: points whose age alone has changed. */
  async function flush(alsoShown: readonly string[] = []): Promise<void> {
    const saved = await saver.flush();
    tell({
      points: picture.refresh([...new Set([...saved.points, ...alsoShown])]),
      alerts: saved.alerts,
      requests: saved.requests,
    });
  }

  function change(step: (draft: Draft) => void): void {
    const draft = createDraft(state);
    step(draft);
    saver.commit(draft);
  }

  function causes(): CauseContext {
    const { context } = picture;
    return { nowMs: clock.nowMs(), profile, pointOf: context.pointOf, pointIds: picture.pointIds };
  }

  function endings(nowMs: number): EndingContext {
    return {
      nowMs,
      isPoint: (id) => picture.context.pointOf(id) !== undefined,
      isDevice: (id) => picture.context.deviceOf(id) !== undefined,
      mattersAt: (id) => {
        const point = picture.point(id);
        return point && mattersOf(profile, point);
      },
      isGroupRule: (id) => profile.rules.some((rule) => rule.ruleId === id && rule.group !== undefined),
    };
  }

  async function turn(): Promise<void> {
    turnQueued = false;
    while (!stopping) {
      const batch = await journal.read(saver.takenId(), BATCH_ROWS_MAX);
      // Rows that come between a change of the registry and the next tick are taken by what holds now.
      const renewed = picture.renew(clock.nowMs());
      if (batch.length > 0) picture.renewOutage();
      for (const row of batch) {
        if (!(await rows.take(row))) return;
        saver.passed(row.id);
        // A row that is behind is never taken again, whatever the next one does to the process.
        if (attempts.isCareful(row.id)) await flush();
      }
      if (saver.hasAlerts()) change((draft) => applyGroups(draft, causes()));
      await flush(renewed ? picture.pointIds() : []);
      if (batch.length === 0) return;
    }
  }

  function failed(what: string, error: unknown): void {
    options.log?.(what, { error: error instanceof Error ? error.message : String(error) });
  }

  function wake(): void {
    if (turnQueued || stopping) return;
    turnQueued = true;
    exclusive(turn).catch((error: unknown) => {
      failed("engine turn failed", error);
      clock.after(RETRY_MS, wake);
    });
  }

  async function tick(): Promise<void> {
    tickQueued = false;
    if (stopping) return;
    const nowMs = clock.nowMs();
    const renewed = picture.renew(nowMs);
    picture.renewOutage();
    const ids = picture.pointIds();
    const share = Math.max(1, Math.ceil(ids.length / TICK_SHARE));
    const slice = ids.slice(tickAt, tickAt + share);
    tickAt = tickAt + share >= ids.length ? 0 : tickAt + share;
    for (const pointId of slice) {
      const evaluation = { nowMs, contact: picture.contactOf(pointId), onlySilence: !picture.isFresh(pointId, nowMs) };
      change((draft) => evaluate(draft, pointId, evaluation, picture.context));
      const left = withoutForgotten(state.entries.get(pointId) ?? [], journal.oldestId?.() ?? 0);
      if (left !== undefined) change((draft) => void draft.entries.set(pointId, left));
    }
    if (own !== undefined) change((draft) => own.apply(draft));
    change((draft) => refusals.apply(draft, nowMs, (deviceId) => picture.subjectOf(deviceId)));
    const down = picture.lookAtPaths();
    change((draft) => applyPaths(draft, down, picture.context.devicesOf, causes()));
    change((draft) => applyGroups(draft, causes()));
    change((draft) => forgetRequests(draft, nowMs));
    change((draft) => endShelves(draft, nowMs));
    change((draft) => endAlerts(draft, endings(nowMs)));
    // What changed by the registry alone is told at once, of every point.
    await flush(renewed ? ids : slice);
    const figures = alarms.due();
    if (figures !== undefined) await journal.save({ put: [figures] });
  }

  /** Beside the turns: while the journal refuses, these wait for it. */
  function watchJournal(): void {
    const changed = own?.look();
    if (changed !== undefined) tell({ points: [], alerts: [changed], gateway: picture.gateway() });
  }

  function queueTick(): void {
    watchJournal();
    if (tickQueued || stopping) return;
    tickQueued = true;
    // What could not be saved stays for the next tick.
    exclusive(tick).catch((error: unknown) => failed("engine tick failed", error));
  }

  const requests = createRequestDesk({
    parts: () => ({ state, picture, saver }),
    exclusive,
    nowMs: clock.nowMs,
    told: (saved, pointId) => tell({ ...saved, points: picture.refresh([pointId]) }),
  });

  return {
    requests,
    async start() {
      const loaded = await loadState(journal);
      state = loaded;
      saver = createSaver(journal, loaded, await journal.cursor(CURSOR));
      picture = createPicture(
        { options, profile: () => profile, savedId: saver.savedId, unstored: () => own?.unstored() },
        loaded,
      );
      rows = createRows({ ...options, state, picture, saver, attempts, isStopping: () => stopping });
      alarms = await openAlarmWatch(
        journal,
        clock,
        [...state.alerts.values()].map(({ alert }) => alert),
      );
      await attempts.load(saver.savedId(), BATCH_ROWS_MAX);
      unsubscribe = journal.onCommitted(wake);
      await exclusive(turn);
      if (stopping) return;
      picture.renewOutage();
      picture.refresh(picture.pointIds());
      timers.push(clock.every(TICK_MS, queueTick));
      timers.push(clock.every(GATEWAY_STATE_MS, () => tell({ points: [], alerts: [], gateway: picture.gateway() })));
      wake();
    },
    async stop() {
      unsubscribe();
      for (const timer of timers) timer.stop();
      stopping = true;
      await exclusive(async () => {
        await flush();
        const figures = alarms.due(true);
        if (figures !== undefined) await journal.save({ put: [figures] });
        await attempts.close();
      });
    },
    overview: () => ({
      gateway: picture.gateway(),
      points: picture.points(),
      alerts: picture.alerts(),
      requests: requests.list().filter(isOpenRequest),
    }),
    point: (pointId) => picture.point(pointId),
    alerts: () => picture.alerts(),
    alert: (alertId) => picture.alerts().find((alert) => alert.alertId === alertId),
    entries: (pointId, limit, beforeMs) => newestEntries(state.entries.get(pointId) ?? [], limit, beforeMs),
    hasEntry: (pointId, entryId) => state.entries.get(pointId)?.some(({ entry }) => entry.entryId === entryId) ?? false,
    alarmMetrics: () => alarms.metrics(picture.alerts()),
    devices: () => picture.devices(),
    device: (deviceId) => picture.device(deviceId),
    gateway: () => picture.gateway(),
    act: async (alertId, deed, doer) => {
      const seen = deed.kind === "acknowledge" ? own?.acknowledge(alertId, doer.by) : undefined;
      if (seen !== undefined) {
        tell({ points: [], alerts: [seen] });
        return seen;
      }
      return exclusive(async () => {
        const open = state.alerts.get(alertId);
        if (open === undefined) throw new GatewayError("ALERT_UNKNOWN", { alertId });
        const draft = createDraft(state);
        const alert = doTo(draft, open, deed, doer, clock.nowMs());
        const saved = await saver.saveNow(draft);
        tell({ points: [], alerts: saved.alerts });
        return alert;
      });
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    note: (signal) => refusals.note(signal),
    setRegistry: (view) => {
      picture.setRegistry(view, clock.nowMs());
      tell({ points: picture.refresh(picture.pointIds()), alerts: [], gateway: picture.gateway() });
    },
    profile: () => profile,
    setProfile: (next) => {
      profile = next;
    },
    caughtUp: () => exclusive(turn),
  };
}
