// Certificates that are replaced while the gateway runs: both listeners, files of the same name and of another.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type App, startApp } from "../../gateway/app.ts";
import { systemClock } from "../../gateway/clock.ts";
import { readConfig } from "../../gateway/config/config.ts";
import { createLogs } from "../../gateway/log.ts";
import { createCertificates } from "../../gateway/registry/certificates.ts";
import { temporaryFolder } from "../fixtures.ts";

let folder: ReturnType<typeof temporaryFolder>;
let app: App | undefined;
const sockets: TLSSocket[] = [];
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await app?.stop();
  app = undefined;
  folder.remove();
});

/** Open until the end of the test. */
async function open(port: number): Promise<TLSSocket> {
  // Which certificate it is, is the question.
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  sockets.push(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  return socket;
}

/** The name in the certificate that a new connection is shown. */
async function shown(port: number): Promise<string> {
  return String((await open(port)).getPeerCertificate().subject.CN);
}

test("a new certificate holds for new connections after a reload, and a pair that does not fit changes nothing", async () => {
  const { path } = folder;
  const [first, second] = [join(path, "one"), join(path, "two")];
  const one = await createCertificates(first, ["one.lan"], systemClock.nowMs());
  const two = await createCertificates(second, ["two.lan"], systemClock.nowMs());
  const file = join(path, "waakvlam.toml");
  const configure = (mqtt: typeof one, http: typeof one) => {
    const section = (name: string, of: typeof one) =>
      `[${name}]\nport = 0\ntlsCert = '${of.certificate}'\ntlsKey = '${of.key}'\n`;
    writeFileSync(file, `[data]\ndir = 'data'\n${section("mqtt", mqtt)}${section("http", http)}`);
  };
  configure(one, one);
  const logs = createLogs({ level: "error", destination: { write: () => undefined } });
  app = await startApp(readConfig(file), { logs, readConfig: () => readConfig(file), configPath: file });
  const [mqtt, http] = [app.mqtt.port, app.http.port];
  expect([await shown(mqtt), await shown(http)]).toEqual(["one.lan", "one.lan"]);
  const old = await open(mqtt);

  // The same names, other files: as a renewal leaves them.
  await createCertificates(first, ["renewed.lan"], systemClock.nowMs());
  const changes = ["http.tlsCert", "http.tlsKey", "mqtt.tlsCert", "mqtt.tlsKey"];
  expect((await app.reload()).changes.toSorted()).toEqual(changes.map((key) => `${key}: read anew (at once)`));
  expect([await shown(mqtt), await shown(http)]).toEqual(["renewed.lan", "renewed.lan"]);
  expect(old.destroyed).toBe(false);

  configure(one, two);
  const other = await app.reload();
  expect(other.changes).toEqual([
    `http.tlsCert: "${one.certificate}" → "${two.certificate}" (at once)`,
    `http.tlsKey: "${one.key}" → "${two.key}" (at once)`,
  ]);
  expect([await shown(mqtt), await shown(http)]).toEqual(["renewed.lan", "two.lan"]);

  configure({ ...one, key: two.key }, two);
  expect(await app.reload()).toMatchObject({ kind: "refused" });
  expect([await shown(mqtt), await shown(http)]).toEqual(["renewed.lan", "two.lan"]);

  writeFileSync(file, "[data]\ndir = 'data'\n[mqtt]\nport = 0\n[http]\nport = 0\n");
  expect((await app.reload()).changes).toContain(`http.tlsKey: "${two.key}" → not set (after a restart)`);
  expect([await shown(mqtt), await shown(http)]).toEqual(["renewed.lan", "two.lan"]);
});
