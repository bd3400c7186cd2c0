// How `waakvlam lorawan` is called. What its commands do stands in `lorawan-commands.ts`.
import { defineCommand } from "citty";
import { DEVICE_MODEL_NAMES, type NewLorawanDevice } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import type { LorawanDesk } from "../registry/lorawan-desk.ts";
import { CONFIG_FLAG, type CommandShell, JSON_FLAG } from "./definitions.ts";
import {
  disableCommand,
  exportCommand,
  importCommand,
  issueCommand,
  type LorawanCall,
  listCommand,
  readKeys,
  sessionCommand,
} from "./lorawan-commands.ts";
import { wordNotKnown } from "./word-not-known.ts";

const BOARDS = ["esp32", "xiaoble", "mdbt42q", "pixljs"] as const;
const VERSIONS = ["1.0.2", "1.0.3", "1.0.4"] as const;
const device = { type: "positional", description: "Device", required: true } as const;
const common = { config: CONFIG_FLAG, json: JSON_FLAG };
const identity = {
  "dev-eui": { type: "string", description: "As on its label; made when left out", valueHint: "EUI" },
  "join-eui": { type: "string", description: "Also called AppEUI", valueHint: "EUI" },
  "lorawan-version": {
    type: "string",
    description: `${VERSIONS.join(", ")}; 1.0.3 when left out`,
    valueHint: "VERSION",
  },
  abp: { type: "boolean", description: "Personalised: it does not join" },
} as const;
const keys = {
  "own-keys": {
    type: "boolean",
    description: "Its keys come on standard input: AppKey, or DevAddr NwkSKey AppSKey",
  },
  label: { type: "string", description: "Write a label with the keys: FILE.svg, or text", valueHint: "FILE" },
  credentials: { type: "string", description: "Write the keys to this file, for flashing a board", valueHint: "FILE" },
} as const;

/** Why a word will not do; undefined when it is among those that are known, or not given. */
function wrongWord(name: string, word: string | undefined, known: readonly string[]): string | undefined {
  if (word === undefined || known.includes(word)) return undefined;
  return wordNotKnown(name, word, known);
}

interface IdentityArgs {
  readonly "dev-eui"?: string | undefined;
  readonly "join-eui"?: string | undefined;
  readonly "lorawan-version"?: string | undefined;
  readonly abp?: boolean | undefined;
}

function identityOf(args: IdentityArgs): Pick<NewLorawanDevice, "devEui" | "joinEui" | "version" | "activation"> {
  const version = VERSIONS.find((one) => one === args["lorawan-version"]);
  return {
    ...(args["dev-eui"] === undefined ? {} : { devEui: args["dev-eui"] }),
    ...(args["join-eui"] === undefined ? {} : { joinEui: args["join-eui"] }),
    ...(version === undefined ? {} : { version }),
    ...(args.abp === true ? { activation: "abp" as const } : {}),
  };
}

interface Shell extends CommandShell {
  readonly clock: Clock;
  /** Who is at the shell, for the log of acts. */
  readonly user: string;
}

export function lorawanCommands(shell: CommandShell, more: Pick<Shell, "clock" | "user">) {
  const whole = { ...shell, ...more };
  return defineCommand({
    meta: { name: "lorawan", description: "LoRaWAN devices: keys, sessions, and their way to and from ChirpStack" },
    subCommands: {
      ...seeing(whole),
      add: addCommand(whole),
      replace: replaceCommand(whole),
      rekey: rekeyCommand(whole),
      ...acting(whole),
      ...moving(whole),
    },
  });
}

function callOf(
  { io, clock, user, configOf }: Shell,
  args: { readonly config?: string | undefined; readonly json?: boolean | undefined },
): LorawanCall {
  return { config: configOf(args.config), json: args.json === true, io, clock, user };
}

/** Keys on standard input; `wrong` when they should be there and are not. */
function givenKeys({ io }: Shell, isGiven: boolean | undefined) {
  if (isGiven !== true) return { keys: {} };
  const read = io.isTerminal ? undefined : readKeys(io.readInput());
  return read === undefined
    ? { wrong: "Give the keys on standard input (… --own-keys < FILE): the AppKey, or DevAddr, NwkSKey and AppSKey." }
    : { keys: { keys: read } };
}

function seeing(shell: Shell) {
  return {
    list: defineCommand({
      meta: { name: "list", description: "Devices, their sessions and whether they have keys" },
      args: common,
      run: async ({ args }) => shell.end(await listCommand(callOf(shell, args), "devices")),
    }),
    stations: defineCommand({
      meta: { name: "stations", description: "Base stations: when they were heard, and their time on the air" },
      args: common,
      run: async ({ args }) => shell.end(await listCommand(callOf(shell, args), "stations")),
    }),
  };
}

/** A board of ours that joins: the only keys that `waakvlam-device flash` puts on one. */
function isFlashed(deviceId: string): (desk: LorawanDesk) => boolean {
  return (desk) => {
    const { model, lorawan } = desk.find(deviceId);
    return model === undefined && lorawan.activation !== "abp";
  };
}

function addCommand(shell: Shell) {
  const { io, end } = shell;
  return defineCommand({
    meta: { name: "add", description: "Add a device with keys of its own, which are shown once" },
    args: {
      device,
      point: { type: "string", description: "Point that it stands at", valueHint: "POINT", required: true },
      model: { type: "string", description: `Not one of ours: ${DEVICE_MODEL_NAMES.join(", ")}`, valueHint: "MODEL" },
      board: { type: "string", description: `One of ours: ${BOARDS.join(", ")}`, valueHint: "BOARD" },
      ...{ ...identity, ...keys, ...common },
    },
    run({ args }) {
      const { model: modelText, board: boardText, label, credentials } = args;
      const [model, board] = [
        DEVICE_MODEL_NAMES.find((one) => one.toLowerCase() === modelText?.toLowerCase()),
        BOARDS.find((one) => one === boardText),
      ];
      const given = givenKeys(shell, args["own-keys"]);
      const wrong =
        wrongWord("model", model ?? modelText, DEVICE_MODEL_NAMES) ??
        wrongWord("board", boardText, BOARDS) ??
        wrongWord("LoRaWAN version", args["lorawan-version"], VERSIONS) ??
        (model === undefined && board === undefined
          ? "Say what it is: --model MODEL, or --board BOARD for one of ours."
          : undefined) ??
        given.wrong;
      if (wrong !== undefined) {
        io.err(wrong);
        return end(2);
      }
      const kind = { ...(model === undefined ? {} : { model }), ...(board === undefined ? {} : { board }) };
      const asked = { deviceId: args.device, pointId: args.point, ...kind, ...identityOf(args), ...given.keys };
      return end(
        issueCommand(
          callOf(shell, args),
          { label, credentials },
          { isOurs: () => model === undefined && args.abp !== true, act: (desk) => desk.add(asked) },
        ),
      );
    },
  });
}

function replaceCommand(shell: Shell) {
  const { io, end } = shell;
  return defineCommand({
    meta: { name: "replace", description: "Another device takes its place from now on, with keys of its own" },
    args: {
      device,
      with: { type: "string", description: "Name of the other device", valueHint: "DEVICE", required: true },
      ...{ ...identity, ...keys, ...common },
    },
    run({ args }) {
      const { label, credentials } = args;
      const given = givenKeys(shell, args["own-keys"]);
      const wrong = wrongWord("LoRaWAN version", args["lorawan-version"], VERSIONS) ?? given.wrong;
      if (wrong !== undefined) {
        io.err(wrong);
        return end(2);
      }
      const by = { deviceId: args.with, ...identityOf(args), ...given.keys };
      return end(
        issueCommand(
          callOf(shell, args),
          { label, credentials },
          { isOurs: isFlashed(args.device), act: (desk) => desk.replace(args.device, by) },
        ),
      );
    },
  });
}

function rekeyCommand(shell: Shell) {
  const { io, end } = shell;
  return defineCommand({
    meta: { name: "rekey", description: "Give a device new keys, or its first; it has to join again" },
    args: { device, ...keys, ...common },
    run({ args }) {
      const { label, credentials } = args;
      const given = givenKeys(shell, args["own-keys"]);
      if (given.wrong !== undefined) {
        io.err(given.wrong);
        return end(2);
      }
      const own = given.keys?.keys;
      return end(
        issueCommand(
          callOf(shell, args),
          { label, credentials },
          { isOurs: isFlashed(args.device), act: (desk) => desk.rekey(args.device, own) },
        ),
      );
    },
  });
}

function acting(shell: Shell) {
  const onSession = (name: "flush-nonces" | "forget-session", description: string) =>
    defineCommand({
      meta: { name, description },
      args: { device, ...common },
      run: async ({ args }) => shell.end(await sessionCommand(callOf(shell, args), name, args.device)),
    });
  const onDevice = (name: "disable" | "enable", description: string) =>
    defineCommand({
      meta: { name, description },
      args: { device, ...common },
      run: ({ args }) => shell.end(disableCommand(callOf(shell, args), args.device, name === "disable")),
    });
  return {
    disable: onDevice("disable", "Hear a device no more"),
    enable: onDevice("enable", "Hear a device again"),
    "flush-nonces": onSession("flush-nonces", "Let a device that lost count join again"),
    "forget-session": onSession("forget-session", "End a device's session: it has to join again"),
  };
}

function moving(shell: Shell) {
  return {
    export: defineCommand({
      meta: { name: "export", description: "All devices as bodies of ChirpStack's API (JSON)" },
      args: {
        to: { type: "positional", description: "FILE; standard output without it", required: false },
        application: {
          type: "string",
          description: "Id of ChirpStack's application",
          valueHint: "UUID",
          required: true,
        },
        profile: { type: "string", description: "Id of its device profile", valueHint: "UUID", required: true },
        keys: { type: "boolean", description: "With their keys" },
        config: CONFIG_FLAG,
      },
      run({ args }) {
        const { to, application: applicationId, profile: deviceProfileId } = args;
        const ask = { to, applicationId, deviceProfileId, withKeys: args.keys === true };
        shell.end(exportCommand(callOf(shell, { config: args.config }), ask));
      },
    }),
    import: defineCommand({
      meta: { name: "import", description: "Devices and keys out of ChirpStack: bodies or answers of its API (JSON)" },
      args: {
        from: { type: "positional", description: "FILE", required: true },
        "dry-run": { type: "boolean", description: "Only check, and show what would change" },
        ...common,
      },
      run: ({ args }) => shell.end(importCommand(callOf(shell, args), args.from, args["dry-run"] === true)),
    }),
  };
}
