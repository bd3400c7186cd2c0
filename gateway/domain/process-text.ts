// What an alert about a critical process below its minimum level says, in Dutch and English.
import type { Alert, Process } from "../../protocol/index.ts";
import { hoursText } from "./local-time.ts";

type Quantity = Process["quantity"];

const WORDS: Readonly<Record<Quantity, { readonly nl: string; readonly en: string; readonly unit: string }>> = {
  enduranceH: { nl: "energie voor", en: "energy for", unit: "h" },
  fuelL: { nl: "brandstof", en: "fuel", unit: "l" },
  stateOfChargePct: { nl: "acculading", en: "battery charge", unit: "%" },
  temperatureC: { nl: "temperatuur", en: "temperature", unit: "°C" },
  starterBatteryV: { nl: "startaccu", en: "starter battery", unit: "V" },
};

function figure(value: Alert["values"][string] | undefined, quantity: Quantity, language: "nl" | "en"): string {
  const isDutch = language === "nl";
  if (typeof value !== "number") return isDutch ? "onbekend" : "unknown";
  if (quantity === "enduranceH") return `${hoursText(value)} ${isDutch ? "u" : "h"}`;
  const number = new Intl.NumberFormat(isDutch ? "nl-NL" : "en-GB", { maximumFractionDigits: 1 });
  return `${number.format(value)} ${WORDS[quantity].unit}`;
}

function belowMinimum(values: Alert["values"]): Alert["text"] {
  const { process, directorate, minimum, value, byNorm } = values;
  const quantity = Object.hasOwn(WORDS, String(values["quantity"])) ? (values["quantity"] as Quantity) : "enduranceH";
  const [nl, en] = [byNorm === undefined ? "" : " (norm)", byNorm === undefined ? "" : " (by the norm)"];
  const of = (language: "nl" | "en") => [figure(value, quantity, language), figure(minimum, quantity, language)];
  const [nlIs, nlMinimum] = of("nl");
  const [enIs, enMinimum] = of("en");
  const [name, owner] = [process ?? "?", directorate ?? "?"];
  return {
    nl: {
      what: `Onder minimum: ${name}`,
      consequence: `${WORDS[quantity].nl} ${nlIs}, minimum ${nlMinimum}${nl} · directie ${owner}`,
      action: "Laat de directie beslissen: aanvullen, verbruik verlagen of het proces verplaatsen.",
    },
    en: {
      what: `Below minimum: ${name}`,
      consequence: `${WORDS[quantity].en} ${enIs}, minimum ${enMinimum}${en} · directorate ${owner}`,
      action: "Have the directorate decide: top up, use less or move the process.",
    },
  };
}

export const PROCESS_WRITERS = { "process-minimum": belowMinimum } satisfies Readonly<
  Record<string, (values: Alert["values"]) => Alert["text"]>
>;
