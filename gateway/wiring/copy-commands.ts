// `waakvlam backup`, `verify`, `restore` and `sheet`: the copy of everything by hand, and the way back from it.
import { readFileSync } from "node:fs";
import { defineCommand } from "citty";
import { copyOnce } from "../backup/copier.ts";
import { createFileCollector } from "../backup/files.ts";
import { folderOf } from "../backup/folder.ts";
import { copyHistory } from "../backup/history-copy.ts";
import { isOnDataDisk } from "../backup/own-disk.ts";
import { copyFolderIn, type RestoreResult, restoreCopy } from "../backup/restore.ts";
import { passphraseOf } from "../backup/sealing.ts";
import { lorawanRow, sheetName, sheetText } from "../backup/sheet.ts";
import { type CopyReport, isWhole, readCopy, setDamagedAside } from "../backup/verify.ts";
import type { CommandIo, ExitCode } from "../cli/commands.ts";
import { CONFIG_FLAG, type CommandShell, JSON_FLAG } from "../cli/definitions.ts";
import { listProblems } from "../config/problems.ts";
import { toInstant } from "../domain/instant.ts";
import { GatewayError } from "../errors.ts";
import { openOutsideSource } from "../journal/copy-source.ts";
import { loadKeys } from "../registry/keys.ts";
import { loadLorawanKeys } from "../registry/lorawan-keys.ts";
import { loadRegistry } from "../registry/registry.ts";
import { sourcesOf } from "./copy.ts";

const PASSPHRASE_FLAG = {
  type: "string",
  description: "File with the passphrase of the sealed keys",
  valueHint: "FILE",
} as const;

/** Devices without a key that are told of by name. */
const NAMES_SHOWN = 20;

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new GatewayError("FILE_UNREADABLE", { path }, { cause });
  }
}

function reportLines(folder: string, report: CopyReport): string[] {
  const newest = report.newestMs === undefined ? "no rows" : `rows up to ${toInstant(report.newestMs)}`;
  return [
    `${folder}: ${report.rows} rows (${report.firstId ?? "–"} to ${report.lastId ?? "–"}), ${newest}`,
    ...report.damaged.map(({ name, why }) => `  damaged: ${name}: ${why}`),
    ...report.gaps.map(({ fromId, toId }) => `  missing: rows ${fromId} to ${toId}`),
    ...(report.damagedRows === 0 ? [] : [`  ${report.damagedRows} rows do not fit their checksum`]),
    ...(report.listed ? [] : ["  it is of an earlier version, which kept no list: of what is missing not all is told"]),
    ...(report.stateLastId === undefined ? ["  no state in it is whole: nothing can be restored"] : []),
  ];
}

/** Sets aside what a copy can write again, and says what comes of it. */
async function asideLines(folder: string, report: CopyReport): Promise<string[]> {
  if (isWhole(report)) return ["  it is whole: everything in it can be restored"];
  const isWorn = report.damaged.some((one) => one.isWorn);
  const worn =
    "  what its disk does not give may be there when it is put in again; if not, name another disk as backup.dir";
  if (isWorn && report.damaged.every((one) => one.isWorn)) return [worn];
  return [...(isWorn ? [worn] : []), ...(await againLines(folder, report))];
}

async function againLines(folder: string, report: CopyReport): Promise<string[]> {
  try {
    await setDamagedAside(folder, report);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return [`  damaged pieces could not be set aside: ${String(error.detail["reason"])}`];
  }
  return ["  the next copy, or waakvlam backup, writes again what the journal still has"];
}

function restoreLines(result: RestoreResult, dataDir: string): string[] {
  const { rows, keys, history, historyDamaged, aside } = result;
  const keyLine = {
    sealed: "Keys, people and certificates are back.",
    sheet: "Keys are back from the sheet. People and certificates: waakvlam people add, waakvlam tls create.",
    none: "Keys were not in the copy: no device is believed until they are. Type the recovery sheet: --sheet FILE.",
  }[keys];
  return [
    `${rows} rows are in ${dataDir}. ${keyLine}`,
    ...(historyDamaged
      ? ["The history in the copy is damaged and was left out: it begins anew with the rows of the journal."]
      : []),
    ...(history || historyDamaged
      ? []
      : ["There was no history in the copy: it begins anew with the rows of the journal."]),
    ...aside.map(({ was, path }) => `  put in its place by hand: ${path} → ${was}`),
    "Give this machine the name and address of the lost one, then start the gateway (systemctl start waakvlam).",
    "Devices are asked for what the copy lacks.",
  ];
}

/** Devices of the registry in a data folder whose frames nobody can check, LoRaWAN's as they stand on the sheet. */
export function keylessIn(dataDir: string): readonly string[] {
  try {
    const { devices } = loadRegistry(dataDir, listProblems);
    const keys = loadKeys(dataDir);
    const lorawan = new Map(loadLorawanKeys(dataDir).all());
    const own = devices.filter(({ deviceId, model }) => model === undefined && keys.get(deviceId) === undefined);
    // Without any of them another program is the network, and has them.
    const euis = lorawan.size === 0 ? [] : devices.flatMap((one) => one.lorawan?.devEui ?? []);
    const names = [...own.map(({ deviceId }) => deviceId), ...euis.filter((eui) => !lorawan.has(eui)).map(sheetName)];
    return [...new Set(names)];
  } catch (error) {
    // The journal is back, and that a file beside it is not says the doctor.
    if (error instanceof GatewayError) return [];
    throw error;
  }
}

function keylessLines(keyless: readonly string[], dataDir: string): string[] {
  if (keyless.length === 0) return [];
  const more = keyless.length > NAMES_SHOWN ? ` and ${keyless.length - NAMES_SHOWN} more` : "";
  return [
    `No key for ${keyless.length} devices: ${keyless.slice(0, NAMES_SHOWN).join(", ")}${more}. What they send is refused.`,
    `If they are on the sheet, type them too: move ${dataDir} away, and restore again.`,
  ];
}

function end(io: CommandIo, isJson: boolean, value: unknown, lines: readonly string[], code: ExitCode): ExitCode {
  if (isJson) io.out(JSON.stringify(value));
  else for (const line of lines) io.out(line);
  return code;
}

/** By the name under which they are called. */
export function copyCommands(shell: CommandShell) {
  return {
    backup: backupCommand(shell),
    verify: verifyCommand(shell),
    restore: restoreCommand(shell),
    sheet: sheetCommand(shell),
  };
}

function backupCommand(shell: CommandShell) {
  return defineCommand({
    meta: { name: "backup", description: "Bring the copy up to now; the gateway may be running" },
    args: {
      to: { type: "string", description: "Where copies are kept, in place of backup.dir", valueHint: "DIR" },
      "passphrase-file": PASSPHRASE_FLAG,
      config: CONFIG_FLAG,
      json: JSON_FLAG,
    },
    async run({ args }) {
      const config = shell.configOf(args.config);
      const place = args.to ?? config.backup?.dir;
      if (place === undefined) {
        shell.io.err("Where to? Name a folder with --to DIR, or set backup.dir in the configuration.");
        return shell.end(2);
      }
      const passphrase = passphraseOf(args["passphrase-file"] ?? config.backup?.passphraseFile);
      const source = openOutsideSource(config.data.dir);
      try {
        const folder = folderOf(place, source.epoch);
        if (place === config.backup?.dir) await isOnDataDisk(place, config.data.dir);
        const files = createFileCollector(sourcesOf(config, shell.fileOf(args.config)), passphrase);
        const copied = await copyOnce(source, folder, await files.collect(folder));
        await copyHistory(config.data.dir, folder);
        const keys = passphrase === undefined ? "left out: print them with waakvlam sheet" : "sealed";
        const line = `${folder}: ${copied.rows} rows more, up to row ${copied.lastId}; keys ${keys}`;
        return shell.end(end(shell.io, args.json === true, { folder, ...copied }, [line], 0));
      } finally {
        source.close();
      }
    },
  });
}

function verifyCommand(shell: CommandShell) {
  return defineCommand({
    meta: { name: "verify", description: "Read a whole copy and say whether it can be restored from" },
    args: { copy: { type: "positional", description: "Folder of the copy", required: true }, json: JSON_FLAG },
    async run({ args }) {
      const folder = await copyFolderIn(args.copy);
      const { report } = await readCopy(folder);
      const lines = [...reportLines(folder, report), ...(await asideLines(folder, report))];
      return shell.end(end(shell.io, args.json === true, report, lines, isWhole(report) ? 0 : 1));
    },
  });
}

function restoreCommand(shell: CommandShell) {
  return defineCommand({
    meta: { name: "restore", description: "Make this machine's data folder from a copy" },
    args: {
      copy: { type: "positional", description: "Folder of the copy", required: true },
      "passphrase-file": PASSPHRASE_FLAG,
      sheet: { type: "string", description: "What was typed from the recovery sheet", valueHint: "FILE" },
      config: CONFIG_FLAG,
      json: JSON_FLAG,
    },
    async run({ args }) {
      const config = shell.configOf(args.config);
      const dataDir = config.data.dir;
      const folder = await copyFolderIn(args.copy);
      const sheet = args.sheet === undefined ? undefined : readText(args.sheet);
      // Who types the sheet may have lost what the configuration names.
      const usual = sheet === undefined ? config.backup?.passphraseFile : undefined;
      const passphrase = passphraseOf(args["passphrase-file"] ?? usual);
      const result = await restoreCopy({ folder, dataDir, passphrase, sheet, nowMs: shell.io.nowMs() });
      const keyless = result.keys === "none" ? [] : keylessIn(dataDir);
      const lines = [
        ...reportLines(folder, result.report),
        ...restoreLines(result, dataDir),
        ...keylessLines(keyless, dataDir),
      ];
      return shell.end(end(shell.io, args.json === true, { ...result, keyless }, lines, 0));
    },
  });
}

function sheetCommand(shell: CommandShell) {
  return defineCommand({
    meta: { name: "sheet", description: "The devices' keys as a sheet to print, for a safe" },
    args: { config: CONFIG_FLAG },
    run({ args }) {
      const config = shell.configOf(args.config);
      const keys = loadKeys(config.data.dir);
      const { devices } = loadRegistry(config.data.dir, listProblems);
      const own = devices.flatMap(({ deviceId }) => {
        const key = keys.get(deviceId);
        return key === undefined ? [] : [{ deviceId, key: Buffer.from(key).toString("hex") }];
      });
      const euis = new Set(devices.map(({ lorawan }) => lorawan?.devEui));
      const lorawan = loadLorawanKeys(config.data.dir)
        .all()
        .filter(([devEui]) => euis.has(devEui));
      const all = [...own, ...lorawan.map((one) => lorawanRow(...one))];
      if (all.length === 0) {
        shell.io.err(`There are no keys in ${config.data.dir}: waakvlam registry import FILE makes them.`);
        return shell.end(1);
      }
      const day = toInstant(shell.io.nowMs()).slice(0, 10);
      shell.io.out(
        sheetText(all, `Waakvlam recovery sheet: gateway ${config.gateway.id}, ${all.length} keys, ${day}`).trimEnd(),
      );
      return shell.end(0);
    },
  });
}
