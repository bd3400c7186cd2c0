// One cause, one line: groups of points in the same trouble, and paths that bring nobody any more. What follows from them is hidden
// behind their line, and comes back by itself when the cause is gone and the trouble is not.
import type { Alert, Priority, Rule } from "../../protocol/index.ts";
import { type GroupFigures, type GroupMember, stepGroup } from "../domain/alerts/group.ts";
import type { PointView } from "../domain/point.ts";
import type { Profile } from "../domain/profile.ts";
import { applyVerdict, lifeOf, transit } from "./alerts.ts";
import type { DownPath } from "./contact.ts";
import { type Draft, draftAlertOn, draftAlerts, draftPoint, type OpenAlert } from "./state.ts";

export interface CauseContext {
  readonly nowMs: number;
  readonly profile: Profile;
  pointOf(pointId: string): PointView | undefined;
  pointIds(): readonly string[];
}

/** A path that is down is a matter of priority 2: somebody has to go there, and what it hides may be worse. */
const PATH_PRIORITY: Priority = 2;
const NAMES_MAX = 5;

/** Steps every group, and hides or shows its members. */
export function applyGroups(draft: Draft, context: CauseContext): void {
  for (const rule of context.profile.rules) if (rule.group !== undefined) applyGroup(draft, rule, rule.group, context);
  releaseOrphans(draft, context);
}

function applyGroup(draft: Draft, rule: Rule, group: { readonly at: number }, context: CauseContext): void {
  const { nowMs } = context;
  const matter = `group/${rule.ruleId}`;
  const open = draftAlertOn(draft, matter);
  const before = open === undefined ? undefined : { figures: figuresIn(open.alert), isActive: lifeOf(open).isActive };
  const members = membersOf(draft, rule, open?.alert.alertId, context);
  const step = stepGroup(group, members, before);
  if (step.kind === "none") return;
  const subject = { kind: "group", id: rule.ruleId, name: rule.ruleId } as const;
  const about = { matter, subject, nowMs };
  if (step.kind === "clear") {
    applyVerdict(draft, about, { kind: "clear" });
    return;
  }
  const values = { ...step.figures, names: namesOf(members) };
  const template = rule.text === undefined ? {} : { template: rule.text };
  const finding = { ruleId: `group-${rule.ruleId}`, priority: step.priority, values, ...template };
  applyVerdict(draft, about, { kind: "breach", finding });
  const made = draftAlertOn(draft, matter);
  if (made === undefined) return;
  const act = { nowMs, actor: "gateway" };
  if (step.isGrown && made.alert.state === "acknowledged") transit(draft, made, { kind: "grow" }, act);
  for (const one of openMembers(draft, rule, made.alert.alertId)) hide(draft, one, made.alert.alertId, nowMs);
}

/** Alerts of a rule at points, shown or hidden behind this very group. */
function openMembers(draft: Draft, rule: Rule, groupId: string | undefined): OpenAlert[] {
  return [...draftAlerts(draft)].filter((open) => {
    const { alert } = open;
    if (alert.ruleId !== rule.ruleId || alert.subject.kind !== "point" || !lifeOf(open).isActive) return false;
    if (alert.state === "suppressed") return alert.suppressedBy === groupId;
    return alert.state === "unacknowledged" || alert.state === "acknowledged";
  });
}

/** Those, and points at which the rule's delay still runs. */
function membersOf(draft: Draft, rule: Rule, groupId: string | undefined, context: CauseContext): GroupMember[] {
  const members: GroupMember[] = [];
  const taken = new Set<string>();
  for (const { alert } of openMembers(draft, rule, groupId)) {
    const { id } = alert.subject;
    const sinceMs = draftPoint(draft, id).conditions[`${rule.matter}:${rule.ruleId}`] ?? Date.parse(alert.raisedAt);
    taken.add(id);
    members.push({ ...placeOf(id, context), priority: alert.priority, sinceMs, isPending: false });
  }
  if (members.length === 0) return members;
  for (const pointId of context.pointIds()) {
    const sinceMs = draftPoint(draft, pointId).conditions[`${rule.matter}:${rule.ruleId}`];
    if (sinceMs === undefined || taken.has(pointId)) continue;
    if (draftAlertOn(draft, `${rule.matter}/${pointId}`) !== undefined) continue;
    members.push({ ...placeOf(pointId, context), priority: rule.priority, sinceMs, isPending: true });
  }
  return members;
}

function placeOf(pointId: string, { pointOf }: CauseContext): Pick<GroupMember, "pointId" | "name" | "region"> {
  const view = pointOf(pointId);
  return { pointId, name: view?.name ?? pointId, region: view?.region ?? "" };
}

function namesOf(members: readonly GroupMember[]): string {
  const first = [...members].sort((a, b) => a.priority - b.priority || a.sinceMs - b.sinceMs).slice(0, NAMES_MAX);
  return first.map((one) => one.name).join(", ");
}

function figuresIn({ values }: Alert): GroupFigures {
  const number = (name: string) => Number(values[name] ?? 0);
  return {
    count: number("count"),
    most: number("most"),
    seen: number("seen"),
    firstOutMs: number("firstOutMs"),
    firstOut: String(values["firstOut"] ?? ""),
    regions: String(values["regions"] ?? ""),
  };
}

function hide(draft: Draft, open: OpenAlert, behind: string, nowMs: number): void {
  if (open.alert.state === "suppressed") return;
  transit(draft, open, { kind: "suppress" }, { nowMs, actor: "gateway", behind });
}

/** One line for each path that is down; silence at points that have no other way is hidden behind it. */
export function applyPaths(
  draft: Draft,
  down: readonly DownPath[],
  devicesOf: (pointId: string) => readonly { readonly deviceId: string }[],
  context: CauseContext,
): void {
  const { nowMs } = context;
  const unheard = new Map<string, string>();
  for (const { pathId, devices } of down) {
    const matter = `path/${pathId}`;
    const about = { matter, subject: { kind: "path", id: pathId, name: pathId } as const, nowMs };
    const values = { path: pathId, count: devices.length };
    applyVerdict(draft, about, { kind: "breach", finding: { ruleId: "path-down", priority: PATH_PRIORITY, values } });
    const alertId = draftAlertOn(draft, matter)?.alert.alertId;
    for (const { deviceId } of alertId === undefined ? [] : devices) unheard.set(deviceId, alertId as string);
  }
  for (const open of [...draftAlerts(draft)]) {
    const { alert, matter } = open;
    if (alert.subject.kind === "path" && lifeOf(open).isActive && !down.some((one) => one.pathId === alert.subject.id))
      applyVerdict(draft, { matter, subject: alert.subject, nowMs }, { kind: "clear" });
    if (alert.ruleId !== "silence" || alert.subject.kind !== "point") continue;
    const behind = devicesOf(alert.subject.id).map((one) => unheard.get(one.deviceId));
    const cause = behind[0];
    if (cause !== undefined && !behind.includes(undefined)) hide(draft, open, cause, nowMs);
  }
  releaseOrphans(draft, context);
}

/** Hidden behind something that is no longer open, or no longer what it was, or over: each goes its own way again. */
function releaseOrphans(draft: Draft, { nowMs }: CauseContext): void {
  const all = [...draftAlerts(draft)];
  const byId = new Map(all.map((one) => [one.alert.alertId, one]));
  for (const open of all) {
    const { alert } = open;
    if (alert.state !== "suppressed") continue;
    const cause = byId.get(alert.suppressedBy ?? "");
    const explains = cause !== undefined && lifeOf(cause).isActive && isExplained(alert, cause.alert);
    if (explains && lifeOf(open).isActive) continue;
    transit(draft, open, { kind: "release" }, { nowMs, actor: "gateway" });
  }
}

function isExplained(alert: Alert, cause: Alert): boolean {
  return cause.subject.kind === "group" ? cause.subject.id === alert.ruleId : alert.ruleId === "silence";
}
