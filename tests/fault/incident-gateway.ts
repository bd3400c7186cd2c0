// A gateway process for the incident proof: the real journal, engine and outbox, on a clock that is told to go. It goes down, as by
// kill −9, where it is told to. Broken variants: --early tells before it saves, --hasty calls a message delivered before it has gone.
import { appendFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { systemClock } from "../../gateway/clock.ts";
import { CONCEPT_2026 } from "../../gateway/domain/profile.ts";
import { createEngine, type Engine } from "../../gateway/engine/engine.ts";
import { virtualClock } from "../../gateway/engine/virtual-clock.ts";
import { type Journal, openJournal } from "../../gateway/journal/journal.ts";
import { checkedFrame } from "../fixtures.ts";
import { startNotices } from "./incident-notices.ts";
import { ACTS, END_MIN, INTERVAL_MIN, MINUTE_MS, REGISTRY, reportsAt, START_MS } from "./incident-script.ts";

const { values } = parseArgs({
  options: {
    dir: { type: "string" },
    /** File for what it tells of: a pipe that nobody empties meanwhile takes no more. */
    said: { type: "string" },
    from: { type: "string" },
    /** Minutes of which the reports and acts are done again: what was under way when it went down. */
    again: { type: "string" },
    "kill-minute": { type: "string" },
    "kill-phase": { type: "string" },
    early: { type: "boolean" },
    hasty: { type: "boolean" },
  },
});
const STEP_MS = 2_000;
/** The variant writes what it told of so much later. */
const EARLY_MS = 2_000;
const ACTS_MAX = 10_000;
const DELIVERED = '"state":"delivered"';
const KEEP_DAYS = 3_650;
const clock = virtualClock(Number(values.from ?? START_MS));
const killMs = values["kill-minute"] === undefined ? Infinity : START_MS + Number(values["kill-minute"]) * MINUTE_MS;
const phase = values["kill-phase"];

/** Straight to the file: what was said before the end is never lost in a buffer. */
function say(kind: string, detail: unknown): void {
  appendFileSync(values.said ?? "", `${JSON.stringify([kind, detail])}\n`);
}

function dieIf(where: string): void {
  if (clock.nowMs() >= killMs && where === phase) process.kill(process.pid, "SIGKILL");
}

function watched(journal: Journal): Journal {
  return {
    ...journal,
    save: async (change) => {
      if (values.early === true) {
        systemClock.after(EARLY_MS, () => void journal.save(change));
        return;
      }
      dieIf("before-save");
      await journal.save(change);
      dieIf("after-save");
      if (change.put?.some(({ kind, json }) => kind === "notice" && json.includes(DELIVERED)) === true)
        dieIf("notice-kept");
    },
  };
}

/** A person who looks at the list, and does what is still to be done. */
async function act(engine: Engine, minute: number): Promise<void> {
  for (const { minute: due, ruleId, on, deed, by } of ACTS) {
    if (due !== minute) continue;
    const alert = engine.alerts().find((one) => one.ruleId === ruleId && one.subject.id === on);
    const isDone = alert === undefined || ["acknowledged", "shelved"].includes(alert.state);
    const isSeen = deed.kind === "acknowledge" && alert?.state === "latched-acknowledged";
    if (!isDone && !isSeen) await engine.act(alert.alertId, deed, { by, origin: "proof" });
  }
}

async function append(journal: Journal, minute: number): Promise<void> {
  const receivedMs = clock.nowMs();
  const due = reportsAt(minute);
  const time = Math.round((START_MS + minute * MINUTE_MS) / 1000);
  const sequence = minute / INTERVAL_MIN + 1;
  await Promise.all(
    due.map(async ({ deviceId, report }, i) => {
      if (i === due.length >> 1) dieIf("mid-append");
      await journal.append(checkedFrame({ deviceId, receivedMs, sequence, time, ...report }));
    }),
  );
}

const journal = await openJournal({ dir: values.dir ?? "", clock: systemClock, keepDays: KEEP_DAYS });
const kept = watched(journal);
const engine = createEngine({
  journal: kept,
  registry: REGISTRY,
  profile: CONCEPT_2026,
  clock,
  gatewayId: "proof",
  version: "0",
  surroundings: { refusals: () => ({}), sinks: () => [], isClockTrusted: () => true },
});
say("known", [...new Set((await journal.acts(ACTS_MAX)).map((one) => one.object))]);
engine.onChange(({ alerts }) => {
  for (const { alertId, state } of alerts) say("told", [alertId, state]);
  if (alerts.length > 0) dieIf("after-told");
});
await engine.start();
const notices = await startNotices(
  { journal: kept, engine, clock },
  {
    at: dieIf,
    sent: ({ recipientId, reason, alertIds }) => {
      for (const alertId of alertIds) say("sent", `${recipientId} ${reason} ${alertId.replace(/-\d+$/, "")}`);
    },
  },
  values.hasty === true,
);
const firstMinute = Math.floor(Number(values.again ?? clock.nowMs()) / MINUTE_MS - START_MS / MINUTE_MS);
for (let minute = firstMinute; minute <= END_MIN; minute++) {
  await append(journal, minute);
  await engine.caughtUp();
  await act(engine, minute);
  while (clock.nowMs() < START_MS + (minute + 1) * MINUTE_MS) {
    say("at", clock.nowMs());
    await clock.advance(STEP_MS);
    await engine.caughtUp();
    await notices.settle();
  }
}
await notices.stop();
await engine.stop();
say("end", {
  rows: journal.newestId(),
  alerts: engine.alerts().map(({ ruleId, subject, state, priority, acknowledged, shelved }) => {
    return { ruleId, on: subject.id, state, priority, seenBy: acknowledged?.by, shelvedBy: shelved?.by };
  }),
  unsent: notices.list().filter(({ state }) => state !== "delivered").length,
  acts: (await journal.acts(ACTS_MAX)).map(({ action, object, actor }) => ({ action, object, actor })),
});
await journal.close();
