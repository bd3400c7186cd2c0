// The file of recipients: read, checked whole, its paths resolved against it.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse as parseToml } from "smol-toml";
import { Value } from "typebox/value";
import { type Channel, type GatewayConfig, type NotifyPlan, NotifyPlanSchema } from "../../protocol/index.ts";
import { nearest } from "../../protocol/nearest.ts";
import { GatewayError } from "../errors.ts";
import { isLoopbackHost, tomlProblem } from "./config.ts";
import { keyPositions, withLine } from "./positions.ts";
import { listProblems } from "./problems.ts";

/** Throws FILE_UNREADABLE, CONFIG_INVALID with every problem. */
export function readNotifyPlan(path: string, config: Pick<GatewayConfig, "smtp" | "sms">): NotifyPlan {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new GatewayError("FILE_UNREADABLE", { path }, { cause });
  }
  const isJson = path.endsWith(".json");
  const positions = isJson ? new Map() : keyPositions(text);
  const invalid = (problems: readonly string[]) =>
    new GatewayError("CONFIG_INVALID", { path, problems: problems.map((one) => withLine(one, positions)) });
  let raw: unknown;
  try {
    raw = isJson ? JSON.parse(text) : parseToml(text);
  } catch (error) {
    throw invalid([tomlProblem(error)]);
  }
  const problems = listProblems(NotifyPlanSchema, raw, (key, known) => nearest(key, known));
  if (problems.length > 0) throw invalid(problems);
  const plan = Value.Parse(NotifyPlanSchema, raw);
  const across = planProblems(plan, config);
  if (across.length > 0) throw invalid(across);
  return withPaths(plan, dirname(resolve(path)));
}

/** What no single key says. */
export function planProblems(plan: NotifyPlan, config: Pick<GatewayConfig, "smtp" | "sms">): string[] {
  const problems: string[] = [];
  const ids = plan.recipients.map((one) => one.recipientId);
  const roles = [...new Set(plan.recipients.map((one) => one.role))];
  plan.recipients.forEach(({ recipientId, channels, shifts = [] }, i) => {
    const where = `recipients/${i}: ${recipientId}`;
    if (ids.indexOf(recipientId) < i) problems.push(`${where} is there twice`);
    for (const channel of channels) problems.push(...channelProblems(where, channel, config));
    for (const shift of shifts) {
      if ("fromAt" in shift && Date.parse(shift.untilAt) <= Date.parse(shift.fromAt))
        problems.push(`${where}: a shift ends before it begins`);
    }
  });
  const taken = new Set<number>();
  (plan.escalation ?? []).forEach(({ priorities, steps }, k) => {
    const where = `escalation/${k}`;
    for (const priority of priorities) {
      if (taken.has(priority)) problems.push(`${where}: priority ${priority} is in two of them`);
      taken.add(priority);
    }
    steps.forEach(({ afterMin }, i) => {
      if (afterMin < (steps[i - 1]?.afterMin ?? 0)) problems.push(`${where}: a step comes before the one before it`);
    });
    for (const role of steps.flatMap((step) => step.roles).filter((one) => !roles.includes(one))) {
      const near = nearest(role, roles);
      problems.push(`${where}: nobody has the role ${role}${near === undefined ? "" : `: did you mean ${near}?`}`);
    }
  });
  return problems;
}

function channelProblems(
  where: string,
  channel: Channel,
  { smtp, sms }: Pick<GatewayConfig, "smtp" | "sms">,
): string[] {
  if (channel.type === "sms" && sms === undefined) return [`${where}: for sms the configuration needs [sms]`];
  if (channel.type === "email" && smtp === undefined) return [`${where}: for email the configuration needs [smtp]`];
  if (channel.type !== "webhook") return [];
  const { url, tokenFile, secretFile } = channel;
  if (!URL.canParse(url)) return [`${where}: ${url} is no address`];
  const { hostname, protocol } = new URL(url);
  if (isLoopbackHost(hostname.replace(/^\[|\]$/g, ""))) return [];
  return [
    ...(protocol === "https:" ? [] : [`${where}: ${url} leaves this machine in the clear: it needs https`]),
    ...(tokenFile === undefined && secretFile === undefined
      ? [`${where}: set tokenFile or secretFile for ${url}`]
      : []),
  ];
}

function withPaths(plan: NotifyPlan, dir: string): NotifyPlan {
  const channelOf = (channel: Channel): Channel => {
    if (channel.type !== "webhook") return channel;
    const files = (["tokenFile", "secretFile", "caFile"] as const).flatMap((key) => {
      const path = channel[key];
      return path === undefined ? [] : [[key, resolve(dir, path)] as const];
    });
    return { ...channel, ...Object.fromEntries(files) };
  };
  return { ...plan, recipients: plan.recipients.map((one) => ({ ...one, channels: one.channels.map(channelOf) })) };
}
