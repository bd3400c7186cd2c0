// How the commands are called: their words, flags and help. What they do stands in `commands.ts`.
import { defineCommand } from "citty";
import type { GatewayConfig } from "../../protocol/index.ts";
import {
  addPersonCommand,
  type CommandIo,
  createTls,
  type ExitCode,
  listPeopleCommand,
  removePersonCommand,
} from "./commands.ts";

/** What the process gives a command. */
export interface CommandShell {
  readonly io: CommandIo;
  /** A file that was named must be there; without one, `waakvlam.toml` here, else the installed one, else the defaults. */
  configOf(file: string | undefined): GatewayConfig;
  /** The file that `configOf` reads; undefined for the defaults. */
  fileOf(file: string | undefined): string | undefined;
  end(code: ExitCode): void;
}

export const CONFIG_FLAG = { type: "string", description: "Configuration file (TOML)", valueHint: "FILE" } as const;
export const JSON_FLAG = { type: "boolean", description: "One JSON object on standard output" } as const;
const config = CONFIG_FLAG;
const json = JSON_FLAG;

export function peopleCommands({ io, configOf, end }: CommandShell) {
  return defineCommand({
    meta: { name: "people", description: "Who may sign in" },
    subCommands: {
      add: defineCommand({
        meta: { name: "add", description: "Let a person sign in; the password comes from standard input" },
        args: {
          name: { type: "positional", description: "Name to sign in with", required: true },
          role: { type: "string", description: "viewer, coordinator or admin", required: true },
          generate: { type: "boolean", description: "Make a password and show it once" },
          config,
          json,
        },
        async run({ args }) {
          const { name, role } = args;
          end(
            await addPersonCommand(
              { config: configOf(args.config), name, role, generate: args.generate === true, json: args.json === true },
              io,
            ),
          );
        },
      }),
      list: defineCommand({
        meta: { name: "list", description: "Who there is" },
        args: { config, json },
        run: ({ args }) => end(listPeopleCommand(configOf(args.config), args.json === true, io)),
      }),
      remove: defineCommand({
        meta: { name: "remove", description: "No longer let a person sign in" },
        args: { name: { type: "positional", description: "Name", required: true }, config },
        run: ({ args }) => end(removePersonCommand(configOf(args.config), args.name, io)),
      }),
    },
  });
}

export function tlsCommands({ io, configOf, end }: CommandShell) {
  return defineCommand({
    meta: { name: "tls", description: "Certificates" },
    subCommands: {
      create: defineCommand({
        meta: { name: "create", description: "Make an authority and a certificate for this gateway" },
        args: { host: { type: "string", description: "Names or addresses, with commas", required: true }, config },
        run: async ({ args }) => end(await createTls(configOf(args.config), args.host.split(","), io)),
      }),
    },
  });
}
