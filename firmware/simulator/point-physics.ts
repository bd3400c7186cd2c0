// One point as a physical thing: people, load, generator, tank, battery. It knows nothing of sensors; its own figures for
// thirst and losses are its own, not those of any model that watches it.
import type { Random } from "./random.ts";
import type { ScenarioPoint } from "./scenario.ts";

const HOUR_MS = 3_600_000;
const STEP_MS = 30_000;
/** A set that starts by itself waits so long for the mains to come back. */
const START_DELAY_MS = 20_000;
const CRANK_MS = 8_000;
const PERSON_KW = 0.0005;

export interface PointPhysics {
  /** Brings the point to this time (ms since the outage began). */
  advance(toMs: number): void;
  mainsPresent(): boolean;
  generatorRuns(): boolean;
  /** The starter turns the engine: no oil pressure yet. */
  generatorCranks(): boolean;
  litres(): number;
  starterV(): number;
  batteryV(): number;
  /** Minus is discharge. */
  batteryA(): number;
  chargePct(): number;
  people(): number;
  personIn(): void;
  personOut(): void;
  /** People an hour that come, and the share of those inside that leaves in an hour, at this time. */
  flow(): { readonly arrivalsPerH: number; readonly leavingPerH: number };
}

export function createPointPhysics(point: ScenarioPoint, random: Random, outageLocalHour: number): PointPhysics {
  const { generator, battery } = point;
  // Two sets of one type do not drink alike.
  const f0 = 0.04 * random.between(0.8, 1.25);
  const f1 = 0.27 * random.between(0.9, 1.12);
  const efficiency = random.between(0.9, 0.96);
  let nowMs = -HOUR_MS;
  let litres = generator?.litres ?? 0;
  let chargeKwh = ((battery?.startPct ?? 0) / 100) * (battery?.kWh ?? 0);
  let amperes = 0;
  let people = 0;
  let wobble = 0;

  const mains = () => nowMs < 0;
  const hasFuel = () => litres > 0.5;
  const cranks = () =>
    generator !== undefined && nowMs >= START_DELAY_MS && nowMs < START_DELAY_MS + CRANK_MS && hasFuel();
  const runs = () => generator !== undefined && nowMs >= START_DELAY_MS + CRANK_MS && hasFuel();
  const localHour = () => (((outageLocalHour + nowMs / HOUR_MS) % 24) + 24) % 24;
  /** Busiest in the evening, calm before dawn. */
  const business = () => 0.35 + 0.65 * Math.max(0, Math.sin(((localHour() - 7) / 24) * 2 * Math.PI)) ** 0.7;

  function loadKw(base: number): number {
    return Math.max(0.05, base * (0.75 + 0.4 * business()) + people * PERSON_KW + wobble);
  }

  function step(ms: number): void {
    const hours = ms / HOUR_MS;
    wobble = 0.97 * wobble + random.normal(0, 0.02);
    if (runs() && generator !== undefined) {
      litres = Math.max(0, litres - (f0 * generator.ratedKw + f1 * loadKw(generator.loadKw)) * hours);
    }
    if (battery !== undefined) {
      const kw = mains() ? (chargeKwh < battery.kWh ? 0.3 : 0) : chargeKwh > 0 ? -loadKw(battery.loadKw) : 0;
      chargeKwh = Math.min(battery.kWh, Math.max(0, chargeKwh + kw * hours * (kw > 0 ? efficiency : 1 / efficiency)));
      amperes = (kw * 1000) / battery.volts;
    }
    nowMs += ms;
  }

  const chargePct = () => (battery === undefined ? 0 : (chargeKwh / battery.kWh) * 100);
  return {
    advance: (toMs) => {
      while (nowMs + STEP_MS <= toMs) step(STEP_MS);
    },
    mainsPresent: mains,
    generatorRuns: runs,
    generatorCranks: cranks,
    litres: () => litres,
    starterV: () => (runs() ? 13.8 : cranks() ? 10.8 : 12.7) + random.normal(0, 0.03),
    batteryV: () => {
      if (battery === undefined) return 0;
      const rest = battery.volts * (0.96 + 0.05 * (chargePct() / 100));
      return rest + amperes * 0.004 + random.normal(0, 0.01);
    },
    batteryA: () => amperes + random.normal(0, 0.15),
    chargePct,
    people: () => people,
    personIn: () => {
      people++;
    },
    personOut: () => {
      people = Math.max(0, people - 1);
    },
    flow: () => {
      // Nobody comes before the word has spread.
      const open = nowMs < 0.5 * HOUR_MS ? 0 : Math.min(1, nowMs / (3 * HOUR_MS));
      const wanted = point.capacity * point.crowd * business() * open;
      return { arrivalsPerH: wanted * 0.6, leavingPerH: people > wanted ? 0.9 : 0.55 };
    },
  };
}
