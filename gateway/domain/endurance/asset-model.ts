// What was learned of a set, wherever it stands: the pieces in which it was seen to drink. They go along when it moves.
import type { Generator } from "../point.ts";
import type { LevelSeries } from "./consumption.ts";
import { cutsOf, noiseOf } from "./consumption.ts";
import type { FuelModel } from "./fuel-model.ts";
import { HOUR, HOUR_MS, type Hour } from "./hours.ts";
import { type Piece, piecesOf } from "./thirst.ts";

/** Sixteen days of running; the oldest are forgotten. */
export const PIECES_MAX = 64;

export interface AssetModel {
  readonly assetId: string;
  readonly pieces: readonly Piece[];
}

export function emptyAsset(assetId: string): AssetModel {
  return { assetId, pieces: [] };
}

/** True when a sample of this moment closes an hour or changes one that is closed: then there is something to learn. */
export function teaches(before: FuelModel, atMs: number): boolean {
  const newest = before.hours[before.hours.length - 1];
  return newest !== undefined && Math.floor(atMs / HOUR_MS) !== newest[HOUR];
}

/** The asset after what its point's hours show now: those pieces made anew, older ones as they were. */
export function withStay(asset: AssetModel, generator: Generator, fuel: FuelModel, levels: LevelSeries): AssetModel {
  const closed = fuel.hours.slice(0, -1);
  const first = closed[0] as Hour | undefined;
  if (first === undefined) return asset;
  const { capacityL } = generator.tank;
  const noiseL = noiseOf(levels, capacityL) / 3;
  const seen = piecesOf(closed, { cutsMs: cutsOf(fuel), noiseL, capacityL });
  const older = asset.pieces.filter((piece) => piece[0] < (first[HOUR] as number));
  const pieces = [...older, ...seen].slice(-PIECES_MAX);
  const isSame = pieces.length === asset.pieces.length && String(pieces) === String(asset.pieces);
  return isSame ? asset : { ...asset, pieces };
}
