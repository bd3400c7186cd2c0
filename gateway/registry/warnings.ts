// What a registry may say and yet is worth a look before it is in force.
import type { Registry } from "../../protocol/index.ts";
import { overlap, spanOf } from "./check.ts";
import { deviceRows } from "./places.ts";
import { placeOf } from "./shape.ts";

export function warningsOf(registry: Registry): string[] {
  return [...personalData(registry), ...memberships(registry), ...together(registry), ...shared(registry)];
}

function personalData({ contacts }: Registry): string[] {
  const named = contacts.filter((one) => one.name !== undefined).length;
  if (named === 0) return [];
  const text = `${named} contacts have a name: personal data (AVG); a role and a duty phone are enough`;
  return [`contacts: ${text}`];
}

/** A point that for a while belongs to no municipality is shown with its first; one that has ended is a mistake. */
function memberships(registry: Registry): string[] {
  const byId = new Map(registry.municipalities.map((one) => [one.id, one]));
  return registry.points.flatMap((point, i) => {
    const place = placeOf("points", i, point);
    const spans = point.municipalities.map((one) => spanOf(one)).sort((a, b) => a.fromMs - b.fromMs);
    const gap = spans.findIndex((span, j) => j > 0 && span.fromMs > (spans[j - 1]?.untilMs ?? 0));
    const last = spans.at(-1)?.untilMs;
    const open = gap > 0 || last !== Number.POSITIVE_INFINITY;
    const beyond = point.municipalities.filter(({ id, until }) => {
      const whole = byId.get(id);
      return (
        whole?.until !== undefined &&
        spanOf({ ...(until === undefined ? {} : { until }) }).untilMs > spanOf(whole).untilMs
      );
    });
    return [
      ...(open ? [`${place}/municipalities leaves a time in which it belongs to none`] : []),
      ...beyond.map(({ id }) => `${place}/municipalities has ${id} after that has ended (${byId.get(id)?.until})`),
    ];
  });
}

/** Of two sets or batteries at one point at a time the one that came last counts. */
function together({ assets, assignments }: Registry): string[] {
  const types = new Map(assets.map((one) => [one.assetId, one.type]));
  return assignments.flatMap((row, i) => {
    const type = types.get(row.assetId);
    if (type !== "generator" && type !== "battery") return [];
    const other = assignments.slice(0, i).find((one) => {
      return (
        one.pointId === row.pointId &&
        types.get(one.assetId) === type &&
        one.assetId !== row.assetId &&
        overlap(one, row)
      );
    });
    if (other === undefined) return [];
    const text = `stands at ${row.pointId} together with ${other.assetId}: the one that came last counts`;
    return [`${placeOf("assignments", i, row)} ${text}`];
  });
}

function shared({ devices }: Registry): string[] {
  return devices.flatMap((device, i) => {
    const rest = devices.slice(0, i).filter((one) => one.pointId === device.pointId && overlap(one, device));
    const isSecond = rest.some((one) => one.deviceId !== device.deviceId);
    if (!isSecond || [...rest, device].some((one) => one.owns !== undefined)) return [];
    const text = `is one of several devices at ${device.pointId}, none of which owns a group: the newest reading counts`;
    return [`${placeOf("devices", i, device)} ${text}`];
  });
}

/** Between two registries. */
export function warningsBetween(before: Registry, after: Registry): string[] {
  return [...lostKeys(before, after), ...takenAlong(before, after)];
}

/** Keys go with their devices. */
function lostKeys(before: Registry, after: Registry): string[] {
  const known = new Set(after.devices.map((one) => one.deviceId));
  const gone = [...new Set(before.devices.map((one) => one.deviceId))].filter((deviceId) => !known.has(deviceId));
  if (gone.length === 0) return [];
  return [`devices that are no longer named lose their keys, and have to be flashed to come back: ${firstOf(gone)}`];
}

/** A row says to which point belongs what was measured in its time: overwritten by where the device goes, it says so no longer. */
function takenAlong(before: Registry, after: Registry): string[] {
  const points = new Set(after.points.map((one) => one.pointId));
  const rows = deviceRows(after);
  const left = before.devices.flatMap(({ deviceId, pointId }) => {
    const own = rows.get(deviceId);
    // A device or point that is named no more is told of elsewhere, or has another name now.
    if (own === undefined || !points.has(pointId) || own.some((one) => one.pointId === pointId)) return [];
    return [`${deviceId} (${pointId})`];
  });
  if (left.length === 0) return [];
  const text =
    "devices that have no row any more at the point where they stood: what they said there is that point's no longer";
  return [`${text}; to move one, end its row with until and add one with from: ${firstOf([...new Set(left)])}`];
}

function firstOf(names: readonly string[]): string {
  return `${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`;
}
