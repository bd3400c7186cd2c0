// What a notice says: one line in the order of Dutch control rooms (priority | what | object | address | place | time), and what
// follows from it. Pure.
import type { Alert, NoticeReason } from "../../../protocol/index.ts";
import { clockText, EN, NL } from "../local-time.ts";
import type { PlaceOf } from "./recipients.ts";
import type { TrayItem } from "./tray.ts";

export type Language = "nl" | "en";

/** A part of the line. Where there is little room, those to drop go first, then those to trim lose their ends. */
export interface Part {
  readonly text: string;
  readonly room: "keep" | "trim" | "drop";
}

export interface Message {
  readonly parts: readonly Part[];
  readonly headline: string;
  readonly lines: readonly string[];
}

/** Alerts that a message names one by one. */
export const NAMED_MAX = 50;

const WORDS = {
  nl: {
    over: "VOORBIJ",
    others: (count: number) => `en ${count} andere`,
    by: "Handelen voor",
    gateway: "gateway",
    test: "Proefbericht van Waakvlam: er is niets aan de hand.",
  },
  en: {
    over: "OVER",
    others: (count: number) => `and ${count} others`,
    by: "Act before",
    gateway: "gateway",
    test: "Test message from Waakvlam: nothing is wrong.",
  },
} as const;

const REASONS: Readonly<Record<NoticeReason, readonly [nl: string, en: string] | undefined>> = {
  raised: undefined,
  returned: undefined,
  test: undefined,
  escalated: ["Ernstiger geworden", "More pressing than before"],
  grown: ["Groter geworden sinds het bevestigd is", "Grown since it was acknowledged"],
  "breached-again": ["Opnieuw opgetreden", "It is back"],
  back: ["Uitstel voorbij: staat weer open", "No longer put away: open again"],
  "not-acknowledged": ["Nog door niemand bevestigd", "Nobody has acknowledged this yet"],
  repeated: ["Herhaling: nog niet bevestigd", "Repeated: not acknowledged yet"],
  "hand-over": ["Uw dienst begint: dit staat open", "Your shift begins: this is open"],
};

/** The most pressing first; at least one. */
export function composeMessage(items: readonly TrayItem[], language: Language, placeOf: PlaceOf): Message {
  const [first] = items;
  if (first === undefined) return { parts: [], headline: "", lines: [] };
  const words = WORDS[language];
  const more = items.length - 1;
  const parts = [
    ...partsOf(first, language, placeOf),
    ...(more > 0 ? [{ text: words.others(more), room: "keep" } as const] : []),
  ];
  const why = REASONS[first.gathered.reason]?.[language === "nl" ? 0 : 1];
  const lines = why === undefined ? [] : [why];
  if (more === 0) return { parts, headline: headlineOf(parts), lines: [...lines, ...detailLines(first, language)] };
  const named = items.slice(0, NAMED_MAX).map((item) => headlineOf(partsOf(item, language, placeOf)));
  const rest = items.length - named.length;
  return {
    parts,
    headline: headlineOf(parts),
    lines: [...lines, ...named, ...(rest > 0 ? [words.others(rest)] : [])],
  };
}

export function testMessage(language: Language, at: string): Message {
  const parts: Part[] = [
    { text: "TEST", room: "keep" },
    { text: WORDS[language].test, room: "trim" },
    { text: clockText(language === "nl" ? NL : EN, at), room: "keep" },
  ];
  return { parts, headline: headlineOf(parts), lines: [] };
}

export function headlineOf(parts: readonly Part[]): string {
  return parts.map((part) => part.text).join(" | ");
}

function partsOf({ alert, gathered }: TrayItem, language: Language, placeOf: PlaceOf): Part[] {
  const words = WORDS[language];
  const head = gathered.reason === "returned" ? words.over : `PRIO ${alert.priority}`;
  const { object, address, place } = whereOf(alert, language, placeOf);
  const optional = [address, place].filter((text) => text !== undefined && text !== "") as string[];
  return [
    { text: head, room: "keep" },
    { text: alert.text[language].what, room: "trim" },
    ...(object === undefined ? [] : [{ text: object, room: "trim" } as const]),
    ...optional.map((text) => ({ text, room: "drop" }) as const),
    { text: clockText(language === "nl" ? NL : EN, alert.raisedAt), room: "keep" },
  ];
}

interface Where {
  readonly object?: string;
  readonly address?: string | undefined;
  readonly place?: string;
}

function whereOf({ subject, values }: Alert, language: Language, placeOf: PlaceOf): Where {
  if (subject.kind === "gateway") return { object: WORDS[language].gateway };
  // The line of a group says its object in its own words.
  if (subject.kind === "group") return { place: String(values["regions"] ?? "") };
  if (subject.kind === "path") return {};
  const place = placeOf(subject.pointId ?? subject.id);
  if (place === undefined) return { object: subject.name };
  return { object: place.name, address: place.address, place: place.municipality };
}

function detailLines({ alert }: TrayItem, language: Language): string[] {
  const { consequence, action } = alert.text[language];
  const by =
    alert.respondBy === undefined
      ? []
      : [`${WORDS[language].by} ${clockText(language === "nl" ? NL : EN, alert.respondBy)}`];
  return [consequence, action, ...by].filter((line) => line !== "");
}
