#!/usr/bin/env node
// The `waakvlam` command: the one place that owns the process, its output and its exit code.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineCommand, runCommand, showUsage } from "citty";
import type { GatewayConfig } from "../protocol/index.ts";
import { startApp, VERSION } from "./app.ts";
import {
  addPersonCommand,
  type CommandIo,
  checkConfig,
  createTls,
  type ExitCode,
  importRegistry,
  listPeopleCommand,
  removePersonCommand,
} from "./cli/commands.ts";
import { describeFailure, type FailureText, unknownWord } from "./cli/failures.ts";
import { systemClock } from "./clock.ts";
import { parseConfig, readConfig } from "./config/config.ts";

const CONFIG_DEFAULT = "waakvlam.toml";
const STATIC_DIR = fileURLToPath(new URL("../dashboards/web/dist", import.meta.url));

const io: CommandIo = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  nowMs: systemClock.nowMs,
  isTerminal: process.stdin.isTTY === true,
  readInput: () => readFileSync(0, "utf8"),
};

let exitCode: ExitCode | undefined;
function end(code: ExitCode): void {
  exitCode = code;
}

/** A file that was named must be there; without one, `waakvlam.toml` here, else the defaults. */
function configOf(file: string | undefined): GatewayConfig {
  if (file !== undefined) return readConfig(file);
  if (existsSync(CONFIG_DEFAULT)) return readConfig(CONFIG_DEFAULT);
  return parseConfig({}, { path: "defaults", baseDir: process.cwd() });
}

const config = { type: "string", description: "Configuration file (TOML)", valueHint: "FILE" } as const;
const json = { type: "boolean", description: "One JSON object on standard output" } as const;

const start = defineCommand({
  meta: { name: "start", description: "Run the gateway" },
  args: { config },
  async run({ args }) {
    const app = await startApp(configOf(args.config), { staticDir: STATIC_DIR });
    io.err(`People: ${app.http.url}   Devices: mqtt://${app.mqtt.host}:${app.mqtt.port}   (Ctrl-C stops)`);
    let stopping = false;
    const stop = () => {
      // A second signal does not wait.
      if (stopping) process.exit(1);
      stopping = true;
      app.stop().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    };
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
    process.on("SIGHUP", () => app.reload());
  },
});

const registry = defineCommand({
  meta: { name: "registry", description: "Points and devices" },
  subCommands: {
    import: defineCommand({
      meta: { name: "import", description: "Check a registry file, load it, and make keys for new devices" },
      args: {
        file: { type: "positional", description: "Registry (JSON)", required: true },
        config,
        credentials: {
          type: "string",
          description: "Write the keys made now to this file, for flashing",
          valueHint: "FILE",
        },
        reissue: { type: "string", description: "Give this device a new key", valueHint: "DEVICE" },
        "dry-run": { type: "boolean", description: "Only check" },
        json,
      },
      run({ args }) {
        const reissue = args.reissue === undefined ? [] : args.reissue.split(",");
        const { file, credentials } = args;
        end(
          importRegistry(
            {
              config: configOf(args.config),
              file,
              credentials,
              reissue,
              dryRun: args["dry-run"] === true,
              json: args.json === true,
            },
            io,
          ),
        );
      },
    }),
  },
});

const people = defineCommand({
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

const configCommand = defineCommand({
  meta: { name: "config", description: "The configuration" },
  subCommands: {
    check: defineCommand({
      meta: { name: "check", description: "Say all that is wrong with a configuration file" },
      args: { file: { type: "positional", description: "Configuration (TOML)", required: true } },
      run: ({ args }) => end(checkConfig(args.file, io)),
    }),
  },
});

const tls = defineCommand({
  meta: { name: "tls", description: "Certificates" },
  subCommands: {
    create: defineCommand({
      meta: { name: "create", description: "Make an authority and a certificate for this gateway" },
      args: { host: { type: "string", description: "Names or addresses, with commas", required: true }, config },
      run: async ({ args }) => end(await createTls(configOf(args.config), args.host.split(","), io)),
    }),
  },
});

const main = defineCommand({
  meta: { name: "waakvlam", version: VERSION, description: "Gateway for emergency support points" },
  subCommands: { start, registry, people, config: configCommand, tls },
});

async function run(rawArgs: string[]): Promise<void> {
  const help = rawArgs.includes("--help") || rawArgs.includes("-h");
  const wrong = unknownWord(main, rawArgs);
  if (wrong.kind === "unknown") {
    io.err(wrong.text);
    end(2);
  } else if (help || wrong.kind === "group") {
    await showUsage(wrong.command, wrong.parent);
    end(help ? 0 : 2);
  } else if (rawArgs.includes("--version")) {
    io.out(VERSION);
    end(0);
  } else await runCommand(main, { rawArgs });
}

run(process.argv.slice(2)).then(
  () => {
    if (exitCode !== undefined) process.exitCode = exitCode;
  },
  (error: unknown) => {
    const failure: FailureText = describeFailure(error);
    for (const line of failure.lines) io.err(line);
    process.exit(failure.exitCode);
  },
);
