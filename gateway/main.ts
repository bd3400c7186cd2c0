#!/usr/bin/env node
// The `waakvlam` command: the one place that owns the process, its output and its exit code.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineCommand, runCommand, showUsage } from "citty";
import type { GatewayConfig } from "../protocol/index.ts";
import { type App, startApp } from "./app.ts";
import type { CommandIo, ExitCode } from "./cli/commands.ts";
import { configCommands } from "./cli/config-commands.ts";
import { CONFIG_FLAG, type CommandShell, peopleCommands, tlsCommands } from "./cli/definitions.ts";
import { exportCommands } from "./cli/export.ts";
import { describeFailure, type FailureText, unknownWord } from "./cli/failures.ts";
import { lorawanCommands } from "./cli/lorawan-definitions.ts";
import { notifyCommands } from "./cli/notify-commands.ts";
import { registryCommands } from "./cli/registry-commands.ts";
import { rulesCommands } from "./cli/rules-commands.ts";
import { systemClock } from "./clock.ts";
import { parseConfig, readConfig } from "./config/config.ts";
import { personAtShell } from "./config/environment.ts";
import { checkedFiles } from "./config/files.ts";
import { createReread } from "./config/reread.ts";
import { doctorCommand } from "./doctor/command.ts";
import { GatewayError } from "./errors.ts";
import { createLogs } from "./log.ts";
import { createLineOutput } from "./log-output.ts";
import { copyCommands } from "./wiring/copy-commands.ts";
import { createExporter, wholeOutput } from "./wiring/export.ts";
import { createNotifyTester } from "./wiring/notify-test.ts";
import { VERSION } from "./wiring/parts.ts";
import { replayRules } from "./wiring/rules-replay.ts";
import { testRules } from "./wiring/rules-test.ts";

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

// Of words there is nobody to tell when they do not arrive, and the command goes on to its end.
process.stderr.on("error", () => undefined);

// Who reads standard output may have seen enough (`| head`): then the command goes on to its end, and nobody is told.
process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
  if (cause.code === "EPIPE") return;
  const reason = cause.message;
  for (const line of describeFailure(new GatewayError("FILE_UNWRITABLE", { path: "standard output", reason })).lines)
    io.err(line);
  process.exit(1);
});

let exitCode: ExitCode | undefined;
function end(code: ExitCode): void {
  exitCode = code;
}

function fileOf(file: string | undefined): string | undefined {
  return file ?? CONFIG_USUAL.find((usual) => existsSync(usual));
}

function configOf(file: string | undefined): GatewayConfig {
  const path = fileOf(file);
  return path === undefined ? parseConfig({}, { path: "defaults", baseDir: process.cwd() }) : readConfig(path);
}

const start = defineCommand({
  meta: { name: "start", description: "Run the gateway" },
  args: { config: CONFIG_FLAG },
  async run({ args }) {
    const path = fileOf(args.config);
    const config = checkedFiles(configOf(args.config), path);
    const { level, format } = config.log;
    const text = format === "text" || (format === "auto" && process.stderr.isTTY === true);
    const destination = createLineOutput({ clock: systemClock });
    process.on("exit", destination.endNow);
    let app: App | undefined;
    // From the first moment on: one that comes before the gateway stands would end it.
    process.on("SIGHUP", () => void app?.reload());
    app = await startApp(config, {
      staticDir: STATIC_DIR,
      logs: createLogs({ level, text, destination }),
      readConfig: createReread(path, () => fileOf(args.config)),
      ...(path === undefined ? {} : { configPath: path }),
    });
    // Among JSON lines it would be the one that is none.
    if (text) io.err(`People: ${app.http.url}   Devices: mqtt://${app.mqtt.host}:${app.mqtt.port}   (Ctrl-C stops)`);
    let stopping = false;
    const stop = () => {
      // A second signal does not wait.
      if (stopping) process.exit(1);
      stopping = true;
      const leave = (code: ExitCode) => void destination.settle().then(() => process.exit(code));
      app?.stop().then(
        () => leave(0),
        () => leave(1),
      );
    };
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
  },
});

const shell: CommandShell = { io, configOf, fileOf, end };
const main = defineCommand({
  meta: { name: "waakvlam", version: VERSION, description: "Gateway for emergency support points" },
  subCommands: {
    start,
    registry: registryCommands(shell),
    people: peopleCommands(shell),
    config: configCommands(shell),
    tls: tlsCommands(shell),
    export: exportCommands(shell, createExporter(wholeOutput())),
    rules: rulesCommands(shell, { test: testRules, replay: replayRules }),
    lorawan: lorawanCommands(shell, { clock: systemClock, user: personAtShell() }),
    notify: notifyCommands(shell, createNotifyTester(systemClock)),
    doctor: doctorCommand(shell, systemClock),
    ...copyCommands(shell),
  },
});

async function run(rawArgs: string[]): Promise<void> {
  const help = rawArgs.includes("--help") || rawArgs.includes("-h");
  const wrong = unknownWord(main, rawArgs);
  if (wrong.kind === "unknown") {
    io.err(wrong.text);
    end(2);
  } else if (rawArgs.includes("--version") && !help) {
    io.out(VERSION);
    end(0);
  } else if (help || wrong.kind === "group") {
    await showUsage(wrong.command, wrong.parent);
    end(help ? 0 : 2);
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
