// `waakvlam config`: whether the gateway could start with a file, and what it would start with.
import { existsSync } from "node:fs";
import { defineCommand } from "citty";
import { stringify } from "smol-toml";
import type { GatewayConfig } from "../../protocol/index.ts";
import { isLoopbackHost, readConfig } from "../config/config.ts";
import { shownConfig } from "../config/difference.ts";
import { checkedFiles } from "../config/files.ts";
import { readNotifyPlan } from "../config/notify-plan.ts";
import { listProblems } from "../config/problems.ts";
import { GatewayError } from "../errors.ts";
import { loadRegistry, registryPath } from "../registry/registry.ts";
import type { CommandIo, ExitCode } from "./commands.ts";
import { CONFIG_FLAG, type CommandShell, JSON_FLAG } from "./definitions.ts";

export function configCommands({ io, configOf, end }: CommandShell) {
  return defineCommand({
    meta: { name: "config", description: "The configuration" },
    subCommands: {
      check: defineCommand({
        meta: { name: "check", description: "Say all that is wrong with a configuration file and what it names" },
        args: { file: { type: "positional", description: "Configuration (TOML)", required: true }, json: JSON_FLAG },
        run: ({ args }) => end(checkConfig(args.file, args.json === true, io)),
      }),
      show: defineCommand({
        meta: { name: "show", description: "The configuration in full, defaults included; no secret stands in it" },
        args: { config: CONFIG_FLAG, json: JSON_FLAG },
        run: ({ args }) => end(showConfig(configOf(args.config), args.json === true, io)),
      }),
    },
  });
}

/** Throws FILE_UNREADABLE, CONFIG_INVALID; with `json` what is invalid is data and not thrown. */
export function checkConfig(file: string, json: boolean, io: CommandIo): ExitCode {
  try {
    const config = checkedRead(file);
    if (config.notify !== undefined) readNotifyPlan(config.notify.file, config);
    if (json) io.out(JSON.stringify({ file, valid: true, problems: [] }));
    else io.out(validText(file, config));
    return 0;
  } catch (error) {
    if (!json || !(error instanceof GatewayError) || error.code !== "CONFIG_INVALID") throw error;
    // A file that this one names is told of by its own name.
    const { path = file, problems } = error.detail;
    io.out(JSON.stringify({ file: path, valid: false, problems }));
    return 3;
  }
}

/** With the points of the registry, where there is one: rules name them. */
function checkedRead(file: string): GatewayConfig {
  const config = readConfig(file);
  const { dir } = config.data;
  const points = existsSync(registryPath(dir))
    ? loadRegistry(dir, listProblems).points.map((point) => point.pointId)
    : undefined;
  return checkedFiles(config, file, points);
}

function validText(file: string, { mqtt, http, lorawan }: GatewayConfig): string {
  const people = isLoopbackHost(http.host) ? "on this machine" : "over TLS";
  const stations = lorawan === undefined ? "" : `, base stations at ${lorawan.udpHost}:${lorawan.udpPort}`;
  return `${file} is valid: devices at ${mqtt.host}:${mqtt.port}${stations}, people at ${http.host}:${http.port} ${people}`;
}

export function showConfig(config: GatewayConfig, json: boolean, io: CommandIo): ExitCode {
  const shown = shownConfig(config);
  io.out(json ? JSON.stringify(shown) : stringify(shown).trimEnd());
  return 0;
}
