import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GatewayConfig } from "../../protocol/index.ts";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { parseConfig } from "../config/config.ts";
import { profileOf } from "../config/profile.ts";
import { GatewayError } from "../errors.ts";
import { createLogs } from "../log.ts";
import type { Runner } from "../sinks/runner.ts";
import { createMetricsToken } from "./metrics-token.ts";
import { createReload } from "./reload.ts";
import { createSinkSet } from "./sink-set.ts";

const folder = temporaryFolder();
beforeAll(() => {
  mkdirSync(join(folder.path, "data"));
  for (const name of ["influx-token", "metrics-token", "metrics-token-2"])
    writeFileSync(join(folder.path, name), `${name}-0123456789\n`);
});
afterAll(() => folder.remove());

const config = (raw: unknown) => parseConfig(raw, { path: "x", baseDir: folder.path });
const influx = (url: string) => ({ influxdb: { url, org: "o", bucket: "b", tokenFile: "influx-token" } });

function start(first: GatewayConfig) {
  const said: string[] = [];
  const problems: (string | undefined)[] = [];
  const profiles: number[] = [];
  let profile = profileOf(first);
  const offered = { read: (): GatewayConfig => first };
  const create = (next: GatewayConfig): Runner[] => {
    const { url } = next.influxdb ?? {};
    if (url === undefined) return [];
    return [
      {
        start: async () => {
          if (url.includes("broken")) throw new GatewayError("JOURNAL_BUSY");
          said.push(`start ${url}`);
        },
        stop: async () => void said.push(`stop ${url}`),
        state: () => ({ name: url, state: "idle", behindRows: 0, sent: 0, dead: 0 }),
      },
    ];
  };
  const sinks = createSinkSet(first, create);
  const token = createMetricsToken(first);
  const supply: (string | undefined)[] = [];
  const reload = createReload({
    config: first,
    logs: createLogs({ level: "error", destination: { write: () => undefined } }),
    engine: {
      profile: () => profile,
      setProfile: (next) => {
        profile = next;
        profiles.push(next.silence.graceS);
      },
    },
    pointIds: () => ["alm-01"],
    sinks,
    supply: { facts: () => undefined, use: (ups) => supply.push(ups?.name), stop: () => undefined },
    token,
    certificates: { prepare: () => () => undefined },
    notify: { prepare: () => () => undefined },
    self: { setConfigProblem: (problem) => problems.push(problem) },
    source: { readConfig: () => offered.read() },
  });
  const offer = (next: GatewayConfig) => {
    offered.read = () => next;
    return reload();
  };
  return { said, problems, profiles, profile: () => profile, sinks, token, supply, offer, offered, reload };
}

describe("a reload", () => {
  test("puts every part in force, and asks the supply anew only when it is another", async () => {
    const parts = start(config({ ...influx("http://a"), ups: { name: "one" } }));
    await parts.sinks.start();
    const next = { ...influx("http://b"), ups: { name: "one" }, metrics: { tokenFile: "metrics-token" } };
    expect(await parts.offer(config({ ...next, profile: { silenceGraceS: 7 } }))).toMatchObject({ kind: "loaded" });
    expect(parts.said).toEqual(["start http://a", "stop http://a", "start http://b"]);
    expect([parts.profiles, parts.supply, parts.problems]).toEqual([[7], [], [undefined]]);
    expect(parts.token.isRight("metrics-token-0123456789")).toBe(true);
    await parts.offer(config({ ups: { name: "two" } }));
    expect([parts.supply, parts.sinks.states()]).toEqual([["two"], []]);
    expect(parts.token.isRight("metrics-token-0123456789")).toBe(false);
  });

  test("whose sinks cannot begin brings the old ones back, and changes nothing else", async () => {
    const parts = start(config(influx("http://a")));
    await parts.sinks.start();
    const next = config({ ...influx("http://broken"), profile: { silenceGraceS: 7 }, ups: { name: "u" } });
    expect(await parts.offer(next)).toMatchObject({ kind: "refused", changes: [] });
    expect(parts.said).toEqual(["start http://a", "stop http://a", "stop http://broken", "start http://a"]);
    expect(parts.sinks.states().map((state) => state.name)).toEqual(["http://a"]);
    expect([parts.profiles, parts.supply]).toEqual([[], []]);
    expect(parts.problems).toEqual([expect.stringMatching(/too many rows wait/)]);
    // The difference is measured from what is in force.
    const again = await parts.offer(config({ ...influx("http://a"), log: { level: "warn" } }));
    expect(again.changes).toEqual(['log.level: "info" → "warn" (at once)']);
    expect(parts.problems.at(-1)).toBeUndefined();
  });

  test("of a file that cannot be read, or names what is not there, touches no part", async () => {
    const parts = start(config(influx("http://a")));
    await parts.sinks.start();
    parts.offered.read = () => {
      throw new GatewayError("FILE_UNREADABLE", { path: "x.toml" });
    };
    expect(await parts.reload()).toEqual({
      kind: "refused",
      changes: [],
      problems: ["a file cannot be read (path x.toml)"],
    });
    expect(await parts.offer(config({ metrics: { tokenFile: "gone" } }))).toMatchObject({ kind: "refused" });
    expect(parts.said).toEqual(["start http://a"]);
  });

  test("with a token that has become two lines names its file, and touches no part", async () => {
    const path = join(folder.path, "changing-token");
    const next = config({ influxdb: { url: "http://a", org: "o", bucket: "b", tokenFile: "changing-token" } });
    writeFileSync(path, "a-token\n");
    const parts = start(next);
    await parts.sinks.start();
    writeFileSync(path, "a-token\n# of the region\n");
    const refused = await parts.offer(next);
    expect(refused).toMatchObject({
      kind: "refused",
      problems: [`influxdb/tokenFile: ${path} is to hold a token and nothing else: one line, of ASCII characters`],
    });
    expect(parts.said).toEqual(["start http://a"]);
  });

  test("is one at a time, in the order in which they were asked for", async () => {
    const parts = start(config({}));
    const results = await Promise.all(
      ["http://a", "http://b", "http://c"].map((url) => parts.offer(config(influx(url)))),
    );
    expect(results.map((one) => one.kind)).toEqual(["loaded", "unchanged", "unchanged"]);
    expect(parts.sinks.states().map((state) => state.name)).toEqual(["http://c"]);
  });
});

describe("rules of a file", () => {
  const file = join(folder.path, "rules.toml");
  const override = (part: string) =>
    writeFileSync(file, `version = 1\n[[overrides]]\nruleId = "silence"\nreason = "the bridge"\n${part}\n`);
  const withRules = () => config({ profile: { rulesFile: "rules.toml" } });

  test("are in force after a reload, with the rule that differs; a bad file leaves the old ones", async () => {
    override("priority = 1");
    const parts = start(withRules());
    override("priority = 3");
    expect(await parts.offer(withRules())).toMatchObject({
      kind: "loaded",
      changes: ["rule silence: changed (at once)"],
    });
    const inForce = parts.profile();
    expect(inForce.overrides).toMatchObject([{ ruleId: "silence", priority: 3 }]);
    override('points = ["alm-03"]');
    const refused = await parts.offer(withRules());
    expect(refused.problems.join()).toContain("overrides/0/points/0 alm-03 is no point: did you mean alm-01?");
    override("priority = 7");
    expect(await parts.offer(withRules())).toMatchObject({ kind: "refused" });
    expect(parts.profile()).toBe(inForce);
    expect(parts.problems.at(-1)).toContain("priority");
    override("priority = 2");
    expect(await parts.offer(withRules())).toMatchObject({ kind: "loaded" });
    expect(parts.problems.at(-1)).toBeUndefined();
  });
});
