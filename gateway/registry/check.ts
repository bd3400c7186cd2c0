// What a schema cannot say of a registry: references, periods, tables that fall. Every problem, each with its place; and
// what is allowed and yet worth a look.
import { MINIMUMS_MAX, type Noun, type Period, type Registry } from "../../protocol/index.ts";
import { nearest } from "../../protocol/nearest.ts";
import { normOf } from "../domain/minimum.ts";
import { momentMs } from "../domain/point.ts";
import { PROFILES } from "../domain/profile.ts";
import { placeOf } from "./shape.ts";
import { checkTank } from "./tank-check.ts";

interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A period in milliseconds since 1970: from (included) until (excluded). */
export function spanOf({ from, until }: Period): Span {
  return {
    fromMs: from === undefined ? Number.NEGATIVE_INFINITY : momentMs(from),
    untilMs: until === undefined ? Number.POSITIVE_INFINITY : momentMs(until),
  };
}

export function inForce(period: Period, atMs: number): boolean {
  const { fromMs, untilMs } = spanOf(period);
  return atMs >= fromMs && atMs < untilMs;
}

export function overlap(a: Period, b: Period): boolean {
  const [one, other] = [spanOf(a), spanOf(b)];
  return one.fromMs < other.untilMs && other.fromMs < one.untilMs;
}

export function checkRegistry(registry: Registry): string[] {
  return [...checkIds(registry), ...checkPoints(registry), ...checkAssets(registry), ...checkMoves(registry)];
}

/** By what a row is told apart; a row that comes again in another period has its period beside it. */
function identities(registry: Registry): [Noun, (readonly string[])[], string][] {
  return [
    ["municipalities", registry.municipalities.map((one) => [one.id]), "id"],
    ["organisations", registry.organisations.map((one) => [one.id]), "id"],
    ["points", registry.points.map((one) => [one.pointId]), "pointId"],
    ["assets", registry.assets.map((one) => [one.assetId]), "assetId"],
    ["contacts", registry.contacts.map((one) => [one.pointId, one.role, one.phone]), "pointId"],
    ["processes", registry.processes.map((one) => [one.pointId, one.processId]), "processId"],
  ];
}

function checkIds(registry: Registry): string[] {
  return identities(registry).flatMap(([noun, ids, field]) => {
    const first = new Map<string, number>();
    return ids.flatMap((id, i) => {
      const key = id.join(" ");
      const before = first.get(key);
      if (before === undefined) first.set(key, i);
      return before === undefined ? [] : [`${noun}/${i}/${field} ${key} is there already as ${noun}/${before}`];
    });
  });
}

/** `undefined` when it is there. */
function missing(id: string, known: ReadonlySet<string>, what: string): string | undefined {
  if (known.has(id)) return undefined;
  const near = nearest(id, [...known]);
  return `${id} is not among the ${what}${near === undefined ? "" : `: did you mean ${near}?`}`;
}

function isReal(moment: string): boolean {
  const [day = ""] = moment.split("T");
  const [y = 0, m = 0, d = 0] = day.split("-").map(Number);
  const date = new Date(Date.UTC(y, m - 1, d));
  return date.getUTCMonth() === m - 1 && date.getUTCDate() === d && !Number.isNaN(momentMs(moment));
}

function checkPeriod({ from, until }: Period, place: string): string[] {
  const problems: string[] = [];
  if (from !== undefined && !isReal(from)) problems.push(`${place}/from ${from} is no moment of any calendar`);
  if (until !== undefined && !isReal(until)) problems.push(`${place}/until ${until} is no moment of any calendar`);
  if (problems.length === 0 && from !== undefined && until !== undefined && momentMs(from) >= momentMs(until))
    problems.push(`${place}/until ${until} is not after from ${from}`);
  return problems;
}

/** Periods of one thing in one list: none of them at the same time. */
function checkPeriods(periods: readonly Period[], path: string): string[] {
  return periods.flatMap((period, i) => {
    const before = periods.slice(0, i).findIndex((other) => overlap(period, other));
    return [
      ...checkPeriod(period, `${path}/${i}`),
      ...(before < 0 ? [] : [`${path}/${i} overlaps ${path}/${before} in time`]),
    ];
  });
}

function checkPoints(registry: Registry): string[] {
  const municipalities = new Set(registry.municipalities.map((one) => one.id));
  const organisations = new Set(registry.organisations.map((one) => one.id));
  const points = new Set(registry.points.map((one) => one.pointId));
  const problems: string[] = [];
  const refer = (place: string, problem: string | undefined) => {
    if (problem !== undefined) problems.push(`${place} ${problem}`);
  };
  registry.points.forEach((point, i) => {
    const place = placeOf("points", i, point);
    point.municipalities.forEach(({ id }, j) => {
      refer(`${place}/municipalities/${j}/id`, missing(id, municipalities, "municipalities"));
    });
    (point.organisations ?? []).forEach(({ id }, j) => {
      refer(`${place}/organisations/${j}/id`, missing(id, organisations, "organisations"));
    });
    problems.push(...checkPeriods(point.municipalities, `${place}/municipalities`));
    problems.push(...checkPeriods(point.organisations ?? [], `${place}/organisations`));
  });
  for (const noun of ["municipalities", "organisations"] as const) {
    registry[noun].forEach((one, i) => {
      problems.push(...checkPeriod(one, placeOf(noun, i, one)));
    });
  }
  const counts = new Map<string, number>();
  registry.processes.forEach((one, i) => {
    const count = (counts.get(one.pointId) ?? 0) + 1;
    counts.set(one.pointId, count);
    if (count === MINIMUMS_MAX + 1)
      problems.push(`${placeOf("processes", i, one)} is one too many: a point has at most ${MINIMUMS_MAX}`);
    if (one.minimum === undefined && PROFILES.some(({ norms }) => normOf(one.quantity, norms) === undefined))
      problems.push(
        `${placeOf("processes", i, one)}/minimum is missing: the norms have none for ${one.quantity}, so give it`,
      );
  });
  for (const noun of ["contacts", "processes"] as const) {
    registry[noun].forEach((one, i) => {
      refer(`${placeOf(noun, i, one)}/pointId`, missing(one.pointId, points, "points"));
    });
  }
  return problems;
}

function checkAssets(registry: Registry): string[] {
  const tanks = new Set(registry.assets.filter((one) => one.type === "tank").map((one) => one.assetId));
  const organisations = new Set(registry.organisations.map((one) => one.id));
  return registry.assets.flatMap((asset, i) => {
    const place = placeOf("assets", i, asset);
    const owner =
      asset.organisation === undefined ? undefined : missing(asset.organisation, organisations, "organisations");
    const problems = owner === undefined ? [] : [`${place}/organisation ${owner}`];
    if (asset.type === "tank") return [...problems, ...checkTank(asset, place)];
    if (asset.type === "battery") return problems;
    if ((asset.tank === undefined) === (asset.tankId === undefined))
      problems.push(
        `${place} has ${asset.tank === undefined ? "neither" : "both"} a tank of its own and a tankId: give one`,
      );
    const linked = asset.tankId === undefined ? undefined : missing(asset.tankId, tanks, "tanks of the assets");
    if (linked !== undefined) problems.push(`${place}/tankId ${linked}`);
    return asset.tank === undefined ? problems : [...problems, ...checkTank(asset.tank, `${place}/tank`)];
  });
}

/** Nothing is at two places at once, and no group of a point is owned twice. */
function checkMoves(registry: Registry): string[] {
  const points = new Set(registry.points.map((one) => one.pointId));
  const assets = new Set(registry.assets.map((one) => one.assetId));
  const problems: string[] = [];
  const moves = <R extends Period & { readonly pointId: string }>(
    noun: Noun,
    rows: readonly R[],
    id: (row: R) => string,
  ) => {
    const seen = new Map<string, number[]>();
    rows.forEach((row, i) => {
      const place = placeOf(noun, i, row);
      const known = missing(row.pointId, points, "points");
      if (known !== undefined) problems.push(`${place}/pointId ${known}`);
      problems.push(...checkPeriod(row, place));
      const before = seen.get(id(row)) ?? [];
      const other = before.find((j) => overlap(row, rows[j] as R));
      if (other !== undefined) problems.push(`${place} is assigned at the same time in ${noun}/${other}`);
      seen.set(id(row), [...before, i]);
    });
  };
  moves("assignments", registry.assignments, (row) => row.assetId);
  moves("devices", registry.devices, (row) => row.deviceId);
  registry.assignments.forEach((row, i) => {
    const known = missing(row.assetId, assets, "assets");
    if (known !== undefined) problems.push(`${placeOf("assignments", i, row)}/assetId ${known}`);
  });
  return [...problems, ...checkOwners(registry)];
}

function checkOwners({ devices }: Registry): string[] {
  const owners = new Map<string, number[]>();
  const problems: string[] = [];
  devices.forEach((device, i) => {
    if (device.disabled === true) return;
    for (const group of device.owns ?? []) {
      const key = `${device.pointId} ${group}`;
      const before = owners.get(key) ?? [];
      const other = before.find(
        (j) => devices[j]?.deviceId !== device.deviceId && overlap(device, devices[j] as Period),
      );
      if (other !== undefined)
        problems.push(`${placeOf("devices", i, device)}/owns ${group} is owned at the same time by devices/${other}`);
      owners.set(key, [...before, i]);
    }
  });
  return problems;
}
