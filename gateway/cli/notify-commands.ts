// `waakvlam notify`: whether a message reaches somebody, before it has to.
import { defineCommand } from "citty";
import type { GatewayConfig } from "../../protocol/index.ts";
import { nearest } from "../../protocol/nearest.ts";
import type { CommandIo, ExitCode } from "./commands.ts";
import { CONFIG_FLAG, type CommandShell, JSON_FLAG } from "./definitions.ts";

/** What became of one try. */
export interface TestStep {
  readonly channel: string;
  readonly outcome: "delivered" | "handed-on" | "failed" | "refused" | "skipped";
  readonly detail: string;
}

/** Sends a test message; undefined for a recipient that is not there. */
export type NotifyTester = (
  config: GatewayConfig,
  recipientId: string,
  seen: (step: TestStep) => void,
) => Promise<{ readonly known: readonly string[]; readonly isDelivered: boolean | undefined }>;

export function notifyCommands({ io, configOf, end }: CommandShell, tester: NotifyTester) {
  return defineCommand({
    meta: { name: "notify", description: "Who is told of alerts" },
    subCommands: {
      test: defineCommand({
        meta: { name: "test", description: "Send a recipient a test message, and show its way" },
        args: {
          recipient: { type: "positional", description: "Recipient's id", required: true },
          config: CONFIG_FLAG,
          json: JSON_FLAG,
        },
        async run({ args }) {
          const call = { config: configOf(args.config), recipientId: args.recipient, json: args.json === true };
          end(await notifyTestCommand(call, tester, io));
        },
      }),
    },
  });
}

export async function notifyTestCommand(
  call: { readonly config: GatewayConfig; readonly recipientId: string; readonly json: boolean },
  tester: NotifyTester,
  io: Pick<CommandIo, "out" | "err">,
): Promise<ExitCode> {
  const { config, recipientId, json } = call;
  if (config.notify === undefined) {
    io.err("Nobody is told of alerts: set notify.file in the configuration to a file of recipients.");
    return 2;
  }
  const steps: TestStep[] = [];
  const { known, isDelivered } = await tester(config, recipientId, (step) => {
    steps.push(step);
    if (!json) io.out(`${step.channel.padEnd(8)} ${step.outcome.padEnd(10)} ${step.detail}`.trimEnd());
  });
  if (isDelivered === undefined) {
    const near = nearest(recipientId, known);
    const hint = near === undefined ? "" : `: did you mean ${near}?`;
    io.err(`There is no recipient ${recipientId}${hint} There is: ${known.join(", ")}`);
    return 2;
  }
  if (json) io.out(JSON.stringify({ recipientId, delivered: isDelivered, steps }));
  else if (!isDelivered)
    io.err(`${recipientId} was not reached by any channel that confirms: 'waakvlam doctor' says more.`);
  return isDelivered ? 0 : 1;
}
