// History as the gateway sees it: what was, as samples and as series, for longer than the journal keeps its rows.
import type { Clock } from "../clock.ts";
import { GatewayError } from "../errors.ts";
import { type Compactor, type CompactorState, createCompactor, type HistoryJournal } from "./compactor.ts";
import type { Place, Samples, Series } from "./messages.ts";
import { startReader } from "./reader.ts";
import type { Retention } from "./store.ts";
import { startWriter } from "./writer.ts";

export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A device and when it counts; steps of a series at both ends of the range are whole. */
export type Sensor = Range & { readonly deviceId: string };

export interface SeriesRequest extends Range {
  readonly sensors: readonly Sensor[];
  /** Most steps. */
  readonly points: number;
  readonly fields?: readonly string[] | undefined;
}

export interface SamplesRequest extends Range {
  readonly deviceId: string;
  readonly limit: number;
  readonly after?: Place | undefined;
}

export interface History {
  /** Both reject with HISTORY_UNUSABLE or HISTORY_BUSY. */
  series(request: SeriesRequest): Promise<Series>;
  samples(request: SamplesRequest): Promise<Samples>;
  /** Brings what was read so far into history.db now. Rejects with HISTORY_UNUSABLE. */
  compact(): Promise<void>;
  state(): CompactorState | { readonly failing: string };
  stop(): Promise<void>;
}

export interface HistoryOptions {
  readonly dir: string;
  readonly journal: HistoryJournal & { readonly epoch: string };
  readonly clock: Clock;
  readonly compactEveryMs: number;
  readonly retention: Retention;
  log?(event: string, detail: Readonly<Record<string, string | number>>): void;
}

/** Opens history.db and follows the journal. Rejects with HISTORY_UNUSABLE. */
export async function startHistory(options: HistoryOptions): Promise<History> {
  const { dir, journal, clock, compactEveryMs, retention, log } = options;
  const writer = await startWriter({ dir, journal: { epoch: journal.epoch, newestId: journal.newestId() } });
  const reader = startReader(dir);
  const compactor: Compactor = createCompactor({
    writer,
    journal,
    clock,
    compactEveryMs,
    retention,
    ...(log === undefined ? {} : { log }),
  });
  await compactor.start();
  const sourceOf = (sensor: Sensor) => ({ ...sensor, tail: compactor.tailOf(sensor.deviceId) });
  return {
    series: ({ sensors, ...request }) => reader.series({ ...request, sources: sensors.map(sourceOf) }),
    samples: ({ deviceId, fromMs, toMs, ...request }) =>
      reader.samples({ ...request, source: sourceOf({ deviceId, fromMs, toMs }) }),
    compact: compactor.compact,
    state: compactor.state,
    async stop() {
      await compactor.stop();
      await Promise.all([reader.close(), writer.close()]);
    },
  };
}

/** In its place when history.db cannot be opened: everything else goes on. */
export function noHistory(reason: string): History {
  const refuse = () => Promise.reject(new GatewayError("HISTORY_UNUSABLE", { reason }));
  return {
    series: refuse,
    samples: refuse,
    compact: refuse,
    state: () => ({ failing: reason }),
    stop: async () => {},
  };
}
