// What the doctor does to the things that it looks at: nothing.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { GOOD_MODEM, noPty, startPtyModem } from "../../tests/pty-modem.ts";
import { type Clock, systemClock } from "../clock.ts";
import { parseConfig } from "../config/config.ts";
import { createNotifyTester } from "../wiring/notify-test.ts";
import { gather } from "./gather.ts";

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const CLOCK: Clock = { ...systemClock, after: (ms, run) => systemClock.after(ms / 10, run) };
const RECIPIENTS =
  '[[recipients]]\nrecipientId = "officier"\nrole = "officier"\nchannels = [{ type = "sms", phone = "+31600000001" }]\n';

test.skipIf(noPty() !== undefined)(
  "a SIM is never given its PIN, and one that it refused is told of",
  async () => {
    const modem = await startPtyModem([
      ["CPIN\\?", "\r\n+CPIN: SIM PIN\r\nOK\r\n"],
      ["CPIN=", "\r\n+CME ERROR: 16\r\n"],
      ...GOOD_MODEM,
    ]);
    stops.push(modem.stop);
    const folder = temporaryFolder();
    stops.push(folder.remove);
    writeFileSync(join(folder.path, "notify.toml"), RECIPIENTS);
    writeFileSync(join(folder.path, "pin"), "0000\n");
    const raw = {
      data: { dir: folder.path },
      http: { port: 1 },
      mqtt: { port: 2 },
      sms: { port: modem.path, pinFile: "pin" },
      notify: { file: "notify.toml" },
    };
    const config = parseConfig(raw, { path: "test", baseDir: folder.path });
    const look = async () => (await gather({ config, clock: CLOCK })).notify?.ways;
    const given = () => modem.came.filter((one) => one.startsWith("AT+CPIN=")).length;
    for (let i = 0; i < 2; i++) {
      expect(await look()).toEqual([{ name: "sms", waits: expect.stringMatching(/asks for its PIN/) }]);
    }
    expect([given(), existsSync(join(folder.path, "sms-pin.json"))]).toEqual([0, false]);
    // By hand it is given, once.
    const tester = createNotifyTester(CLOCK);
    for (let i = 0; i < 3; i++) await tester(config, "officier", () => undefined);
    expect(await look()).toEqual([{ name: "sms", failure: expect.stringMatching(/not tried again/) }]);
    expect(given()).toBe(1);
  },
  30_000,
);
