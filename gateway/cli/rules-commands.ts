// `waakvlam rules`: the rules in force, whether they do what they should, and what others would have done.
import { defineCommand } from "citty";
import type { Condition, GatewayConfig, Override, Rule } from "../../protocol/index.ts";
import { profileOf } from "../config/profile.ts";
import type { Profile } from "../domain/profile.ts";
import type { CommandIo, ExitCode } from "./commands.ts";
import { CONFIG_FLAG, type CommandShell, JSON_FLAG } from "./definitions.ts";
import { parseMoment } from "./export.ts";

export interface ReplayRequest {
  readonly config: GatewayConfig;
  /** Rules to compare with those in force. */
  readonly rules: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly json: boolean;
}

/** What the commands do beside listing; handed in by the entry. Each throws GatewayError. */
export interface RuleTools {
  test(file: string, json: boolean, io: CommandIo): Promise<ExitCode>;
  replay(request: ReplayRequest, io: CommandIo): Promise<ExitCode>;
}

export function rulesCommands({ io, configOf, end }: CommandShell, tools: RuleTools) {
  const moment = (what: string) => ({ type: "string", description: what, valueHint: "MOMENT" }) as const;
  return defineCommand({
    meta: { name: "rules", description: "The rules of alerts" },
    subCommands: {
      list: defineCommand({
        meta: { name: "list", description: "Rules in force, with thresholds, delays and what differs at some points" },
        args: { config: CONFIG_FLAG, json: JSON_FLAG },
        run: ({ args }) => end(listRules(profileOf(configOf(args.config)), args.json === true, io)),
      }),
      test: defineCommand({
        meta: { name: "test", description: "Run timelines through the rules: which alerts stand when" },
        args: { file: { type: "positional", description: "Tests (TOML or JSON)", required: true }, json: JSON_FLAG },
        run: async ({ args }) => end(await tools.test(args.file, args.json === true, io)),
      }),
      replay: defineCommand({
        meta: {
          name: "replay",
          description: "What other rules would have raised over what was recorded; writes nothing",
        },
        args: {
          rules: { type: "string", description: "The other file of rules", valueHint: "FILE", required: true },
          from: moment("First moment: a day, or RFC 3339"),
          to: moment("Moment before which rows came in"),
          config: CONFIG_FLAG,
          json: JSON_FLAG,
        },
        run: async ({ args }) => {
          const span = spanOf(args.from, args.to);
          if (typeof span === "string") {
            io.err(span);
            end(2);
          } else {
            const request = { config: configOf(args.config), rules: args.rules, json: args.json === true, ...span };
            end(await tools.replay(request, io));
          }
        },
      }),
    },
  });
}

function spanOf(from: string | undefined, to: string | undefined): { fromMs: number; toMs: number } | string {
  const fromMs = from === undefined ? Number.NEGATIVE_INFINITY : parseMoment(from);
  const toMs = to === undefined ? Number.POSITIVE_INFINITY : parseMoment(to);
  if (fromMs === undefined || toMs === undefined) {
    const wrong = fromMs === undefined ? `--from ${from}` : `--to ${to}`;
    return `${wrong} is no moment: give a day (2026-11-24, UTC) or a time (2026-11-24T12:00:00Z).`;
  }
  return fromMs < toMs ? { fromMs, toMs } : "--from must lie before --to.";
}

export function listRules({ name, rules, overrides }: Profile, json: boolean, io: Pick<CommandIo, "out">): ExitCode {
  if (json) {
    io.out(JSON.stringify({ profile: name, rules, overrides }));
    return 0;
  }
  const sorted = [...rules].sort((a, b) => a.priority - b.priority || (a.ruleId < b.ruleId ? -1 : 1));
  const rows = [["prio", "rule", "when", "holds", "on", "off", ""], ...sorted.map(cells)];
  const widths = rows[0]?.map((_, k) => Math.max(...rows.map((row) => row[k]?.length ?? 0))) ?? [];
  for (const row of rows)
    io.out(
      row
        .map((cell, k) => cell.padEnd(widths[k] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  for (const one of overrides) io.out(overrideText(one));
  return 0;
}

function cells(rule: Rule): string[] {
  const { priority, priorityWhen = [], ruleId, when, holds, onDelayS, offDelayS = 0, latches, group } = rule;
  const other = priorityWhen.map((one) => `prio ${one.priority} where ${conditionsText(one.when)}`);
  const notes = [...other, ...(latches ? ["latches"] : []), ...(group ? [`${group.at} points make one line`] : [])];
  const held = holds === undefined ? "" : conditionsText(holds);
  return [
    String(priority),
    ruleId,
    conditionsText(when),
    held,
    delayText(onDelayS),
    delayText(offDelayS),
    notes.join("; "),
  ];
}

function conditionsText(conditions: readonly Condition[]): string {
  return conditions.map(conditionText).join(" and ");
}

function conditionText(one: Condition): string {
  if ("below" in one) return `${one.quantity} < ${one.below}`;
  if ("atLeast" in one) return `${one.quantity} >= ${one.atLeast}`;
  if ("is" in one) return `${one.quantity} is ${one.is.join("|")}`;
  return `${one.quantity} is not ${one.isNot.join("|")}`;
}

function delayText(seconds: number): string {
  if (seconds >= 3_600 && seconds % 3_600 === 0) return `${seconds / 3_600} h`;
  return seconds >= 60 && seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

function overrideText({ ruleId, points, phases, disabled, priority, onDelayS, when, holds, reason }: Override): string {
  const where = [
    points === undefined ? "everywhere" : `at ${points.join(", ")}`,
    ...(phases ? [`in ${phases.join(", ")}`] : []),
  ];
  const what = [
    ...(disabled ? ["out"] : []),
    ...(priority === undefined ? [] : [`prio ${priority}`]),
    ...(when === undefined ? [] : [`when ${conditionsText(when)}`]),
    ...(holds === undefined ? [] : [`holds ${conditionsText(holds)}`]),
    ...(onDelayS === undefined ? [] : [`on ${delayText(onDelayS)}`]),
  ];
  return `${ruleId} ${where.join(" ")}: ${what.join(", ")} (${reason})`;
}
