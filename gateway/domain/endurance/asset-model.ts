// What was learned of a set or a tank, wherever it stands: the pieces in which a set was seen to drink, and what dips said of a tank's
// sensor. They go along when it moves.
import type { Generator } from "../point.ts";
import type { LevelSeries } from "./consumption.ts";
import { cutsOf, noiseOf } from "./consumption.ts";
import type { Dip } from "./dips.ts";
import type { FuelModel } from "./fuel-model.ts";
import { HOUR, HOUR_MS, type Hour } from "./hours.ts";
import { type Piece, piecesOf } from "./thirst.ts";

/** Sixteen days of running; the oldest are forgotten. */
export const PIECES_MAX = 64;

export interface AssetModel {
  readonly assetId: string;
  readonly pieces: readonly Piece[];
  /** Of its tank, or of the tank that it is. */
  readonly dips: readonly Dip[];
}

export function emptyAsset(assetId: string): AssetModel {
  return { assetId, pieces: [], dips: [] };
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

/** The tank after the dips that its point has. */
export function withDips(tank: AssetModel, dips: readonly Dip[]): AssetModel {
  const isSame = dips.length === tank.dips.length && dips.every((dip, i) => isSameDip(dip, tank.dips[i]));
  return isSame ? tank : { ...tank, dips: dips.map(({ elsewhere: _, ...dip }) => dip) };
}

function isSameDip(a: Dip, b: Dip | undefined): boolean {
  return a.atMs === b?.atMs && a.litres === b.litres && a.sensorL === b.sensorL;
}
