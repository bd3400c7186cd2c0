// What alerts about a point's equipment and its visitors say, in Dutch and English.
import type { Alert } from "../../protocol/index.ts";
import { clockText, EN, NL } from "./local-time.ts";

type Writer = (values: Alert["values"]) => Alert["text"];

function both(
  what: readonly [nl: string, en: string],
  consequence: readonly [nl: string, en: string],
  action: readonly [nl: string, en: string],
): Alert["text"] {
  return {
    nl: { what: what[0], consequence: consequence[0], action: action[0] },
    en: { what: what[1], consequence: consequence[1], action: action[1] },
  };
}

function peopleText(what: readonly [string, string], action: readonly [string, string]): Writer {
  return ({ people, capacity, roomAt }) => {
    const count = [
      `${people ?? "?"} mensen, plaats voor ${capacity ?? "?"}`,
      `${people ?? "?"} people, room for ${capacity ?? "?"}`,
    ];
    const near =
      roomAt === undefined
        ? ["geen open punt met plaats bekend", "no open point with room known"]
        : [`plaats bij ${roomAt}`, `room at ${roomAt}`];
    return both(what, [`${count[0]} · ${near[0]}`, `${count[1]} · ${near[1]}`], action);
  };
}

const VOLTS = (values: Alert["values"]): string => Number(values["starterBatteryV"] ?? Number.NaN).toFixed(1);

export const EQUIPMENT_WRITERS = {
  "mains-lost": ({ mainsLostAt }: Alert["values"]) =>
    both(
      ["Netspanning weg", "Mains lost"],
      [`sinds ${clockText(NL, mainsLostAt)}`, `since ${clockText(EN, mainsLostAt)}`],
      ["Ga na of het punt open moet.", "Find out whether the point has to open."],
    ),
  "generator-failed": () =>
    both(
      ["Aggregaat gestoord", "Generator failed"],
      [
        "het heeft zichzelf uitgezet; zonder netspanning valt het punt uit",
        "it shut itself down; without mains the point goes down",
      ],
      [
        "Stuur een monteur of een ander aggregaat; herstel daarna de melding.",
        "Send a technician or another set; then reset the alert.",
      ],
    ),
  "generator-not-ready": () =>
    both(
      ["Aggregaat niet inzetbaar", "Generator not ready"],
      ["het meldt een storing; er is netspanning", "it reports a fault; the mains are there"],
      ["Laat het nakijken voor het nodig is.", "Have it checked before it is needed."],
    ),
  "starter-battery": (values: Alert["values"]) =>
    both(
      ["Startaccu zwak", "Starter battery weak"],
      [
        `${VOLTS(values).replace(".", ",")} V in rust; het aggregaat start misschien niet`,
        `${VOLTS(values)} V at rest; the set may not start`,
      ],
      ["Laad of vervang de startaccu.", "Charge or replace the starter battery."],
    ),
  "occupancy-full": peopleText(
    ["Punt vol", "Point full"],
    ["Verwijs nieuwe bezoekers door.", "Redirect new visitors."],
  ),
  "occupancy-high": peopleText(
    ["Punt bijna vol", "Point nearly full"],
    ["Bereid doorverwijzen voor.", "Prepare to redirect."],
  ),
} satisfies Readonly<Record<string, Writer>>;
