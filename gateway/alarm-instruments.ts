// Metrics of the alerts themselves, and of what people are told of them.
import type { Registry } from "prom-client";
import type { AlarmMetrics, NotifyState } from "../protocol/index.ts";
import { gauge, series } from "./instruments.ts";

/** The figures of ISA-18.2 and EEMUA 191 that are few; the ten most frequent stand in the API, by name. */
export function addAlarms(registry: Registry, alarms: () => AlarmMetrics): void {
  series(
    "counter",
    registry,
    { name: "waakvlam_alerts_announced_total", help: "New lines that people were shown.", labels: ["priority"] },
    () => Object.entries(alarms().byPriority).map(([priority, count]) => [{ priority }, count]),
  );
  series(
    "gauge",
    registry,
    { name: "waakvlam_alerts_recent", help: "New lines in the last so many seconds.", labels: ["seconds"] },
    () => {
      const { last10Min, lastHour } = alarms().announced;
      return [
        [{ seconds: "600" }, last10Min],
        [{ seconds: "3600" }, lastHour],
      ];
    },
  );
  gauge(registry, "waakvlam_alerts_peak", "Most new lines in ten minutes.", () => alarms().announced.peak10Min);
  gauge(registry, "waakvlam_alert_flood", "1 from ten new lines in ten minutes until fewer than five.", () =>
    Number(alarms().flood.now),
  );
  gauge(registry, "waakvlam_alert_flood_ratio", "Share of the time in a flood.", () => alarms().flood.share);
  gauge(registry, "waakvlam_alerts_chattering", "Lines that come and go.", () => alarms().chattering);
  gauge(registry, "waakvlam_alerts_fleeting", "Over within a minute, unseen.", () => alarms().fleeting);
  gauge(registry, "waakvlam_alerts_stale", "Standing for more than a day.", () => alarms().stale);
  series(
    "gauge",
    registry,
    {
      name: "waakvlam_alert_acknowledge_seconds",
      help: "From a new line until a person has seen it.",
      labels: ["quantile"],
    },
    () => {
      const found = alarms().acknowledgeS;
      if (found === undefined) return [];
      return [
        [{ quantile: "0.5" }, found.median],
        [{ quantile: "0.9" }, found.p90],
      ];
    },
  );
}

/** Each way to people by its channel: they are few, and known. */
export function addNotices(registry: Registry, notices: () => NotifyState | undefined): void {
  gauge(
    registry,
    "waakvlam_notices_waiting",
    "Messages to people that are not delivered yet.",
    () => notices()?.waiting,
  );
  gauge(
    registry,
    "waakvlam_notices_undelivered",
    "Messages of the last hour that nobody got.",
    () => notices()?.undelivered,
  );
  series(
    "gauge",
    registry,
    { name: "waakvlam_notify_channel_up", help: "1 while a way to people works.", labels: ["channel"] },
    () => (notices()?.channels ?? []).map(({ channel, failing }) => [{ channel }, Number(failing === undefined)]),
  );
}
