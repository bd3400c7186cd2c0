// `waakvlam-device flash`: loader, program and configuration onto a board over a serial line, verified by reading back.
import { flashSteps } from "../../protocol/console/flash.ts";
import type { BoardTable } from "../boards/table.ts";
import { createImage, type Image, ImageError } from "../build/image.ts";
import { findProfile } from "../build/profiles.ts";
import type { DeviceConfig } from "../device/settings.ts";
import { type ConfigOptions, readConfig, readProgram } from "./files.ts";
import {
  type CliIo,
  type ExitCode,
  findBoard,
  knownProfiles,
  openPort,
  type PortOptions,
  talk,
  tellFailure,
} from "./io.ts";

export interface FlashOptions extends PortOptions, ConfigOptions {
  readonly profile: string;
  readonly json: boolean;
  readonly dryRun: boolean;
}

/** On an ESP32 Bluetooth is on until its own flash says otherwise, which takes a restart; then waking it throws. */
export const BLUETOOTH_OFF = '(function(){try{NRF.wake()}catch(e){return"off"}ESP32.enableBLE(false)})()';

function imageOf(table: BoardTable, program: Uint8Array, config: DeviceConfig, io: CliIo): Image | undefined {
  try {
    return createImage(table, program, config);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    io.err(`It does not fit on the board: ${error.message}`);
    return undefined;
  }
}

export async function flash(options: FlashOptions, io: CliIo): Promise<ExitCode> {
  const table = findBoard(options.board, io);
  if (table === undefined) return 2;
  if (findProfile(options.board, options.profile) === undefined) {
    io.err(`There is no profile ${options.profile} for board ${options.board}. There is: ${knownProfiles()}`);
    return 2;
  }
  const config = readConfig(options, io);
  const program = readProgram(options.board, options.profile, io);
  if (config === undefined || program === undefined) return 3;
  const image = imageOf(table, program, config, io);
  if (image === undefined) return 3;
  const bytes = image.parts.reduce((sum, part) => sum + part.bytes.length, 0);
  const summary = { device: config.deviceId, board: table.name, bytes };
  if (options.dryRun) {
    io.out(
      options.json
        ? JSON.stringify({ ...summary, dryRun: true })
        : `${bytes} bytes for ${config.deviceId}; nothing was sent`,
    );
    return 0;
  }
  const line = await openPort(options, io);
  if (line === undefined) return 4;
  const plan = { board: table.name.toUpperCase(), files: image.files, parts: image.parts };
  const steps = flashSteps(table.name === "esp32" ? { ...plan, radioOff: BLUETOOTH_OFF } : plan);
  const result = await talk(line, steps, io);
  line.destroy();
  if (result.kind === "failed") {
    tellFailure("Not flashed", result, table.name, io);
    return 1;
  }
  io.out(
    options.json
      ? JSON.stringify({ ...summary, verified: true })
      : `${config.deviceId}: ${bytes} bytes on ${table.name}, verified by reading back. It starts now and closes its consoles. Wait for its first report at the gateway.`,
  );
  return 0;
}
