// The points of a test of rules, as the engine sees points.
import type { RulesTest } from "../../protocol/index.ts";
import type { DeviceView, PointView, RegistryView } from "../domain/point.ts";

type TestPoint = RulesTest["points"][number];

const INTERVAL_S = 60;
const TANK_L = 200;
/** Somewhere in Almere; where a point lies decides no rule. */
const PLACE = { lat: 52.37, lon: 5.22 };

/** A point, or as many as it counts. */
function each(points: readonly TestPoint[]): { readonly pointId: string; readonly of: TestPoint }[] {
  return points.flatMap((of) => {
    const { count, pointId } = of;
    if (count === undefined) return [{ pointId, of }];
    return Array.from({ length: count }, (_, i) => ({ pointId: `${pointId}-${i + 1}`, of }));
  });
}

export function viewsOf(points: readonly TestPoint[]): PointView[] {
  return each(points).map(({ pointId, of }) => {
    const { region = "Flevoland", capacity = 150, ratedKw, tankL = TANK_L, processes } = of;
    return {
      pointId,
      name: pointId,
      kind: "community-centre",
      municipality: "Almere",
      region,
      coordination: false,
      location: PLACE,
      capacity: { day: capacity, night: capacity },
      connectionPoint: false,
      generator: ratedKw === undefined ? undefined : { kind: "fixed", ratedKw, tank: { capacityL: tankL } },
      battery: undefined,
      ...(processes === undefined ? {} : { minimums: processes }),
    };
  });
}

export function deviceOf(pointId: string): string {
  return `${pointId}-d1`;
}

export function registryOfTest(points: readonly TestPoint[]): RegistryView {
  const views = viewsOf(points);
  const devices = each(points).map(({ pointId, of }): DeviceView => {
    const { link = "mqtt", path, reportIntervalS = INTERVAL_S } = of;
    return { deviceId: deviceOf(pointId), pointId, link, reportIntervalS, ...(path === undefined ? {} : { path }) };
  });
  return { points: () => views, devices: () => devices, nextChangeMs: () => Number.POSITIVE_INFINITY };
}
