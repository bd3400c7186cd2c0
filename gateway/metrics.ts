// The one door to Prometheus metrics. Names carry their unit, labels have few and known values, and everything but the
// histograms is read when somebody asks.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { collectDefaultMetrics, Registry } from "prom-client";
import type { AlarmMetrics, NotifyState } from "../protocol/index.ts";
import { addAlarms, addNotices } from "./alarm-instruments.ts";
import { gauge, histogram, LABEL_VALUES_MAX, series } from "./instruments.ts";
import { addLorawan, type LorawanFigures } from "./lorawan-instruments.ts";

export interface MetricSource {
  readonly version: string;
  journal(): {
    readonly newestId: number;
    readonly pendingRows: number;
    readonly engineBehindRows: number;
    readonly setAside: number;
    readonly refusing: boolean;
    readonly lowWater: boolean;
    readonly gapRows: number;
    /** Of the journal's files together. */
    readonly bytes?: number;
  };
  history():
    | {
        readonly behindRows?: number;
        readonly bytes?: number;
        readonly compactionAgeS?: number;
        readonly failing?: string;
      }
    | undefined;
  /** Undefined when no copy is configured. */
  copy():
    | {
        readonly behindRows: number;
        readonly failing: boolean;
        readonly writtenBytes: number;
        /** Since it was last brought up to date. */
        readonly ageS?: number;
      }
    | undefined;
  disk(): { readonly freeBytes: number; readonly sizeBytes: number } | undefined;
  sinks(): readonly {
    readonly name: string;
    readonly state: string;
    readonly behindRows: number;
    readonly oldestS?: number;
    readonly sent: number;
    readonly dead: number;
  }[];
  refusals(): Readonly<Record<string, number>>;
  /** Open alerts by priority 1, 2, 3. */
  alerts(): readonly number[];
  /** How the alerts themselves do. */
  alarms(): AlarmMetrics;
  /** Undefined when nobody is to be told outside the screens. */
  notices(): NotifyState | undefined;
  /** Undefined where base stations are not ours. */
  lorawan(): LorawanFigures | undefined;
  /** Devices by contact: present, silent, never. */
  devices(): Readonly<Record<string, number>>;
  /** Connections that devices hold now. */
  connectedDevices(): number;
  clockTrusted(): boolean;
  ups():
    | {
        readonly onBattery: boolean;
        readonly lowBattery: boolean;
        readonly chargePct?: number;
        readonly runtimeS?: number;
      }
    | "unreachable"
    | undefined;
}

export interface Metrics {
  readonly contentType: string;
  /** From the broker's hook to the PUBACK: what a device waits for. */
  observePuback(ms: number): void;
  observeCommit(commit: { readonly ms: number; readonly rows: number }): void;
  /** Text exposition, version 0.0.4. */
  text(): Promise<string>;
  stop(): void;
}

const SINK_STATES = ["idle", "sending", "retrying", "refused"];
const CONTACTS = ["present", "silent", "never"];
/** An fsync of a good disk takes 1 ms, a stall 800 ms; a device gives up after some seconds. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const ROWS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000];
const LOOP_RESOLUTION_MS = 10;

export function createMetrics(source: MetricSource): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const puback = histogram(registry, {
    name: "waakvlam_mqtt_puback_seconds",
    help: "From the arrival of an uplink to its PUBACK, the commit included.",
    buckets: SECONDS,
  });
  const commit = histogram(registry, {
    name: "waakvlam_journal_commit_seconds",
    help: "One commit of the journal, fsync included.",
    buckets: SECONDS,
  });
  const batch = histogram(registry, {
    name: "waakvlam_journal_batch_rows",
    help: "Rows in one commit.",
    buckets: ROWS,
  });
  addJournal(registry, source);
  addHistory(registry, source);
  addCopy(registry, source);
  addSinks(registry, source);
  addPeopleAndDevices(registry, source);
  addAlarms(registry, source.alarms);
  addNotices(registry, source.notices);
  addLorawan(registry, source.lorawan);
  addOwn(registry, source);
  const loop = addLoop(registry);
  return {
    contentType: registry.contentType,
    observePuback: (ms) => puback(ms / 1000),
    observeCommit: ({ ms, rows }) => {
      commit(ms / 1000);
      batch(rows);
    },
    text: () => registry.metrics(),
    stop: () => {
      loop.disable();
      registry.clear();
    },
  };
}

function addJournal(registry: Registry, { journal, disk }: MetricSource): void {
  series("counter", registry, { name: "waakvlam_journal_rows_total", help: "Rows ever stored.", labels: [] }, () => [
    [{}, journal().newestId],
  ]);
  series(
    "counter",
    registry,
    { name: "waakvlam_journal_gap_rows_total", help: "Rows removed before all had read them.", labels: [] },
    () => [[{}, journal().gapRows]],
  );
  const read = (pick: (state: ReturnType<typeof journal>) => number | undefined) => () => pick(journal());
  gauge(
    registry,
    "waakvlam_journal_pending_rows",
    "Rows that wait for a commit.",
    read((one) => one.pendingRows),
  );
  gauge(
    registry,
    "waakvlam_journal_refusing",
    "1 while nothing can be committed.",
    read((one) => Number(one.refusing)),
  );
  gauge(
    registry,
    "waakvlam_journal_low_water",
    "1 while old rows are dropped early for want of space.",
    read((one) => Number(one.lowWater)),
  );
  gauge(
    registry,
    "waakvlam_journal_size_bytes",
    "The journal's files together.",
    read((one) => one.bytes),
  );
  gauge(
    registry,
    "waakvlam_engine_behind_rows",
    "Rows stored and not yet judged.",
    read((one) => one.engineBehindRows),
  );
  gauge(
    registry,
    "waakvlam_engine_set_aside_rows",
    "Rows that the engine could not take.",
    read((one) => one.setAside),
  );
  gauge(registry, "waakvlam_disk_free_bytes", "Free for the data folder.", () => disk()?.freeBytes);
  gauge(registry, "waakvlam_disk_size_bytes", "Size of the disk of the data folder.", () => disk()?.sizeBytes);
}

function addHistory(registry: Registry, { history }: MetricSource): void {
  const add = (
    name: string,
    help: string,
    pick: (state: NonNullable<ReturnType<typeof history>>) => number | undefined,
  ) =>
    gauge(registry, `waakvlam_history_${name}`, help, () => {
      const state = history();
      return state === undefined ? undefined : pick(state);
    });
  add("behind_rows", "Rows stored and not yet compacted.", (one) => one.behindRows);
  add("compaction_age_seconds", "Since rows were last compacted; absent before the first time.", (one) => {
    return one.compactionAgeS;
  });
  add("size_bytes", "The history's file.", (one) => one.bytes);
  add("failing", "1 while history cannot be opened or written.", (one) => Number(one.failing !== undefined));
}

function addCopy(registry: Registry, { copy }: MetricSource): void {
  gauge(registry, "waakvlam_copy_age_seconds", "Since the copy was last brought up to date.", () => copy()?.ageS);
  gauge(registry, "waakvlam_copy_behind_rows", "Rows stored that are not in it.", () => copy()?.behindRows);
  gauge(registry, "waakvlam_copy_failing", "1 while it cannot be brought up to date.", () => flag(copy()?.failing));
  const written = {
    name: "waakvlam_copy_written_bytes_total",
    help: "Bytes written to it since the start.",
    labels: [],
  };
  series("counter", registry, written, () => {
    const bytes = copy()?.writtenBytes;
    return bytes === undefined ? [] : [[{}, bytes]];
  });
}

function addSinks(registry: Registry, source: MetricSource): void {
  const sinks = () => source.sinks().slice(0, LABEL_VALUES_MAX);
  const of = (
    kind: "gauge" | "counter",
    name: string,
    help: string,
    pick: (sink: ReturnType<typeof sinks>[number]) => number,
  ) =>
    series(kind, registry, { name, help, labels: ["sink"] }, () =>
      sinks().map((one) => [{ sink: one.name }, pick(one)]),
    );
  of("gauge", "waakvlam_sink_unsent_rows", "Rows that the sink has not taken.", (one) => one.behindRows);
  of("gauge", "waakvlam_sink_oldest_unsent_seconds", "Age of the oldest of them.", (one) => one.oldestS ?? 0);
  of("counter", "waakvlam_sink_sent_rows_total", "Rows taken since the start.", (one) => one.sent);
  of("counter", "waakvlam_sink_dead_rows_total", "Rows that it can never take, since the start.", (one) => one.dead);
  series(
    "gauge",
    registry,
    { name: "waakvlam_sink_state", help: "1 at the state that the sink is in.", labels: ["sink", "state"] },
    () =>
      sinks().flatMap((one) =>
        SINK_STATES.map((state) => [{ sink: one.name, state }, Number(one.state === state)] as const),
      ),
  );
}

function addPeopleAndDevices(registry: Registry, source: MetricSource): void {
  series(
    "counter",
    registry,
    { name: "waakvlam_refused_frames_total", help: "Frames and sign-ins refused since the start.", labels: ["reason"] },
    () =>
      Object.entries(source.refusals())
        .slice(0, LABEL_VALUES_MAX)
        .map(([reason, count]) => [{ reason }, count]),
  );
  series(
    "gauge",
    registry,
    { name: "waakvlam_alerts_open", help: "Open alerts, seen or not.", labels: ["priority"] },
    () => {
      const priorities = source.alerts();
      return [1, 2, 3].map((one) => [{ priority: String(one) }, priorities.filter((p) => p === one).length]);
    },
  );
  series(
    "gauge",
    registry,
    { name: "waakvlam_devices", help: "Devices of the registry by contact.", labels: ["contact"] },
    () => {
      const devices = source.devices();
      return CONTACTS.map((contact) => [{ contact }, devices[contact] ?? 0]);
    },
  );
  gauge(registry, "waakvlam_mqtt_connected_devices", "Devices with a connection now.", source.connectedDevices);
}

function addOwn(registry: Registry, source: MetricSource): void {
  series(
    "gauge",
    registry,
    { name: "waakvlam_build_info", help: "Always 1; the version is its label.", labels: ["version"] },
    () => [[{ version: source.version }, 1]],
  );
  gauge(registry, "waakvlam_clock_trusted", "1 while the wall clock is plausible.", () =>
    Number(source.clockTrusted()),
  );
  const reading = () => {
    const ups = source.ups();
    return ups === "unreachable" ? undefined : ups;
  };
  gauge(registry, "waakvlam_ups_up", "1 while upsd answers; absent without a UPS.", () => {
    const ups = source.ups();
    return ups === undefined ? undefined : Number(ups !== "unreachable");
  });
  gauge(registry, "waakvlam_ups_on_battery", "1 on battery.", () => flag(reading()?.onBattery));
  gauge(registry, "waakvlam_ups_low_battery", "1 when the UPS says that it is nearly empty.", () =>
    flag(reading()?.lowBattery),
  );
  gauge(registry, "waakvlam_ups_charge_ratio", "Charge of the battery, 0 to 1.", () => {
    const pct = reading()?.chargePct;
    return pct === undefined ? undefined : pct / 100;
  });
  gauge(registry, "waakvlam_ups_runtime_seconds", "Time left on battery.", () => reading()?.runtimeS);
}

function flag(value: boolean | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

/** Delay beyond the sampling interval itself, since the last time somebody asked. */
function addLoop(registry: Registry): ReturnType<typeof monitorEventLoopDelay> {
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  loop.enable();
  const seconds = (ns: number) => (Number.isFinite(ns) ? Math.max(0, ns / 1e9 - LOOP_RESOLUTION_MS / 1e3) : 0);
  series(
    "gauge",
    registry,
    {
      name: "waakvlam_event_loop_delay_seconds",
      help: "Delay of the event loop since the last scrape.",
      labels: ["quantile"],
    },
    () => {
      const empty = loop.count === 0;
      const rows = [
        [{ quantile: "0.5" }, empty ? 0 : seconds(loop.percentile(50))],
        [{ quantile: "0.99" }, empty ? 0 : seconds(loop.percentile(99))],
        [{ quantile: "1" }, empty ? 0 : seconds(loop.max)],
      ] as const;
      loop.reset();
      return rows;
    },
  );
  return loop;
}
