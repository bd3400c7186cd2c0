// What an alert says, in Dutch and English: what, what follows from it, what to do. Short, and no jargon of software.
import type { Alert } from "../../protocol/index.ts";
import { invariant } from "../errors.ts";
import { groupText, pathText } from "./cause-text.ts";
import { EQUIPMENT_WRITERS } from "./equipment-text.ts";
import { HELP_WRITERS } from "./help-text.ts";
import { clockText, EN, hoursText, NL } from "./local-time.ts";
import { PROCESS_WRITERS } from "./process-text.ts";
import { SELF_WRITERS, type SelfRuleId } from "./self-text.ts";

export type RuleId =
  | SelfRuleId
  | "power-lost"
  | "endurance-critical"
  | "endurance-low"
  | "cannot-reach-72h"
  | "silence"
  | "sensor-bad"
  | "help-requested"
  | "tamper"
  | "own-power-low"
  | "mains-lost"
  | "generator-failed"
  | "generator-not-ready"
  | "starter-battery"
  | "occupancy-full"
  | "occupancy-high"
  | "process-minimum"
  | "fuel-loss"
  | "fuel-leak"
  | "fuel-overuse"
  | "fuel-tamper"
  | "frames-refused"
  | "device-newer"
  | "row-set-aside";

export type AlertValues = Alert["values"];
export type AlertText = Alert["text"];

const FIELD_NL: Readonly<Record<string, string>> = {
  "power.fuelLevelPct": "brandstofpeil",
  "power.generator": "aggregaat",
  "power.mains": "netspanning",
  "power.loadKw": "vermogen",
  "power.starterBatteryV": "startaccu",
  "battery.batteryV": "accuspanning",
  "battery.batteryA": "accustroom",
  "battery.stateOfChargePct": "acculading",
  "occupancy.occupancy": "bezetting",
  "occupancy.entries": "tellingen",
  "environment.temperatureC": "temperatuur",
};
const REASON_NL: Readonly<Record<string, string>> = {
  "open-circuit": "draadbreuk",
  "short-circuit": "kortsluiting",
  "out-of-range": "buiten bereik",
  stuck: "staat stil",
  corrupt: "onleesbaar",
  untrusted: "onbetrouwbaar",
};

function sensorWords(values: AlertValues): { nl: string; en: string } {
  const pairs = String(values["fields"] ?? "")
    .split(" ")
    .filter((pair) => pair !== "");
  const nl = pairs.map((pair) => {
    const [field = "", reason = ""] = pair.split("=");
    return `${FIELD_NL[field] ?? field}: ${REASON_NL[reason] ?? reason}`;
  });
  return { nl: nl.join(", "), en: pairs.map((pair) => pair.replace("=", ": ")).join(", ") };
}

type Writer = (values: AlertValues) => AlertText;

/** The shortage in the numbers of a language: 1.240 l, 3,5 kWh; empty when there is none. */
function shortText(values: AlertValues, language: string): string {
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const { shortageL, shortageKwh } = values;
  if (typeof shortageL === "number") return `${number.format(shortageL)} l`;
  return typeof shortageKwh === "number" ? `${number.format(shortageKwh)} kWh` : "";
}

function enduranceText(nlWhat: string, enWhat: string): Writer {
  return (values) => {
    const left = hoursText(Number(values["enduranceH"] ?? 0));
    const shortNl = shortText(values, "nl-NL");
    const shortEn = shortText(values, "en-GB");
    return {
      nl: {
        what: nlWhat,
        consequence: `nog ${left} u · leeg ${clockText(NL, values["emptyAt"])}${shortNl && ` · tekort ${shortNl}`}`,
        action: "Plan bijvullen of verlaag de belasting.",
      },
      en: {
        what: enWhat,
        consequence: `${left} h left · empty ${clockText(EN, values["emptyAt"])}${shortEn && ` · ${shortEn} short`}`,
        action: "Plan a refill or cut the load.",
      },
    };
  };
}

/** Writes numbers of the values as each language does; a question mark for what is none. */
function amounts(values: AlertValues) {
  const of = (language: string) => {
    const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
    return (name: string) => (typeof values[name] === "number" ? number.format(values[name]) : "?");
  };
  return { nl: of("nl-NL"), en: of("en-GB") };
}

const WRITERS: Readonly<Record<RuleId, Writer>> = {
  ...SELF_WRITERS,
  "endurance-critical": enduranceText("Energie bijna op", "Energy nearly gone"),
  "endurance-low": enduranceText("Energie laag", "Energy low"),
  "cannot-reach-72h": enduranceText("Haalt 72 uur niet", "Will not last 72 hours"),
  "power-lost": (values) => {
    const failed = values["generator"] === "failed";
    return {
      nl: {
        what: "Zonder stroom",
        consequence: failed
          ? "geen netspanning; het aggregaat is gestoord en er is geen accu"
          : "geen netspanning, geen aggregaat en geen accu bekend",
        action: failed
          ? "Laat het aggregaat nakijken of stuur een ander."
          : "Stuur een aggregaat of verwijs bezoekers door.",
      },
      en: {
        what: "Without power",
        consequence: failed
          ? "no mains; the generator has failed and there is no battery"
          : "no mains, and no generator or battery known",
        action: failed ? "Have the generator checked or send another." : "Send a generator or redirect visitors.",
      },
    };
  },
  silence: (values) => ({
    nl: {
      what: "Geen contact",
      consequence: `laatste bericht ${clockText(NL, values["lastReceivedAt"])}; de stand wordt geschat`,
      action: "Bel het punt of stuur een koerier.",
    },
    en: {
      what: "No contact",
      consequence: `last message ${clockText(EN, values["lastReceivedAt"])}; figures are estimated`,
      action: "Call the point or send a runner.",
    },
  }),
  ...HELP_WRITERS,
  ...EQUIPMENT_WRITERS,
  ...PROCESS_WRITERS,
  "sensor-bad": (values) => {
    const words = sensorWords(values);
    return {
      nl: {
        what: "Sensor gestoord",
        consequence: words.nl,
        action: "Laat de sensor nakijken; meet zolang met de hand.",
      },
      en: {
        what: "Sensor fault",
        consequence: words.en,
        action: "Have the sensor checked; measure by hand meanwhile.",
      },
    };
  },
  "fuel-loss": (values) => {
    const { nl, en } = amounts(values);
    return {
      nl: {
        what: "Onverklaard brandstofverlies",
        consequence: `${nl("lostL")} l verdwenen terwijl het aggregaat stilstond; nog ${nl("litres")} l`,
        action: "Ga kijken: diefstal, lekkage of geleend? Meet het peil met de stok.",
      },
      en: {
        what: "Unexplained loss of fuel",
        consequence: `${en("lostL")} l gone while the generator stood still; ${en("litres")} l left`,
        action: "Go and look: theft, a leak, or borrowed? Dip the tank.",
      },
    };
  },
  "fuel-leak": (values) => {
    const { nl, en } = amounts(values);
    return {
      nl: {
        what: "Brandstof lekt mogelijk",
        consequence: `peil daalt ${nl("perH")} l/u over 12 uur stilstand`,
        action: "Controleer tank, leidingen en opvangbak.",
      },
      en: {
        what: "Fuel may be leaking",
        consequence: `level falls ${en("perH")} l/h over 12 hours at rest`,
        action: "Check tank, lines and bund.",
      },
    };
  },
  "fuel-overuse": (values) => {
    const { nl, en } = amounts(values);
    return {
      nl: {
        what: "Verbruik te hoog",
        consequence: `${nl("perH")} l/u waar ${nl("expectedPerH")} l/u past bij dit aggregaat`,
        action: "Zoek lekkage, aftappen of een storing; meet het peil met de stok.",
      },
      en: {
        what: "Burns too much",
        consequence: `${en("perH")} l/h where ${en("expectedPerH")} l/h fits this generator`,
        action: "Look for a leak, tapping or a fault; dip the tank.",
      },
    };
  },
  "fuel-tamper": (values) => {
    const { nl, en } = amounts(values);
    return {
      nl: {
        what: "Peilsensor losgenomen",
        consequence: `er zat nog ${nl("litres")} l in de tank; het peil wordt niet meer gezien`,
        action: "Ga kijken of er brandstof wordt weggehaald; meet met de stok.",
      },
      en: {
        what: "Level sensor unplugged",
        consequence: `${en("litres")} l was still in the tank; the level is not seen any more`,
        action: "See whether fuel is being taken; dip the tank.",
      },
    };
  },
  "frames-refused": (values) => ({
    nl: {
      what: "Berichten geweigerd",
      consequence: `${values["count"] ?? "?"} berichten kloppen niet (${values["reason"] ?? "?"}); niet opgeslagen`,
      action: "Ga na wie er zendt; geef het apparaat zo nodig een nieuwe sleutel.",
    },
    en: {
      what: "Messages refused",
      consequence: `${values["count"] ?? "?"} messages cannot be right (${values["reason"] ?? "?"}); not stored`,
      action: "Find out who is sending; re-key the device if needed.",
    },
  }),
  "device-newer": (values) => ({
    nl: {
      what: "Apparaat nieuwer dan de gateway",
      consequence: `${values["count"] ?? "?"} berichten bewaard maar nog niet leesbaar`,
      action: "Werk de gateway bij; de berichten blijven bewaard.",
    },
    en: {
      what: "Device newer than the gateway",
      consequence: `${values["count"] ?? "?"} messages kept but not yet readable`,
      action: "Update the gateway; the messages are kept.",
    },
  }),
  "row-set-aside": (values) => ({
    nl: {
      what: "Bericht apart gezet",
      consequence: `bericht ${values["rowId"] ?? "?"} kon niet worden verwerkt; het is bewaard`,
      action: "Meld dit aan de beheerder met het nummer.",
    },
    en: {
      what: "Message set aside",
      consequence: `message ${values["rowId"] ?? "?"} could not be processed; it is kept`,
      action: "Report this to the administrator with its number.",
    },
  }),
};

const GROUP = "group-";

/** What an alert says. A rule that brings its own words has them filled in: `{enduranceH}`. */
export function alertText(ruleId: string, values: AlertValues, template?: AlertText): AlertText {
  return withTimes(textOf(ruleId, values, template), values["times"]);
}

/** An alert that comes and goes is one line, which says so. */
function withTimes({ nl, en }: AlertText, times: AlertValues[string] | undefined): AlertText {
  if (times === undefined) return { nl, en };
  return {
    nl: { ...nl, what: `${nl.what} (komt en gaat, ${times} keer)` },
    en: { ...en, what: `${en.what} (comes and goes, ${times} times)` },
  };
}

function textOf(ruleId: string, values: AlertValues, template?: AlertText): AlertText {
  if (ruleId === "path-down") return pathText(values);
  if (ruleId.startsWith(GROUP)) return groupText(alertText(ruleId.slice(GROUP.length), values, template), values);
  if (template !== undefined) return { nl: filled(template.nl, values), en: filled(template.en, values) };
  const writer = WRITERS[ruleId as RuleId];
  invariant(writer !== undefined, `no words for the rule ${ruleId}`);
  return writer(values);
}

/** True for a rule that has its words here. */
export function hasText(ruleId: string): boolean {
  return Object.hasOwn(WRITERS, ruleId);
}

function filled<T extends Readonly<Record<string, string>>>(text: T, values: AlertValues): T {
  const fill = (words: string) => words.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? "?"));
  return Object.fromEntries(Object.entries(text).map(([key, words]) => [key, fill(words)])) as unknown as T;
}
