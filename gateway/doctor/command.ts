// `waakvlam doctor`: what is wrong on this machine, and the command that mends it. It changes nothing, and it may run beside
// the gateway.
import { resolve } from "node:path";
import { defineCommand } from "citty";
import type { GatewayConfig } from "../../protocol/index.ts";
import type { CommandIo, ExitCode } from "../cli/commands.ts";
import { CONFIG_FLAG, type CommandShell, JSON_FLAG } from "../cli/definitions.ts";
import type { Clock } from "../clock.ts";
import { GatewayError } from "../errors.ts";
import { type Finding, judge, judgeMachine } from "./checks.ts";
import { gather, gatherMachine } from "./gather.ts";
import { withConfig } from "./mends.ts";

export function doctorCommand({ io, configOf, fileOf, end }: CommandShell, clock: Clock) {
  return defineCommand({
    meta: { name: "doctor", description: "Name what is wrong and the command that mends it; changes nothing" },
    args: { config: CONFIG_FLAG, json: JSON_FLAG },
    async run({ args }) {
      const path = fileOf(args.config);
      const about = path === undefined ? undefined : resolve(path);
      const findings = await examine(() => configOf(args.config), about, clock);
      end(report(findings, args.json === true, io));
    },
  });
}

/** A configuration that cannot be read is a finding too; then only the machine is looked at. */
export async function examine(read: () => GatewayConfig, path: string | undefined, clock: Clock): Promise<Finding[]> {
  const about = { ...(path === undefined ? {} : { path }), clock };
  let config: GatewayConfig;
  try {
    config = read();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { problems } = error.detail;
    const said = Array.isArray(problems) ? problems : [error.message];
    return judgeMachine(gatherMachine({ ...about, problems: said })).map((one) => withConfig(one, path));
  }
  return judge(await gather({ ...about, config })).map((one) => withConfig(one, path));
}

const WORDS = { ok: "OK", warning: "WARNING", fault: "FAULT" } as const;

/** 1 when something is wrong; a warning alone is no failure. */
export function report(findings: readonly Finding[], json: boolean, io: Pick<CommandIo, "out">): ExitCode {
  const count = (level: Finding["level"]) => findings.filter((finding) => finding.level === level).length;
  const [faults, warnings] = [count("fault"), count("warning")];
  if (json) io.out(JSON.stringify({ faults, warnings, findings }));
  else {
    const width = Math.max(...findings.map((finding) => finding.check.length));
    for (const { level, check, what, mend } of findings) {
      io.out(`${WORDS[level].padEnd(8)} ${check.padEnd(width)}  ${what}`);
      if (mend !== undefined) io.out(`${" ".repeat(9 + width)}  → ${mend}`);
    }
    io.out(faults + warnings === 0 ? "All is well." : `${counted(faults, "fault")}, ${counted(warnings, "warning")}`);
  }
  return faults > 0 ? 1 : 0;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
