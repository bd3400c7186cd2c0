// What a point draws: lights and fridges, people, heating, meals, and what nobody planned.
import { noiseAt } from "./random.ts";

export interface LoadTruth {
  readonly seed: number;
  /** Clock hour at which the outage begins. */
  readonly startClockH: number;
  readonly baseKw: number;
  /** With all people there. */
  readonly peopleKw: number;
  /** Hours after which the doors open (below zero: they were open), and until it is full. */
  readonly opensH: number;
  readonly fillsH: number;
  /** From this hour on only a share of the people is left: others went home, or to their family. */
  readonly leaves: { readonly atH: number; readonly share: number } | undefined;
  readonly heatKwPerC: number;
  readonly mealKw: number;
  /** A thing that is switched on every day at the same hours. */
  readonly scheduled: { readonly kw: number; readonly fromClockH: number; readonly hours: number };
  /** At these hours the whole changes by a factor: another hall, a field kitchen. */
  readonly steps: readonly { readonly atH: number; readonly factor: number }[];
  /** Share by which days and ten minutes differ. */
  readonly daySd: number;
  readonly noiseSd: number;
  readonly maxKw: number;
}

export interface WeatherTruth {
  readonly seed: number;
  readonly meanC: number;
  readonly swingC: number;
}

const INSIDE_C = 18;
/** Clock hour and length of meals. */
const MEALS = [
  [7.5, 1],
  [12, 1],
  [17.5, 1.5],
] as const;

export function temperatureAt(weather: WeatherTruth, hour: number, clockH: number): number {
  const daily = Math.cos(((clockH - 15) / 24) * 2 * Math.PI);
  return weather.meanC + weather.swingC * daily + 3 * noiseAt(weather.seed, hour / 18);
}

function within(clockH: number, from: number, hours: number): boolean {
  return (clockH - from + 48) % 24 < hours;
}

/** kW at so many hours of outage. */
export function loadAt(load: LoadTruth, hour: number, temperatureC: number): number {
  const clockH = (((load.startClockH + hour) % 24) + 24) % 24;
  const awake = within(clockH, 7, 16) ? 1 : 0.45;
  const left = load.leaves !== undefined && hour >= load.leaves.atH ? load.leaves.share : 1;
  const present = left * Math.min(1, Math.max(0, (hour - load.opensH) / load.fillsH));
  const meal = MEALS.some(([from, hours]) => within(clockH, from, hours)) ? load.mealKw * present : 0;
  const { kw, fromClockH, hours } = load.scheduled;
  const planned = within(clockH, fromClockH, hours) ? kw : 0;
  const heat = load.heatKwPerC * Math.max(0, INSIDE_C - temperatureC);
  const day = Math.floor((load.startClockH + hour) / 24);
  const wobble = 1 + load.daySd * noiseAt(load.seed ^ 1, day * 7.3) + load.noiseSd * noiseAt(load.seed ^ 2, hour * 6);
  const stepped = load.steps.reduce((all, step) => (hour >= step.atH ? all * step.factor : all), 1);
  const wanted = (load.baseKw + load.peopleKw * present * awake + meal + planned + heat) * wobble * stepped;
  return Math.min(load.maxKw, Math.max(0.05, wanted));
}
