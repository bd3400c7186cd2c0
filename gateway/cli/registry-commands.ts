// `waakvlam registry`: check, import and export points and all that belongs to them, as JSON or as a folder of CSV files.
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineCommand } from "citty";
import { type GatewayConfig, NOUNS, type Noun, type Registry } from "../../protocol/index.ts";
import { listProblems } from "../config/problems.ts";
import { GatewayError } from "../errors.ts";
import { changeLine, countChanges, registryChanges } from "../registry/difference.ts";
import { writeWhole } from "../registry/file.ts";
import { readSource, writeFolder } from "../registry/folder.ts";
import { issueKeys } from "../registry/keys.ts";
import { loadRegistry, registryText, saveRegistry } from "../registry/registry.ts";
import { tableOf } from "../registry/tables.ts";
import { warningsBetween, warningsOf } from "../registry/warnings.ts";
import type { CommandIo, ExitCode } from "./commands.ts";
import { CONFIG_FLAG, type CommandShell, JSON_FLAG } from "./definitions.ts";
import { wordNotKnown } from "./word-not-known.ts";

/** Of a difference on a screen. */
const LINES_MAX = 200;

export interface ImportOptions {
  readonly config: GatewayConfig;
  readonly from: string;
  readonly credentials: string | undefined;
  readonly reissue: readonly string[];
  readonly dryRun: boolean;
  readonly json: boolean;
}

export function registryCommands({ io, configOf, end }: CommandShell) {
  const config = CONFIG_FLAG;
  const json = JSON_FLAG;
  const source = {
    type: "positional",
    description: "Registry: JSON, a folder of CSV files, or one of those files",
    required: true,
  } as const;
  return defineCommand({
    meta: { name: "registry", description: "Points and all that belongs to them" },
    subCommands: {
      check: defineCommand({
        meta: { name: "check", description: "Say all that is wrong with a registry; nothing is written" },
        args: { from: source, config, json },
        run: ({ args }) => end(checkSource(configOf(args.config), args.from, args.json === true, io)),
      }),
      import: defineCommand({
        meta: { name: "import", description: "Check a registry, load it, and make keys for new devices" },
        args: {
          from: source,
          config,
          credentials: {
            type: "string",
            description: "Write the keys made now to this file, for flashing",
            valueHint: "FILE",
          },
          reissue: { type: "string", description: "Give this device a new key", valueHint: "DEVICE" },
          "dry-run": { type: "boolean", description: "Only check, and show what would change" },
          json,
        },
        run({ args }) {
          const reissue = args.reissue === undefined ? [] : args.reissue.split(",");
          const { from, credentials } = args;
          const options = { config: configOf(args.config), from, credentials, reissue };
          end(importRegistry({ ...options, dryRun: args["dry-run"] === true, json: args.json === true }, io));
        },
      }),
      export: defineCommand({
        meta: {
          name: "export",
          description: "Write the registry that is loaded: JSON, or a folder of CSV files; no keys",
        },
        args: {
          to: {
            type: "positional",
            description: "FILE.json, or a folder for CSV; standard output (JSON) without it",
            required: false,
          },
          list: {
            type: "string",
            description: `One list as CSV on standard output: ${NOUNS.join(", ")}`,
            valueHint: "LIST",
          },
          config,
        },
        run: ({ args }) => end(exportRegistry(configOf(args.config), { to: args.to, list: args.list }, io)),
      }),
    },
  });
}

function countsOf(registry: Registry): Record<string, number> {
  return { points: registry.points.length, devices: registry.devices.length, assets: registry.assets.length };
}

function countsText(registry: Registry): string {
  return `${registry.points.length} points, ${registry.devices.length} devices, ${registry.assets.length} assets`;
}

/** Throws FILE_UNREADABLE, REGISTRY_INVALID; with `json` what is invalid is data and not thrown. */
export function checkSource(config: GatewayConfig, from: string, json: boolean, io: CommandIo): ExitCode {
  try {
    const { registry, kept } = readSource(from, () => loadRegistry(config.data.dir, listProblems), listProblems);
    const warnings = warningsOf(registry);
    if (json) io.out(JSON.stringify({ file: from, valid: true, problems: [], warnings, kept }));
    else {
      io.out(`${from} is valid: ${countsText(registry)}${keptText(kept, config)}`);
      tellWarnings(warnings, io);
    }
    return 0;
  } catch (error) {
    if (!json || !(error instanceof GatewayError) || error.code !== "REGISTRY_INVALID") throw error;
    io.out(JSON.stringify({ file: from, valid: false, problems: error.detail["problems"] }));
    return 3;
  }
}

function keptText(kept: readonly Noun[], config: GatewayConfig): string {
  return kept.length === 0 ? "" : `; ${kept.join(", ")} as they are in ${config.data.dir}`;
}

function tellWarnings(warnings: readonly string[], io: CommandIo): void {
  for (const warning of warnings) io.err(`worth a look: ${warning}`);
}

export function importRegistry(options: ImportOptions, io: CommandIo): ExitCode {
  const { from, json, config } = options;
  const { dir } = config.data;
  const before = () => loadRegistry(dir, listProblems);
  const { registry, kept } = readSource(from, before, listProblems);
  for (const deviceId of options.reissue) {
    if (!registry.devices.some((one) => one.deviceId === deviceId))
      throw new GatewayError("DEVICE_UNKNOWN", { deviceId });
  }
  const changes = registryChanges(before(), registry);
  const warnings = [...warningsOf(registry), ...warningsBetween(before(), registry)];
  const counts = { ...countsOf(registry), ...countChanges(changes) };
  if (options.dryRun) {
    if (json) io.out(JSON.stringify({ ...counts, changes, warnings, kept, dryRun: true }));
    else {
      for (const change of changes.slice(0, LINES_MAX)) io.out(changeLine(change));
      if (changes.length > LINES_MAX) io.out(`and ${changes.length - LINES_MAX} more`);
      io.out(
        `${from} is valid: ${countsText(registry)}${keptText(kept, config)}; ${changes.length} changes, nothing written`,
      );
      tellWarnings(warnings, io);
    }
    return 0;
  }
  mkdirSync(dir, { recursive: true, mode: 0o750 });
  // Keys are made once: where they go must be open before they are.
  const credentials = options.credentials === undefined ? undefined : openForSecrets(options.credentials);
  const made = issueKeys(dir, registry, options.reissue);
  if (credentials !== undefined) {
    writeFileSync(credentials, `${JSON.stringify(made, null, 1)}\n`);
    closeSync(credentials);
  }
  saveRegistry(dir, registry);
  const keysMade = made.devices.length;
  if (json) io.out(JSON.stringify({ ...counts, keysMade, warnings, kept }));
  else {
    io.out(`${counts["points"]} points and ${counts["devices"]} devices imported into ${dir}; ${keysMade} new keys`);
    tellWarnings(warnings, io);
  }
  if (keysMade > 0 && options.credentials === undefined) {
    io.err(
      "The new keys were not written out. To flash the devices, run this again with --reissue DEVICE --credentials FILE.",
    );
  }
  return 0;
}

function openForSecrets(path: string): number {
  try {
    return openSync(path, "w", 0o600);
  } catch (cause) {
    throw new GatewayError("FILE_UNWRITABLE", { path }, { cause });
  }
}

export function exportRegistry(
  config: GatewayConfig,
  { to, list }: { readonly to: string | undefined; readonly list: string | undefined },
  io: CommandIo,
): ExitCode {
  const { dir } = config.data;
  const registry = loadRegistry(dir, listProblems);
  if (!existsSync(join(dir, "registry.json"))) {
    io.err(
      `There is no registry in ${dir}: load one with 'waakvlam registry import', or name the configuration with --config.`,
    );
    return 1;
  }
  if (list !== undefined) {
    const noun = NOUNS.find((one) => one === list);
    if (noun === undefined) {
      io.err(wordNotKnown("list", list, NOUNS));
      return 2;
    }
    io.out(tableOf(noun, registry).trimEnd());
  } else if (to === undefined) io.out(registryText(registry).trimEnd());
  else if (to.toLowerCase().endsWith(".json")) {
    writeWhole(to, registryText(registry), 0o640);
    io.err(`${countsText(registry)} written to ${to}`);
  } else if (to.toLowerCase().endsWith(".csv")) {
    io.err(`CSV goes into a folder, a file a list: name a folder, or use --list LIST > ${to}.`);
    return 2;
  } else {
    const files = writeFolder(to, registry);
    io.err(`${countsText(registry)} written to ${files.length} files in ${to}`);
  }
  return 0;
}
