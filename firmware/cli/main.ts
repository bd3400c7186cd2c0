#!/usr/bin/env node
// The `waakvlam-device` command.
import { defineCommand, runMain } from "citty";
import { FIRMWARE_VERSION } from "../device/device.ts";
import { flash, serialIo } from "./flash.ts";

const flashCommand = defineCommand({
  meta: { name: "flash", description: "Put loader, program and configuration on a board, and verify them" },
  args: {
    port: { type: "string", description: "Serial port of the board", required: true, valueHint: "/dev/ttyUSB0" },
    device: { type: "string", description: "Which device this board becomes", required: true },
    credentials: {
      type: "string",
      description: "Keys, from waakvlam registry import --credentials",
      required: true,
      valueHint: "FILE",
    },
    settings: { type: "string", description: "WiFi, gateway and sensors (JSON)", required: true, valueHint: "FILE" },
    board: { type: "string", description: "Board", default: "esp32" },
    profile: { type: "string", description: "What is wired to it", default: "point" },
    "dry-run": { type: "boolean", description: "Check everything and send nothing" },
    json: { type: "boolean", description: "One JSON object on standard output" },
  },
  async run({ args }) {
    const { port, device, credentials, settings, board, profile } = args;
    const options = {
      port,
      device,
      credentials,
      settings,
      board,
      profile,
      dryRun: args["dry-run"] === true,
      json: args.json === true,
    };
    const io = {
      out: (line: string) => void process.stdout.write(`${line}\n`),
      err: (line: string) => void process.stderr.write(`${line}\n`),
      ...serialIo,
    };
    process.exitCode = await flash(options, io);
  },
});

await runMain(
  defineCommand({
    meta: { name: "waakvlam-device", version: FIRMWARE_VERSION, description: "Devices of emergency support points" },
    subCommands: { flash: flashCommand },
  }),
);
