// Notification in a gateway that runs: an alert about a refused configuration reaches a reader over MQTT, in the state of the gateway
// it can be seen, recipients are read again, and a file with a mistake costs nobody the gateway.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { afterEach, expect, test } from "vitest";
import { type GatewayConfig, type Notice, noticeTopic } from "../../protocol/index.ts";
import { temporaryFolder, waitFor } from "../../tests/fixtures.ts";
import { type App, startApp } from "../app.ts";
import { notifyTestCommand } from "../cli/notify-commands.ts";
import { systemClock } from "../clock.ts";
import { parseConfig } from "../config/config.ts";
import { createLogs } from "../log.ts";
import { addPerson } from "../registry/people.ts";
import { createNotifyTester } from "./notify-test.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const GOOD =
  '[[recipients]]\nrecipientId = "officier"\nrole = "officier"\nlanguage = "en"\nchannels = [{ type = "mqtt" }]\n';

async function start(recipients: string) {
  const folder = temporaryFolder();
  stops.push(folder.remove);
  const file = join(folder.path, "notify.toml");
  writeFileSync(file, recipients);
  const raw = { data: { dir: folder.path }, mqtt: { port: 0 }, http: { port: 0 }, notify: { file } };
  const config = parseConfig(raw, { path: "test", baseDir: folder.path });
  await addPerson(folder.path, { name: "lezer", role: "viewer" }, "lang-wachtwoord");
  const logs = createLogs({ level: "error", destination: { write: () => undefined } });
  const offered = { read: (): GatewayConfig => config };
  const app: App = await startApp(config, { logs, readConfig: () => offered.read() });
  stops.push(app.stop);
  return { app, file, config, offered };
}

test("an alert is told over MQTT under the id of its notice, and not retained", async () => {
  const { app, offered } = await start(GOOD);
  const url = `mqtt://127.0.0.1:${app.mqtt.port}`;
  const client = await connectAsync(url, { username: "lezer", password: "lang-wachtwoord", clientId: "lezer" });
  stops.push(() => client.endAsync(true));
  const came: { topic: string; notice: Notice; retain: boolean }[] = [];
  client.on("message", (topic, payload, packet) => {
    came.push({ topic, notice: JSON.parse(payload.toString()) as Notice, retain: packet.retain });
  });
  await client.subscribeAsync(noticeTopic("+"));
  expect(app.engine.gateway().notify).toMatchObject({ recipients: 1, waiting: 0 });
  offered.read = () => {
    throw new Error("line 3: not TOML");
  };
  expect((await app.reload()).kind).toBe("refused");
  await waitFor("the notice", () => came.length > 0, 25_000);
  const [first] = came;
  expect(first?.retain).toBe(false);
  expect(first?.topic).toBe(noticeTopic(first?.notice.noticeId ?? ""));
  expect(first?.notice.headline).toContain("PRIO 3 | New configuration refused | gateway");
}, 40_000);

test("recipients are read again on a reload, and a mistake in them leaves the old ones in force", async () => {
  const { app, file } = await start(GOOD);
  writeFileSync(file, `${GOOD}${GOOD.replace('"officier"', '"wacht"')}`);
  expect((await app.reload()).changes).toEqual(["notify.file: recipients added: wacht (at once)"]);
  expect(app.engine.gateway().notify?.recipients).toBe(2);
  writeFileSync(file, `${GOOD}channel = 1\n`);
  expect(await app.reload()).toMatchObject({
    kind: "refused",
    problems: [expect.stringMatching(/^\/.*notify\.toml: line 6: recipients\/0\/channel is not a known key/)],
  });
  expect(app.engine.gateway().notify?.recipients).toBe(2);
}, 40_000);

test("a gateway whose recipients cannot be used runs all the same, and says so", async () => {
  const { app } = await start("[[recipients\n");
  await waitFor("the alert", () => app.engine.alerts().some((one) => one.ruleId === "config-refused"));
  expect(app.engine.gateway().notify).toBeUndefined();
}, 40_000);

test("a test message by hand: what only the running gateway can do is skipped, and nobody is said to be reached", async () => {
  const folder = temporaryFolder();
  stops.push(folder.remove);
  const file = join(folder.path, "notify.toml");
  writeFileSync(file, GOOD);
  const config = parseConfig({ notify: { file } }, { path: "test", baseDir: folder.path });
  const said: string[] = [];
  const io = { out: (line: string) => void said.push(line), err: (line: string) => void said.push(line) };
  const tester = createNotifyTester(systemClock);
  expect(await notifyTestCommand({ config, recipientId: "officier", json: false }, tester, io)).toBe(1);
  expect(said[0]).toMatch(/^mqtt {5}skipped/);
  expect(await notifyTestCommand({ config, recipientId: "oficier", json: false }, tester, io)).toBe(2);
  expect(said.at(-1)).toBe("There is no recipient oficier: did you mean officier? There is: officier");
  const { notify: _, ...none } = config;
  expect(await notifyTestCommand({ config: none, recipientId: "officier", json: true }, tester, io)).toBe(2);
});
