// Metrics of the gateway's own LoRaWAN: what its network server took and refused, and how its base stations are.
import type { Registry } from "prom-client";
import { series } from "./instruments.ts";

export interface LorawanFigures {
  /** By name: what went well, and every reason of a refusal that happened. */
  readonly counts: Readonly<Partial<Record<string, number>>>;
  readonly stations: readonly { readonly eui: string; readonly isSilent: boolean; readonly framesHeard: number }[];
  readonly airtime: readonly {
    readonly stationId: string;
    readonly band: string;
    readonly usedMs: number;
    readonly limitMs: number;
  }[];
}

/** Absent where base stations are not ours. */
export function addLorawan(registry: Registry, lorawan: () => LorawanFigures | undefined): void {
  series(
    "counter",
    registry,
    {
      name: "waakvlam_lorawan_frames_total",
      help: "Frames by what became of them, since the start.",
      labels: ["result"],
    },
    () => Object.entries(lorawan()?.counts ?? {}).map(([result, count]) => [{ result }, count ?? 0]),
  );
  series(
    "gauge",
    registry,
    { name: "waakvlam_lorawan_station_up", help: "1 while a base station is heard.", labels: ["station"] },
    () => (lorawan()?.stations ?? []).map(({ eui, isSilent }) => [{ station: eui }, Number(!isSilent)]),
  );
  series(
    "counter",
    registry,
    { name: "waakvlam_lorawan_station_frames_total", help: "Frames that a base station heard.", labels: ["station"] },
    () => (lorawan()?.stations ?? []).map(({ eui, framesHeard }) => [{ station: eui }, framesHeard]),
  );
  series(
    "gauge",
    registry,
    {
      name: "waakvlam_lorawan_airtime_ratio",
      help: "Used of what a base station may have on the air in an hour, 1 is all.",
      labels: ["station", "band"],
    },
    () =>
      (lorawan()?.airtime ?? []).map(({ stationId, band, usedMs, limitMs }) => [
        { station: stationId, band },
        usedMs / limitMs,
      ]),
  );
}
