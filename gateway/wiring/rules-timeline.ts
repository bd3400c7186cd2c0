// Runs one test of rules: its steps in the order of their minutes, and what differs from what is expected.
import {
  type Alert,
  type Entry,
  type EventFrame,
  type ExpectedAlert,
  encodeEvent,
  encodeReport,
  type Report,
  type RulesTest,
} from "../../protocol/index.ts";
import { isHidden } from "../domain/alerts/life.ts";
import { whereOf } from "../domain/alerts/spells.ts";
import { toInstant } from "../domain/instant.ts";
import type { Profile } from "../domain/profile.ts";
import { FIRST_CYCLE_BASE } from "../domain/sequence.ts";
import type { Deed } from "../engine/deeds.ts";
import { startTrial, type Trial } from "../engine/trial.ts";
import { GatewayError } from "../errors.ts";
import { deviceOf, registryOfTest, viewsOf } from "./rules-timeline-points.ts";

const MINUTE_MS = 60_000;
/** 2026-11-24 12:00 UTC, where a test names no other. */
const START = "2026-11-24T12:00:00Z";
/** At one moment: what comes in, then what people do, then what is looked at. */
const ORDER = ["row", "act", "expect"] as const;

interface Happening {
  readonly minute: number;
  readonly kind: (typeof ORDER)[number];
  /** Gives what is wrong. */
  run(trial: Trial): Promise<readonly string[]>;
}

/** One line for each alert that is missing, too many or other than expected; empty when the test holds. */
export async function runTest(test: RulesTest, profile: Profile): Promise<string[]> {
  const startMs = Date.parse(test.start ?? START);
  const trial = await startTrial({ registry: registryOfTest(test.points), profile, startMs });
  const differences: string[] = [];
  try {
    for (const happening of timelineOf(test, startMs)) {
      await trial.until(startMs + happening.minute * MINUTE_MS);
      differences.push(...(await happening.run(trial)));
    }
  } finally {
    await trial.stop();
  }
  return differences;
}

function timelineOf(test: RulesTest, startMs: number): Happening[] {
  const all = viewsOf(test.points).map((one) => one.pointId);
  const happenings = [
    ...reportsOf(test, all, startMs),
    ...eventsOf(test, all, startMs),
    ...toldOf(test, all, startMs),
    ...actsOf(test, startMs),
    ...test.expect.map(({ minute, alerts }): Happening => {
      return { minute, kind: "expect", run: async (trial) => differencesAt(minute, alerts, trial.engine().alerts()) };
    }),
  ];
  return happenings.sort((a, b) => a.minute - b.minute || ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
}

function put(trial: Trial, pointId: string, part: { timeMs: number; frame: Uint8Array; sequence: number }): void {
  const receivedMs = trial.clock.nowMs();
  const row = { ...part, deviceId: deviceOf(pointId), sequence: FIRST_CYCLE_BASE + part.sequence, receivedMs };
  trial.store.put({ ...row, timeQuality: "synced", link: "mqtt" });
}

/** Devices number what they take by its time: a late one has a lower number. Two a second at most. */
function sequenceOf(timeMs: number, startMs: number, isEvent: boolean): number {
  return 2 * Math.round((timeMs - startMs) / 1000) + (isEvent ? 2 : 1);
}

function headerOf(timeMs: number, sequence: number) {
  return { sequence: sequence & 0xffff, time: Math.round(timeMs / 1000), flags: { clockSynced: true } };
}

function reportsOf({ reports = [] }: RulesTest, all: readonly string[], startMs: number): Happening[] {
  return reports.flatMap(({ minute, until = minute, everyMinutes = 1, lateMinutes = 0, points = all, report }) => {
    const count = Math.floor((until - minute) / everyMinutes + 1e-9) + 1;
    return Array.from({ length: Math.max(1, count) }, (_, i): Happening => {
      const at = minute + i * everyMinutes;
      const timeMs = startMs + at * MINUTE_MS;
      const sequence = sequenceOf(timeMs, startMs, false);
      const value = { phase: "open", ...report, ...headerOf(timeMs, sequence) } as unknown as Report;
      const frame = encodeReport(value);
      return row(at + lateMinutes, (trial) => {
        for (const pointId of points) put(trial, pointId, { timeMs, frame, sequence });
      });
    });
  });
}

function eventsOf({ events = [] }: RulesTest, all: readonly string[], startMs: number): Happening[] {
  return events.map(({ minute, points = all, event, argument = 0 }) => {
    const timeMs = startMs + minute * MINUTE_MS;
    const sequence = sequenceOf(timeMs, startMs, true);
    const value: EventFrame = { event, argument, ...headerOf(timeMs, sequence) };
    return row(minute, (trial) => {
      for (const pointId of points) put(trial, pointId, { timeMs, frame: encodeEvent(value), sequence });
    });
  });
}

function toldOf({ told = [] }: RulesTest, all: readonly string[], startMs: number): Happening[] {
  return told.map(({ minute, points = all, via, statement }, i) => {
    const timeMs = startMs + minute * MINUTE_MS;
    return row(minute, (trial) => {
      for (const pointId of points) {
        const entryId = `told-${String(i).padStart(6, "0")}-${pointId}`.slice(0, 64);
        const entry: Entry = { entryId, pointId, at: toInstant(timeMs), by: "rules-test", via, statement };
        const frame = new TextEncoder().encode(JSON.stringify(entry));
        const receivedMs = trial.clock.nowMs();
        trial.store.put({
          deviceId: pointId,
          sequence: 0,
          receivedMs,
          timeMs,
          timeQuality: "estimated",
          link: "manual",
          frame,
        });
      }
    });
  });
}

function row(minute: number, step: (trial: Trial) => void): Happening {
  return {
    minute,
    kind: "row",
    run: async (trial) => {
      step(trial);
      await trial.engine().caughtUp();
      return [];
    },
  };
}

function actsOf({ acts = [] }: RulesTest, startMs: number): Happening[] {
  return acts.map(({ minute, act, rule, on, by = "rules-test", reason = "", until = 0 }) => {
    const shelf = { kind: "shelve", until: toInstant(startMs + until * MINUTE_MS), reason } as const;
    const deed = act === "shelve" ? shelf : ({ kind: act, ...(act === "take-out" ? { reason } : {}) } as Deed);
    const run = async (trial: Trial) => {
      const engine = trial.engine();
      const alert = engine.alerts().find((one) => one.ruleId === rule && whereOf(one) === on);
      if (alert === undefined) return [`minute ${minute}: no alert ${rule} on ${on} to ${act}`];
      try {
        await engine.act(alert.alertId, deed, { by, origin: "rules-test" });
        return [];
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        return [`minute ${minute}: ${act} of ${rule} on ${on} is refused: ${error.message} (it is ${alert.state})`];
      }
    };
    return { minute, kind: "act", run };
  });
}

function nameOf({ rule, on }: Pick<ExpectedAlert, "rule" | "on">): string {
  return `${rule} on ${on}`;
}

/** Those about the gateway itself are none of a rule's. */
export function differencesAt(
  minute: number,
  expected: readonly ExpectedAlert[],
  standing: readonly Alert[],
): string[] {
  const left = new Map(expected.map((one) => [nameOf(one), one]));
  const lines: string[] = [];
  for (const alert of standing) {
    if (alert.subject.kind === "gateway") continue;
    const name = nameOf({ rule: alert.ruleId, on: whereOf(alert) });
    const wanted = left.get(name);
    left.delete(name);
    if (wanted !== undefined)
      lines.push(...otherParts(wanted, alert).map((what) => `minute ${minute}: ${name} ${what}`));
    else if (!isHidden(alert.state)) {
      lines.push(`minute ${minute}: ${name} stands (${alert.state}, priority ${alert.priority}), not expected`);
    }
  }
  for (const name of left.keys()) lines.push(`minute ${minute}: ${name} is expected and does not stand`);
  return lines;
}

function otherParts(wanted: ExpectedAlert, alert: Alert): string[] {
  const lines: string[] = [];
  const other = (what: string, want: unknown, is: unknown) => {
    if (want !== undefined && want !== is) lines.push(`has ${what} ${is ?? "none"}, expected ${want}`);
  };
  other("state", wanted.state, alert.state);
  other("priority", wanted.priority, alert.priority);
  for (const [key, value] of Object.entries(wanted.values ?? {})) other(key, value, alert.values[key]);
  return lines;
}
