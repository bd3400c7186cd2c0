// The norms of `concept-2026`. No national number is published yet: each says whether it is the region's own, borrowed from
// abroad, calculated or assumed.
import type { Norms } from "../../protocol/index.ts";
import { CAPACITY_DAY } from "./point.ts";

const POTSDAM = "Brandenburg, Katastrophenschutz-Leuchttürme: 12 hours a day";
const BERN = "Canton of Bern, Notfalltreffpunkt: staffed within 2 hours";
const REGION = "Regional programme of September 2025: an outage of more than 72 hours is the reference scenario";
const CATCHMENT = "17.9 million inhabitants over 3,600 local points";
const HACKATHON = "VRU and NIPV, siting of points for drinking water, 2026: share of inhabitants within 1 km";
const NONE_YET = "No norm published: to be set by the advice of early 2027";
const ALERTS = "As the alert of low endurance: time for one delivery of fuel";

const assumed = (name: string, value: number) =>
  ({ name, value, unit: "{score}", standing: "assumed", source: NONE_YET }) as const;

export const NORMS_2026: Norms = {
  version: "2026.1",
  source: "Public sources of 2025 and 2026, gathered in November 2026; a concept, adopted by nobody",
  autonomyH: { value: 72, unit: "h", standing: "own", source: REGION },
  openingH: { value: 2, unit: "h", standing: "foreign", source: BERN },
  openHPerDay: { value: 12, unit: "h", standing: "foreign", source: POTSDAM },
  peoplePerPoint: { value: 4_970, unit: "{person}", standing: "derived", source: CATCHMENT },
  distanceKm: { value: 1, unit: "km", standing: "own", source: HACKATHON },
  capacityDay: CAPACITY_DAY,
  minimumLevels: [
    { quantity: "enduranceH", value: 12, unit: "h", standing: "assumed", source: ALERTS },
    { quantity: "stateOfChargePct", value: 30, unit: "%", standing: "assumed", source: NONE_YET },
    { quantity: "temperatureC", value: 15, unit: "Cel", standing: "assumed", source: NONE_YET },
    {
      quantity: "starterBatteryV",
      value: 11.8,
      unit: "V",
      standing: "assumed",
      source: "At rest below this a set of 12 V will not start",
    },
  ],
  supplies: [
    assumed("communications", 3),
    assumed("power", 3),
    assumed("food", 1),
    assumed("water", 3),
    assumed("warmth", 2),
    assumed("shelter", 2),
    assumed("sanitation", 2),
    assumed("medical", 2),
    assumed("safety", 2),
  ],
};
