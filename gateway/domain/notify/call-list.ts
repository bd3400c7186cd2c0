// Whom to call for what, on one sheet, for when nothing else gets out. Pure.
import type { Alert, CallList, Contact, NotifyPlan, Priority, Recipient } from "../../../protocol/index.ts";
import { isHidden } from "../alerts/life.ts";
import { toInstant } from "../instant.ts";
import { composeMessage, type Language } from "./message.ts";
import { isOnDuty, type PlaceOf } from "./recipients.ts";

export interface CallListInput {
  readonly alerts: readonly Alert[];
  readonly contacts: readonly Contact[];
  readonly plan: NotifyPlan;
  readonly placeOf: PlaceOf;
  readonly nowMs: number;
  readonly language: Language;
}

const ALL: readonly Priority[] = [1, 2, 3];

export function callList({ alerts, contacts, plan, placeOf, nowMs, language }: CallListInput): CallList {
  const open = alerts.filter(({ state }) => !isHidden(state)).sort((a, b) => a.priority - b.priority || order(a, b));
  const general: string[] = [];
  const byPoint = new Map<string, string[]>();
  for (const alert of open) {
    const { kind, id, pointId = kind === "point" ? id : undefined } = alert.subject;
    const gathered = { alertId: alert.alertId, occurrence: 0, reason: "raised", atMs: nowMs } as const;
    const { headline, lines } = composeMessage([{ gathered, alert }], language, placeOf);
    const line = [headline, ...lines].join(" · ");
    if (pointId === undefined) general.push(line);
    else byPoint.set(pointId, [...(byPoint.get(pointId) ?? []), line]);
  }
  return {
    madeAt: toInstant(nowMs),
    people: plan.recipients.flatMap((one) => peopleOf(one, nowMs)),
    general,
    points: [...byPoint].map(([pointId, lines]) => {
      const place = placeOf(pointId);
      return {
        pointId,
        name: place?.name ?? pointId,
        ...(place?.address === undefined ? {} : { address: place.address }),
        municipality: place?.municipality ?? "",
        alerts: lines,
        contacts: contacts.filter((one) => one.pointId === pointId).map(({ pointId: _, ...contact }) => contact),
      };
    }),
  };
}

function order(a: Alert, b: Alert): number {
  return a.raisedAt < b.raisedAt ? -1 : 1;
}

function peopleOf(recipient: Recipient, nowMs: number): CallList["people"] {
  const { role, name, channels, priorities = [...ALL] } = recipient;
  const phone = channels.find((one) => one.type === "sms")?.phone;
  if (phone === undefined) return [];
  return [{ role, ...(name === undefined ? {} : { name }), phone, onDuty: isOnDuty(recipient, nowMs), priorities }];
}

const WORDS = {
  nl: {
    title: "Bellijst",
    made: "Gemaakt",
    people: "Wie",
    duty: "dienst",
    general: "Algemeen",
    points: "Punten",
    nobody: "geen contact in het register",
    none: "Er staat niets open.",
  },
  en: {
    title: "Call list",
    made: "Made",
    people: "Who",
    duty: "on duty",
    general: "General",
    points: "Points",
    nobody: "no contact in the registry",
    none: "Nothing is open.",
  },
} as const;

interface Section {
  readonly title: string;
  readonly blocks: readonly { readonly head: string; readonly lines: readonly string[] }[];
}

function sectionsOf(list: CallList, language: Language): Section[] {
  const words = WORDS[language];
  const person = (one: CallList["people"][number]) =>
    [one.phone, one.role, one.name, `PRIO ${one.priorities.join(" ")}`, one.onDuty ? words.duty : undefined]
      .filter((part) => part !== undefined)
      .join(" · ");
  const contact = (one: CallList["points"][number]["contacts"][number]) =>
    [one.phone, one.role, one.name].filter((part) => part !== undefined).join(" · ");
  const isQuiet = list.general.length + list.points.length === 0;
  return [
    { title: words.people, blocks: [{ head: "", lines: list.people.map(person) }] },
    ...(isQuiet ? [{ title: words.points, blocks: [{ head: words.none, lines: [] }] }] : []),
    ...(list.general.length === 0 ? [] : [{ title: words.general, blocks: [{ head: "", lines: list.general }] }]),
    ...(list.points.length === 0
      ? []
      : [
          {
            title: words.points,
            blocks: list.points.map((point) => ({
              head: [point.name, point.address, point.municipality]
                .filter((part) => part !== undefined && part !== "")
                .join(", "),
              lines: [
                ...point.alerts,
                ...(point.contacts.length === 0 ? [words.nobody] : point.contacts.map((one) => `☎ ${contact(one)}`)),
              ],
            })),
          },
        ]),
  ];
}

/** As text for a printer that knows nothing else. `made` is the moment in words. */
export function callListText(list: CallList, language: Language, made: string): string {
  const words = WORDS[language];
  const lines = [`${words.title} · ${words.made} ${made}`];
  for (const { title, blocks } of sectionsOf(list, language)) {
    lines.push("", title.toUpperCase());
    for (const { head, lines: own } of blocks)
      lines.push(...(head === "" ? [] : [head]), ...own.map((one) => `  ${one}`));
  }
  return `${lines.join("\n")}\n`;
}

/** As a page to print: no script, no style, nothing from elsewhere. */
export function callListPage(list: CallList, language: Language, made: string): string {
  const words = WORDS[language];
  const body = sectionsOf(list, language).map(({ title, blocks }) => {
    const inner = blocks.map(({ head, lines }) => {
      const items = lines.map((one) => `<li>${escaped(one)}</li>`).join("");
      return `${head === "" ? "" : `<h3>${escaped(head)}</h3>`}${items === "" ? "" : `<ul>${items}</ul>`}`;
    });
    return `<section><h2>${escaped(title)}</h2>${inner.join("")}</section>`;
  });
  return (
    `<!doctype html><html lang="${language}"><head><meta charset="utf-8"><title>${words.title}</title></head>` +
    `<body><h1>${words.title}</h1><p>${words.made} ${escaped(made)}</p>${body.join("")}</body></html>\n`
  );
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => ESCAPES[letter] as string);
}
