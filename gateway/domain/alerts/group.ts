// One cause, one line: the same rule at many points at once becomes a group, and its members are hidden behind it. Pure.
import type { Priority } from "../../../protocol/index.ts";

/** A point at which a rule's condition holds, its delay over or not. */
export interface GroupMember {
  readonly pointId: string;
  readonly name: string;
  readonly region: string;
  readonly priority: Priority;
  /** Since when the condition holds there. */
  readonly sinceMs: number;
  /** Its delay still runs: it counts for the group, and would not be an alert by itself yet. */
  readonly isPending: boolean;
}

export interface GroupRule {
  /** So many points make a group. */
  readonly at: number;
}

/** What the line says; kept in the values of its alert, so that a restart goes on from there. */
export interface GroupFigures {
  readonly count: number;
  /** Most points that were in it at once. */
  readonly most: number;
  /** Points in it when a person last saw it; 0 for never. */
  readonly seen: number;
  readonly firstOutMs: number;
  readonly firstOut: string;
  /** 'Flevoland 93, Gooi en Vechtstreek 50': the most first. */
  readonly regions: string;
}

export type GroupStep =
  | { readonly kind: "none" }
  | {
      readonly kind: "breach";
      readonly priority: Priority;
      readonly figures: GroupFigures;
      /** More than the person who acknowledged it has seen. */
      readonly isGrown: boolean;
    }
  | { readonly kind: "clear"; readonly figures: GroupFigures };

/** A group falls apart below this share of what makes one: its last members get their own lines again. */
const APART_SHARE = 0.5;
/** So much more than was seen must be seen again. */
const GROWN_SHARE = 1.25;
const GROWN_POINTS = 5;
const REGIONS_MAX = 8;

/** Steps a group: `open` has the figures of its alert when one is open, `isActive` when that has not returned. */
export function stepGroup(
  rule: GroupRule,
  members: readonly GroupMember[],
  open: { readonly figures: GroupFigures; readonly isActive: boolean } | undefined,
): GroupStep {
  const count = members.length;
  const isOpen = open?.isActive === true;
  const isDue = members.some((one) => !one.isPending);
  if (!isOpen && (count < rule.at || !isDue)) return { kind: "none" };
  const figures = figuresOf(members, isOpen ? open.figures : undefined);
  if (count < rule.at * APART_SHARE) return { kind: "clear", figures };
  const priority = Math.min(...members.map((one) => one.priority)) as Priority;
  const isGrown = figures.seen > 0 && count >= Math.max(figures.seen * GROWN_SHARE, figures.seen + GROWN_POINTS);
  return { kind: "breach", priority, figures, isGrown };
}

function figuresOf(members: readonly GroupMember[], before: GroupFigures | undefined): GroupFigures {
  const first = members.reduce<GroupMember | undefined>(
    (one, other) => (one === undefined || other.sinceMs < one.sinceMs ? other : one),
    undefined,
  );
  const isEarlier = first !== undefined && (before === undefined || first.sinceMs < before.firstOutMs);
  return {
    count: members.length,
    most: Math.max(members.length, before?.most ?? 0),
    seen: before?.seen ?? 0,
    firstOutMs: isEarlier ? first.sinceMs : (before?.firstOutMs ?? 0),
    firstOut: isEarlier ? first.name : (before?.firstOut ?? ""),
    regions: regionsOf(members),
  };
}

function regionsOf(members: readonly GroupMember[]): string {
  const counts = new Map<string, number>();
  for (const { region } of members) counts.set(region, (counts.get(region) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, REGIONS_MAX)
    .map(([region, count]) => `${region} ${count}`)
    .join(", ");
}
