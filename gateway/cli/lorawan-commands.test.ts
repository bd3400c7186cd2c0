// `waakvlam lorawan` on a real data folder, with a gateway's desk beside it that takes up what it asks, and without one.
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "citty";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Registry } from "../../protocol/index.ts";
import { NOON_MS, temporaryFolder } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import type { Clock } from "../clock.ts";
import { parseConfig } from "../config/config.ts";
import { listProblems } from "../config/problems.ts";
import { loadLorawanKeys } from "../registry/lorawan-keys.ts";
import { endRequest, listRequests } from "../registry/lorawan-requests.ts";
import { loadRegistry, saveRegistry } from "../registry/registry.ts";
import type { ExitCode } from "./commands.ts";
import { lorawanCommands } from "./lorawan-definitions.ts";

const DEMO = JSON.parse(readFileSync(new URL("../../tests/demo/registry.json", import.meta.url), "utf8")) as Registry;
const EUI = "24e124713d491234";
const ADD = ["add", "alm-01-t1", "--point", "alm-01", "--model", "em500-udl", "--dev-eui", "24-E1-24-71-3D-49-12-34"];
let folder: ReturnType<typeof temporaryFolder>;
let out: string[] = [];
let err: string[] = [];
let input = "";
beforeEach(() => {
  folder = temporaryFolder();
  [out, err, input] = [[], [], ""];
  saveRegistry(folder.path, DEMO);
});
afterEach(() => folder.remove());

const at = (name: string) => join(folder.path, name);

/** Time goes on only while the command waits; `answer` is the gateway's, to the requests that wait. */
async function run(rawArgs: readonly string[], answer?: (kind: string) => unknown): Promise<ExitCode | undefined> {
  const still = virtualClock(NOON_MS);
  const clock: Clock = {
    ...still,
    after: (delayMs, then) => {
      for (const { requestId, request } of answer === undefined ? [] : listRequests(folder.path)) {
        if (request !== undefined && request.kind !== "note")
          endRequest(folder.path, requestId, answer?.(request.kind));
      }
      const timer = still.after(delayMs, then);
      void still.advance(delayMs);
      return timer;
    },
  };
  let code: ExitCode | undefined;
  const io = {
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    ...{ nowMs: () => NOON_MS, isTerminal: input === "", readInput: () => input },
  };
  const config = parseConfig({ data: { dir: folder.path } }, { path: "test", baseDir: folder.path });
  const end = (one: ExitCode) => {
    code = one;
  };
  const shell = { io, configOf: () => config, fileOf: () => undefined, end };
  await runCommand(lorawanCommands(shell, { clock, user: "beheer" }), { rawArgs: [...rawArgs] });
  return code;
}

const key = (devEui = EUI) => loadLorawanKeys(folder.path).get(devEui)?.appKey ?? "none";
const notes = () => listRequests(folder.path).flatMap(({ request }) => (request?.kind === "note" ? [request.act] : []));

describe("keys are shown once", () => {
  test("on the terminal, when no file is named, and the act is left for the log", async () => {
    expect(await run(ADD)).toBe(0);
    const text = out.join("\n").replaceAll(" ", "");
    expect(text).toContain(key());
    expect(err[0]).toContain("shown this once");
    expect(notes()).toEqual([
      {
        ...{ atMs: NOON_MS, actor: "beheer", action: "lorawan-device-added", object: "alm-01-t1" },
        detail: `at alm-01, DevEUI ${EUI}`,
      },
    ]);
  });

  test("or in a label and a file for flashing, readable by this user alone, and nowhere else", async () => {
    const [label, credentials] = [at("label.svg"), at("keys-to-flash.json")];
    const add = ["add", "alm-01-d9", "--point", "alm-01", "--board", "esp32", "--dev-eui", EUI];
    expect(await run([...add, "--label", label, "--credentials", credentials])).toBe(0);
    const { devices } = JSON.parse(readFileSync(credentials, "utf8"));
    expect(devices).toEqual([
      {
        ...{ deviceId: "alm-01-d9", pointId: "alm-01", key: expect.stringMatching(/^[0-9a-f]{64}$/) },
        lorawan: { devEui: EUI, joinEui: "0000000000000000", appKey: key() },
      },
    ]);
    expect(readFileSync(label, "utf8")).toContain("<svg");
    for (const path of [label, credentials]) expect(statSync(path).mode & 0o777).toBe(0o600);
    expect([...out, ...err].join()).not.toContain(key());
    expect(out[0]).toContain("alm-01-d9 (24e124713d491234) at alm-01; its keys are in");
  });

  test("as JSON, without them where a file has them", async () => {
    await run([...ADD, "--json"]);
    expect(JSON.parse(out[0] ?? "")).toMatchObject({ devEui: EUI, keys: { appKey: key() } });
    const before = key();
    await run(["rekey", "alm-01-t1", "--json", "--label", at("label.txt")]);
    expect(key()).not.toBe(before);
    expect(out[1]).not.toContain(key());
    expect(readFileSync(at("label.txt"), "utf8").replaceAll(" ", "")).toContain(key());
  });

  test("those that a device has already come on standard input", async () => {
    input = "AABBCCDDEEFF00112233445566778899\n";
    expect(await run([...ADD, "--own-keys"])).toBe(0);
    expect(key()).toBe("aabbccddeeff00112233445566778899");
    input = `00ab12cd ${"1f".repeat(16)} ${"2e".repeat(16)}`;
    expect(
      await run([
        "add",
        "alm-01-t2",
        "--point",
        "alm-01",
        "--model",
        "VS121",
        "--abp",
        "--own-keys",
        "--label",
        at("x"),
      ]),
    ).toBe(0);
    expect(loadLorawanKeys(folder.path).all()).toContainEqual([
      expect.any(String),
      { devAddr: "00ab12cd", nwkSKey: "1f".repeat(16), appSKey: "2e".repeat(16) },
    ]);
  });
});

test.each([
  [["add", "alm-01-t1", "--point", "alm-01"], 2, "Say what it is: --model MODEL, or --board BOARD"],
  [["add", "alm-01-t1", "--point", "alm-01", "--model", "EM500"], 2, "model EM500 is not known"],
  [["add", "alm-01-t1", "--point", "alm-01", "--board", "esp23"], 2, "did you mean esp32?"],
  [[...ADD, "--lorawan-version", "1.1"], 2, "LoRaWAN version 1.1 is not known"],
  [[...ADD, "--own-keys"], 2, "Give the keys on standard input"],
  [[...ADD, "--credentials", "FILE"], 2, "--credentials is for flashing boards of ours"],
] as const)("%j is told of, and writes nothing", async (args, code, text) => {
  expect(await run(args.map((word) => (word === "FILE" ? at("file") : word)))).toBe(code);
  expect(err.join("\n")).toContain(text);
  expect([existsSync(at("lorawan-keys.json")), existsSync(at("file")), notes()]).toEqual([false, false, []]);
});

test("keys that have nowhere to go are not made", async () => {
  await expect(run([...ADD, "--label", at("no/such/folder.svg")])).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
  expect(existsSync(at("lorawan-keys.json"))).toBe(false);
});

test("a device is replaced, heard no more and heard again", async () => {
  await run(ADD);
  expect(await run(["replace", "alm-01-t1", "--with", "alm-01-t2", "--label", at("l.svg")])).toBe(0);
  expect(await run(["disable", "alm-01-t2"])).toBe(0);
  expect(await run(["disable", "alm-01-t2"])).toBe(0);
  expect(out.slice(-2)).toEqual(["alm-01-t2 is heard no more", "alm-01-t2 is heard no more already"]);
  const row = loadRegistry(folder.path, listProblems).devices.at(-1);
  expect(row).toMatchObject({ deviceId: "alm-01-t2", disabled: true, model: "EM500-UDL" });
  expect(await run(["enable", "alm-01-t2", "--json"])).toBe(0);
  expect(JSON.parse(out.at(-1) ?? "")).toEqual({ deviceId: "alm-01-t2", disabled: false, changed: true });
  expect(
    notes()
      .map(({ action }) => action)
      .sort(),
  ).toEqual(["lorawan-device-added", "lorawan-device-disabled", "lorawan-device-enabled", "lorawan-device-replaced"]);
  await expect(run(["rekey", "alm-01-t9"])).rejects.toMatchObject({ code: "DEVICE_UNKNOWN" });
});

describe("what only a gateway that runs knows", () => {
  test("is asked of it, and its answer told", async () => {
    await run(ADD);
    expect(await run(["flush-nonces", "alm-01-t1"], () => ({ done: true }))).toBe(0);
    expect(out.at(-1)).toBe("alm-01-t1: done");
    expect(await run(["forget-session", "alm-01-t1"], () => ({ failed: "this gateway runs no LoRaWAN network" }))).toBe(
      1,
    );
    expect(err.at(-1)).toContain("runs no LoRaWAN network");
    const session = { state: "active", counterUp: 7, downlinks: 0, noncesUsed: 2, noncesMax: 4096 };
    const device = { deviceId: "alm-01-t1", pointId: "alm-01", devEui: EUI, disabled: false, hasKeys: true, session };
    const station = {
      ...{ stationId: "0016c001f153a14c", name: "dak", connected: true, silent: false, framesHeard: 9 },
      ...{
        transmissions: { sent: 3 },
        refused: { token: 1 },
        airtime: [{ band: "P", usedMs: 36_000, limitMs: 360_000 }],
      },
    };
    const told = () => ({ devices: [device], stations: [station] });
    expect(await run(["list"], told)).toBe(0);
    expect(out.at(-1)).toMatch(/^alm-01-t1 {2}alm-01 {2}24e124713d491234 {2}active +7 +2\/4096$/);
    expect(await run(["stations"], told)).toBe(0);
    expect(out.at(-1)).toMatch(/connected +9 +3 +1 +P 10 %$/);
  });

  test("waits for one that starts, and is said to", async () => {
    await run(ADD);
    expect(await run(["flush-nonces", "alm-01-t1"])).toBe(0);
    expect(err.at(-1)).toContain("it is done when one starts");
    const [waiting] = listRequests(folder.path).filter(({ request }) => request?.kind === "flush-nonces");
    expect(waiting?.request).toMatchObject({ devEui: EUI, act: { actor: "beheer", object: "alm-01-t1" } });
    expect(await run(["list", "--json"])).toBe(0);
    expect(JSON.parse(out.at(-1) ?? "")).toMatchObject({
      live: false,
      devices: [{ deviceId: "alm-01-t1", hasKeys: true }],
    });
    expect(await run(["stations"])).toBe(1);
    expect(listRequests(folder.path).some(({ request }) => request?.kind === "tell")).toBe(false);
  });
});

test("what is exported for ChirpStack comes back; without --keys there are none", async () => {
  await run(ADD);
  const target = ["--application", "a", "--profile", "b"];
  expect(await run(["export", at("whole.json"), ...target, "--keys"])).toBe(0);
  expect(statSync(at("whole.json")).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(at("whole.json"), "utf8"))[0].deviceKeys).toEqual({ devEui: EUI, nwkKey: key() });
  out = [];
  await run(["export", ...target]);
  expect(out.join()).not.toContain(key());
  saveRegistry(folder.path, DEMO);
  const before = readFileSync(at("registry.json"), "utf8");
  expect(await run(["import", at("whole.json"), "--dry-run"])).toBe(0);
  expect(out.at(-1)).toBe("1 added, keys of 0 set, 0 as they were; nothing written");
  expect(readFileSync(at("registry.json"), "utf8")).toBe(before);
  expect(await run(["import", at("whole.json"), "--json"])).toBe(0);
  expect(JSON.parse(out.at(-1) ?? "")).toMatchObject({ dryRun: false, added: ["alm-01-t1"] });
  writeFileSync(at("bad.json"), "{");
  await expect(run(["import", at("bad.json")])).rejects.toMatchObject({ code: "IMPORT_INVALID" });
});
