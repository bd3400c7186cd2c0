#!/usr/bin/env node
// The `waakvlam` command: the one place that owns the process, its output and its exit code.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineCommand, runCommand, showUsage } from "citty";
import type { GatewayConfig } from "../protocol/index.ts";
import { startApp } from "./app.ts";
import type { CommandIo, ExitCode } from "./cli/commands.ts";
import {
  CONFIG_FLAG,
  type CommandShell,
  configCommands,
  peopleCommands,
  registryCommands,
  tlsCommands,
} from "./cli/definitions.ts";
import { exportCommands } from "./cli/export.ts";
import { describeFailure, type FailureText, unknownWord } from "./cli/failures.ts";
import { systemClock } from "./clock.ts";
import { parseConfig, readConfig } from "./config/config.ts";
import { createExporter } from "./wiring/export.ts";
import { VERSION } from "./wiring/parts.ts";

/** Looked for in this order: here, and where an installation has it. */
const CONFIG_USUAL = ["waakvlam.toml", "/etc/waakvlam/waakvlam.toml"];
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

function configOf(file: string | undefined): GatewayConfig {
  if (file !== undefined) return readConfig(file);
  for (const usual of CONFIG_USUAL) if (existsSync(usual)) return readConfig(usual);
  return parseConfig({}, { path: "defaults", baseDir: process.cwd() });
}

const start = defineCommand({
  meta: { name: "start", description: "Run the gateway" },
  args: { config: CONFIG_FLAG },
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

const shell: CommandShell = { io, configOf, end };
const main = defineCommand({
  meta: { name: "waakvlam", version: VERSION, description: "Gateway for emergency support points" },
  subCommands: {
    start,
    registry: registryCommands(shell),
    people: peopleCommands(shell),
    config: configCommands(shell),
    tls: tlsCommands(shell),
    export: exportCommands(shell, createExporter(process.stdout)),
  },
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
