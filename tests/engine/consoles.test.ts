// On the real engine: the flash dialogue lays a board out as the virtual boards have it, the loader boots from it, and from then
// on neither the serial console nor telnet answers; with the button held they do, and update and self-test work.
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterAll, describe, expect, test } from "vitest";
import { BOARD_TABLES, type BoardTable, FILES } from "../../firmware/boards/table.ts";
import { createImage, loaderBytes, slotLayout } from "../../firmware/build/image.ts";
import { converse } from "../../firmware/cli/port.ts";
import { listensOn } from "../../firmware/cli/self-test.ts";
import { createFlash, loadImage } from "../../firmware/simulator/flash.ts";
import { realClock } from "../../firmware/simulator/real-clock.ts";
import { type ConsoleStep, MARK } from "../../protocol/console/dialogue.ts";
import { flashSteps } from "../../protocol/console/flash.ts";
import { selfTestFindings, selfTestSteps } from "../../protocol/console/self-test.ts";
import { slotQuestions, slotsFrom, slotToWrite, updateSteps } from "../../protocol/console/update.ts";
import { waitFor } from "../fixtures.ts";
import { type BareEngine, createBareEngine } from "./bare.ts";
import { findEspruino, unless } from "./find.ts";
import { describeEngine } from "./kind.ts";

const TELNET = 2323;
const CONFIG = { deviceId: "a" } as never;

/** Tells the test in files what it sees: which slot it is, and what its serial line hears that the console did not take. */
const PROGRAM = Buffer.from(
  'var fs=require("fs"),heard="";fs.writeFileSync("ran","slot "+wkSlot+", console "+E.getConsole());' +
    'USB.on("data",function(d){heard+=d;fs.writeFileSync("heard",heard)})',
  "latin1",
);

/** What an engine for Linux lacks of a board. */
function partsOf(isHeld: boolean): string {
  return [
    "global.BTN1=D1;global.LED1=D2;global.NRF={sleep:function(){global.radio=0}};",
    `global.digitalRead=function(){return ${isHeld ? 1 : 0}};global.digitalWrite=function(){};`,
    'global.E_reboot=E.reboot;E.reboot=function(){print("REBOOT")};',
  ].join("");
}

/** Without the last step: an engine for Linux ends where a board starts anew. */
function withoutRestart(steps: readonly ConsoleStep[]): ConsoleStep[] {
  return steps.filter((step) => step.kind !== "restart");
}

async function ask(line: Duplex, steps: readonly ConsoleStep[]): Promise<readonly string[]> {
  const result = await converse({ line, clock: realClock, progress: () => undefined }, withoutRestart(steps));
  expect(result.kind === "done" ? "done" : JSON.stringify(result)).toBe("done");
  return result.kind === "done" ? result.answers : [];
}

/** Whether a console behind the telnet port works out what it is told. */
function telnetAnswers(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port: TELNET });
    const end = (answers: boolean) => {
      forget();
      socket.destroy();
      resolve(answers);
    };
    const forget = realClock.after(2_000, () => end(false));
    let said = "";
    socket.on("connect", () => socket.write('\x10print("telnet "+6*7)\n'));
    socket.on("data", (data: Buffer) => {
      said += data.toString("latin1");
      if (said.includes("telnet 42")) end(true);
    });
    socket.on("error", () => end(false));
  });
}

const disposals: (() => void)[] = [];
afterAll(() => {
  for (const dispose of disposals) dispose();
});

async function modelOf(table: BoardTable): Promise<{ engine: BareEngine; name: string } | undefined> {
  const binary = findEspruino(table.name);
  if (binary === undefined) return undefined;
  const kind = await describeEngine(binary, table);
  // The loader has the board's own addresses in it.
  if (!kind.isModel) return undefined;
  const engine = createBareEngine(binary, kind, table);
  disposals.push(engine.dispose);
  const line = engine.start();
  const [name = ""] = await ask(line, [{ kind: "ask", code: "process.env.BOARD" }]);
  engine.stop();
  return { engine, name };
}

const MODELS = new Map<string, { engine: BareEngine; name: string } | undefined>();
for (const table of BOARD_TABLES) MODELS.set(table.name, await modelOf(table));

function virtualStorage(table: BoardTable): Uint8Array {
  const flash = createFlash(table);
  loadImage(flash, createImage(table, PROGRAM, CONFIG));
  return flash.read(table.storagePages * table.pageBytes, table.storageAddress);
}

describe.each(BOARD_TABLES)("$name", (table) => {
  const model = MODELS.get(table.name);
  const { engine, name } = model ?? ({} as { engine: BareEngine; name: string });
  const isThere = test.skipIf(model === undefined);
  const lack = unless(model !== undefined);
  const hasTelnet = model !== undefined && table.name === "esp32";
  const layout = { ...slotLayout(table), board: name };

  isThere(`is laid out by the flash dialogue as virtual boards are${lack}`, async () => {
    const image = createImage(table, PROGRAM, CONFIG);
    const line = engine.start();
    await ask(line, flashSteps({ board: name, files: image.files, parts: image.parts }));
    engine.stop();
    expect(Buffer.compare(engine.storage(), virtualStorage(table))).toBe(0);
  });

  isThere(`runs its program, and the consoles answer nothing${lack}`, async () => {
    engine.load(virtualStorage(table), partsOf(false));
    const line = engine.start(table.name === "esp32" ? ["--telnet"] : []);
    await waitFor("the program", () => existsSync(join(engine.folder, "ran")));
    expect(readFileSync(join(engine.folder, "ran"), "latin1")).toBe("slot 0, console null");
    line.write(`\x03\n\x10print("${MARK}"+6*7)\n`);
    const heard = () =>
      existsSync(join(engine.folder, "heard")) && readFileSync(join(engine.folder, "heard"), "latin1");
    await waitFor("the line to be heard", () => String(heard()).includes("6*7)"));
    if (table.name === "esp32") expect(await listensOn("127.0.0.1", TELNET)).toBe(false);
    expect(engine.said()).not.toContain(`${MARK}42`);
    engine.stop();
    // The try of this boot, and nothing else.
    const changed = engine.storage().findIndex((byte, at) => byte !== virtualStorage(table)[at]);
    expect(changed).toBe(table.pageBytes + 24);
  });

  test.skipIf(!hasTelnet)(
    `telnet answers on the bench${unless(hasTelnet, "no Espruino found that has telnet")}`,
    async () => {
      engine.load(virtualStorage(table), partsOf(true));
      engine.start(["--telnet"]);
      let answers = false;
      await waitFor("telnet", async () => {
        answers ||= await telnetAnswers();
        return answers;
      });
      engine.stop();
    },
  );

  isThere(`answers on the bench: self-test, update, and then the new program runs${lack}`, async () => {
    engine.load(virtualStorage(table), partsOf(true));
    const line = engine.start();
    const plan = { ...table, ...layout, loaderFile: FILES.loader, loader: loaderBytes(table) };
    const findings = selfTestFindings(plan, await ask(line, selfTestSteps(plan)));
    // The stand-in for the board's parts is a fourth file.
    expect(findings.filter((one) => !one.isGood).map((one) => one.subject)).toEqual(["storage"]);
    expect(findings.map((one) => `${one.subject}: ${one.detail}`)).toEqual(
      expect.arrayContaining([
        `slot A: turn 1, ${PROGRAM.length} bytes, not confirmed, 7 tries left; starts`,
        "configuration: checks",
        `ring: 0 of ${table.ringPages} pages in use`,
      ]),
    );
    const { slot, turn } = slotToWrite(slotsFrom(await ask(line, slotQuestions(layout))));
    const next = Buffer.from(`require("fs").writeFileSync("ran","new in slot "+wkSlot)${" ".repeat(2_000)}`, "latin1");
    await ask(line, updateSteps(layout, slot, turn, next));
    engine.stop();
    engine.load(engine.storage(), partsOf(false));
    engine.start();
    await waitFor("the new program", () =>
      readFileSync(join(engine.folder, "ran"), "latin1").includes(`new in slot ${table.slots - 1}`),
    );
    engine.stop();
  });
});
