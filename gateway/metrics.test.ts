import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import type { AlarmMetrics } from "../protocol/index.ts";
import { parseExposition } from "../tests/exposition.ts";
import { LABEL_VALUES_MAX } from "./instruments.ts";
import { createMetrics, type MetricSource, type Metrics } from "./metrics.ts";

let metrics: Metrics;
afterEach(() => metrics.stop());

const ALARMS: AlarmMetrics = {
  since: "2026-11-24T12:00:00Z",
  announced: { total: 14, last10Min: 3, lastHour: 9, peak10Min: 11, per10Min: 0.4 },
  flood: { now: false, count: 1, share: 0.01 },
  byPriority: { "1": 1, "2": 3, "3": 10 },
  chattering: 1,
  fleeting: 2,
  stale: 4,
  acknowledgeS: { count: 5, median: 60, p90: 240 },
  topRules: [],
  topSubjects: [],
};

const SOURCE: MetricSource = {
  version: "1.2.3",
  journal: () => ({
    ...{ newestId: 7_000, pendingRows: 3, engineBehindRows: 2, setAside: 1 },
    ...{ refusing: false, lowWater: true, gapRows: 5, bytes: 4_096 },
  }),
  history: () => ({ behindRows: 40, bytes: 8_192, compactionAgeS: 300 }),
  copy: () => ({ behindRows: 9, failing: false, writtenBytes: 65_536, ageS: 240 }),
  disk: () => ({ freeBytes: 5e9, sizeBytes: 32e9 }),
  sinks: () => [{ name: "influxdb", state: "retrying", behindRows: 12, oldestS: 90, sent: 6_988, dead: 0 }],
  refusals: () => ({ "bad-tag": 4, replay: 1 }),
  alerts: () => [1, 3, 3],
  alarms: () => ALARMS,
  notices: () => ({
    ...{ recipients: 3, waiting: 2, undelivered: 1 },
    channels: [{ channel: "sms", failing: "no network" }, { channel: "mqtt" }],
  }),
  lorawan: () => ({
    counts: { "uplink-taken": 90, "bad-mic": 2 },
    stations: [{ eui: "0016c001f153a14c", isSilent: false, framesHeard: 120 }],
    airtime: [{ stationId: "0016c001f153a14c", band: "P", usedMs: 36_000, limitMs: 360_000 }],
  }),
  devices: () => ({ present: 30, silent: 4 }),
  connectedDevices: () => 28,
  clockTrusted: () => true,
  ups: () => ({ onBattery: true, lowBattery: false, chargePct: 64, runtimeS: 5_400 }),
};

async function scrape(part: Partial<MetricSource> = {}) {
  metrics = createMetrics({ ...SOURCE, ...part });
  return { again: async () => parseExposition(await metrics.text()), families: parseExposition(await metrics.text()) };
}

describe("the metrics", () => {
  test("are those that the README lists, and no other", async () => {
    const { families } = await scrape();
    const readme = readFileSync(new URL("./README.md", import.meta.url), "utf8");
    const listed = [...readme.matchAll(/^\| `(waakvlam_[a-z_]+)` \|/gm)].map((match) => match[1]);
    expect(listed.sort()).toEqual([...families.keys()].filter((name) => name.startsWith("waakvlam_")).sort());
  });

  test("are valid exposition, by the conventions on names, units and labels", async () => {
    const { families } = await scrape();
    const own = [...families.values()].filter((family) => family.name.startsWith("waakvlam_"));
    expect(own.length).toBeGreaterThan(20);
    for (const { name, type, help, samples } of own) {
      expect(help, name).toMatch(/\.$/);
      expect(type === "counter", name).toBe(name.endsWith("_total"));
      expect(samples.length, name).toBeLessThanOrEqual(LABEL_VALUES_MAX * 4);
      // Base units alone: seconds, bytes, ratios.
      expect(name).not.toMatch(/_(ms|millis|milliseconds|minutes|kb|mb|percent|pct)(_|$)/);
    }
    expect(families.has("process_resident_memory_bytes")).toBe(true);
  });

  test("tell the figures of their sources, as they are when asked", async () => {
    let pendingRows = 3;
    const { families, again } = await scrape({ journal: () => ({ ...SOURCE.journal(), pendingRows }) });
    const value = (of: typeof families, name: string, labels: Record<string, string> = {}) =>
      of.get(name)?.samples.find((one) => Object.entries(labels).every(([key, want]) => one.labels[key] === want))
        ?.value;
    expect(value(families, "waakvlam_journal_rows_total")).toBe(7_000);
    expect(value(families, "waakvlam_journal_gap_rows_total")).toBe(5);
    expect(value(families, "waakvlam_journal_low_water")).toBe(1);
    expect(value(families, "waakvlam_history_behind_rows")).toBe(40);
    expect(value(families, "waakvlam_history_compaction_age_seconds")).toBe(300);
    expect(value(families, "waakvlam_history_size_bytes")).toBe(8_192);
    expect(value(families, "waakvlam_history_failing")).toBe(0);
    expect(value(families, "waakvlam_copy_age_seconds")).toBe(240);
    expect(value(families, "waakvlam_copy_behind_rows")).toBe(9);
    expect(value(families, "waakvlam_copy_failing")).toBe(0);
    expect(value(families, "waakvlam_copy_written_bytes_total")).toBe(65_536);
    expect(value(families, "waakvlam_sink_oldest_unsent_seconds", { sink: "influxdb" })).toBe(90);
    expect(value(families, "waakvlam_sink_state", { sink: "influxdb", state: "retrying" })).toBe(1);
    expect(value(families, "waakvlam_sink_state", { sink: "influxdb", state: "idle" })).toBe(0);
    expect(value(families, "waakvlam_refused_frames_total", { reason: "bad-tag" })).toBe(4);
    expect(value(families, "waakvlam_alerts_open", { priority: "3" })).toBe(2);
    expect(value(families, "waakvlam_alerts_open", { priority: "2" })).toBe(0);
    expect(value(families, "waakvlam_alerts_announced_total", { priority: "3" })).toBe(10);
    expect(value(families, "waakvlam_alerts_recent", { seconds: "600" })).toBe(3);
    expect(value(families, "waakvlam_alert_acknowledge_seconds", { quantile: "0.9" })).toBe(240);
    expect(value(families, "waakvlam_alerts_stale")).toBe(4);
    expect(value(families, "waakvlam_notices_waiting")).toBe(2);
    expect(value(families, "waakvlam_notices_undelivered")).toBe(1);
    expect(value(families, "waakvlam_notify_channel_up", { channel: "sms" })).toBe(0);
    expect(value(families, "waakvlam_notify_channel_up", { channel: "mqtt" })).toBe(1);
    expect(value(families, "waakvlam_lorawan_frames_total", { result: "bad-mic" })).toBe(2);
    expect(value(families, "waakvlam_lorawan_station_up")).toBe(1);
    expect(value(families, "waakvlam_lorawan_station_frames_total")).toBe(120);
    expect(value(families, "waakvlam_lorawan_airtime_ratio", { band: "P" })).toBe(0.1);
    expect(value(families, "waakvlam_devices", { contact: "never" })).toBe(0);
    expect(value(families, "waakvlam_ups_charge_ratio")).toBe(0.64);
    expect(value(families, "waakvlam_build_info", { version: "1.2.3" })).toBe(1);
    pendingRows = 8;
    const next = await again();
    expect(value(next, "waakvlam_journal_pending_rows")).toBe(8);
    // A counter that is read stays what it is, however often it is asked.
    expect(value(next, "waakvlam_journal_rows_total")).toBe(7_000);
  });

  test("histograms count what was observed", async () => {
    const { again } = await scrape();
    for (const ms of [0.5, 3, 30, 700]) metrics.observePuback(ms);
    metrics.observeCommit({ ms: 20, rows: 400 });
    metrics.observeCommit({ ms: 2, rows: 1 });
    const families = await again();
    const puback = families.get("waakvlam_mqtt_puback_seconds");
    const bucket = (le: string) => puback?.samples.find((one) => one.labels["le"] === le)?.value;
    expect([bucket("0.001"), bucket("0.005"), bucket("0.05"), bucket("1"), bucket("+Inf")]).toEqual([1, 2, 3, 4, 4]);
    const sum = puback?.samples.find((one) => one.name === "waakvlam_mqtt_puback_seconds_sum")?.value;
    expect(sum).toBeCloseTo(0.7335);
    // A bound belongs to its own bucket.
    metrics.observePuback(1);
    const after = (await again()).get("waakvlam_mqtt_puback_seconds")?.samples;
    expect(after?.find((one) => one.labels["le"] === "0.001")?.value).toBe(2);
    const count = (name: string) => families.get(name)?.samples.find((one) => one.name === `${name}_count`)?.value;
    expect(count("waakvlam_journal_commit_seconds")).toBe(2);
    expect(count("waakvlam_journal_batch_rows")).toBe(2);
  });

  test.each([
    ["a 1\n", "without a TYPE"],
    ["# HELP a b\n# TYPE a gauge\na 1", "does not end"],
    ["# HELP a b\n# TYPE a gauge\na 1\na 1\n", "twice"],
    ["# HELP a b\n# TYPE a gauge\na{b=c} 1\n", "labels"],
    ["# HELP a b\n# TYPE a gauge\na one\n", "value"],
    ["# HELP a b\n# TYPE a counter\na -1\n", "a is -1"],
    ['# HELP a b\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n', "shrink"],
  ])("are read strictly: %j is refused", async (text, why) => {
    await scrape();
    expect(() => parseExposition(text)).toThrowError(why);
  });

  test("what is not known is absent, not nought", async () => {
    const { families } = await scrape({
      ...{ ups: () => undefined, disk: () => undefined, copy: () => undefined },
      history: () => ({ failing: "no such file" }),
    });
    expect(families.get("waakvlam_history_failing")?.samples[0]?.value).toBe(1);
    for (const name of [
      "waakvlam_history_behind_rows",
      "waakvlam_ups_up",
      "waakvlam_ups_runtime_seconds",
      "waakvlam_disk_free_bytes",
      "waakvlam_copy_age_seconds",
      "waakvlam_copy_failing",
    ]) {
      expect(families.get(name)?.samples ?? [], name).toEqual([]);
    }
    metrics.stop();
    const lost = await scrape({ ups: () => "unreachable" });
    expect(lost.families.get("waakvlam_ups_up")?.samples[0]?.value).toBe(0);
    expect(lost.families.get("waakvlam_ups_on_battery")?.samples).toEqual([]);
  });

  test("never have more label values than their bound", async () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`reason-${i}`, 1]));
    const { families } = await scrape({ refusals: () => many });
    expect(families.get("waakvlam_refused_frames_total")?.samples).toHaveLength(LABEL_VALUES_MAX);
  });
});
