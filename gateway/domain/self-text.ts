// What the gateway says about itself, in Dutch and English: what, what follows from it, what to do.
import type { Alert } from "../../protocol/index.ts";
import { clockText, EN, NL } from "./local-time.ts";

export type SelfRuleId =
  | "disk-low"
  | "journal-refusing"
  | "journal-gap"
  | "sink-behind"
  | "sink-refused"
  | "clock-untrusted"
  | "clock-jumped"
  | "ups-on-battery"
  | "ups-low-battery"
  | "ups-unreachable"
  | "config-refused"
  | "history-failing"
  | "copy-failing"
  | "network-unreachable"
  | "notify-down"
  | "notify-undelivered";

type Values = Alert["values"];
type Writer = (values: Values) => Alert["text"];

/** 3,2 GB or 420 MB, in the numbers of a language. */
function sizeText(bytes: unknown, language: string): string {
  if (typeof bytes !== "number") return "?";
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  return bytes >= 1e9 ? `${number.format(bytes / 1e9)} GB` : `${number.format(Math.round(bytes / 1e6))} MB`;
}

function wholeText(value: unknown, language: string): string {
  return typeof value === "number" ? new Intl.NumberFormat(language).format(value) : "?";
}

/** 45 s, 12 min, 3 uur: a span in one unit. */
function spanText(seconds: unknown, hours: string): string {
  if (typeof seconds !== "number") return "?";
  const s = Math.abs(seconds);
  if (s < 120) return `${Math.round(s)} s`;
  return s < 7_200 ? `${Math.round(s / 60)} min` : `${Math.round(s / 3_600)} ${hours}`;
}

function oldest(words: string, { ageS }: Values, hours: string): string {
  return ageS === undefined ? "" : `${words} ${spanText(ageS, hours)}`;
}

function reasonText(values: Values): string {
  return values["reason"] === undefined ? "" : ` (${values["reason"]})`;
}

function supplyText(values: Values): { nl: string; en: string } {
  const { runtimeS, chargePct, reason } = values;
  if (reason !== undefined)
    return {
      nl: `hoe lang nog is niet meer te zien: de noodvoeding antwoordt niet${reasonText(values)}`,
      en: `how long can no longer be seen: the UPS does not answer${reasonText(values)}`,
    };
  const charge = typeof chargePct === "number" ? `${Math.round(chargePct)} %` : undefined;
  const nl = [runtimeS === undefined ? undefined : `nog ${spanText(runtimeS, "uur")}`, charge && `accu ${charge}`];
  const en = [runtimeS === undefined ? undefined : `${spanText(runtimeS, "h")} left`, charge && `battery ${charge}`];
  const join = (parts: (string | undefined)[]) => parts.filter((one) => one !== undefined).join(" · ");
  return { nl: join(nl), en: join(en) };
}

function refusingText(values: Values): Alert["text"] {
  return {
    nl: {
      what: "Gateway kan niets opslaan",
      consequence: `nieuwe metingen blijven op de apparaten staan en het beeld veroudert${reasonText(values)}`,
      action: "Maak ruimte op de schijf of vervang die; laat de gateway aan staan.",
    },
    en: {
      what: "The gateway cannot store anything",
      consequence: `new measurements stay on the devices and the picture ages${reasonText(values)}`,
      action: "Free space on the disk or replace it; leave the gateway on.",
    },
  };
}

/** The same, when it is over. */
function refusedText(values: Values): Alert["text"] {
  const span = (format: Intl.DateTimeFormat) =>
    `${clockText(format, values["since"])} – ${clockText(format, values["until"])}`;
  return {
    nl: {
      what: "Gateway kon een tijd niets opslaan",
      consequence: `${span(NL)}; apparaten sturen wat ontbreekt opnieuw${reasonText(values)}`,
      action: "Zoek de oorzaak voordat het weer gebeurt: 'waakvlam doctor'.",
    },
    en: {
      what: "The gateway could not store for a while",
      consequence: `${span(EN)}; devices send again what is lacking${reasonText(values)}`,
      action: "Find the cause before it happens again: 'waakvlam doctor'.",
    },
  };
}

const CHANNELS: Readonly<Record<string, readonly [nl: string, en: string]>> = {
  sms: ["sms", "text message"],
  email: ["e-mail", "e-mail"],
  webhook: ["webhook", "webhook"],
  mqtt: ["MQTT", "MQTT"],
  audible: ["geluidssignaal", "audible signal"],
};

const NETWORKS: Readonly<Record<string, string>> = {
  chirpstack: "ChirpStack",
  "things-stack": "The Things Stack",
};

export const SELF_WRITERS: Readonly<Record<SelfRuleId, Writer>> = {
  "disk-low": ({ freeBytes, lowWaterBytes }) => ({
    nl: {
      what: "Schijf van de gateway raakt vol",
      consequence: `nog ${sizeText(freeBytes, "nl-NL")} vrij, ondergrens ${sizeText(lowWaterBytes, "nl-NL")}; vol kan er niets meer bewaard worden`,
      action: "Ruim de schijf op of sluit een grotere aan; 'waakvlam doctor' zegt wat ruimte neemt.",
    },
    en: {
      what: "The gateway's disk is filling up",
      consequence: `${sizeText(freeBytes, "en-GB")} free, lower bound ${sizeText(lowWaterBytes, "en-GB")}; once full nothing can be stored`,
      action: "Free space or connect a larger disk; 'waakvlam doctor' says what takes it.",
    },
  }),
  "journal-refusing": (values) => (values["until"] === undefined ? refusingText(values) : refusedText(values)),
  "journal-gap": ({ rows }) => ({
    nl: {
      what: "Metingen gewist voor ze overal waren",
      consequence: `${wholeText(rows, "nl-NL")} berichten zijn gewist om door te kunnen; een kopie elders mist ze`,
      action: "Zoek uit waarom een doel achterliep en vergroot de schijf.",
    },
    en: {
      what: "Measurements removed before they were everywhere",
      consequence: `${wholeText(rows, "en-GB")} messages were removed to go on; a copy elsewhere lacks them`,
      action: "Find out why a sink lagged and enlarge the disk.",
    },
  }),
  "sink-behind": (values) => ({
    nl: {
      what: `Doel ${values["sink"]} loopt achter`,
      consequence: `${wholeText(values["rows"], "nl-NL")} berichten wachten${oldest(", het oudste", values, "uur")}${reasonText(values)}`,
      action: "Kijk of het doel aan staat en bereikbaar is; er gaat niets verloren zolang er schijfruimte is.",
    },
    en: {
      what: `Sink ${values["sink"]} is behind`,
      consequence: `${wholeText(values["rows"], "en-GB")} messages wait${oldest(", the oldest", values, "h")}${reasonText(values)}`,
      action: "Check that it is on and can be reached; nothing is lost while there is disk space.",
    },
  }),
  "sink-refused": (values) => ({
    nl: {
      what: `Doel ${values["sink"]} weigert de gateway`,
      consequence: `${wholeText(values["rows"], "nl-NL")} berichten wachten${reasonText(values)}`,
      action: "Controleer token en bestemming in de configuratie en herlaad die.",
    },
    en: {
      what: `Sink ${values["sink"]} refuses the gateway`,
      consequence: `${wholeText(values["rows"], "en-GB")} messages wait${reasonText(values)}`,
      action: "Check token and destination in the configuration and reload it.",
    },
  }),
  "clock-untrusted": () => ({
    nl: {
      what: "Klok van de gateway staat niet goed",
      consequence: "tijden van apparaten zonder klok en van meldingen kloppen niet; er wordt wel bewaard",
      action: "Zet de klok gelijk ('timedatectl set-time') of sluit een tijdbron aan.",
    },
    en: {
      what: "The gateway's clock is not set",
      consequence: "times of devices without a clock and of alerts are wrong; storing goes on",
      action: "Set the clock ('timedatectl set-time') or connect a time source.",
    },
  }),
  "clock-jumped": ({ seconds }) => {
    const back = typeof seconds === "number" && seconds < 0;
    return {
      nl: {
        what: "Klok van de gateway is versprongen",
        consequence: `${spanText(seconds, "uur")} ${back ? "terug" : "vooruit"}; tijden van vlak hiervoor kunnen ernaast zitten`,
        action: "Controleer de klok en de tijdbron.",
      },
      en: {
        what: "The gateway's clock has jumped",
        consequence: `${spanText(seconds, "h")} ${back ? "back" : "ahead"}; times of just before may be off`,
        action: "Check the clock and its time source.",
      },
    };
  },
  "ups-on-battery": (values) => {
    const left = supplyText(values);
    return {
      nl: {
        what: "Gateway draait op zijn accu",
        consequence: left.nl || "hoe lang nog is niet bekend",
        action: "Herstel de voeding van de coördinatiepost of start het aggregaat.",
      },
      en: {
        what: "The gateway runs on its battery",
        consequence: left.en || "how long is not known",
        action: "Restore the coordination point's supply or start the generator.",
      },
    };
  },
  "ups-low-battery": (values) => {
    const left = supplyText(values);
    return {
      nl: {
        what: "Accu van de gateway bijna leeg",
        consequence: `${left.nl}${left.nl && "; "}daarna valt het beeld weg en bewaren de apparaten zelf`,
        action: "Sluit nu een andere voeding aan.",
      },
      en: {
        what: "The gateway's battery is nearly empty",
        consequence: `${left.en}${left.en && "; "}then the picture is gone and devices keep their own`,
        action: "Connect another supply now.",
      },
    };
  },
  "ups-unreachable": (values) => ({
    nl: {
      what: "Noodvoeding van de gateway antwoordt niet",
      consequence: `of de gateway op de accu draait is niet te zien${reasonText(values)}`,
      action: "Controleer de kabel van de noodvoeding en de dienst nut-server.",
    },
    en: {
      what: "The gateway's UPS does not answer",
      consequence: `whether the gateway runs on battery cannot be seen${reasonText(values)}`,
      action: "Check the cable of the UPS and the service nut-server.",
    },
  }),
  "config-refused": ({ problem }) => ({
    nl: {
      what: "Nieuwe configuratie geweigerd",
      consequence: `de oude blijft in werking: ${problem}`,
      action: "Verbeter het bestand ('waakvlam config check') en herlaad.",
    },
    en: {
      what: "New configuration refused",
      consequence: `the old one stays in force: ${problem}`,
      action: "Mend the file ('waakvlam config check') and reload.",
    },
  }),
  "history-failing": (values) => ({
    nl: {
      what: "Geschiedenis kan niet worden bijgewerkt",
      consequence: `oudere metingen zijn niet of onvolledig te zien; nieuwe blijven bewaard${reasonText(values)}`,
      action: "Controleer de schijf en history.db: 'waakvlam doctor'; herstart daarna de gateway.",
    },
    en: {
      what: "History cannot be kept up",
      consequence: `older measurements cannot be seen, or not all; new ones are still stored${reasonText(values)}`,
      action: "Check the disk and history.db: 'waakvlam doctor'; then restart the gateway.",
    },
  }),
  "copy-failing": (values) => ({
    nl: {
      what: "Reservekopie loopt achter",
      consequence: `gaat deze machine verloren, dan ontbreken de laatste gegevens op een vervanger tot apparaten ze opnieuw sturen${reasonText(values)}`,
      action: "Sluit de schijf van de kopie aan en controleer of er ruimte is; het bijwerken gaat vanzelf verder.",
    },
    en: {
      what: "The spare copy is behind",
      consequence: `if this machine is lost, the latest data are missing on a spare until devices send them again${reasonText(values)}`,
      action: "Connect the disk of the copy and see that it has room; it goes on by itself.",
    },
  }),
  "network-unreachable": (values) => ({
    nl: {
      what: `Geen verbinding met ${NETWORKS[String(values["network"])] ?? "het netwerk"}`,
      consequence: `van apparaten die zo komen wordt nu niets gehoord${reasonText(values)}`,
      action: "Kijk of die server en zijn broker draaien, en of naam en wachtwoord kloppen.",
    },
    en: {
      what: `No connection to ${NETWORKS[String(values["network"])] ?? "the network"}`,
      consequence: `of devices that come by it nothing is heard now${reasonText(values)}`,
      action: "See whether that server and its broker run, and whether name and password are right.",
    },
  }),
  "notify-down": (values) => ({
    nl: {
      what: `Berichten per ${CHANNELS[String(values["channel"])]?.[0] ?? "?"} komen niet weg`,
      consequence: `wie zo gewaarschuwd wordt hoort niets, of langs een andere weg${reasonText(values)}`,
      action: "Bel wie het weten moet (bellijst) en kijk waarom deze weg niet werkt: 'waakvlam doctor'.",
    },
    en: {
      what: `Messages by ${CHANNELS[String(values["channel"])]?.[1] ?? "?"} do not get out`,
      consequence: `whoever is told that way hears nothing, or by another way${reasonText(values)}`,
      action: "Call whoever has to know (call list) and find why this way does not work: 'waakvlam doctor'.",
    },
  }),
  "notify-undelivered": ({ count }) => ({
    nl: {
      what: "Waarschuwing heeft niemand bereikt",
      consequence: `${wholeText(count, "nl-NL")} berichten zijn opgegeven`,
      action: "Bel zelf: de bellijst zegt wie, en waarvoor.",
    },
    en: {
      what: "A warning has reached nobody",
      consequence: `${wholeText(count, "en-GB")} messages were given up`,
      action: "Call people yourself: the call list says whom, and for what.",
    },
  }),
};
