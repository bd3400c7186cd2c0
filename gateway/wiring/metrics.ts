// Where the metrics have their figures from.
import type { Engine } from "../engine/engine.ts";
import type { MqttIngress } from "../ingress/mqtt.ts";
import type { Journal } from "../journal/journal.ts";
import { createMetrics, type MetricSource, type Metrics } from "../metrics.ts";
import type { Lorawan } from "./lorawan.ts";
import { VERSION } from "./parts.ts";
import type { SelfFigures } from "./self.ts";
import type { SinkSet } from "./sink-set.ts";

export interface MetricParts {
  readonly engine: Engine;
  readonly journal: Journal;
  readonly self: SelfFigures;
  readonly sinks: SinkSet;
  /** They listen only when the rest is ready. */
  readonly late: {
    readonly ingress?: Pick<MqttIngress, "refusals" | "connectedDevices">;
    readonly lorawan?: Pick<Lorawan, "own">;
    readonly copy?: { figures: MetricSource["copy"] } | undefined;
  };
}

export function startMetrics({ engine, journal, self, sinks, late }: MetricParts): Metrics {
  const metrics = createMetrics({
    version: VERSION,
    journal: () => {
      const { newestId, pendingRows, refusing, lowWater, gapRows } = journal.health();
      const { engineBehindRows, setAside } = engine.gateway().journal;
      const bytes = self.journalBytes();
      return {
        newestId,
        pendingRows,
        engineBehindRows,
        setAside,
        refusing,
        lowWater,
        gapRows,
        ...(bytes === undefined ? {} : { bytes }),
      };
    },
    disk: () => self.facts().disk,
    history: () => self.facts().history,
    copy: () => late.copy?.figures(),
    sinks: () => {
      const ages = new Map(self.facts().sinks.map(({ name, oldestS }) => [name, oldestS]));
      return sinks.states().map((state) => {
        const oldestS = ages.get(state.name);
        return { ...state, ...(oldestS === undefined ? {} : { oldestS }) };
      });
    },
    refusals: () => Object.fromEntries(late.ingress?.refusals.counts ?? []),
    alerts: () => engine.alerts().map((alert) => alert.priority),
    alarms: engine.alarmMetrics,
    notices: () => self.facts().notify,
    lorawan: () => {
      const own = late.lorawan?.own;
      if (own === undefined) return undefined;
      const { network, stations } = own;
      return { counts: network.counts(), stations: stations.states(), airtime: network.airtime() };
    },
    devices: () => {
      const counts: Record<string, number> = {};
      for (const { contact } of engine.devices()) counts[contact] = (counts[contact] ?? 0) + 1;
      return counts;
    },
    connectedDevices: () => late.ingress?.connectedDevices() ?? 0,
    clockTrusted: () => self.facts().clock.trusted,
    ups: () => {
      const { ups } = self.facts();
      return ups?.kind === "unreachable" ? "unreachable" : ups;
    },
  });
  const unsubscribe = journal.onCommitted(metrics.observeCommit);
  return {
    ...metrics,
    stop: () => {
      unsubscribe();
      metrics.stop();
    },
  };
}
