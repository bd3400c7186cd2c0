// Which counters count at a point, and which are held against them: by the registry, or all that stand there now.
import type { PeopleModel } from "./people.ts";

export interface Owners {
  readonly owners: readonly string[];
  readonly others: readonly string[];
}

export function ownersOf(
  { counters }: PeopleModel,
  devices: readonly { readonly deviceId: string }[],
  named: string | readonly string[] | undefined,
): Owners {
  const all = devices.flatMap(({ deviceId }) => (counters[deviceId] === undefined ? [] : [deviceId])).sort();
  if (named === undefined) return { owners: all, others: [] };
  const wanted = typeof named === "string" ? [named] : named;
  return {
    owners: all.filter((deviceId) => wanted.includes(deviceId)),
    others: all.filter((deviceId) => !wanted.includes(deviceId)),
  };
}
