import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GatewayConfig, NotifyPlan } from "../../protocol/index.ts";
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

const NOBODY: NotifyPlan = { recipients: [] };

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
        leave: () => undefined,
        state: () => ({ name: url, state: "idle", behindRows: 0, sent: 0, dead: 0 }),
      },
    ];
  };
  const sinks = createSinkSet(first, create);
  const token = createMetricsToken(first);
  const supply: (string | undefined)[] = [];
  let plan = NOBODY;
  const plans = { next: NOBODY };
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
    notify: {
      prepare: (next) => () => {
        plan = next.notify === undefined ? NOBODY : plans.next;
      },
      plan: () => plan,
    },
    self: { setConfigProblem: (problem) => problems.push(problem) },
    source: { readConfig: () => offered.read() },
  });
  const offer = (next: GatewayConfig) => {
    offered.read = () => next;
    return reload();
  };
  return { said, problems, profiles, profile: () => profile, sinks, token, supply, plans, offer, offered, reload };
}

describe("a reload", () => {
  test("puts every part in force, and asks the supply anew only when it is another", async () => {
    const parts = start(config({ ...influx("https://a"), ups: { name: "one" } }));
    await parts.sinks.start();
    const next = { ...influx("https://b"), ups: { name: "one" }, metrics: { tokenFile: "metrics-token" } };
    expect(await parts.offer(config({ ...next, profile: { silenceGraceS: 7 } }))).toMatchObject({ kind: "loaded" });
    expect(parts.said).toEqual(["start https://a", "stop https://a", "start https://b"]);
    expect([parts.profiles, parts.supply, parts.problems]).toEqual([[7], [], [undefined]]);
    expect(parts.token.isRight("metrics-token-0123456789")).toBe(true);
    await parts.offer(config({ ups: { name: "two" } }));
    expect([parts.supply, parts.sinks.states()]).toEqual([["two"], []]);
    expect(parts.token.isRight("metrics-token-0123456789")).toBe(false);
  });

  test("whose sinks cannot begin brings the old ones back, and changes nothing else", async () => {
    const parts = start(config(influx("https://a")));
    await parts.sinks.start();
    const next = config({ ...influx("https://broken"), profile: { silenceGraceS: 7 }, ups: { name: "u" } });
    expect(await parts.offer(next)).toMatchObject({ kind: "refused", changes: [] });
    expect(parts.said).toEqual(["start https://a", "stop https://a", "stop https://broken", "start https://a"]);
    expect(parts.sinks.states().map((state) => state.name)).toEqual(["https://a"]);
    expect([parts.profiles, parts.supply]).toEqual([[], []]);
    expect(parts.problems).toEqual([expect.stringMatching(/too many rows wait/)]);
    // The difference is measured from what is in force.
    const again = await parts.offer(config({ ...influx("https://a"), log: { level: "warn" } }));
    expect(again.changes).toEqual(['log.level: "info" → "warn" (at once)']);
    expect(parts.problems.at(-1)).toBeUndefined();
  });

  test("of a file that cannot be read, or names what is not there, touches no part", async () => {
    const parts = start(config(influx("https://a")));
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
    expect(parts.said).toEqual(["start https://a"]);
  });

  test("with a token that has become two lines names its file, and touches no part", async () => {
    const path = join(folder.path, "changing-token");
    const next = config({ influxdb: { url: "https://a", org: "o", bucket: "b", tokenFile: "changing-token" } });
    writeFileSync(path, "a-token\n");
    const parts = start(next);
    await parts.sinks.start();
    writeFileSync(path, "a-token\n# of the region\n");
    const refused = await parts.offer(next);
    expect(refused).toMatchObject({
      kind: "refused",
      problems: [`influxdb/tokenFile: ${path} is to hold a token and nothing else: one line, of ASCII characters`],
    });
    expect(parts.said).toEqual(["start https://a"]);
  });

  test("is one at a time, in the order in which they were asked for", async () => {
    const parts = start(config({}));
    const results = await Promise.all(
      ["https://a", "https://b", "https://c"].map((url) => parts.offer(config(influx(url)))),
    );
    expect(results.map((one) => one.kind)).toEqual(["loaded", "unchanged", "unchanged"]);
    expect(parts.sinks.states().map((state) => state.name)).toEqual(["https://c"]);
  });
});

describe("what stands in files that the configuration names", () => {
  const write = (name: string, text: string) => writeFileSync(join(folder.path, name), text);

  test("is told of when it is another, with when it holds, and until then again", async () => {
    write("t", "one-0123456789-one");
    write("p", "one");
    const chirpstack = { url: "mqtt://127.0.0.1", username: "u", passwordFile: "p" };
    const same = config({ metrics: { tokenFile: "t" }, chirpstack });
    const parts = start(same);
    expect((await parts.offer(same)).kind).toBe("unchanged");
    write("t", "two-0123456789-two");
    write("p", "two");
    const late = "chirpstack.passwordFile: another text in the file (after a restart)";
    expect(await parts.offer(same)).toMatchObject({
      kind: "loaded",
      changes: ["metrics.tokenFile: read anew (at once)", late],
    });
    expect(parts.token.isRight("two-0123456789-two")).toBe(true);
    expect((await parts.offer(same)).changes).toEqual([late]);
    write("p", "one");
    expect((await parts.offer(same)).kind).toBe("unchanged");
  });

  test("is told of by the names of the recipients whom it changes", async () => {
    write("notify.toml", "recipients = []");
    const next = config({ notify: { file: "notify.toml" } });
    const parts = start(next);
    const one = (recipientId: string, role = "r") => ({ recipientId, role, channels: [{ type: "mqtt" as const }] });
    const changes = async (plan: NotifyPlan) => {
      parts.plans.next = plan;
      return (await parts.offer(next)).changes;
    };
    expect(await changes({ recipients: [one("a"), one("b")] })).toEqual([
      "notify.file: recipients added: a, b (at once)",
    ]);
    expect(await changes({ recipients: [one("a", "s"), one("c")], messagesMax: 2 })).toEqual([
      "notify.file: recipients added: c (at once)",
      "notify.file: recipients changed: a (at once)",
      "notify.file: recipients removed: b (at once)",
      "notify.file: messagesMax changed (at once)",
    ]);
    expect(await changes({ recipients: [one("c"), one("a", "s")], messagesMax: 2 })).toEqual([
      "notify.file: recipients in another order (at once)",
    ]);
    expect(await changes({ recipients: [one("c"), one("a", "s")], messagesMax: 2 })).toEqual([]);
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
