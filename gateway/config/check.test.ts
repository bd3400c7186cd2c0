import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GatewayConfigSchema } from "../../protocol/index.ts";
import { NOON_MS, temporaryFolder } from "../../tests/fixtures.ts";
import type { GatewayError } from "../errors.ts";
import { createCertificates } from "../registry/certificates.ts";
import { linedProblems, parseConfig, readConfig } from "./config.ts";
import { afterReload, changeText, configDifference, effectOf, shownConfig } from "./difference.ts";
import { fileProblems } from "./files.ts";
import { keyPositions, withLine } from "./positions.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

function file(name: string, text: string): string {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
}

function problemsOf(text: string): readonly string[] {
  try {
    readConfig(file("x.toml", text));
  } catch (error) {
    return (error as GatewayError).detail["problems"] as string[];
  }
  return [];
}

const config = (raw: unknown) => parseConfig(raw, { path: "x.toml", baseDir: folder.path });

describe("a problem has its line", () => {
  test("of a key that is wrong, unknown, or missing; all at once", () => {
    const problems = problemsOf(
      '# a comment = 1\n[mqtt]\nprot = 1\nport = 99999\n\n[htpp]\nport = 1\n[influxdb]\nurl = "https://a"\norg = "o"\n[log]\nlevel="loud"\n',
    );
    expect(problems).toEqual([
      "line 6: htpp is not a known key: did you mean http?",
      "line 3: mqtt/prot is not a known key: did you mean port?",
      "line 4: mqtt/port must be <= 65535",
      "line 8: influxdb misses bucket, tokenFile",
      "line 12: log/level must be one of debug, info, warn, error",
    ]);
  });

  test("of rules across keys, and of what is not TOML", () => {
    expect(problemsOf('[mqtt]\nport = 80\n\n[http]\nhost = "::"\nport = 80\n')).toEqual([
      expect.stringMatching(/^line 6: http\.port 80 is that of mqtt too/),
      expect.stringMatching(/^line 5: http\.host :: can be reached by others/),
    ]);
    expect(problemsOf("[mqtt]\nport = 1\nhost = \n")[0]).toMatch(/^line 3, column \d+: /);
    expect(problemsOf("[mqtt]\nport = 0\n[http]\nport = 0\n")).toEqual([]);
  });

  test("through dotted and quoted keys, texts of several lines, and arrays of tables", () => {
    const text = 'a.b = 1\n"c d" = """\nx = 1\n"""\ny = 2\n[[sink]]\nurl = 1\n[[sink]]\n  url = 2\n[p."q".r]\ns = 1\n';
    expect([...keyPositions(text)]).toEqual([
      ["a/b", 1],
      ["a", 1],
      ["c d", 2],
      ["y", 5],
      ["sink/0", 6],
      ["sink", 6],
      ["sink/0/url", 7],
      ["sink/1", 8],
      ["sink/1/url", 9],
      ["p/q/r", 10],
      ["p/q", 10],
      ["p", 10],
      ["p/q/r/s", 11],
    ]);
    expect(withLine("nowhere/at must be", keyPositions(text))).toBe("nowhere/at must be");
    expect([...keyPositions(text.replaceAll("\n", "\r\n"))]).toEqual([...keyPositions(text)]);
  });
});

describe("what a configuration names outside itself", () => {
  test("is found when all is there", async () => {
    const tls = await createCertificates(folder.path, ["localhost"], NOON_MS);
    const http = { tlsCert: tls.certificate, tlsKey: tls.key };
    const metrics = { tokenFile: file("m", "0123456789abcdef\n") };
    const influxdb = { url: "https://a", org: "o", bucket: "b", tokenFile: file("t", "secret\n") };
    expect(fileProblems(config({ data: { dir: "new/deep" }, http, metrics, influxdb }))).toEqual([]);
  });

  test("and named when it is not, with the line of its key", () => {
    const influxdb = { url: "https://a", org: "o", bucket: "b", tokenFile: "gone" };
    const metrics = { tokenFile: file("m", "short\n") };
    const problems = fileProblems(config({ influxdb, metrics, data: { dir: file("a-file", "") } }));
    expect(problems).toEqual([
      expect.stringMatching(/^data\/dir: .*a-file is not a folder$/),
      expect.stringMatching(/^influxdb\/tokenFile: .*gone cannot be read \(ENOENT\)$/),
      "metrics/tokenFile: the token has 5 characters, at least 16",
    ]);
    const path = file("x.toml", "[metrics]\n\ntokenFile = 'm'\n");
    expect(linedProblems(path, problems)[2]).toMatch(/^line 3: metrics\/tokenFile/);
    expect(fileProblems(config({ influxdb: { ...influxdb, tokenFile: file("e", "\n") } }))[0]).toMatch(/e is empty$/);
    const tokenFile = file("two", "0123456789abcdef\n# of the region\n");
    const webhook = { url: "https://a", source: "urn:nld:oin:00000001823288444000:systeem:w", tokenFile };
    expect(fileProblems(config({ influxdb: { ...influxdb, tokenFile }, webhook, metrics: { tokenFile } }))).toEqual(
      ["influxdb", "webhook", "metrics"].map((name) => {
        return expect.stringMatching(`^${name}/tokenFile: .*two is to hold a token and nothing else: one line`);
      }),
    );
  });

  test("a certificate without its own key", async () => {
    mkdirSync(join(folder.path, "a"));
    mkdirSync(join(folder.path, "b"));
    const mine = await createCertificates(join(folder.path, "a"), ["localhost"], NOON_MS);
    const other = await createCertificates(join(folder.path, "b"), ["localhost"], NOON_MS);
    const problemsFor = (tlsCert: string, tlsKey: string) => fileProblems(config({ mqtt: { tlsCert, tlsKey } }));
    expect(problemsFor(mine.certificate, other.key)).toEqual([
      expect.stringMatching(/tlsKey: .*not the key of the cert/),
    ]);
    expect(problemsFor(file("c", "x"), mine.key)).toEqual([expect.stringMatching(/tlsCert: .*not a certificate/)]);
    expect(problemsFor(mine.certificate, file("k", "x"))).toEqual([
      expect.stringMatching(/tlsKey: .*not a private key/),
    ]);
  });

  test.skipIf(process.getuid?.() === 0)("a folder that may not be written (skipped for root, who may)", () => {
    mkdirSync(join(folder.path, "closed"), { mode: 0o500 });
    expect(fileProblems(config({ data: { dir: "closed/data" } }))[0]).toMatch(/cannot be written/);
    chmodSync(join(folder.path, "closed"), 0o700);
  });
});

describe("the difference between two configurations", () => {
  const old = () => config({ influxdb: { url: "https://a", org: "o", bucket: "b", tokenFile: "t" } });

  test("names each key with old, new and when", () => {
    const after = config({
      mqtt: { port: 1884 },
      log: { level: "warn" },
      ups: { name: "ups" },
      influxdb: { url: "https://b", org: "o2", bucket: "b", tokenFile: "t" },
    });
    expect(configDifference(old(), after).map(changeText)).toEqual([
      'influxdb.org: "o" → "o2" (at once)',
      'influxdb.url: "https://a" → "https://b" (at once)',
      'log.level: "info" → "warn" (at once)',
      "mqtt.port: 1883 → 1884 (after a restart)",
      'ups.host: not set → "127.0.0.1" (at once)',
      'ups.name: not set → "ups" (at once)',
      "ups.pollS: not set → 10 (at once)",
      "ups.port: not set → 3493 (at once)",
      "ups.timeoutMs: not set → 5000 (at once)",
    ]);
    expect(configDifference(old(), old())).toEqual([]);
  });

  test("what takes a restart stays as it was, and is told of again the next time", () => {
    const after = config({
      mqtt: { port: 1884 },
      log: { level: "warn", format: "json" },
      profile: { silenceGraceS: 5 },
    });
    const now = afterReload(old(), after);
    expect([now.mqtt.port, now.log, now.profile.silenceGraceS, now.influxdb]).toEqual([
      1883,
      { level: "warn", format: "auto" },
      5,
      undefined,
    ]);
    expect(configDifference(now, after).map((one) => `${one.key} ${one.effect}`)).toEqual([
      "log.format restart",
      "mqtt.port restart",
    ]);
  });

  test("every key of the schema has its moment", () => {
    const { properties } = GatewayConfigSchema as unknown as { properties: Record<string, { properties: object }> };
    for (const [section, { properties: keys }] of Object.entries(properties)) {
      for (const key of Object.keys(keys))
        expect(["now", "restart"], `${section}.${key}`).toContain(effectOf(`${section}.${key}`));
    }
  });

  test("what is shown holds no secret of any kind", () => {
    const shown = shownConfig({ a: { password: "p", tokenFile: "f", list: [{ token: "t" }], url: "amqp://x:y@h/p" } });
    expect(shown).toEqual({
      a: { password: "[hidden]", tokenFile: "f", list: [{ token: "[hidden]" }], url: "amqp://[hidden]@h/p" },
    });
  });
});
