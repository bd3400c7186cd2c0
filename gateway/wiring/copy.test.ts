import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { createFileCollector, placeFiles, readFiles } from "../backup/files.ts";
import { writePiece } from "../backup/folder.ts";
import { readConfig } from "../config/config.ts";
import { filesOf, isSecretKey } from "../config/files.ts";
import { sourcesOf } from "./copy.ts";

const PASSPHRASE = "a passphrase for tests";
let folder = temporaryFolder();
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** One that names every file which a configuration can name; each holds its own path. */
function writeAll(): string {
  const dir = folder.path;
  mkdirSync(join(dir, "data"));
  const recipient = {
    ...{ recipientId: "operator-1", name: "Operator", role: "on-call" },
    channels: [{ type: "webhook", url: "https://alerts.example/1", tokenFile: "n/token", secretFile: "n/secret" }],
  };
  const other = { type: "webhook", url: "https://alerts.example/2", secretFile: "n/secret", caFile: "n/ca.pem" };
  mkdirSync(join(dir, "n"));
  for (const name of ["token", "secret", "ca.pem"]) writeFileSync(join(dir, "n", name), join(dir, "n", name));
  writeFileSync(
    join(dir, "notify.json"),
    JSON.stringify({ version: 1, recipients: [recipient, { ...recipient, channels: [other] }] }),
  );
  const toml = `
    [data]\ndir = "data"
    [profile]\nrulesFile = "rulesFile"
    [mqtt]\ntlsCert = "mqtt-cert"\ntlsKey = "mqtt-key"
    [http]\ntlsCert = "http-cert"\ntlsKey = "http-key"
    [influxdb]\nurl = "http://127.0.0.1:8181"\norg = "o"\nbucket = "b"\ntokenFile = "influx-token"\ncaFile = "influx-ca"
    [webhook]\nurl = "https://example.org/h"\nsource = "urn:nld:oin:1:systeem:w"\ntokenFile = "hook-token"\nsecretFile = "hook-secret"\ncaFile = "hook-ca"
    [upstream]\nurl = "mqtts://example.org"\nsource = "urn:nld:oin:1:systeem:w"\nusername = "u"\npasswordFile = "up-password"\ncaFile = "up-ca"
    [chirpstack]\nurl = "mqtt://127.0.0.1"\ntlsCert = "cs-cert"\ntlsKey = "cs-key"\nusername = "u"\npasswordFile = "cs-password"
    [thingsStack]\nurl = "mqtt://127.0.0.1"\nusername = "u-app"\npasswordFile = "tts-key"\ncaFile = "tts-ca"
    [metrics]\ntokenFile = "metrics-token"
    [notify]\nfile = "notify.json"
    [smtp]\nhost = "mail.example.org"\nfrom = "a@example.org"\nuser = "u"\npasswordFile = "smtp-password"\ncaFile = "smtp-ca"
    [sms]\nport = "/dev/ttyUSB2"\npinFile = "sms-pin"
    [backup]\ndir = "copies"\npassphraseFile = "passphrase"
  `.replace(/^ +/gm, "");
  writeFileSync(join(dir, "waakvlam.toml"), toml);
  const config = readConfig(join(dir, "waakvlam.toml"));
  for (const { path } of filesOf(config)) if (!path.endsWith("notify.json")) writeFileSync(path, path);
  return join(dir, "waakvlam.toml");
}

async function copyOf(path: string, passphrase: string | undefined): Promise<string> {
  const copy = join(folder.path, passphrase === undefined ? "plain" : "sealed");
  const files = await createFileCollector(sourcesOf(readConfig(path), path), passphrase).collect(copy);
  for (const { name, bytes } of files) await writePiece(copy, name, bytes);
  return copy;
}

describe("what the configuration names", () => {
  test("is all in the copy and comes back, but for the passphrase", async () => {
    const path = writeAll();
    const copy = await copyOf(path, PASSPHRASE);
    const aside = placeFiles(readFiles(copy, PASSPHRASE), join(folder.path, "spare"));
    const back = new Map(aside.map((one) => [one.was, readFileSync(one.path, "utf8")]));
    const named = filesOf(readConfig(path)).filter(({ key }) => key !== "backup/passphraseFile");
    const inPlan = ["token", "secret", "ca.pem"].map((name) => join(folder.path, "n", name));
    const expected = [path, ...named.map((one) => one.path), ...inPlan];
    expect([...back.keys()].sort()).toEqual(expected.sort());
    for (const [was, text] of back) expect(text).toBe(readFileSync(was, "utf8"));
  });

  test("shows no secret and nobody's address without the passphrase", async () => {
    const path = writeAll();
    const copy = await copyOf(path, undefined);
    expect(readdirSync(copy)).toEqual(["files.json"]);
    const aside = placeFiles(readFiles(copy, undefined), join(folder.path, "spare"));
    const names = filesOf(readConfig(path)).filter(({ key }) => !isSecretKey(key) && key !== "notify/file");
    expect(names.map((one) => one.key)).toEqual(expect.arrayContaining(["profile/rulesFile", "smtp/caFile"]));
    const expected = [path, ...names.map((one) => one.path), join(folder.path, "n", "ca.pem")];
    expect(aside.map((one) => one.was).sort()).toEqual(expected.sort());
  });

  test("does not leave the copy while somebody is at work in the file of recipients", async () => {
    const path = writeAll();
    const sources = sourcesOf(readConfig(path), path);
    const before = sources.named();
    writeFileSync(join(folder.path, "notify.json"), "{");
    expect(sources.named()).toEqual(before);
  });
});
