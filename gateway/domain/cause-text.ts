// What the lines say that stand for many: a group of points in the same trouble, and a path that is down.
import type { Alert } from "../../protocol/index.ts";
import { clockText, EN, NL } from "./local-time.ts";

type Text = Alert["text"];
type Values = Alert["values"];

/** `one` is what the rule says of a single point. */
export function groupText(one: Text, values: Values): Text {
  const { count = "?", most = 0, regions = "", firstOut = "", firstOutMs, names = "" } = values;
  const at = typeof firstOutMs === "number" && firstOutMs > 0 ? new Date(firstOutMs).toISOString() : undefined;
  const isOver = Number(count) < Number(most) / 2;
  const nlBack = isOver ? `bij ${Number(most) - Number(count)} van ${most} voorbij · ` : "";
  const enBack = isOver ? `over at ${Number(most) - Number(count)} of ${most} · ` : "";
  const where = regions === "" ? names : regions;
  return {
    nl: {
      what: `${count} punten: ${lowerFirst(one.nl.what)}`,
      consequence: `${nlBack}${where} · eerste: ${firstOut} ${clockText(NL, at)}`,
      action: one.nl.action,
    },
    en: {
      what: `${count} points: ${lowerFirst(one.en.what)}`,
      consequence: `${enBack}${where} · first: ${firstOut} ${clockText(EN, at)}`,
      action: one.en.action,
    },
  };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

const LINK_NAMES: Readonly<Record<string, readonly [nl: string, en: string]>> = {
  mqtt: ["het eigen netwerk (MQTT)", "the own network (MQTT)"],
  lorawan: ["LoRaWAN", "LoRaWAN"],
};

export function pathText({ path = "?", count = "?" }: Values): Text {
  const [nl, en] = LINK_NAMES[path] ?? [String(path), String(path)];
  return {
    nl: {
      what: `Geen contact via ${nl}`,
      consequence: `${count} apparaten zwijgen tegelijk; de punten zelf kunnen in orde zijn`,
      action: "Kijk na of het basisstation of toegangspunt stroom en verbinding heeft.",
    },
    en: {
      what: `No contact by way of ${en}`,
      consequence: `${count} devices went silent together; the points themselves may be well`,
      action: "Check power and connection of the base station or access point.",
    },
  };
}
