// Points and devices as the engine sees them at one instant: what is assigned from–to has been looked up.

import type { Static } from "typebox";
import type { BatterySchema, Device, GeneratorSchema, Point, Process, ReportGroup } from "../../protocol/index.ts";

/** `assetId` names the set or battery wherever it stands: what was learned of it goes along. So does that of a linked tank. */
export type Generator = Static<typeof GeneratorSchema> & { readonly assetId?: string; readonly tankId?: string };
export type Battery = Static<typeof BatterySchema> & { readonly assetId?: string };

/** What the tank is known by wherever it stands: a set's own goes by the name of the set. */
export function tankIdOf(generator: Generator | undefined): string | undefined {
  return generator?.tankId ?? generator?.assetId;
}

/** A minimum level of a critical process, and which directorate owns it. */
export type Minimum = Omit<Process, "pointId">;

export interface PointView {
  readonly pointId: string;
  readonly name: string;
  readonly kind: Point["kind"];
  readonly municipality: string;
  readonly region: string;
  readonly organisation?: string;
  readonly coordination: boolean;
  readonly location: Point["location"];
  readonly capacity: Point["capacity"];
  readonly fuelPriority?: number;
  /** A socket for a delivered set, and no set. */
  readonly connectionPoint: boolean;
  readonly generator: Generator | undefined;
  readonly battery: Battery | undefined;
  /** Which device counts for a group; a group that nobody owns goes by the newest. */
  readonly groupOwners?: Readonly<Partial<Record<ReportGroup, string>>>;
  /** Of an own post. */
  readonly minimums?: readonly Minimum[];
}

export interface DeviceView {
  readonly deviceId: string;
  readonly pointId: string;
  readonly link: Device["link"];
  readonly reportIntervalS: number;
  /** What it shares with others on its way here: a base station or an access point; its link alone when left out. */
  readonly path?: string;
  /** How long it goes on without mains. */
  readonly ownSupplyH?: number;
}

/** Where a device stood, and which devices counted there then: asked for only where it has left. */
export interface Stay {
  readonly device: DeviceView;
  groupOwners(): PointView["groupOwners"];
}

export interface RegistryView {
  /** Points as they are at an instant. */
  points(atMs: number): readonly PointView[];
  devices(atMs: number): readonly DeviceView[];
  /** By the row in force at that moment; undefined where none was. Left out where no device moves. */
  stayOf?(deviceId: string, atMs: number): Stay | undefined;
  /** When either is next another; Infinity when never. */
  nextChangeMs(atMs: number): number;
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

/** A day (its midnight here) or an instant, as milliseconds since 1970; NaN for what is neither. */
export function momentMs(moment: string): number {
  if (moment.includes("T")) return Date.parse(moment);
  return Number.isNaN(Date.parse(`${moment}T00:00:00Z`)) ? Number.NaN : dayBeginMs(moment);
}

/** The local hours in which the capacity by day holds. */
export const CAPACITY_DAY = { fromHour: 7, untilHour: 22 } as const;

const HOUR = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Amsterdam", hour: "2-digit", hourCycle: "h23" });

/** The local hour of an hour of UTC: summer time begins and ends between two of them. Asked for at every report. */
let lately = { hourMs: Number.NaN, local: 0 };
function localHour(ms: number): number {
  const hourMs = Math.floor(ms / 3_600_000) * 3_600_000;
  if (lately.hourMs !== hourMs) lately = { hourMs, local: Number(HOUR.format(hourMs)) };
  return lately.local;
}

/** How many people fit at this time of day; undefined where nobody has said. */
export function capacityAt({ capacity }: Pick<PointView, "capacity">, ms: number): number | undefined {
  if (capacity === undefined) return undefined;
  const hour = localHour(ms);
  return hour >= CAPACITY_DAY.fromHour && hour < CAPACITY_DAY.untilHour ? capacity.day : capacity.night;
}
