// `waakvlam rules replay`: what other rules would have raised over what the journal recorded, beside those in force. The journal is read
// through a connection that cannot write, so the gateway may run meanwhile.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CommandIo, ExitCode } from "../cli/commands.ts";
import type { ReplayRequest } from "../cli/rules-commands.ts";
import { listProblems } from "../config/problems.ts";
import { baseProfileOf, profileOf, rulesDifference, withRulesFile } from "../config/profile.ts";
import { createSpellLog, type Spell, type SpellChange, spellDifference } from "../domain/alerts/spells.ts";
import { toInstant } from "../domain/instant.ts";
import type { RegistryView } from "../domain/point.ts";
import type { Profile } from "../domain/profile.ts";
import type { JournalRecord } from "../domain/record.ts";
import { startTrial, type Trial } from "../engine/trial.ts";
import { GatewayError } from "../errors.ts";
import { JOURNAL_FILE } from "../journal/file.ts";
import { createReader } from "../journal/reader.ts";
import { loadRegistry } from "../registry/registry.ts";
import { registryView } from "../registry/view.ts";

const PAGE_ROWS = 2_000;
/** Shorter, a restart in the middle is no gap that anybody would notice. */
const DOWN_MS_MIN = 60_000;
/** What a delay still held up when the record ends is not waited for. */
const AFTER_MS = 15_000;

/** Reads rows with id > afterId, at most `limit`. */
export type RowSource = (afterId: number, limit: number) => Promise<readonly JournalRecord[]>;

export interface Replayed {
  readonly spells: readonly Spell[];
  readonly rows: number;
  readonly fromMs: number | undefined;
  readonly endMs: number;
}

interface ReplayOptions {
  readonly read: RowSource;
  readonly registry: RegistryView;
  readonly profile: Profile;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Runs rules over recorded rows, each at the moment at which it came in. */
export async function replay({ read, registry, profile, fromMs, toMs }: ReplayOptions): Promise<Replayed> {
  const log = createSpellLog();
  let trial: Trial | undefined;
  let before: JournalRecord | undefined;
  let rows = 0;
  let startedMs: number | undefined;
  for await (const row of rowsOf(read, fromMs, toMs)) {
    if (trial === undefined) {
      startedMs = row.receivedMs;
      trial = await startTrial({ registry, profile, startMs: row.receivedMs, onAlert: log.note });
    }
    await goTo(trial, before, row);
    const { id: _, ...rest } = row;
    trial.store.put(rest);
    rows++;
    before = row;
    if (trial.store.rows.length >= PAGE_ROWS) {
      await trial.engine().caughtUp();
      trial.store.forget(trial.store.journal.newestId());
    }
  }
  const endMs = (trial?.clock.nowMs() ?? 0) + AFTER_MS;
  await trial?.until(endMs);
  await trial?.stop();
  return { spells: log.spells(), rows, fromMs: startedMs, endMs };
}

async function* rowsOf(read: RowSource, fromMs: number, toMs: number): AsyncIterable<JournalRecord> {
  for (let afterId = 0; ; ) {
    const page = await read(afterId, PAGE_ROWS);
    if (page.length === 0) return;
    for (const row of page) {
      afterId = row.id;
      if (row.receivedMs >= fromMs && row.receivedMs < toMs) yield row;
    }
  }
}

/** A gateway that was down has not judged anybody silent meanwhile. */
async function goTo(trial: Trial, before: JournalRecord | undefined, row: JournalRecord): Promise<void> {
  const isOtherBoot = before !== undefined && row.boot !== before.boot;
  if (isOtherBoot && row.receivedMs - trial.clock.nowMs() > DOWN_MS_MIN) await trial.downUntil(row.receivedMs);
  else await trial.until(row.receivedMs);
}

/** Throws FILE_UNREADABLE without a journal, CONFIG_INVALID, JOURNAL_UNUSABLE. */
export async function replayRules(request: ReplayRequest, io: CommandIo): Promise<ExitCode> {
  const { config, fromMs, toMs } = request;
  const { dir } = config.data;
  const profiles = [profileOf(config), withRulesFile(baseProfileOf(config), request.rules)] as const;
  const path = join(dir, JOURNAL_FILE);
  if (!existsSync(path)) throw new GatewayError("FILE_UNREADABLE", { path });
  const reader = createReader(dir);
  const read: RowSource = (afterId, limit) => reader.ask({ kind: "rows", afterId, limit });
  try {
    const registry = registryView(loadRegistry(dir, listProblems));
    const now = await replay({ read, registry, profile: profiles[0], fromMs, toMs });
    const then = await replay({ read, registry, profile: profiles[1], fromMs, toMs });
    const changes = spellDifference(now.spells, then.spells, now.endMs);
    tell(request, { now, then, changes, rules: rulesDifference(profiles[0], profiles[1]) }, io);
    return 0;
  } finally {
    await reader.close();
  }
}

interface Outcome {
  readonly now: Replayed;
  readonly then: Replayed;
  readonly changes: readonly SpellChange[];
  readonly rules: readonly string[];
}

function tell({ json }: ReplayRequest, { now, then, changes, rules }: Outcome, io: Pick<CommandIo, "out">): void {
  const from = now.fromMs === undefined ? undefined : toInstant(now.fromMs);
  if (json) {
    const shown = changes.map(({ fromMs, untilMs, byMs, ...rest }) => ({
      ...rest,
      from: toInstant(fromMs),
      ...(untilMs === undefined ? {} : { until: toInstant(untilMs) }),
      ...(byMs === undefined ? {} : { byS: Math.round(byMs / 1000) }),
    }));
    const counts = { inForce: now.spells.length, other: then.spells.length };
    io.out(
      JSON.stringify({ rows: now.rows, from, until: toInstant(now.endMs), rules, alerts: counts, changes: shown }),
    );
    return;
  }
  io.out(`${now.rows} rows${from === undefined ? "" : ` from ${from} until ${toInstant(now.endMs)}`}`);
  for (const line of rules) io.out(line.replace(" (at once)", ""));
  for (const one of changes) io.out(lineOf(one));
  io.out(
    `${now.spells.length} alerts with the rules in force, ${then.spells.length} with the others, ${changes.length} differ`,
  );
}

function lineOf({ kind, ruleId, on, fromMs, untilMs, byMs }: SpellChange): string {
  const span = `${toInstant(fromMs)} – ${untilMs === undefined ? "goes on" : toInstant(untilMs)}`;
  const by = byMs === undefined ? "" : ` by ${Math.round(byMs / 1000)} s`;
  return `${kind.padEnd(7)}  ${ruleId}  ${on}  ${span}${by}`;
}
