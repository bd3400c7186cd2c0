#!/usr/bin/env node
// The `waakvlam-device` command.
import { defineCommand, runMain } from "citty";
import { FIRMWARE_VERSION } from "../device/info.ts";
import { flash } from "./flash.ts";
import { type CliIo, serialIo } from "./io.ts";
import { selfTest } from "./self-test.ts";
import { update } from "./update.ts";

const io: CliIo = {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  ...serialIo,
};

const PORT = {
  port: { type: "string", description: "Serial port of the board", required: true, valueHint: "/dev/ttyUSB0" },
  board: { type: "string", description: "Board", default: "esp32" },
  baud: { type: "string", description: "Speed of the board's console, when it is not the usual one" },
  json: { type: "boolean", description: "One JSON object on standard output" },
} as const;
const PROFILE = { type: "string", description: "What is wired to it", default: "point" } as const;

function portOptions(args: { port: string; board: string; baud?: string | undefined; json?: boolean | undefined }) {
  const { port, board, baud } = args;
  return { port, board, json: args.json === true, ...(baud === undefined ? {} : { baud: Number(baud) }) };
}

const flashCommand = defineCommand({
  meta: { name: "flash", description: "Erase a board, put loader, program and configuration on it, and verify them" },
  args: {
    ...PORT,
    profile: PROFILE,
    device: { type: "string", description: "Which device this board becomes", required: true },
    credentials: {
      type: "string",
      description: "Keys, from waakvlam registry import --credentials",
      required: true,
      valueHint: "FILE",
    },
    settings: {
      type: "string",
      description: "Ways to the gateway, and sensors (JSON)",
      required: true,
      valueHint: "FILE",
    },
    "dry-run": { type: "boolean", description: "Check everything and send nothing" },
  },
  async run({ args }) {
    const { device, credentials, settings, profile } = args;
    const files = { device, credentials, settings, profile, dryRun: args["dry-run"] === true };
    process.exitCode = await flash({ ...portOptions(args), ...files }, io);
  },
});

const updateCommand = defineCommand({
  meta: { name: "update", description: "Put a new program on a device; configuration and records stay" },
  args: { ...PORT, profile: PROFILE },
  async run({ args }) {
    process.exitCode = await update({ ...portOptions(args), profile: args.profile }, io);
  },
});

const selfTestCommand = defineCommand({
  meta: {
    name: "self-test",
    description: "What a board on the bench says of itself; --field: that one in use is closed",
  },
  args: {
    ...PORT,
    field: { type: "boolean", description: "The device is in use: everything must be closed" },
    host: { type: "string", description: "Its address in the network, to try telnet" },
  },
  async run({ args }) {
    const host = args.host === undefined ? {} : { host: args.host };
    process.exitCode = await selfTest({ ...portOptions(args), ...host, field: args.field === true }, io);
  },
});

await runMain(
  defineCommand({
    meta: { name: "waakvlam-device", version: FIRMWARE_VERSION, description: "Devices of emergency support points" },
    subCommands: { flash: flashCommand, update: updateCommand, "self-test": selfTestCommand },
  }),
);
