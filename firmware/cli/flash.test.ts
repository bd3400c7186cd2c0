import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { ESP32, FILES } from "../boards/table.ts";
import { bundle, untokenise } from "../build/bundle.ts";
import { createFlash } from "../simulator/flash.ts";
import { createRandom } from "../simulator/random.ts";
import { createSchedule } from "../simulator/schedule.ts";
import { createVirtualBoard } from "../simulator/virtual-board.ts";
import { flash } from "./flash.ts";
import type { CliIo } from "./io.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

const SETTINGS = {
  wifi: { ssid: "s", password: "p" },
  host: "gateway",
  port: 1883,
  sensors: { fuelProbe: true, batteryMonitor: false, peopleCounter: false, generatorInputs: true },
};

/** A virtual board with empty flash, and its console as a serial line. `spoil` changes what the board hears. */
function boardOnALine(plain: string, spoil: (line: string) => string = (line) => line) {
  const schedule = createSchedule();
  const storage = createFlash(ESP32);
  const printed: string[] = [];
  const wiring = { analog: () => 0, digital: () => false, watch: () => undefined, openSerial: () => () => undefined };
  const network = { isReachable: () => false, connect: () => ({ write: () => undefined, end: () => undefined }) };
  const print = (text: string) => {
    printed.push(text);
    line.push(`${text}\r\n>`);
  };
  const board = createVirtualBoard({
    table: ESP32,
    flash: storage,
    schedule,
    wiring,
    network,
    random: createRandom(1),
    untokenise: (text) => (text === "" ? "" : plain),
    print,
  });
  let held = "";
  const line = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      held += chunk.toString("latin1");
      for (let end = held.indexOf("\n"); end >= 0; end = held.indexOf("\n")) {
        const text = held.slice(0, end).replaceAll("\x03", "").replaceAll("\x10", "");
        held = held.slice(end + 1);
        board.evaluate(spoil(text));
      }
      done();
    },
  });
  board.boot();
  return { line, board, storage, schedule, printed };
}

describe("waakvlam-device flash", () => {
  let plain = "";
  const said: string[] = [];
  const ioOn = (line: Duplex | undefined): CliIo => ({
    out: (text) => void said.push(text),
    err: (text) => void said.push(text),
    open: async () => {
      if (line === undefined) throw new Error("no such port");
      return line;
    },
    ports: async () => ["/dev/ttyUSB7"],
  });
  const options = {
    port: "/dev/ttyUSB0",
    board: "esp32",
    profile: "point",
    device: "alm-01-d1",
    credentials: join(folder.path, "keys.json"),
    settings: join(folder.path, "settings.json"),
    json: false,
    dryRun: false,
  };

  beforeAll(async () => {
    const made = await bundle("firmware/boards/esp32.ts");
    const dist = new URL("../dist/esp32-point/", import.meta.url);
    mkdirSync(dist, { recursive: true });
    writeFileSync(new URL("app.js", dist), made.tokens);
    plain = await untokenise(Buffer.from(made.tokens).toString("latin1"));
    writeFileSync(
      options.credentials,
      JSON.stringify({ devices: [{ deviceId: "alm-01-d1", pointId: "alm-01", key: "ab".repeat(32) }] }),
    );
    writeFileSync(options.settings, JSON.stringify(SETTINGS));
  });

  test("puts everything on an empty board, verifies it, and the board runs the program", async () => {
    const { line, storage, schedule, printed, board } = boardOnALine(plain);
    expect(await flash(options, ioOn(line))).toBe(0);
    expect(said.at(-1)).toMatch(/^alm-01-d1: \d+ bytes on esp32, verified/);
    const page = (storage.file(FILES.data) ?? "").slice(ESP32.configOffset + 16, ESP32.configOffset + 4096);
    expect(JSON.parse(page.replace(/\xff+$/, ""))).toMatchObject({ deviceId: "alm-01-d1", host: "gateway" });
    const before = storage.operations();
    schedule.runUntil(schedule.nowMs() + 120_000);
    expect(board.boots()).toBe(2);
    // The first page of the ring, an info frame and two samples at least.
    expect(storage.operations() - before).toBeGreaterThan(3);
    expect(printed.filter((text) => /Uncaught|checksum/.test(text))).toEqual([]);
  });

  test("a line that changes bits is found before they are written", async () => {
    const { line } = boardOnALine(plain, (text) => text.replace(/(atob\("[^"]{40})[A-Z]/, "$1z"));
    expect(await flash(options, ioOn(line))).toBe(1);
    expect(said.join("\n")).toMatch(/Not flashed \(damaged at \.boot0\): the line changes what is sent/);
  });

  test("mistakes are told of with what to do", async () => {
    const saidOf = async (part: Partial<typeof options>) => {
      said.length = 0;
      const code = await flash({ ...options, ...part }, ioOn(undefined));
      return [code, said.join("\n")] as const;
    };
    expect(await saidOf({ board: "esp23" })).toEqual([2, expect.stringContaining("did you mean esp32?")]);
    expect(await saidOf({ device: "alm-01-d2" })).toEqual([3, expect.stringContaining("did you mean alm-01-d1?")]);
    expect(await saidOf({ settings: "/nowhere.json" })).toEqual([
      3,
      expect.stringContaining("/nowhere.json cannot be read"),
    ]);
    expect(await saidOf({})).toEqual([4, expect.stringContaining("Ports found: /dev/ttyUSB7")]);
    expect(await saidOf({ dryRun: true })).toEqual([0, expect.stringContaining("nothing was sent")]);
  });
});
