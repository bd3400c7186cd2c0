// A SIM locks at the third wrong PIN in a row: however often carriers are made anew, by reloads, restarts and commands, one that was
// refused is not given again.
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { systemClock } from "../clock.ts";
import { type Line, SIM_WAITS } from "./modem.ts";
import { createSimPin, createUngivenPin } from "./sim-pin.ts";
import { createSmsCarrier } from "./sms.ts";

const PORT = "/dev/serial/by-id/modem";
const CLOCK = { after: (ms: number, run: () => void) => systemClock.after(ms / 1000, run) };

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** A modem whose SIM asks until it has the right PIN. */
function simOf(right: string, answersPin = true) {
  const given: string[] = [];
  let isOpen = false;
  const answerTo = (command: string): string | undefined => {
    if (command === "AT+CPIN?") return `+CPIN: ${isOpen ? "READY" : "SIM PIN"}\r\nOK`;
    if (command === "AT+CREG?") return "+CREG: 0,1\r\nOK";
    const pin = /^AT\+CPIN="(.*)"$/.exec(command)?.[1];
    if (pin === undefined) return "OK";
    given.push(pin);
    isOpen = pin === right;
    if (!answersPin) return undefined;
    return isOpen ? "OK" : "+CME ERROR: 16";
  };
  const open = async (): Promise<Line> => {
    let tell: (bytes: Uint8Array) => void = () => undefined;
    return {
      write: (bytes) => {
        const answer = answerTo(Buffer.from(bytes).toString("latin1").trim());
        if (answer !== undefined) queueMicrotask(() => tell(Buffer.from(`\r\n${answer}\r\n`)));
      },
      onData: (listener) => {
        tell = listener;
      },
      onEnd: () => undefined,
      close: async () => undefined,
    };
  };
  const switchOff = () => {
    isOpen = false;
  };
  return { given, open, switchOff };
}

type Sim = ReturnType<typeof simOf>;

/** As after a reload, a restart, or by another command. */
function lookAnew({ open }: Sim, pin: string, make = createSimPin) {
  const simPin = make({ dir: folder.path, port: PORT, pin });
  return createSmsCarrier({ port: PORT, baud: 115_200, clock: CLOCK, open, pin: simPin }).look?.();
}

describe("the PIN of a SIM", () => {
  test("that was refused is given once, and another one in its place once more", async () => {
    const sim = simOf("4711");
    expect(await lookAnew(sim, "0000")).toBe("the PIN is refused (CME 16)");
    for (let i = 0; i < 3; i++) expect(await lookAnew(sim, "0000")).toMatch(/not tried again.*sms-pin\.json$/);
    expect(await lookAnew(sim, "1111")).toBe("the PIN is refused (CME 16)");
    expect(await lookAnew(sim, "1111")).toMatch(/not tried again/);
    expect(await lookAnew(sim, "0000")).toMatch(/not tried again/);
    expect(sim.given).toEqual(["0000", "1111"]);
    expect(await lookAnew(sim, "4711")).toBeUndefined();
  });

  test("is never given by who only looks, who says what is known of it and notes nothing", async () => {
    const sim = simOf("4711");
    for (let i = 0; i < 3; i++) expect(await lookAnew(sim, "0000", createUngivenPin)).toBe(SIM_WAITS);
    expect([sim.given, existsSync(join(folder.path, "sms-pin.json"))]).toEqual([[], false]);
    await lookAnew(sim, "0000");
    expect(await lookAnew(sim, "0000", createUngivenPin)).toMatch(/not tried again/);
    await lookAnew(sim, "4711");
    expect(sim.given).toEqual(["0000", "4711"]);
  });

  test("whose answer is lost is given twice at most", async () => {
    const sim = simOf("4711", false);
    for (let i = 0; i < 4; i++) await lookAnew(sim, "0000");
    expect(sim.given).toEqual(["0000", "0000"]);
  });

  test("that was taken may be given whenever the modem was off", async () => {
    const sim = simOf("4711");
    for (let i = 0; i < 4; i++) {
      expect(await lookAnew(sim, "4711")).toBeUndefined();
      sim.switchOff();
    }
    expect(sim.given).toHaveLength(4);
    expect(existsSync(join(folder.path, "sms-pin.json"))).toBe(false);
  });

  test("is not in the file that remembers it, which others may not read", async () => {
    await lookAnew(simOf("4711"), "0000");
    const path = join(folder.path, "sms-pin.json");
    expect(readFileSync(path, "utf8")).not.toContain("0000");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("is not given where what was tried cannot be known or kept", async () => {
    const sim = simOf("4711");
    for (const text of ["{", "{}", "null"]) {
      writeFileSync(join(folder.path, "sms-pin.json"), text);
      expect(await lookAnew(sim, "4711")).toMatch(/cannot be kept.*sms-pin\.json/);
    }
    const gone = createSimPin({ dir: join(folder.path, "gone"), port: PORT, pin: "4711" });
    expect(gone.begin()).toMatch(/cannot be kept/);
    expect(sim.given).toEqual([]);
  });
});
