import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { GatewayConfigSchema } from "../../protocol/index.ts";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { CONCEPT_2026 } from "../domain/profile.ts";
import type { GatewayError } from "../errors.ts";
import { isLoopbackHost, parseConfig, readConfig } from "./config.ts";
import { profileOf } from "./profile.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

function problemsOf(raw: unknown): string {
  try {
    parseConfig(raw, { path: "x.toml", baseDir: "/" });
  } catch (error) {
    return ((error as GatewayError).detail["problems"] as string[]).join("\n");
  }
  return "";
}

describe("the configuration", () => {
  test("of nothing is that of a machine alone", () => {
    expect(parseConfig({}, { path: "x", baseDir: "/srv" })).toMatchObject({
      data: { dir: "/srv/data" },
      mqtt: { host: "127.0.0.1", port: 1883 },
      http: { host: "127.0.0.1", port: 8080 },
    });
  });

  test("tells of all problems at once, with the nearest known key", () => {
    const problems = problemsOf({ mqtt: { prot: 1, port: 99_999 }, log: { level: "loud" }, htpp: {} });
    expect(problems).toContain("mqtt/prot is not a known key: did you mean port?");
    expect(problems).toContain("mqtt/port must be <= 65535");
    expect(problems).toContain("log/level must be one of debug, info, warn, error");
    expect(problems).toContain("htpp is not a known key: did you mean http?");
  });

  test("people beyond this machine need TLS, and it says how", () => {
    expect(problemsOf({ http: { host: "0.0.0.0" } })).toMatch(/needs TLS.*waakvlam tls create/s);
    expect(problemsOf({ http: { host: "0.0.0.0", tlsCert: "a" } })).toMatch(/tlsCert and tlsKey go together/);
    expect(problemsOf({ http: { host: "0.0.0.0", tlsCert: "a", tlsKey: "b" } })).toBe("");
  });

  test("what leaves this machine is encrypted, and says from whom it is", () => {
    const source = "urn:nld:oin:00000001823288444000:systeem:waakvlam";
    const influx = { org: "o", bucket: "b", tokenFile: "t" };
    expect(problemsOf({ influxdb: { ...influx, url: "http://10.0.0.2:8086" } })).toMatch(
      /token with it: it needs https/,
    );
    for (const url of ["https://10.0.0.2:8086", "http://127.0.0.1:8086", "http://localhost:8086"])
      expect(problemsOf({ influxdb: { ...influx, url } }), url).toBe("");
    expect(problemsOf({ webhook: { url: "http://10.0.0.2/events", source } })).toMatch(
      /webhook\.url .* needs https.*set tokenFile or secretFile/s,
    );
    expect(problemsOf({ webhook: { url: "https://10.0.0.2/events", source, secretFile: "s" } })).toBe("");
    expect(problemsOf({ webhook: { url: "http://[::1]:8080/events", source } })).toBe("");
    expect(problemsOf({ webhook: { url: "http://127.0.0.1/", source: "waakvlam" } })).toContain("webhook/source");
    const influxdb = { org: "o", bucket: "b", tokenFile: "t" };
    expect(problemsOf({ influxdb: { ...influxdb, url: "http://127.0.0.1:70000" } })).toContain(
      "influxdb.url http://127.0.0.1:70000 is not an address",
    );
    expect(problemsOf({ influxdb: { ...influxdb, url: "http://127.0.0.1:65535" } })).toBe("");
    expect(problemsOf({ upstream: { url: "mqtt://127.0.0.1:70000", source } })).toContain("is not an address");
    expect(problemsOf({ upstream: { url: "mqtt://broker.lan", source } })).toMatch(/needs TLS.*upstream\.caFile/s);
    expect(problemsOf({ upstream: { url: "mqtts://broker.lan", source } })).toMatch(/upstream\.caFile/);
    expect(problemsOf({ upstream: { url: "mqtts://broker.lan", source, caFile: "ca.pem" } })).toBe("");
    expect(problemsOf({ upstream: { url: "mqtt://localhost", source, passwordFile: "p" } })).toContain(
      "needs username",
    );
    for (const url of ["https://me:secret@10.0.0.2/", "https://10.0.0.2", "https://10.0.0.2/a?b=c@d"]) {
      const isFine = !url.includes("secret");
      expect(problemsOf({ webhook: { url, source, tokenFile: "t" } }) === "", url).toBe(isFine);
    }
    expect(problemsOf({ upstream: { url: "mqtt://me:secret@localhost", source } })).toContain("upstream/url");
    expect(problemsOf({ upstream: { url: "mqtt://localhost", source, records: ["alarms"] } })).toContain("records");
  });

  test("base stations are heard on one network, each once", () => {
    const [one, other] = [
      { eui: "0016c001f153a14c", name: "Roof" },
      { eui: "0016c001f153a14d", name: "Tower" },
    ];
    expect(problemsOf({ lorawan: { stations: [one, other] } })).toBe("");
    expect(problemsOf({ lorawan: { stations: [{ ...one, path: "roof", address: "10.0.0.2" }] } })).toBe("");
    expect(problemsOf({ lorawan: { udpHost: "0.0.0.0", stations: [one] } })).toMatch(
      /udpHost .*one address or interface/,
    );
    expect(problemsOf({ lorawan: { stations: [one, other, one] } })).toContain("lorawan.stations.2 0016c001f153a14c");
    expect(problemsOf({ lorawan: { stations: [] } })).toContain("lorawan/stations");
    expect(problemsOf({ lorawan: { stations: [{ ...one, eui: "0016C001F153A14C" }] } })).toContain("stations/0/eui");
  });

  test("files are looked for beside it", () => {
    const source = "urn:nld:kvknr:09220932:systeem:x";
    const upstream = { url: "mqtts://broker.lan", source, caFile: "ca.pem" };
    expect(parseConfig({ upstream }, { path: "x", baseDir: "/srv" })).toMatchObject({
      upstream: { caFile: "/srv/ca.pem", records: ["samples", "events"], topicPrefix: "waakvlam" },
    });
  });

  test("a file that is not there or not TOML is told of by name", () => {
    const broken = join(folder.path, "broken.toml");
    writeFileSync(broken, "[mqtt\nport = ");
    expect(() => readConfig(join(folder.path, "none.toml"))).toThrowError(
      expect.objectContaining({ code: "FILE_UNREADABLE" }),
    );
    expect(() => readConfig(broken)).toThrowError(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });

  test("changes the delays of a profile and never its thresholds", () => {
    const config = parseConfig({ profile: { enduranceLowDelayS: 5 } }, { path: "x", baseDir: "/" });
    const rules = CONCEPT_2026.rules.map((one) => (one.ruleId === "endurance-low" ? { ...one, onDelayS: 5 } : one));
    expect(profileOf(config)).toEqual({ ...CONCEPT_2026, rules });
    expect(problemsOf({ profile: { name: "concept-2020" } })).toContain("did you mean concept-2026?");
  });

  test("the README lists every key and no other", () => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const listed = [...readme.matchAll(/^\| `([A-Za-z]+\.[A-Za-z0-9]+)` \|/gm)].map((match) => match[1]);
    const sections = (
      GatewayConfigSchema as unknown as { properties: Record<string, { properties: Record<string, unknown> }> }
    ).properties;
    const known = Object.entries(sections).flatMap(([name, section]) =>
      Object.keys(section.properties).map((key) => `${name}.${key}`),
    );
    expect(listed.sort()).toEqual(known.sort());
  });
});

describe("a network server of somebody else", () => {
  const chirpstack = (part: object) => problemsOf({ chirpstack: part });
  const login = { username: "waakvlam", passwordFile: "p" };

  test("on this machine needs nothing more; elsewhere who signs in, and TLS", () => {
    expect(chirpstack({ url: "mqtt://localhost:1883" })).toBe("");
    expect(chirpstack({ url: "mqtts://lns.lan", ...login })).toBe("");
    expect(chirpstack({ url: "mqtts://lns.lan", tlsCert: "c", tlsKey: "k" })).toBe("");
    expect(chirpstack({ url: "mqtts://lns.lan" })).toMatch(/nobody may be anonymous there/);
    expect(chirpstack({ url: "mqtt://lns.lan", ...login })).toMatch(/chirpstack\.url .* needs TLS: use mqtts/);
    expect(chirpstack({ url: "mqtt://lns.lan" })).toMatch(/anonymous.*needs TLS/s);
    expect(chirpstack({ url: "mqtt://127.0.0.1.example.org" })).toMatch(/needs TLS/);
    expect(chirpstack({ url: "mqtt://localhost", username: "a" })).toMatch(/username and passwordFile go together/);
    expect(chirpstack({ url: "mqtts://lns.lan", ...login, tlsKey: "k" })).toMatch(/tlsCert and tlsKey go together/);
    expect(chirpstack({ url: "mqtt://localhost", applicationId: "application/#" })).toMatch(/applicationId/);
    const things = { username: "app1@t1", passwordFile: "p" };
    expect(problemsOf({ thingsStack: { url: "mqtts://eu1.cloud.thethings.network:8883", ...things } })).toBe("");
    expect(problemsOf({ thingsStack: { url: "mqtt://things.lan", ...things } })).toMatch(
      /thingsStack\.url .* needs TLS/,
    );
    expect(problemsOf({ thingsStack: { url: "mqtts://things.lan", ...things, username: "app1/#" } })).toMatch(
      /username/,
    );
  });

  test("has its paths from the folder of the file, and its defaults", () => {
    const raw = { chirpstack: { url: "mqtt://localhost", ...login } };
    expect(parseConfig(raw, { path: "x", baseDir: "/srv" })).toMatchObject({
      chirpstack: { passwordFile: "/srv/p", applicationId: "+", expiresAt: false, clientId: "waakvlam" },
    });
  });
});

test("only a whole address of this machine counts as this machine", () => {
  for (const host of ["localhost", "::1", "127.0.0.1", "127.1.2.3"]) expect(isLoopbackHost(host)).toBe(true);
  for (const host of ["127.example.org", "127.0.0.1.example.org", "0.0.0.0", "::"])
    expect(isLoopbackHost(host)).toBe(false);
});
