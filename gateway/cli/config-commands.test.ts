import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { afterAll, describe, expect, test } from "vitest";
import type { GatewayConfig } from "../../protocol/index.ts";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { parseConfig } from "../config/config.ts";
import type { CommandIo } from "./commands.ts";
import { checkConfig, showConfig } from "./config-commands.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

function file(text: string): string {
  const path = join(folder.path, "x.toml");
  writeFileSync(path, text);
  return path;
}

function call(run: (io: CommandIo) => number): { code: number; out: string } {
  let out = "";
  const io: CommandIo = {
    out: (line) => {
      out += `${line}\n`;
    },
    err: () => undefined,
    nowMs: () => 0,
    isTerminal: false,
    readInput: () => "",
  };
  return { code: run(io), out };
}

describe("config check", () => {
  test("says in a line what a valid file gives", () => {
    const path = file("[mqtt]\nport = 1\n");
    expect(call((io) => checkConfig(path, false, io))).toEqual({
      code: 0,
      out: `${path} is valid: devices at 127.0.0.1:1, people at 127.0.0.1:8080 on this machine\n`,
    });
    expect(JSON.parse(call((io) => checkConfig(path, true, io)).out)).toEqual({
      file: path,
      valid: true,
      problems: [],
    });
  });

  test("also looks at what the file names, and gives every problem its line", () => {
    const path = file("[metrics]\n\ntokenFile = 'gone'\n");
    const wanted = [expect.stringMatching(/^line 3: metrics\/tokenFile: .*gone cannot be read \(ENOENT\)$/)];
    expect(() => call((io) => checkConfig(path, false, io))).toThrowError(
      expect.objectContaining({ code: "CONFIG_INVALID", detail: { path, problems: wanted } }),
    );
    const { code, out } = call((io) => checkConfig(path, true, io));
    expect([code, JSON.parse(out)]).toEqual([3, { file: path, valid: false, problems: wanted }]);
  });
});

test("config check names the file of recipients where the mistake is in that, and its line", () => {
  const path = file("[notify]\nfile = 'people.toml'\n");
  const people = join(folder.path, "people.toml");
  writeFileSync(
    people,
    '[[recipients]]\nrecipientId = "officier"\nrole = "officier"\nchannels = [{ type = "mqtt" }]\nregion = "x"\n',
  );
  const { code, out } = call((io) => checkConfig(path, true, io));
  const problems = [expect.stringMatching(/^line 5: recipients\/0\/region is not a known key/)];
  expect([code, JSON.parse(out)]).toEqual([3, { file: people, valid: false, problems }]);
});

test("config show gives all keys as TOML that reads back the same, and hides what is secret", () => {
  const influxdb = { url: "https://h:8086", org: "o", bucket: "b", tokenFile: "t" };
  const config = parseConfig({ influxdb }, { path: "x", baseDir: "/srv" });
  const { out } = call((io) => showConfig(config, false, io));
  const back = parseConfig(parse(out), { path: "x", baseDir: "/" });
  expect(back).toEqual(config);
  expect(JSON.parse(call((io) => showConfig(config, true, io)).out)).toEqual(back);
  // No key takes such an address; should one ever, it is not shown.
  const secret = { ...config, influxdb: { ...back.influxdb, ...influxdb, url: "http://user:pw@h" } } as GatewayConfig;
  expect(call((io) => showConfig(secret, false, io)).out).not.toContain("pw");
});
