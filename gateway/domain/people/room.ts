// Where people can go when a point is full: the nearest open points with room. A look over all points, for those that are full.
import type { PointState } from "../../../protocol/index.ts";
import type { Profile } from "../profile.ts";

const EARTH_KM = 6_371;
export const ROOMS_MAX = 3;

type Place = PointState["location"];
type Room = NonNullable<PointState["roomAt"]>[number];

/** Great-circle distance. */
export function distanceKm(a: Place, b: Place): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const [latA, latB] = [radians(a.lat), radians(b.lat)];
  const half = Math.sin((latB - latA) / 2) ** 2;
  const haversine = half + Math.cos(latA) * Math.cos(latB) * Math.sin(radians(b.lon - a.lon) / 2) ** 2;
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(haversine)));
}

/** Places that are surely free: what the counters may have missed is taken. */
function freeAt(point: PointState): number {
  if (point.phase !== "open" && point.phase !== "limited") return 0;
  const { capacity, occupancy } = point;
  // A number that is old or that nobody knows is no reason to send people there.
  if (capacity === undefined || occupancy === undefined || occupancy.quality !== "good") return 0;
  return capacity - occupancy.people - (occupancy.plusMinus ?? 0);
}

export function needsRoom({ phase, occupancy, capacity }: PointState, norms: Profile["people"]): boolean {
  if (phase === "full") return true;
  return capacity !== undefined && occupancy !== undefined && occupancy.people * 100 >= capacity * norms.roomPct;
}

/** At most ROOMS_MAX, the nearest first; empty where nobody has to go elsewhere. */
export function roomAt(point: PointState, all: Iterable<PointState>, norms: Profile["people"]): Room[] {
  if (!needsRoom(point, norms)) return [];
  const rooms: Room[] = [];
  for (const other of all) {
    const free = freeAt(other);
    if (other.pointId === point.pointId || free < norms.roomMin || needsRoom(other, norms)) continue;
    const km = Math.round(distanceKm(point.location, other.location) * 10) / 10;
    rooms.push({ pointId: other.pointId, name: other.name, km, free });
    rooms.sort((a, b) => a.km - b.km || (a.pointId < b.pointId ? -1 : 1));
    if (rooms.length > ROOMS_MAX) rooms.pop();
  }
  return rooms;
}
