// What a request for help and the alarms of a device itself say, in Dutch and English.
import type { Alert, RequestKind } from "../../protocol/index.ts";
import { clockText, EN, NL } from "./local-time.ts";

type Writer = (values: Alert["values"]) => Alert["text"];

const KINDS: Readonly<
  Record<RequestKind, { readonly nl: string; readonly en: string; readonly unit?: [string, string] }>
> = {
  medical: { nl: "Medische hulp gevraagd", en: "Medical help requested" },
  fuel: { nl: "Brandstof gevraagd", en: "Fuel requested", unit: ["l", "l"] },
  water: { nl: "Water gevraagd", en: "Water requested", unit: ["l", "l"] },
  staff: { nl: "Personeel gevraagd", en: "Staff requested", unit: ["mensen", "people"] },
  police: { nl: "Politie gevraagd", en: "Police requested" },
  technical: { nl: "Technische hulp gevraagd", en: "Technical help requested" },
};

export function helpText(values: Alert["values"]): Alert["text"] {
  const { kind, quantity, neededBy, pressed } = values;
  const { unit, ...words } = KINDS[kind as RequestKind] ?? KINDS.medical;
  const saying = (language: "nl" | "en") => {
    const isDutch = language === "nl";
    const [zone, locale] = isDutch ? [NL, "nl-NL"] : [EN, "en-GB"];
    const parts = [
      typeof quantity === "number" && unit !== undefined
        ? `${new Intl.NumberFormat(locale).format(quantity)} ${unit[isDutch ? 0 : 1]}`
        : "",
      neededBy === undefined ? "" : `${isDutch ? "nodig voor" : "needed by"} ${clockText(zone, neededBy)}`,
      Number(pressed ?? 0) > 1 ? (isDutch ? `${pressed} keer gedrukt` : `pressed ${pressed} times`) : "",
      isDutch ? "nog niemand heeft het aangenomen" : "nobody has taken it yet",
    ];
    return parts.filter((part) => part !== "").join(" · ");
  };
  return {
    nl: { what: words.nl, consequence: saying("nl"), action: "Neem het verzoek aan of wijs het af, met reden." },
    en: { what: words.en, consequence: saying("en"), action: "Take the request or decline it, with a reason." },
  };
}

export const HELP_WRITERS = {
  "help-requested": helpText,
  tamper: () => ({
    nl: {
      what: "Apparaat geopend",
      consequence: "iemand is bij de aansluitingen; wat het apparaat meldt kan onjuist zijn",
      action: "Laat iemand ter plaatse kijken; herstel daarna de melding.",
    },
    en: {
      what: "Device opened",
      consequence: "somebody has been at its connections; what it tells may be wrong",
      action: "Have somebody look on the spot; then reset the alert.",
    },
  }),
  "own-power-low": () => ({
    nl: {
      what: "Voeding van het apparaat laag",
      consequence: "het apparaat valt straks stil; het punt zelf heeft misschien wel stroom",
      action: "Laad of vervang de voeding van het apparaat; spreek af wie anders belt.",
    },
    en: {
      what: "Device's own supply low",
      consequence: "the device will go silent; the point itself may well have power",
      action: "Charge or replace the device's supply; agree on who calls instead.",
    },
  }),
} satisfies Readonly<Record<string, Writer>>;
