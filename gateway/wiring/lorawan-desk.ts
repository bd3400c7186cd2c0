// The operator's desk in a gateway that runs: acts over HTTP, and those that a shell left in the data folder, each with its line in the
// log of acts; and how devices and base stations are, as far as a network and base stations of its own are wired.
import type { LorawanDeviceState, LorawanSession, LorawanStation } from "../../protocol/index.ts";
import type { ApiAct, ApiDoer, ApiLorawan } from "../api/interfaces.ts";
import type { Clock } from "../clock.ts";
import { listProblems } from "../config/problems.ts";
import { toInstant } from "../domain/instant.ts";
import { GatewayError } from "../errors.ts";
import { createLorawanDesk, type DeskAct, type LorawanDesk } from "../registry/lorawan-desk.ts";
import { loadLorawanKeys } from "../registry/lorawan-keys.ts";
import { labelSvg } from "../registry/lorawan-label.ts";
import { lorawanRows } from "../registry/lorawan-moves.ts";
import { createAnswerSweep, endRequest, type LorawanRequest, listRequests } from "../registry/lorawan-requests.ts";

/** A request of a shell is taken up within this. */
const LOOK_MS = 2_000;

/** What the network server of this gateway says and does. */
export interface NetworkOfDesk {
  flushNonces(devEui: string): Promise<void>;
  forgetSession(devEui: string): Promise<void>;
  states(): readonly NetworkDevice[];
  airtime?(): readonly {
    readonly stationId: string;
    readonly band: string;
    readonly usedMs: number;
    readonly limitMs: number;
  }[];
}

interface NetworkDevice {
  readonly devEui: string;
  readonly state: string;
  readonly devAddr?: string | undefined;
  readonly lastHeardMs?: number | undefined;
  readonly counterUp?: number | undefined;
  readonly counterDown?: number | undefined;
  readonly dataRate?: number | undefined;
  /** The best first. */
  readonly receptions: readonly { readonly stationId: string; readonly rssi: number; readonly snr: number }[];
  readonly downlinks: readonly unknown[];
  readonly nonces: { readonly used: number; readonly max: number };
}

export interface StationsOfDesk {
  states(): readonly {
    readonly eui: string;
    readonly name: string;
    readonly path?: string | undefined;
    readonly lastHeardMs?: number | undefined;
    readonly heardFrom?: string | undefined;
    readonly isConnected: boolean;
    readonly isSilent: boolean;
    readonly framesHeard: number;
    readonly transmissions: Readonly<Partial<Record<string, number>>>;
    readonly refused: Readonly<Partial<Record<string, number>>>;
  }[];
}

/** Absent: devices go through another network server, or none. */
export interface LorawanWays {
  readonly network?: NetworkOfDesk;
  readonly stations?: StationsOfDesk;
}

export interface DeskDeps extends LorawanWays {
  readonly dir: string;
  readonly clock: Clock;
  readonly journal: { save(change: { readonly acts: readonly ApiAct[] }): Promise<void> };
  /** Puts files that were written in force. */
  look(): void;
  log?(event: string, detail: Readonly<Record<string, string | number>>): void;
}

export interface StartedDesk extends ApiLorawan {
  stop(): Promise<void>;
}

export function startLorawanDesk(deps: DeskDeps): StartedDesk {
  const { dir, clock, network } = deps;
  const desk = createLorawanDesk({ dir, listProblems, nowMs: clock.nowMs });

  /** What was done is done, also when the journal takes no line of it. */
  async function record(act: DeskAct | undefined, { by, origin }: ApiDoer): Promise<void> {
    if (act === undefined) return;
    deps.look();
    await keepAct(deps, { atMs: clock.nowMs(), actor: by, result: "done", origin, ...act });
  }

  async function onSession(kind: "flush-nonces" | "forget-session", deviceId: string, doer: ApiDoer) {
    const { devEui } = desk.find(deviceId).lorawan;
    if (network === undefined) throw new GatewayError("LORAWAN_OFF");
    await (kind === "flush-nonces" ? network.flushNonces(devEui) : network.forgetSession(devEui));
    await record({ action: ACTIONS[kind], object: deviceId, detail: `DevEUI ${devEui}` }, doer);
  }

  const requests = startRequests(deps, () => ({ devices: devicesOf(desk, deps), stations: stationsOf(deps) }));
  return {
    devices: () => devicesOf(desk, deps),
    stations: () => stationsOf(deps),
    async add(asked, doer) {
      const { issued, act } = desk.add(asked);
      await record(act, doer);
      return issued;
    },
    async replace(deviceId, by, doer) {
      const { issued, act } = desk.replace(deviceId, by);
      await record(act, doer);
      return issued;
    },
    async rekey(deviceId, keys, doer) {
      const { issued, act } = desk.rekey(deviceId, keys);
      await record(act, doer);
      return issued;
    },
    async disable(deviceId, isDisabled, doer) {
      await record(desk.disable(deviceId, isDisabled).act, doer);
      return devicesOf(desk, deps).find((one) => one.deviceId === deviceId) as LorawanDeviceState;
    },
    flushNonces: (deviceId, doer) => onSession("flush-nonces", deviceId, doer),
    forgetSession: (deviceId, doer) => onSession("forget-session", deviceId, doer),
    label: (issued) => {
      const point = desk.registry().points.find(({ pointId }) => pointId === issued.pointId);
      return labelSvg({ ...issued, pointName: point?.name ?? "" });
    },
    async exportAll(target, doer) {
      const { bodies, act } = desk.exportAll(target, false);
      await record(act, doer);
      return bodies;
    },
    async importAll(bodies, isDryRun, doer) {
      const { result, act } = desk.importAll(JSON.stringify(bodies), isDryRun);
      await record(act, doer);
      return result;
    },
    stop: requests.stop,
  };
}

const ACTIONS = { "flush-nonces": "lorawan-nonces-flushed", "forget-session": "lorawan-session-forgotten" } as const;

async function keepAct({ journal, log }: Pick<DeskDeps, "journal" | "log">, act: ApiAct): Promise<void> {
  try {
    await journal.save({ acts: [act] });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log?.("an act is not in the log of acts", { action: act.action, object: act.object, actor: act.actor, reason });
  }
}

function devicesOf(desk: LorawanDesk, { dir, clock, network }: DeskDeps): LorawanDeviceState[] {
  const keys = loadLorawanKeys(dir);
  const sessions = new Map(network?.states().map((one) => [one.devEui, one]));
  return lorawanRows(desk.registry(), clock.nowMs()).map(({ deviceId, pointId, model, disabled, lorawan }) => {
    const { devEui, joinEui, version = "1.0.3", activation = "otaa" } = lorawan;
    const session = sessions.get(devEui);
    return {
      ...{ deviceId, pointId, devEui, version, activation },
      ...(joinEui === undefined ? {} : { joinEui }),
      ...(model === undefined ? {} : { model }),
      ...{ disabled: disabled === true, hasKeys: keys.get(devEui) !== undefined },
      ...(session === undefined ? {} : { session: sessionOf(session) }),
    };
  });
}

function sessionOf({
  state,
  devAddr,
  lastHeardMs,
  counterUp,
  counterDown,
  dataRate,
  ...more
}: NetworkDevice): LorawanSession {
  const best = more.receptions[0];
  const { downlinks, nonces } = more;
  return {
    state,
    ...(devAddr === undefined ? {} : { devAddr }),
    ...(lastHeardMs === undefined ? {} : { lastHeardAt: toInstant(lastHeardMs) }),
    ...(counterUp === undefined ? {} : { counterUp }),
    ...(counterDown === undefined ? {} : { counterDown }),
    ...(dataRate === undefined ? {} : { dataRate }),
    ...(best === undefined ? {} : { stationId: best.stationId, rssi: best.rssi, snr: best.snr }),
    ...{ downlinks: downlinks.length, noncesUsed: nonces.used, noncesMax: nonces.max },
  };
}

function stationsOf({ stations, network }: LorawanWays): LorawanStation[] {
  const airtime = network?.airtime?.() ?? [];
  return (stations?.states() ?? []).map(({ eui, name, path, lastHeardMs, heardFrom, ...more }) => ({
    ...{ stationId: eui, name },
    ...(path === undefined ? {} : { path }),
    ...(lastHeardMs === undefined ? {} : { lastHeardAt: toInstant(lastHeardMs) }),
    ...(heardFrom === undefined ? {} : { heardFrom }),
    ...{ connected: more.isConnected, silent: more.isSilent, framesHeard: more.framesHeard },
    ...{ transmissions: counted(more.transmissions), refused: counted(more.refused) },
    airtime: airtime
      .filter(({ stationId }) => stationId === eui)
      .map(({ band, usedMs, limitMs }) => ({ band, usedMs: Math.round(usedMs), limitMs })),
  }));
}

function counted(counts: Readonly<Partial<Record<string, number>>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts).flatMap(([name, count]) => (count === undefined ? [] : [[name, count]])),
  );
}

/** Takes up what a shell asks, in the order of the names, each ended when it is done. */
function startRequests(deps: DeskDeps, tell: () => object): { stop(): Promise<void> } {
  const { dir, clock, network, log } = deps;
  const sweep = createAnswerSweep(dir);

  async function take(request: LorawanRequest): Promise<unknown> {
    if (request.kind === "tell") return tell();
    const { kind, act } = request;
    if (kind !== "note") {
      if (network === undefined) return { failed: new GatewayError("LORAWAN_OFF").message };
      await (kind === "flush-nonces" ? network.flushNonces(request.devEui) : network.forgetSession(request.devEui));
    }
    await keepAct(deps, { ...act, result: "done", origin: "shell" });
    return { done: true };
  }

  async function look(): Promise<void> {
    for (const { requestId, request } of listRequests(dir)) {
      if (request === undefined) log?.("a request is none, and is dropped", { requestId });
      // What cannot be done now is tried again.
      endRequest(dir, requestId, request === undefined ? undefined : await take(request));
    }
    sweep(clock.monotonicMs());
  }

  let busy: Promise<void> | undefined;
  const timer = clock.every(LOOK_MS, () => {
    busy ??= look()
      .catch((error: unknown) =>
        log?.("requests wait", { reason: error instanceof Error ? error.message : String(error) }),
      )
      .finally(() => {
        busy = undefined;
      });
  });
  return {
    stop: async () => {
      timer.stop();
      await busy;
    },
  };
}
