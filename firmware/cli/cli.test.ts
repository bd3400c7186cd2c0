import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { ESP32, FILES } from "../boards/table.ts";
import { bundle, untokenise } from "../build/bundle.ts";
import { createFlash, type VirtualFlash } from "../simulator/flash.ts";
import { createRandom } from "../simulator/random.ts";
import { realClock } from "../simulator/real-clock.ts";
import { createSchedule } from "../simulator/schedule.ts";
import { createVirtualBoard } from "../simulator/virtual-board.ts";
import { readConfig } from "./files.ts";
import { flash } from "./flash.ts";
import type { CliIo } from "./io.ts";
import { selfTest } from "./self-test.ts";
import { update } from "./update.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

const KEY = "ab".repeat(32);
const APP_KEY = "2B7E151628AED2A6ABF7158809CF4F3C";
const SETTINGS = {
  wifi: { ssid: "s", password: "p" },
  host: "gateway",
  port: 1883,
  sensors: { fuelProbe: true, batteryMonitor: false, peopleCounter: false, generatorInputs: true },
};
let plain = "";

/** A virtual board with its console as a serial line. `spoil` changes what the board hears. */
function boardOnALine(storage: VirtualFlash, spoil: (line: string) => string = (line) => line) {
  const schedule = createSchedule();
  const printed: string[] = [];
  const button = { held: false };
  const wiring = {
    analog: () => 0,
    digital: (pin: string) => pin === "BTN1" && button.held,
    watch: () => undefined,
    openSerial: () => () => undefined,
  };
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
  const run = (ms: number) => schedule.runUntil(schedule.nowMs() + ms);
  return { line, board, storage, run, printed, button };
}

/** A line on which nobody answers, or only this. */
function lineWith(heard: Buffer | undefined): Duplex {
  const line = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => {
      if (heard !== undefined) line.push(heard);
      done();
    },
  });
  return line;
}

/** Does not wait for what never comes. */
const HASTY = {
  ...realClock,
  after: (_ms: number, run: () => void) => {
    const soon = setImmediate(run);
    return () => clearImmediate(soon);
  },
};

const said: string[] = [];
const words = () => said.join("\n");
beforeEach(() => void said.splice(0));

function ioOn(line: Duplex | Error, isHasty = false): CliIo {
  return {
    out: (text) => void said.push(text),
    err: (text) => void said.push(text),
    open: async () => {
      if (line instanceof Error) throw line;
      return line;
    },
    ports: async () => ["/dev/ttyUSB7"],
    ...(isHasty ? { clock: HASTY } : {}),
  };
}

const PORT = { port: "/dev/ttyUSB0", board: "esp32", json: false };
const OPTIONS = {
  ...PORT,
  profile: "point",
  device: "alm-01-d1",
  credentials: join(folder.path, "keys.json"),
  settings: join(folder.path, "settings.json"),
  dryRun: false,
};

beforeAll(async () => {
  const made = await bundle("firmware/boards/esp32.ts");
  const dist = new URL("../dist/esp32-point/", import.meta.url);
  mkdirSync(dist, { recursive: true });
  writeFileSync(new URL("app.js", dist), made.tokens);
  plain = await untokenise(Buffer.from(made.tokens).toString("latin1"));
  const device = { deviceId: "alm-01-d1", pointId: "alm-01", key: KEY };
  writeFileSync(OPTIONS.credentials, JSON.stringify({ devices: [device] }));
  writeFileSync(OPTIONS.settings, JSON.stringify(SETTINGS));
});

async function flashedBoard() {
  const made = boardOnALine(createFlash(ESP32));
  made.board.boot();
  expect(await flash(OPTIONS, ioOn(made.line))).toBe(0);
  made.board.powerOff();
  said.splice(0);
  return made.storage;
}

/** A line to a board on the bench: its button was held at boot. */
function onTheBench(storage: VirtualFlash, spoil?: (line: string) => string) {
  const made = boardOnALine(storage, spoil);
  made.button.held = true;
  made.board.boot();
  made.button.held = false;
  return made;
}

describe("waakvlam-device flash", () => {
  test("puts everything on an empty board, verifies it, and the board runs the program and closes its consoles", async () => {
    const { line, storage, run, printed, board } = boardOnALine(createFlash(ESP32));
    board.boot();
    expect(await flash(OPTIONS, ioOn(line))).toBe(0);
    expect(said.at(-1)).toMatch(/^alm-01-d1: \d+ bytes on esp32, verified/);
    const page = (storage.file(FILES.data) ?? "").slice(ESP32.configOffset + 8, ESP32.configOffset + 4096);
    expect(JSON.parse(page.replace(/\xff+$/, ""))).toMatchObject({ deviceId: "alm-01-d1", host: "gateway" });
    const before = storage.operations();
    run(120_000);
    expect(board.boots()).toBe(2);
    expect(board.noted().at(-1)).toBe('E.setConsole [null,{"force":1}]');
    // The first page of the ring, an info frame, two samples, and that the boot is complete.
    expect(storage.operations() - before).toBeGreaterThan(4);
    expect(storage.read(4, ESP32.dataAddress + 20)).toEqual(new Uint8Array(4));
    expect(printed.filter((text) => /Uncaught|checksum/.test(text))).toEqual([]);
    expect(words()).not.toContain(KEY);
  });

  test("a line that changes bits is found before they are written", async () => {
    const { line, board } = boardOnALine(createFlash(ESP32), (text) => text.replace(/(atob\("[^"]{40})[A-Z]/, "$1z"));
    board.boot();
    expect(await flash(OPTIONS, ioOn(line))).toBe(1);
    expect(words()).toMatch(/Not flashed \(damaged at \.boot0\): the line changes what is sent/);
  });

  test("another board than was meant is left alone", async () => {
    const { line, board, storage } = boardOnALine(createFlash(ESP32), (text) =>
      text.replace("process.env.BOARD", '"PIXLJS"'),
    );
    board.boot();
    expect(await flash(OPTIONS, ioOn(line))).toBe(1);
    expect(words()).toMatch(/wrong-board.*PIXLJS, not ESP32/);
    expect(storage.operations()).toBe(0);
  });

  test.each([
    [undefined, /console is silent: a device in use keeps it closed\. Hold the button at boot: .*EN \(reset\)/],
    [Buffer.from([0x80, 0xf8, 0, 0x86, 0xe6, 0xfe, 0x98, 0x1e]), /is no text: try --baud 115200/],
    [Buffer.from("login: \r\n"), /Something else speaks on this line/],
  ])("a board that does not answer: %s", async (heard, advice) => {
    expect(await flash(OPTIONS, ioOn(lineWith(heard), true))).toBe(1);
    expect(words()).toMatch(/Not flashed \(no-answer\)/);
    expect(words()).toMatch(advice);
  });

  test.each([
    [{ board: "esp23" }, 2, /did you mean esp32\?/],
    [{ board: "mdbt42q" }, 2, /no profile point for board mdbt42q/],
    [{ device: "alm-01-d2" }, 3, /did you mean alm-01-d1\?/],
    [{ settings: "/nowhere.json" }, 3, /\/nowhere\.json cannot be read/],
    [{}, 4, /Ports found: \/dev\/ttyUSB7/],
    [{ dryRun: true }, 0, /nothing was sent/],
  ])("%s is told of", async (part, code, text) => {
    expect(await flash({ ...OPTIONS, ...part }, ioOn(new Error("no such port")))).toBe(code);
    expect(words()).toMatch(text);
  });

  test.each([
    ["Resource temporarily unavailable Cannot lock port", /Another program has the port/],
    ["Permission denied, cannot open /dev/ttyUSB0", /join the group that owns it/],
  ])("a port that cannot be opened: %s", async (reason, advice) => {
    expect(await flash(OPTIONS, ioOn(new Error(reason)))).toBe(4);
    expect(words()).toMatch(advice);
  });
});

describe("the settings file", () => {
  const { wifi: _wifi, host: _host, port: _port, ...bare } = SETTINGS;
  const lorawan = { devEui: "2c-f7-f1-20-00-00-00-00", joinEui: "8000000000000006", appKey: APP_KEY };

  async function tryWith(settings: object) {
    writeFileSync(join(folder.path, "other.json"), JSON.stringify(settings));
    const code = await flash(
      { ...OPTIONS, settings: join(folder.path, "other.json"), dryRun: true },
      ioOn(new Error()),
    );
    return [code, words()] as const;
  }

  test("LoRaWAN does instead of WiFi, and its key is never printed, right or wrong", async () => {
    expect(await tryWith({ ...bare, lorawan })).toEqual([0, expect.not.stringContaining(APP_KEY)]);
    const wrong = { ...lorawan, appKey: `${APP_KEY}0` };
    const [code, text] = await tryWith({ ...bare, lorawan: wrong });
    expect(code).toBe(3);
    expect(text).toContain("lorawan.appKey has not 32 hex digits");
    expect(await tryWith({ ...bare, lorawan: { ...lorawan, rate: 5 } })).toEqual([0, expect.anything()]);
    expect((await tryWith({ ...bare, lorawan: { ...lorawan, rate: 4 } }))[1]).toContain("lorawan.rate is none");
    expect(text).not.toContain(APP_KEY);
  });

  test("LoRaWAN keys that were made for this device need not be typed, and go before what was", async () => {
    const credentials = join(folder.path, "radio-keys.json");
    const made = { deviceId: "alm-01-d1", pointId: "alm-01", key: KEY, lorawan };
    writeFileSync(credentials, JSON.stringify({ devices: [made] }));
    const read = (settings: object) => {
      writeFileSync(join(folder.path, "radio.json"), JSON.stringify(settings));
      return readConfig(
        { device: "alm-01-d1", credentials, settings: join(folder.path, "radio.json") },
        ioOn(new Error()),
      );
    };
    const expected = { devEui: "2CF7F12000000000", joinEui: lorawan.joinEui, appKey: APP_KEY.toUpperCase() };
    expect(read(bare)).toMatchObject({ deviceId: "alm-01-d1", key: KEY, lorawan: expected });
    expect(read({ ...bare, lorawan: { ...lorawan, appKey: "0".repeat(32) } })?.lorawan).toEqual(expected);
    expect(read(bare)).not.toHaveProperty("pointId");
  });

  test.each([
    [bare, "there is no way to the gateway"],
    [{ ...SETTINGS, host: undefined }, "host is missing"],
    [{ ...SETTINGS, sensors: undefined }, "sensors is missing"],
    [{ ...SETTINGS, lorawam: lorawan }, "lorawam is not known: did you mean lorawan?"],
  ])("what is wrong in it is named", async (settings, fault) => {
    expect(await tryWith(settings)).toEqual([3, expect.stringContaining(fault)]);
  });
});

describe("waakvlam-device update", () => {
  test("puts a new program into the other slot; configuration and records stay", async () => {
    const storage = await flashedBoard();
    const records = () => (storage.file(FILES.data) ?? "").slice(ESP32.configOffset);
    const before = records();
    const { line, board, run } = onTheBench(storage);
    expect(await update({ ...PORT, profile: "point" }, ioOn(line))).toBe(0);
    expect(words()).toMatch(/bytes in slot B of esp32, verified/);
    expect(records()).toBe(before);
    run(1_000);
    expect([board.boots(), board.evaluate("wkSlot")]).toEqual([2, 1]);
  });

  test("a board that was not flashed by this version is left alone", async () => {
    const { line, board, storage } = boardOnALine(createFlash(ESP32));
    board.boot();
    expect(await update({ ...PORT, profile: "point" }, ioOn(line))).toBe(1);
    expect(words()).toMatch(/Not updated \(layout at wk\.id\).*use flash/s);
    expect(storage.operations()).toBe(0);
  });

  test("a silent console is told of", async () => {
    expect(await update({ ...PORT, profile: "point" }, ioOn(lineWith(undefined), true))).toBe(1);
    expect(words()).toMatch(/Not updated \(no-answer\).*Hold the button at boot/s);
  });
});

describe("waakvlam-device self-test", () => {
  test("on the bench it tells what there is", async () => {
    const { line } = onTheBench(await flashedBoard());
    expect(await selfTest({ ...PORT, field: false }, ioOn(line))).toBe(0);
    expect(said.filter((text) => /^(ok|BAD)/.test(text))).toEqual([
      "ok   engine: 2v29 Serial1",
      "ok   loader: as it must be: closes the consoles",
      "ok   storage: .boot0,wk.id,wk.data; 0 bytes of trash",
      expect.stringMatching(/^ok {3}slot A: turn 1, \d+ bytes, not confirmed, 7 tries left; starts$/),
      "ok   slot B: no program",
      "ok   configuration: checks",
      "ok   ring: 0 of 80 pages in use",
    ]);
  });

  test("another loader, no program and no configuration are bad", async () => {
    const storage = await flashedBoard();
    storage.write(new Uint8Array(4), ESP32.storageAddress + 200);
    storage.write(new Uint8Array(4), ESP32.dataAddress + 12);
    storage.write(new Uint8Array(4), ESP32.dataAddress + ESP32.configOffset);
    const made = boardOnALine(storage);
    // Its loader is broken: the console is open by itself.
    made.board.boot();
    expect(await selfTest({ ...PORT, field: false }, ioOn(made.line))).toBe(1);
    const bad = said.filter((text) => text.startsWith("BAD")).map((text) => text.split(":")[0]);
    expect(bad).toEqual(["BAD  loader", "BAD  program", "BAD  configuration"]);
  });

  test("in the field it must answer nothing, and telnet must be closed", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const options = { ...PORT, field: true, host: "127.0.0.1", telnetPort: port };
    expect(await selfTest(options, ioOn(lineWith(undefined), true))).toBe(1);
    expect(words()).toMatch(/ok {3}serial console: answers nothing\nBAD {2}telnet 127\.0\.0\.1:\d+: open/);
    await new Promise((resolve) => server.close(resolve));
    said.splice(0);
    expect(await selfTest(options, ioOn(lineWith(undefined), true))).toBe(0);
    expect(words()).toMatch(/ok {3}telnet .*: closed/);
    said.splice(0);
    const open = onTheBench(await flashedBoard());
    expect(await selfTest({ ...PORT, field: true }, ioOn(open.line))).toBe(1);
    expect(words()).toMatch(/BAD {2}serial console: answers/);
  });
});
