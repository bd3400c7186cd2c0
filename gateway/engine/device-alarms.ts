// What a device says of itself and of its buttons that is an alarm at once: help, tamper, its own supply, a generator that failed.
// Only what is news: late frames are recorded and sound nothing.
import type { EventFrame, PointState } from "../../protocol/index.ts";
import { quantitiesOf, rulesAt, rulesHeld } from "../domain/alerts/rule-set.ts";
import type { DeviceView, PointView } from "../domain/point.ts";
import type { Profile } from "../domain/profile.ts";
import type { JournalRecord } from "../domain/record.ts";
import { kindOf } from "../domain/requests.ts";
import { candidatesOf } from "../domain/rules.ts";
import { activeAlert, applyVerdict } from "./alerts.ts";
import { pressHelp } from "./requests.ts";
import type { Draft } from "./state.ts";

/** Argument of event 14 for the device's own supply. */
const OWN_SUPPLY = 3;

/** Flags of the header; absent ones are false. */
interface Flags {
  readonly tamper?: boolean | undefined;
  readonly ownPowerLow?: boolean | undefined;
}

/** The point of a device as it is now, and the rules it is judged by. */
export interface Judged {
  readonly profile: Profile;
  state(): PointState;
}

export interface Speaker {
  readonly device: DeviceView;
  readonly view: PointView;
  readonly nowMs: number;
}

/** Of a live event. */
export function applyEvent(draft: Draft, speaker: Speaker, { event, argument }: EventFrame, judged: Judged): void {
  if (event === "tamper") alarm(draft, speaker, TAMPER, true);
  if (event === "battery-low" && argument === OWN_SUPPLY) alarm(draft, speaker, OWN_POWER, true);
  if (event === "generator-failed") generatorFailed(draft, speaker, judged);
}

/** Of a live sample: its flags say what is so now. */
export function applyFlags(draft: Draft, speaker: Speaker, { tamper, ownPowerLow }: Flags): void {
  alarm(draft, speaker, TAMPER, tamper === true);
  alarm(draft, speaker, OWN_POWER, ownPowerLow === true);
}

/** A press of event 9, late or not. */
export function applyPress(
  draft: Draft,
  { device, view, nowMs }: Speaker,
  { deviceId, sequence, timeMs }: JournalRecord,
  { argument }: EventFrame,
  isLate: boolean,
): void {
  const { pointId } = device;
  const press = { deviceId, pointId, sequence, atMs: Math.min(timeMs, nowMs), kind: kindOf(argument), isLate };
  pressHelp(draft, press, view.name, nowMs);
}

/** Somebody has been at it: over only when a person has looked. */
const TAMPER = { ruleId: "tamper", priority: 2, latches: true } as const;
const OWN_POWER = { ruleId: "own-power-low", priority: 3, latches: false } as const;
/** Matters of a device that are alarms of its point. */
export const DEVICE_MATTERS = [TAMPER.ruleId, OWN_POWER.ruleId] as const;

function alarm(
  draft: Draft,
  { device, view, nowMs }: Speaker,
  { ruleId, priority, latches }: typeof TAMPER | typeof OWN_POWER,
  holds: boolean,
): void {
  const { deviceId, pointId } = device;
  const subject = { kind: "device", id: deviceId, name: view.name, pointId } as const;
  const about = { matter: `${ruleId}/${deviceId}`, subject, nowMs, latches };
  const finding = { ruleId, priority, values: { deviceId } } as const;
  applyVerdict(draft, about, holds ? { kind: "breach", finding } : { kind: "clear" });
}

/** By the rules of the generator's matter, as if a sample had said so, and without their delay; the samples go on from there. */
function generatorFailed(draft: Draft, { device, view, nowMs }: Speaker, { profile, state: now }: Judged): void {
  const { pointId } = device;
  const state = now();
  const { rules, overrides } = profile;
  const mine = rulesAt(rules, overrides, state).filter((rule) => rule.matter === "generator");
  const active = (matter: string) => activeAlert(draft, `${matter}/${pointId}`);
  const held = rulesHeld(mine, { ...quantitiesOf(state), generator: "failed" }, active);
  const first = candidatesOf(held, state)[0];
  if (first === undefined) return;
  const { onDelayS: _, ...finding } = first;
  const latches = mine.find((rule) => rule.ruleId === finding.ruleId)?.latches === true;
  const subject = { kind: "point", id: pointId, name: view.name, pointId } as const;
  applyVerdict(
    draft,
    { matter: `generator/${pointId}`, subject, nowMs, latches, isRuled: true },
    { kind: "breach", finding },
  );
}
