// The picture that people see, kept up to date from the state: points, devices, the gateway about itself.
import type { Alert, DeviceState, GatewayState, PointState } from "../../protocol/index.ts";
import { isHidden } from "../domain/alerts/life.ts";
import { type DeviceModel, leftOutOf } from "../domain/device-model.ts";
import { dipsHere } from "../domain/endurance/dips.ts";
import { toInstant } from "../domain/instant.ts";
import { toldPowerMs } from "../domain/manual/told.ts";
import { matterOfProcess } from "../domain/minimum.ts";
import { type Outage, outageOf, targetMs } from "../domain/outage.ts";
import { roomAt } from "../domain/people/room.ts";
import type { DeviceView, PointView, RegistryView } from "../domain/point.ts";
import { emptyModel } from "../domain/point-model.ts";
import { pointState } from "../domain/point-state.ts";
import type { Profile } from "../domain/profile.ts";
import { lowWaterBytes } from "../domain/self.ts";
import { lifeOf } from "./alerts.ts";
import { assetsAt } from "./assets.ts";
import { type Contacts, createContacts, type DownPath } from "./contact.ts";
import { DEVICE_MATTERS } from "./device-alarms.ts";
import type { EngineOptions } from "./engine.ts";
import type { EngineState } from "./state.ts";
import { momentOf, type StepContext } from "./step.ts";

/** The gateway's own state is due again within this; later means that it is down. */
const NEXT_MS = 15_000;
const FRESH_MS_MIN = 120_000;
const MAINS = "mains";

export interface Picture {
  readonly context: StepContext;
  readonly contacts: Contacts;
  pointIds(): readonly string[];
  /** Makes the states of these points anew and gives them. */
  refresh(pointIds: readonly string[]): PointState[];
  points(): PointState[];
  point(pointId: string): PointState | undefined;
  alerts(): Alert[];
  devices(): DeviceState[];
  device(deviceId: string): DeviceState | undefined;
  gateway(): GatewayState;
  contactOf(pointId: string): PointState["contact"];
  lookAtPaths(): readonly DownPath[];
  /** True while the newest sample of the point, or what was told of its power, is young enough to judge by. */
  isFresh(pointId: string, nowMs: number): boolean;
  subjectOf(deviceId: string): Alert["subject"] | undefined;
  renewOutage(): void;
  /** Points that were shown and are none any more, each once. */
  takeGone(): readonly string[];
  /** Looks the registry up anew when what holds has changed since, or the clock has gone back; true when it did. */
  renew(nowMs: number): boolean;
  setRegistry(view: RegistryView, nowMs: number): void;
}

export interface PictureDeps {
  readonly options: EngineOptions;
  profile(): Profile;
  savedId(): number;
  /** The alert that cannot be stored, when there is one. */
  unstored(): Alert | undefined;
}

export function createPicture(deps: PictureDeps, state: EngineState): Picture {
  const { options, profile, savedId, unstored } = deps;
  const { clock, journal, surroundings } = options;
  let registry = options.registry;
  /** Of the registry as it is looked up now: from when, and until when, it holds. */
  let lookedUpMs = Number.POSITIVE_INFINITY;
  let nextChangeMs = Number.NEGATIVE_INFINITY;
  let views = new Map<string, PointView>();
  let devices = new Map<string, DeviceView>();
  let byPoint = new Map<string, DeviceView[]>();
  let outage: Outage | undefined;
  const shown = new Map<string, PointState>();
  const gone = new Set<string>();
  const startedAt = toInstant(clock.nowMs());

  function renew(nowMs: number): boolean {
    if (nowMs >= lookedUpMs && nowMs < nextChangeMs) return false;
    lookedUpMs = nowMs;
    nextChangeMs = registry.nextChangeMs(nowMs);
    views = new Map(registry.points(nowMs).map((view) => [view.pointId, view]));
    devices = new Map(registry.devices(nowMs).map((device) => [device.deviceId, device]));
    byPoint = new Map();
    for (const device of devices.values())
      byPoint.set(device.pointId, [...(byPoint.get(device.pointId) ?? []), device]);
    for (const pointId of shown.keys()) if (!views.has(pointId) && shown.delete(pointId)) gone.add(pointId);
    return true;
  }
  renew(clock.nowMs());

  const context: StepContext = {
    get profile() {
      return profile();
    },
    outageTargetMs: (nowMs) => targetMs(outage, nowMs, profile().norms.autonomyH.value),
    pointOf: (pointId) => views.get(pointId),
    deviceOf: (deviceId) => devices.get(deviceId),
    stayOf: (deviceId, atMs) => registry.stayOf?.(deviceId, atMs),
    devicesOf: (pointId) => byPoint.get(pointId) ?? [],
  };
  const everHeard = (deviceId: string) => state.devices.get(deviceId)?.lastReceivedMs !== undefined;
  const contacts = createContacts(clock.monotonicMs, profile, silentDevices(state, context), downPaths(state));
  const contactOf = (pointId: string) => contacts.ofPoint(context.devicesOf(pointId), everHeard);

  function priorityOf(pointId: string): PointState["priority"] {
    let most: PointState["priority"] = 0;
    for (const matter of mattersOfPoint(pointId)) {
      const id = state.byMatter.get(matter);
      const open = id === undefined ? undefined : state.alerts.get(id);
      if (open === undefined || !lifeOf(open).isActive || open.alert.state === "out-of-service") continue;
      if (most === 0 || open.alert.priority < most) most = open.alert.priority;
    }
    return most;
  }

  /** Of its rules, its devices, and what is asked there. */
  function* mattersOfPoint(pointId: string): Iterable<string> {
    for (const matter of new Set(profile().rules.map((rule) => rule.matter))) {
      // In an outage the mains are gone everywhere: that alone marks no point among the others.
      if (matter !== MAINS) yield `${matter}/${pointId}`;
    }
    for (const { processId } of views.get(pointId)?.minimums ?? []) yield `${matterOfProcess(processId)}/${pointId}`;
    for (const { deviceId } of context.devicesOf(pointId))
      for (const matter of DEVICE_MATTERS) yield `${matter}/${deviceId}`;
    for (const { request } of state.requests.values())
      if (request.pointId === pointId && request.state === "asked") yield `help/${request.requestId}`;
  }

  function leftOutAt(pointId: string): number {
    return context.devicesOf(pointId).reduce((sum, { deviceId }) => {
      const model = state.devices.get(deviceId);
      return model === undefined ? sum : sum + leftOutOf(model);
    }, 0);
  }

  function refresh(pointIds: readonly string[]): PointState[] {
    const nowMs = clock.nowMs();
    const made = pointIds.flatMap((pointId) => {
      const view = views.get(pointId);
      if (view === undefined) return [];
      const moment = momentOf(pointId, { nowMs, contact: contactOf(pointId) }, context);
      const model = state.points.get(pointId) ?? emptyModel(pointId);
      const assets = assetsAt(view, (assetId) => state.assets.get(assetId));
      const point = pointState(model, view, { ...moment, ...assets, priority: priorityOf(pointId) });
      const leftOut = leftOutAt(pointId);
      const next = leftOut === 0 ? point : { ...point, leftOut };
      shown.set(pointId, next);
      return [next];
    });
    return made.map(withRoom);
  }

  /** Where people can go is seen when all others are. */
  function withRoom(point: PointState): PointState {
    const rooms = roomAt(point, shown.values(), profile().people);
    if (rooms.length === 0) return point;
    const next = { ...point, roomAt: rooms };
    shown.set(point.pointId, next);
    return next;
  }

  function deviceState(device: DeviceView): DeviceState {
    const model = state.devices.get(device.deviceId);
    return {
      deviceId: device.deviceId,
      pointId: device.pointId,
      contact: contacts.of(device, everHeard(device.deviceId)),
      ...(model?.highest === undefined ? {} : { sequence: model.highest & 0xffff }),
      ...(model?.lastReceivedMs === undefined ? {} : { lastReceivedAt: toInstant(model.lastReceivedMs) }),
      ...(model?.lastSampleMs === undefined ? {} : { lastSampleAt: toInstant(model.lastSampleMs) }),
      records: model?.records ?? 0,
      undecoded: model?.undecoded ?? 0,
      missing: model?.missing ?? 0,
      leftOut: model === undefined ? 0 : leftOutOf(model),
      ...(model?.report === undefined ? {} : { report: model.report.value }),
      ...(model?.info === undefined ? {} : { info: model.info.value }),
      ...(model?.lastEvent === undefined ? {} : { lastEvent: eventOf(model.lastEvent) }),
    };
  }

  function gateway(): GatewayState {
    const nowMs = clock.nowMs();
    const points = [...shown.values()];
    const alerts = openAlerts();
    const outlook = points.map(outlookOf);
    const health = journal.health();
    const own = surroundings.self?.();
    const notify = surroundings.notify?.();
    return {
      gatewayId: options.gatewayId,
      version: options.version,
      startedAt,
      asOf: toInstant(nowMs),
      nextBefore: toInstant(nowMs + NEXT_MS),
      clockTrusted: surroundings.isClockTrusted(),
      ...(outage === undefined
        ? {}
        : { outage: { startedAt: toInstant(outage.startedMs), until: toInstant(outage.untilMs) } }),
      points: {
        total: points.length,
        reaching: outlook.filter((one) => one === "reaching").length,
        notReaching: outlook.filter((one) => one === "not-reaching").length,
        unknown: outlook.filter((one) => one === "unknown").length,
        current: points.filter((point) => point.contact === "present").length,
      },
      people: {
        present: points.reduce((sum, point) => sum + (point.occupancy?.people ?? 0), 0),
        capacity: points.reduce((sum, point) => sum + (point.capacity ?? 0), 0),
      },
      alerts: {
        unacknowledged: alerts.filter((alert) => alert.state.endsWith("unacknowledged")).length,
        acknowledged: alerts.filter((alert) => /^(latched-)?acknowledged$/.test(alert.state)).length,
        hidden: alerts.filter((alert) => isHidden(alert.state)).length,
      },
      journal: {
        newestId: journal.newestId(),
        pendingRows: health.pendingRows,
        engineBehindRows: Math.max(0, journal.newestId() - savedId()),
        setAside: state.setAside,
        unknownDeviceRows: state.unknownDeviceRows,
      },
      refusals: { ...surroundings.refusals() },
      sinks: [...surroundings.sinks()],
      ...(own?.copy === undefined ? {} : { copy: own.copy }),
      ...(own?.history === undefined ? {} : { history: own.history }),
      ...(own?.disk === undefined
        ? {}
        : { disk: { ...own.disk, lowWaterBytes: Math.round(lowWaterBytes(own.disk, profile().gateway)) } }),
      ...(own?.ups === undefined ? {} : { ups: own.ups }),
      ...(notify === undefined ? {} : { notify }),
    };
  }

  function openAlerts(): Alert[] {
    // The same after a restart, whatever order the documents come in.
    const stored = [...state.alerts.values()].map((open) => open.alert).sort(byRaised);
    const extra = unstored();
    return extra === undefined ? stored : [extra, ...stored];
  }

  return {
    context,
    contacts,
    pointIds: () => [...views.keys()],
    refresh,
    points: () => [...views.keys()].flatMap((pointId) => shown.get(pointId) ?? refresh([pointId])),
    point: (pointId) => shown.get(pointId),
    alerts: openAlerts,
    devices: () => [...devices.values()].map(deviceState),
    device: (deviceId) => {
      const device = devices.get(deviceId);
      return device === undefined ? undefined : deviceState(device);
    },
    gateway,
    contactOf,
    lookAtPaths: () => contacts.lookAtPaths(devices.values(), everHeard, surroundings.deadPaths?.()),
    isFresh: (pointId, nowMs) => {
      const model = state.points.get(pointId);
      const toldMs = model === undefined ? undefined : toldPowerMs(model.told, dipsHere(model.fuel.dips));
      if (toldMs !== undefined && nowMs - toldMs <= profile().toldStaleS * 1000) return true;
      const sampledMs = model?.lastSampleMs;
      const intervalS = Math.max(0, ...context.devicesOf(pointId).map((device) => device.reportIntervalS));
      return sampledMs !== undefined && nowMs - sampledMs <= Math.max(FRESH_MS_MIN, 2000 * intervalS);
    },
    subjectOf: (deviceId) => {
      const device = devices.get(deviceId);
      const name = device === undefined ? undefined : views.get(device.pointId)?.name;
      return device === undefined || name === undefined
        ? undefined
        : { kind: "device", id: deviceId, name, pointId: device.pointId };
    },
    renewOutage: () => {
      const lost = [...state.points.values()].flatMap((model) => {
        return views.has(model.pointId) && model.mainsLostMs !== undefined ? [model.mainsLostMs] : [];
      });
      outage = outageOf(lost, profile().norms.autonomyH.value);
    },
    takeGone: () => {
      const taken = [...gone].filter((pointId) => !views.has(pointId));
      gone.clear();
      return taken;
    },
    renew,
    setRegistry: (view, nowMs) => {
      registry = view;
      nextChangeMs = Number.NEGATIVE_INFINITY;
      renew(nowMs);
    },
  };
}

function eventOf({ event, argument, atMs }: NonNullable<DeviceModel["lastEvent"]>) {
  return { event, argument, atMs };
}

function outlookOf(point: PointState): "reaching" | "not-reaching" | "unknown" {
  if (point.endurance.kind === "none") {
    if (point.mains === "present") return "reaching";
    return point.endurance.reason === "no-backup" ? "not-reaching" : "unknown";
  }
  // A figure carried over a silence is an estimate of an estimate.
  if (point.endurance.carriedForward) return "unknown";
  return point.endurance.shortage === undefined ? "reaching" : "not-reaching";
}

/** Paths whose line stood open when the gateway stopped. */
function downPaths(state: EngineState): ReadonlySet<string> {
  const open = [...state.alerts.values()].filter((one) => one.alert.subject.kind === "path" && lifeOf(one).isActive);
  return new Set(open.map((one) => one.alert.subject.id));
}

/** By the number in their names: in the order in which they were raised. */
function byRaised(a: Alert, b: Alert): number {
  const numberOf = ({ alertId }: Alert) => Number(alertId.slice(alertId.lastIndexOf("-") + 1));
  return numberOf(a) - numberOf(b);
}

/** Whose silence stood open when the gateway stopped: they stay silent until they are heard. */
function silentDevices(state: EngineState, context: StepContext): ReadonlySet<string> {
  const silent = new Set<string>();
  for (const open of state.alerts.values()) {
    if (open.alert.ruleId !== "silence" || !lifeOf(open).isActive) continue;
    for (const device of context.devicesOf(open.alert.subject.id)) silent.add(device.deviceId);
  }
  return silent;
}
