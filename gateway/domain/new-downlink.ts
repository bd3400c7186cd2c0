// What a person wants a device to be told: whether it makes sense, who may ask for it, and how long it waits; and how it is shown.
import type { DeviceDownlink, NewDownlink } from "../../protocol/index.ts";
import { type DoneDownlink, type DownlinkContent, idOf, type WaitingDownlink } from "./downlink-queue.ts";
import { toInstant } from "./instant.ts";
import type { Action } from "./permission.ts";

const OCCUPANCY_MAX = 2039;
const LOCATE_S_MAX = 3_600;
/** A device works with no shorter interval; 0 is none. */
const INTERVAL_S_MIN = 10;
const DAY_S = 86_400;

/** Arguments by their command, least and most; commands that are not here have none. */
const ARGUMENTS: Readonly<Record<string, { readonly min: number; readonly max: number; readonly mayLack?: true }>> = {
  locate: { min: 1, max: LOCATE_S_MAX },
  "set-occupancy": { min: 0, max: OCCUPANCY_MAX },
  "resend-from": { min: 0, max: 0xffff, mayLack: true },
};

/** Somebody who looks for a device is gone after a while; settings are as good next week. */
const USUAL_S: Readonly<Record<string, number>> = { locate: 900 };
const SETTINGS_USUAL_S = 7 * DAY_S;

/** What a device would refuse, and what says nothing; a sentence each. */
export function downlinkProblems({ command, argument, settings }: NewDownlink): string[] {
  if ((command === undefined) === (settings === undefined)) return ["give either a command or settings"];
  if (settings !== undefined) {
    const { alarmIntervalS: every } = settings;
    return [
      ...(argument === undefined ? [] : ["/argument belongs to a command"]),
      ...(every !== undefined && every > 0 && every < INTERVAL_S_MIN
        ? [`/settings/alarmIntervalS ${every} is neither 0 nor at least ${INTERVAL_S_MIN}`]
        : []),
    ];
  }
  const limits = ARGUMENTS[command as string];
  if (limits === undefined) return argument === undefined ? [] : [`/argument: ${command} has none`];
  if (argument === undefined)
    return limits.mayLack ? [] : [`/argument is missing: ${limits.min} to ${limits.max} for ${command}`];
  const fits = argument >= limits.min && argument <= limits.max;
  return fits ? [] : [`/argument ${argument} is not ${limits.min} to ${limits.max}`];
}

/** What changes how a device works, or stops it for a while, is for who administers it. */
export function actionFor({ command, settings }: NewDownlink): Action {
  return settings !== undefined || command === "reboot" ? "administer" : "command";
}

/** What is asked, in the shape of the queue. Of one that has no problems. */
export function contentOf({ command, argument, settings }: NewDownlink): DownlinkContent {
  if (settings !== undefined) return { settings };
  const isWhole = command === "resend-from" && argument === undefined;
  return isWhole ? { command } : { command: command as string, argument: argument ?? 0 };
}

export function expiryMs({ command, settings, expiresInS }: NewDownlink, nowMs: number): number {
  const usualS = settings === undefined ? (USUAL_S[command ?? ""] ?? DAY_S) : SETTINGS_USUAL_S;
  return nowMs + (expiresInS ?? usualS) * 1000;
}

/** For the log of acts: `set-occupancy 12`, `settings capacity 120`. */
export function sayContent({ command, argument, settings }: DownlinkContent): string {
  if (settings !== undefined)
    return `settings ${Object.entries(settings)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ")}`;
  return ARGUMENTS[command] === undefined ? command : `${command} ${argument ?? "all"}`;
}

export function shownDownlink(one: WaitingDownlink | DoneDownlink): DeviceDownlink {
  const { counter, command, argument, settings, by, askedMs, expiresMs, sentMs } = one;
  const isOver = "state" in one;
  return {
    downlinkId: idOf(one),
    counter,
    ...(command === undefined ? {} : { command }),
    ...(argument === undefined || ARGUMENTS[command] === undefined ? {} : { argument }),
    ...(settings === undefined ? {} : { settings: { ...settings } }),
    state: isOver ? one.state : sentMs === undefined ? "queued" : "sent",
    by: by ?? "gateway",
    askedAt: toInstant(askedMs),
    expiresAt: toInstant(expiresMs),
    ...(sentMs === undefined ? {} : { sentAt: toInstant(sentMs) }),
    ...(isOver ? { endedAt: toInstant(one.endedMs) } : {}),
  };
}
