// What was learned of sets and tanks, between the point where they stand and the documents that go along when they move.
import { type AssetModel, withDips, withStay } from "../domain/endurance/asset-model.ts";
import { type PointView, tankIdOf } from "../domain/point.ts";
import type { PointModel } from "../domain/point-model.ts";
import type { PointMoment } from "../domain/point-state.ts";
import { type Draft, draftAsset } from "./state.ts";

type Known = Pick<PointMoment, "asset" | "tank">;

/** Of the set and of the tank that stand at a point now; a set with a tank of its own is both. */
export function assetsAt(
  { generator }: PointView,
  find: (assetId: string) => AssetModel | undefined,
): { asset: AssetModel | undefined; tank: AssetModel | undefined } {
  const of = (id: string | undefined) => (id === undefined ? undefined : find(id));
  return { asset: of(generator?.assetId), tank: of(tankIdOf(generator)) };
}

export function assetsIn(draft: Draft, view: PointView): Known {
  return assetsAt(view, (assetId) => draftAsset(draft, assetId));
}

/** What the point's hours show goes to the set that stands there. */
export function learn(draft: Draft, view: PointView, model: PointModel): void {
  keepDips(draft, view, model);
  const { generator } = view;
  if (generator?.assetId === undefined) return;
  const before = draftAsset(draft, generator.assetId);
  const after = withStay(before, generator, model.fuel, model.levels);
  if (after !== before) draft.assets.set(generator.assetId, after);
}

/** What dips said goes to the tank. */
export function keepDips(draft: Draft, { generator }: PointView, { fuel }: PointModel): void {
  const tankId = tankIdOf(generator);
  if (tankId === undefined) return;
  const before = draftAsset(draft, tankId);
  const after = withDips(before, fuel.dips);
  if (after !== before) draft.assets.set(tankId, after);
}
