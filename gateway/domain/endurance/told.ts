// Litres that a person told: carried forward by what the set drinks, raised by what was delivered since.
import type { Generator } from "../point.ts";
import type { DeliveryRecord } from "./deliveries.ts";
import { type Dip, dipSigmaL } from "./dips.ts";
import { HOUR, HOUR_MS, type Hour, KNOWN, loadOf, ranShare } from "./hours.ts";
import { RATED_SHARE, rateAt, type Thirst } from "./thirst.ts";

/** A bill says more than the tank got, or less. */
const DELIVERY_SIGMA_SHARE = 0.05;

export interface ToldLitres {
  readonly litres: number;
  readonly sigmaL: number;
  /** Of the dip that it goes back to. */
  readonly dip: Dip;
}

export interface ToldInput {
  readonly generator: Generator;
  readonly dips: readonly Dip[];
  readonly deliveries: readonly DeliveryRecord[];
  readonly hours: readonly Hour[];
  readonly thirst: Thirst;
  readonly atMs: number;
  /** Since when it is taken to run where no hour says whether it did; undefined: it is taken to stand still. */
  readonly runsSinceMs: number | undefined;
}

/** Undefined when nobody told of any. */
export function toldLitres(input: ToldInput): ToldLitres | undefined {
  const { generator, dips, atMs } = input;
  const dip = dips.filter((one) => one.atMs <= atMs).pop();
  if (dip === undefined) return undefined;
  const came = input.deliveries.filter((one) => one.atMs > dip.atMs && one.atMs <= atMs && one.state === "confirmed");
  const deliveredL = came.reduce((sum, one) => sum + (one.toldL ?? 0), 0);
  const { litres: burntL, sigmaL: burntSigmaL } = burntSince(input, dip.atMs);
  return {
    litres: Math.min(generator.tank.capacityL, Math.max(0, dip.litres + deliveredL - burntL)),
    sigmaL: Math.hypot(dipSigmaL(generator.tank), DELIVERY_SIGMA_SHARE * deliveredL, burntSigmaL),
    dip,
  };
}

function burntSince({ generator, thirst, hours, atMs, runsSinceMs }: ToldInput, fromMs: number) {
  const usual = rateAt(generator, thirst, RATED_SHARE * generator.ratedKw);
  let [litres, sigmaL, seenH] = [0, 0, 0];
  for (const row of hours) {
    const startMs = (row[HOUR] as number) * HOUR_MS;
    const spanH = (Math.min(atMs, startMs + HOUR_MS) - Math.max(fromMs, startMs)) / HOUR_MS;
    if (spanH <= 0) continue;
    const load = loadOf(row);
    const rate = load === undefined ? usual : rateAt(generator, thirst, load);
    const ran = (row[KNOWN] as number) > 0 ? ranShare(row) : 0;
    litres += spanH * ran * rate.perH;
    sigmaL += spanH * ran * rate.sigma;
    seenH += spanH;
  }
  const unseenH = Math.max(0, (atMs - fromMs) / HOUR_MS - seenH);
  const runsH = runsSinceMs === undefined ? 0 : Math.max(0, (atMs - Math.max(fromMs, runsSinceMs)) / HOUR_MS);
  const restH = Math.min(unseenH, runsH);
  litres += restH * usual.perH;
  // Errors of a rate go the same way in every hour.
  return { litres, sigmaL: sigmaL + restH * usual.sigma };
}
