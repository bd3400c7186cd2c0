// `waakvlam-device flash`: loader, program and configuration onto a board over a serial line, verified by reading back.
import { existsSync, readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { SerialPort } from "serialport";
import type { Credentials } from "../../protocol/index.ts";
import { nearest } from "../../protocol/nearest.ts";
import { crc32 } from "../../protocol/wire.ts";
import { BOARD_TABLES } from "../boards/table.ts";
import { createImage } from "../build/image.ts";
import { findProfile, PROFILES } from "../build/profiles.ts";
import { type DeviceConfig, SETTINGS_DEFAULT } from "../device/settings.ts";
import { realClock } from "../simulator/real-clock.ts";
import { flashOver } from "./port.ts";

const BAUD = 115_200;

export interface CliIo {
  out(line: string): void;
  err(line: string): void;
  /** Opens a serial line; tests hand in one of their own. */
  open(port: string): Promise<Duplex>;
  ports(): Promise<string[]>;
}

export interface FlashOptions {
  readonly port: string;
  readonly board: string;
  readonly profile: string;
  readonly device: string;
  readonly credentials: string;
  readonly settings: string;
  readonly json: boolean;
  readonly dryRun: boolean;
}

/** 0 done, 1 failed, 2 wrong usage, 3 a file is not valid, 4 not reachable. */
export type ExitCode = 0 | 1 | 2 | 3 | 4;

function readJson(path: string, io: CliIo): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    io.err(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** What the settings file must say: WiFi, the gateway's address, and what is fitted. */
function configOf(options: FlashOptions, io: CliIo): DeviceConfig | undefined {
  const credentials = readJson(options.credentials, io) as Partial<Credentials> | undefined;
  const device = credentials?.devices?.find((one) => one.deviceId === options.device);
  if (credentials !== undefined && device === undefined) {
    const known = (credentials.devices ?? []).map((one) => one.deviceId);
    const near = nearest(options.device, known);
    io.err(
      `${options.credentials} has no key for ${options.device}${near === undefined ? "" : `: did you mean ${near}?`}`,
    );
    io.err("Keys are written once: waakvlam registry import FILE --credentials FILE --reissue DEVICE makes a new one.");
  }
  const settings = readJson(options.settings, io) as Partial<DeviceConfig> | undefined;
  const missing = (["wifi", "host", "port", "sensors"] as const).filter(
    (key) => settings !== undefined && settings[key] === undefined,
  );
  if (missing.length > 0)
    io.err(`${options.settings} misses ${missing.join(", ")}. firmware/README.md shows an example.`);
  if (device === undefined || settings === undefined || missing.length > 0) return undefined;
  const { wifi, host, port, sensors, shuntOhm = 150, starterFullScaleV = 36.3 } = settings as DeviceConfig;
  const own = { ...SETTINGS_DEFAULT, ...(settings.settings ?? {}) };
  return {
    deviceId: device.deviceId,
    key: device.key,
    wifi,
    host,
    port,
    settings: own,
    sensors,
    shuntOhm,
    starterFullScaleV,
  };
}

function programOf(options: FlashOptions, io: CliIo): Uint8Array | undefined {
  const path = fileURLToPath(new URL(`../dist/${options.board}-${options.profile}/app.js`, import.meta.url));
  if (existsSync(path)) return new Uint8Array(readFileSync(path));
  io.err(
    `The firmware is not built. Build it first: npm run build:firmware -- --board ${options.board} --profile ${options.profile}`,
  );
  return undefined;
}

export async function flash(options: FlashOptions, io: CliIo): Promise<ExitCode> {
  const table = BOARD_TABLES.find((one) => one.name === options.board);
  if (table === undefined || findProfile(options.board, options.profile) === undefined) {
    const known = PROFILES.map((one) => `--board ${one.board} --profile ${one.profile}`).join("; ");
    const near = nearest(
      options.board,
      BOARD_TABLES.map((one) => one.name),
    );
    io.err(
      `There is no profile ${options.profile} for board ${options.board}${near === undefined || near === options.board ? "" : `: did you mean ${near}?`} There is: ${known}`,
    );
    return 2;
  }
  const config = configOf(options, io);
  const program = programOf(options, io);
  if (config === undefined || program === undefined) return 3;
  const image = createImage(table, program, config);
  const bytes = image.files.reduce((sum, file) => sum + file.bytes.length, 0);
  if (options.dryRun) {
    io.out(
      options.json
        ? JSON.stringify({ device: config.deviceId, bytes, dryRun: true })
        : `${bytes} bytes for ${config.deviceId}; nothing was sent`,
    );
    return 0;
  }
  let line: Duplex;
  try {
    line = await io.open(options.port);
  } catch (error) {
    const found = await io.ports();
    io.err(`${options.port} cannot be opened: ${error instanceof Error ? error.message : String(error)}`);
    io.err(
      found.length === 0 ? "No serial port was found: is the board plugged in?" : `Ports found: ${found.join(", ")}`,
    );
    return 4;
  }
  let shown = "";
  const result = await flashOver(
    {
      line,
      clock: realClock,
      progress: ({ step, file, done, total }) => {
        const label = `${step}${file === undefined ? "" : ` ${file}`}`;
        if (label !== shown) io.err(`${String(Math.round((done * 100) / total)).padStart(3)} % ${label}`);
        shown = label;
      },
    },
    { files: image.files, crc32: (data) => crc32(data) },
  );
  line.destroy();
  if (result.kind === "failed") {
    const { code, file, detail } = result.problem;
    io.err(`Not flashed (${code}${file === undefined ? "" : ` at ${file}`}): ${detail}.`);
    io.err(
      code === "no-answer"
        ? "Check the cable and the speed, hold the bench button while you plug it in, and try again."
        : "Try again; if it stays, the board's flash may be worn: use another board.",
    );
    return 1;
  }
  const summary = { device: config.deviceId, board: result.board, bytes, verified: true };
  io.out(
    options.json
      ? JSON.stringify(summary)
      : `${config.deviceId}: ${bytes} bytes on ${result.board}, verified by reading back. Wait for its first report at the gateway.`,
  );
  return 0;
}

export const serialIo: Pick<CliIo, "open" | "ports"> = {
  open: (path) =>
    new Promise((resolve, reject) => {
      const port = new SerialPort({ path, baudRate: BAUD, autoOpen: false });
      port.open((error) => (error === null ? resolve(port) : reject(error)));
    }),
  ports: async () => (await SerialPort.list().catch(() => [])).map((one) => one.path),
};
