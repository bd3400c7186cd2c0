// One row's step, and one point's evaluation. Pure but for the draft that it is given.
import { decodeUplink, type EventFrame, type PointState, type Report, type Rule } from "../../protocol/index.ts";
import type { AlertValues } from "../domain/alert-text.ts";
import {
  type Chatter,
  chatterAfter,
  chatterIn,
  isChattering,
  offDelayOf,
  withChatter,
} from "../domain/alerts/chatter.ts";
import { type Quantities, quantitiesOf, rulesAt, rulesHeld } from "../domain/alerts/rule-set.ts";
import {
  isNewest,
  withBacklog,
  withNewestEvent,
  withNewestInfo,
  withNewestReport,
  withRecord,
} from "../domain/device-model.ts";
import { teaches } from "../domain/endurance/asset-model.ts";
import { bitsOf, isWanted, withHeld } from "../domain/held.ts";
import { toInstant } from "../domain/instant.ts";
import { matterOfProcess, minimumLevel, minimumValues, PROCESS_MATTER } from "../domain/minimum.ts";
import { byOwner } from "../domain/ownership.ts";
import { withDeviceCount } from "../domain/people/people.ts";
import type { DeviceView, PointView, Stay } from "../domain/point.ts";
import { emptyModel, ofSet, type PointModel, type ReportArrival, withReport } from "../domain/point-model.ts";
import { type PointMoment, pointState } from "../domain/point-state.ts";
import type { Profile } from "../domain/profile.ts";
import type { JournalRecord } from "../domain/record.ts";
import {
  type Candidate,
  candidatesOf,
  fuelWatched,
  matterOfCondition,
  stepMatter,
  type Verdict,
} from "../domain/rules.ts";
import { activeAlert, applyVerdict } from "./alerts.ts";
import { assetsIn, learn } from "./assets.ts";
import { applyEvent, applyFlags, applyPress } from "./device-alarms.ts";
import { stepEntryRow } from "./entries.ts";
import { phaseAct } from "./phase-acts.ts";
import { hear, modelAt, type Place, type Standing, standingOf } from "./standing.ts";
import { type Draft, draftDevice, draftPoint } from "./state.ts";

/** A sample is live when it comes within two of its intervals, or two minutes. */
const LIVE_MS_MIN = 120_000;

export interface StepContext {
  readonly profile: Profile;
  readonly outageTargetMs: (nowMs: number) => number;
  pointOf(pointId: string): PointView | undefined;
  deviceOf(deviceId: string): DeviceView | undefined;
  /** Where it stood at that moment, by the registry. */
  stayOf(deviceId: string, atMs: number): Stay | undefined;
  devicesOf(pointId: string): readonly DeviceView[];
}

export type RowResult =
  | { readonly kind: "unknown-device" }
  /** Without a device: a person told it. */
  | { readonly kind: "taken"; readonly pointId: string; readonly deviceId?: string };

/** Takes one journaled row into the draft. Throws on a row that cannot be: the caller sets it aside. */
export function stepRow(draft: Draft, record: JournalRecord, context: StepContext): RowResult {
  if (record.damaged === true) throw new Error("the row's checksum does not fit");
  // Before any device: a point and a device may have the same name.
  if (record.link === "manual") return stepEntryRow(draft, record, context);
  const standing = standingOf(record, context);
  if (standing === undefined) return { kind: "unknown-device" };
  const { device, view } = standing.now;
  const before = draftDevice(draft, device.deviceId, device.pointId);
  const decoded = decodeUplink(record.frame);
  const kept = withRecord(before, device.pointId, record);
  switch (decoded.kind) {
    case "report": {
      draft.devices.set(device.deviceId, withNewestReport(kept, record, decoded.value));
      const arrived = { record, report: decoded.value, isNewest: isNewest(before.report, record) };
      stepReport(draft, standing, arrived, context);
      break;
    }
    case "info":
      draft.devices.set(device.deviceId, withNewestInfo(kept, record, decoded.value));
      hear(draft, standing, record.receivedMs);
      break;
    case "backlog":
      draft.devices.set(device.deviceId, withBacklog(kept, record, decoded.value));
      hear(draft, standing, record.receivedMs);
      break;
    // An event says what happened; for most of them, whether it is an alert now, the samples say.
    case "event":
      draft.devices.set(device.deviceId, withNewestEvent(kept, record, decoded.value));
      recount(draft, standing.stood.view, record, decoded.value);
      hear(draft, standing, record.receivedMs);
      soundEvent(draft, standing, record, decoded.value, context);
      break;
    case "fault": {
      const undecoded = before.undecoded + 1;
      draft.devices.set(device.deviceId, { ...kept, undecoded });
      hear(draft, standing, record.receivedMs);
      const subject = { kind: "device", id: device.deviceId, name: view.name, pointId: view.pointId } as const;
      const finding = {
        ruleId: "device-newer",
        priority: 3,
        values: { count: undecoded, fault: decoded.fault },
      } as const;
      const about = { matter: `newer/${device.deviceId}`, subject, nowMs: record.receivedMs };
      applyVerdict(draft, about, { kind: "breach", finding });
      break;
    }
  }
  return { kind: "taken", pointId: device.pointId, deviceId: device.deviceId };
}

interface Arrived {
  readonly record: JournalRecord;
  readonly report: Report;
  /** Of its device. */
  readonly isNewest: boolean;
}

function stepReport(
  draft: Draft,
  standing: Standing,
  { record, report, isNewest }: Arrived,
  context: StepContext,
): void {
  const { now, stood, hasLeft } = standing;
  const { view } = stood;
  const { pointId } = view;
  const { deviceId, receivedMs, timeMs, timeQuality, sequence } = record;
  const model = modelAt(draft, view);
  const arrival = { deviceId, sequence, receivedMs, timeMs, quality: timeQuality, report };
  const taken = withReport(model, view, arrival);
  const after = hasLeft ? { ...taken, lastReceivedMs: model.lastReceivedMs } : taken;
  draft.points.set(pointId, after);
  const { current } = after.lifecycle;
  if (current?.atMs !== model.lifecycle.current?.atMs || current?.phase !== model.lifecycle.current?.phase)
    draft.acts.push(phaseAct(pointId, after.lifecycle, receivedMs));
  if (teaches(model.fuel, timeMs)) learn(draft, view, after);
  const isNews = isNewest && isLive(record, now.device);
  if (isNews) applyFlags(draft, { ...now, nowMs: receivedMs }, report.flags);
  if (isNews && !hasLeft)
    evaluate(draft, pointId, { nowMs: receivedMs, contact: "present", sampledMs: timeMs }, context);
  else draft.points.set(pointId, withLateSample(after, stood, { ...arrival, ...assetsIn(draft, view) }, context));
  if (hasLeft) hear(draft, standing, receivedMs);
}

function isLive({ receivedMs, timeMs }: JournalRecord, { reportIntervalS }: DeviceView): boolean {
  return receivedMs - timeMs <= Math.max(LIVE_MS_MIN, 2000 * reportIntervalS);
}

/** Help is noted also when it comes late; all else sounds only while it is news. */
function soundEvent(
  draft: Draft,
  { now, stood }: Standing,
  record: JournalRecord,
  event: EventFrame,
  context: StepContext,
): void {
  const nowMs = record.receivedMs;
  const isNews = isLive(record, now.device);
  if (event.event === "help-requested") applyPress(draft, { ...stood, nowMs }, record, event, !isNews);
  else if (isNews) {
    const { view } = stood;
    const moment = momentOf(view.pointId, { nowMs, contact: "present" }, context);
    const state = () => pointState(draftPoint(draft, view.pointId), view, { ...moment, ...assetsIn(draft, view) });
    const { profile } = context;
    applyEvent(draft, { ...(event.event === "generator-failed" ? stood : now), nowMs }, event, { profile, state });
  }
}

/** People counted on the device itself. */
function recount(draft: Draft, view: PointView, record: JournalRecord, { event, argument }: EventFrame): void {
  if (event !== "recount") return;
  const model = modelAt(draft, view);
  const { deviceId, sequence, timeMs, receivedMs } = record;
  const people = withDeviceCount(model.people, { people: argument, atMs: timeMs, receivedMs, deviceId, sequence });
  if (people !== model.people) draft.points.set(view.pointId, { ...model, people });
}

type LateArrival = ReportArrival & Pick<PointMoment, "asset" | "tank">;

/** Notes which rules held at a late sample, judged by it alone: it neither raises nor clears, but its time counts. */
function withLateSample(
  model: PointModel,
  { device, view }: Place,
  late: LateArrival,
  context: StepContext,
): PointModel {
  const { timeMs, asset, tank } = late;
  const { counted } = byOwner(late.report, late.deviceId, view.groupOwners);
  if (counted.power === undefined || !isWanted(model.held, timeMs, model.lastSampleMs ?? timeMs)) return model;
  const { levels, currents, fuel } = model;
  const then = withReport({ ...emptyModel(model.pointId), levels, currents, fuel }, view, late);
  const moment = momentOf(model.pointId, { nowMs: timeMs, contact: "present" }, context);
  const others = moment.devices.filter((one) => one.deviceId !== device.deviceId);
  const state = pointState(then, view, { ...moment, devices: [...others, device], asset, tank });
  const known = { ...quantitiesOf(state), ...fuelWatched(then, view, { nowMs: timeMs, asset }).known };
  return { ...model, held: withHeld(model.held, timeMs, heldBits(state, known, context.profile)) };
}

/** Matters that rules judge a point by now. */
export function mattersOf(profile: Profile, point: PointState): ReadonlySet<string> {
  return new Set([...byMatter(rulesOf(profile, point)).keys()].flatMap((matter) => mattersIn(matter, point)));
}

/** Those about processes are one for each process of the point. */
function mattersIn(matter: string, { minimums = [] }: PointState): readonly string[] {
  return matter === PROCESS_MATTER ? minimums.map((one) => matterOfProcess(one.processId)) : [matter];
}

function rulesOf({ rules, overrides }: Profile, { pointId, phase }: PointState): readonly Rule[] {
  return rulesAt(rules, overrides, { pointId, phase });
}

function heldBits(state: PointState, known: Quantities, profile: Profile): number {
  const held = rulesHeld(rulesOf(profile, state), known, () => undefined);
  return bitsOf(held.map(({ rule }) => rule.ruleId));
}

export interface Evaluation {
  readonly nowMs: number;
  readonly contact: PointState["contact"];
  /** On a tick only the silence may begin an alert when no live sample has come. */
  readonly onlySilence?: boolean;
  /** Set for a live sample: its moment. */
  readonly sampledMs?: number;
}

/** Steps all matters of a point. Late rows never come here: they neither raise nor clear. */
export function evaluate(draft: Draft, pointId: string, evaluation: Evaluation, context: StepContext): void {
  const view = context.pointOf(pointId);
  if (view === undefined) return;
  const { nowMs } = evaluation;
  const { profile } = context;
  const kept = draftPoint(draft, pointId);
  const assets = assetsIn(draft, view);
  const model = ofSet(kept, view, assets.tank);
  const moment = { ...momentOf(pointId, evaluation, context), ...assets };
  const state = pointState(model, view, moment);
  const subject = { kind: "point", id: pointId, name: view.name, pointId } as const;
  const rules = rulesOf(profile, state);
  const active = (matter: string) => activeAlert(draft, `${matter}/${pointId}`);
  const fuel = fuelWatched(model, view, { nowMs: sampledOf(model, nowMs), asset: moment.asset });
  const known = { ...quantitiesOf(state), ...fuel.known };
  const judged = judgedAt(rules, { state, known, values: { fuel: fuel.values }, active });
  let conditions = ofMatters(model.conditions, new Set(judged.map(({ matter }) => matter)));
  for (const { matter, rules: mine, candidates } of judged) {
    if (evaluation.onlySilence === true && matter !== SILENCE) continue;
    const open = active(matter);
    const rule = mine.get(open?.ruleId ?? "");
    const chatter = chatterIn(conditions, matter);
    const result = stepMatter(matter, candidates, {
      conditions,
      held: model.held,
      nowMs,
      activePriority: open?.priority,
      offDelayS: offDelayOf(rule?.offDelayS ?? 0, chatter),
    });
    conditions = result.conditions;
    const about = {
      matter: `${matter}/${pointId}`,
      subject,
      nowMs,
      latches: rule?.latches === true,
      isRuled: true,
    } as const;
    const raised = open === undefined && result.verdict.kind === "breach" ? chatterAfter(chatter, nowMs) : chatter;
    if (raised !== undefined && raised !== chatter) conditions = withChatter(conditions, matter, raised);
    applyVerdict(draft, about, withTimes(result.verdict, raised));
  }
  if (evaluation.sampledMs !== undefined) {
    const held = withHeld(model.held, evaluation.sampledMs, heldBits(state, known, profile));
    draft.points.set(pointId, { ...kept, conditions, held });
  } else if (!sameConditions(conditions, kept.conditions)) draft.points.set(pointId, { ...kept, conditions });
}

interface Judged {
  readonly matter: string;
  readonly rules: ReadonlyMap<string, Rule>;
  readonly candidates: readonly Candidate[];
}

interface Judging {
  readonly state: PointState;
  readonly known: Quantities;
  /** By matter: what its alerts say beside what the state has. */
  readonly values: Readonly<Record<string, AlertValues>>;
  active(matter: string): ReturnType<typeof activeAlert>;
}

/** Every matter of a point, with the rules that hold on it. */
function judgedAt(rules: readonly Rule[], { state, known, values, active }: Judging): Judged[] {
  const candidates = candidatesOf(rulesHeld(rules, known, active), state, values);
  return [...byMatter(rules)].flatMap(([matter, mine]): Judged[] => {
    if (matter !== PROCESS_MATTER)
      return [{ matter, rules: mine, candidates: candidates.filter((one) => mine.has(one.ruleId)) }];
    return (state.minimums ?? []).map((one) => {
      const own = matterOfProcess(one.processId);
      const held = rulesHeld([...mine.values()], { ...known, minimum: minimumLevel(one) }, () => active(own));
      return { matter: own, rules: mine, candidates: candidatesOf(held, state, { [matter]: minimumValues(one) }) };
    });
  });
}

/** What comes and goes says how often. */
function withTimes(verdict: Verdict, chatter: Chatter | undefined): Verdict {
  if (verdict.kind !== "breach" || chatter === undefined || !isChattering(chatter)) return verdict;
  const { finding } = verdict;
  return { kind: "breach", finding: { ...finding, values: { ...finding.values, times: chatter.count } } };
}

/** The matter of rules that run on, whatever a point last said. */
const SILENCE = "silence";

const matters = new WeakMap<readonly Rule[], ReadonlyMap<string, ReadonlyMap<string, Rule>>>();

/** Rules by matter, then by name: a list never changes, so it is sorted once. */
function byMatter(rules: readonly Rule[]): ReadonlyMap<string, ReadonlyMap<string, Rule>> {
  const known = matters.get(rules);
  if (known !== undefined) return known;
  const sorted = new Map<string, Map<string, Rule>>();
  for (const rule of rules)
    sorted.set(rule.matter, (sorted.get(rule.matter) ?? new Map<string, Rule>()).set(rule.ruleId, rule));
  matters.set(rules, sorted);
  return sorted;
}

/** Levels are judged at the moment of the newest: a tick later they say no more. */
function sampledOf(model: PointModel, nowMs: number): number {
  return Math.min(nowMs, model.lastSampleMs ?? nowMs);
}

/** A delay of a rule that is gone does not run on for one of the same name that comes later. */
function ofMatters(conditions: PointModel["conditions"], known: ReadonlySet<string>): PointModel["conditions"] {
  const kept = Object.entries(conditions).filter(([key]) => known.has(matterOfCondition(key)));
  return kept.length === Object.keys(conditions).length ? conditions : Object.fromEntries(kept);
}

function sameConditions(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

export function momentOf(pointId: string, evaluation: Evaluation, context: StepContext): PointMoment {
  return {
    nowMs: evaluation.nowMs,
    targetMs: context.outageTargetMs(evaluation.nowMs),
    devices: context.devicesOf(pointId),
    contact: evaluation.contact,
    priority: 0,
    profile: context.profile,
  };
}

/** A row that the engine cannot take: kept, counted, told of, and passed by. */
export function setAsideAlert(draft: Draft, id: number, nowMs: number, total: number): void {
  const subject = { kind: "gateway", id: "gateway", name: "gateway" } as const;
  const finding = {
    ruleId: "row-set-aside",
    priority: 2,
    values: { rowId: id, count: total, at: toInstant(nowMs) },
  } as const;
  const about = { matter: "set-aside/gateway", subject, nowMs };
  applyVerdict(draft, about, { kind: "breach", finding });
  // Nothing of it lasts: seen by a person, it is handled.
  applyVerdict(draft, about, { kind: "clear" });
}
