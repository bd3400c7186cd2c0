// Points and devices as the engine sees them on one day: what is assigned from–to has been looked up.

import type { Static } from "typebox";
import type { BatterySchema, Device, GeneratorSchema, Point } from "../../protocol/index.ts";

/** `assetId` names the set or battery wherever it stands: what was learned of it goes along. */
export type Generator = Static<typeof GeneratorSchema> & { readonly assetId?: string };
export type Battery = Static<typeof BatterySchema> & { readonly assetId?: string };

export interface PointView {
  readonly pointId: string;
  readonly name: string;
  readonly kind: Point["kind"];
  readonly municipality: string;
  readonly region: string;
  readonly coordination: boolean;
  readonly location: Point["location"];
  readonly capacity: number | undefined;
  /** Which devices answer for a group (`occupancy`), by its name, when the registry says so; others cross-check. */
  readonly groupOwners?: Readonly<Record<string, string | readonly string[]>>;
  /** A socket for a delivered set, and no set. */
  readonly connectionPoint: boolean;
  readonly generator: Generator | undefined;
  readonly battery: Battery | undefined;
}

export interface DeviceView {
  readonly deviceId: string;
  readonly pointId: string;
  readonly link: Device["link"];
  readonly reportIntervalS: number;
}

export interface RegistryView {
  /** Points in force on a local day, 2026-12-31. */
  points(day: string): readonly PointView[];
  devices(day: string): readonly DeviceView[];
}

/** How many people a point can take at a moment. */
export function capacityAt({ capacity }: Pick<PointView, "capacity">, _atMs: number): number | undefined {
  return capacity;
}

const DAY = new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Amsterdam", dateStyle: "short" });

/** The local day of a moment: municipalities change at midnight here, not in Greenwich. */
export function localDay(ms: number): string {
  return DAY.format(ms);
}

/** The moment at which this day begins there; the Netherlands are one or two hours ahead of UTC. */
export function dayBeginMs(day: string): number {
  const utcMs = Date.parse(`${day}T00:00:00Z`);
  const summerMs = utcMs - 2 * 3_600_000;
  return localDay(summerMs) === day ? summerMs : utcMs - 3_600_000;
}
