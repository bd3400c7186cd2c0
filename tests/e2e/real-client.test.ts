// Real clients against the whole gateway: mosquitto's tools as a device and as a reader, InfluxDB at the end of the sink.
import { execFile, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import mqtt from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DeviceState, GatewayState, PointState, Refusals } from "../../protocol/index.ts";
import {
  decodeDownlink,
  downlinkTopic,
  encodeReport,
  openFrame,
  sealFrame,
  uplinkTopic,
} from "../../protocol/index.ts";
import { report, sha256, temporaryFolder, waitFor } from "../fixtures.ts";
import { PASSWORD, PERSON, startGateway, type TestGateway } from "./gateway.ts";
import { type Influx, startInflux } from "./influx.ts";

const HAS_MOSQUITTO = existsSync("/usr/bin/mosquitto_pub");
const HAS_INFLUX = existsSync("/usr/bin/influxd");
const DEVICE = "alm-01-d1";
/** "a whole point, 22 bytes" of the golden frames. */
const GOLDEN = "1110926ab13b808020f9ed8152294a6e7b5c23c71e49";

function run(command: string, args: readonly string[]): Promise<{ code: number; out: Buffer; err: string }> {
  return new Promise((resolve) => {
    execFile(command, args, { encoding: "buffer", timeout: 20_000 }, (error, out, err) => {
      resolve({
        code: typeof error?.code === "number" ? error.code : error === null ? 0 : 1,
        out,
        err: err.toString(),
      });
    });
  });
}

describe.skipIf(!HAS_MOSQUITTO)(
  `a real client (needs mosquitto-clients${HAS_MOSQUITTO ? "" : ": not installed"})`,
  () => {
    const folder = temporaryFolder();
    const influxFolder = temporaryFolder();
    let gateway: TestGateway;
    let influx: Influx | undefined;

    beforeAll(async () => {
      influx = HAS_INFLUX ? await startInflux(influxFolder.path) : undefined;
      gateway = await startGateway({ dir: folder.path, ...(influx === undefined ? {} : { influxUrl: influx.url }) });
    });
    afterAll(async () => {
      await gateway.app.stop();
      await influx?.stop();
      folder.remove();
      influxFolder.remove();
    });

    function login(deviceId: string, password = gateway.password(deviceId)): string[] {
      const { port } = gateway.app.mqtt;
      return ["-h", "127.0.0.1", "-p", String(port), "-V", "mqttv311", "-i", deviceId, "-u", deviceId, "-P", password];
    }

    function payloadFile(name: string, bytes: Uint8Array): string {
      const path = join(folder.path, name);
      writeFileSync(path, bytes);
      return path;
    }

    function sealed(frame: Uint8Array, deviceId = DEVICE): Uint8Array {
      return sealFrame(sha256, gateway.keys.get(deviceId) as Uint8Array, frame);
    }

    const publish = (deviceId: string, topic: string, file: string, password?: string) => {
      return run("mosquitto_pub", [...login(deviceId, password), "-q", "1", "-t", topic, "-f", file]);
    };

    test("a golden frame is acknowledged by PUBACK", async () => {
      const file = payloadFile("golden", sealed(new Uint8Array(Buffer.from(GOLDEN, "hex"))));
      // At QoS 1 the tool ends with 0 only when the PUBACK has come.
      expect(await publish(DEVICE, uplinkTopic(DEVICE), file)).toMatchObject({ code: 0 });
      await waitFor(
        "the record",
        async () => (await gateway.get<DeviceState>(`/v1/devices/${DEVICE}`)).sequence === 4242,
      );
    });

    test("its ack frame comes on the down topic, sealed; a record sent again is acknowledged again", async () => {
      const url = `mqtt://127.0.0.1:${gateway.app.mqtt.port}`;
      // Of Debian's tools none both publishes bytes and listens under one client id.
      const client = await mqtt.connectAsync(url, {
        clientId: DEVICE,
        username: DEVICE,
        password: gateway.password(DEVICE),
      });
      const answers: Buffer[] = [];
      client.on("message", (_, payload) => answers.push(payload));
      await client.subscribeAsync(downlinkTopic(DEVICE));
      await client.publishAsync(uplinkTopic(DEVICE), Buffer.from(sealed(new Uint8Array(Buffer.from(GOLDEN, "hex")))), {
        qos: 1,
      });
      await waitFor("the ack frame", () => answers.length > 0);
      await client.endAsync();
      const frame = openFrame(sha256, gateway.keys.get(DEVICE) as Uint8Array, answers[0] as Buffer);
      const ack = decodeDownlink(frame as Uint8Array);
      expect(ack).toMatchObject({ kind: "ack", value: { baseSequence: 4242 - 31, bitmap: 1 } });
      const nowS = Math.floor((performance.timeOrigin + performance.now()) / 1000);
      expect(ack.kind === "ack" && Math.abs(ack.value.time - nowS)).toBeLessThan(60);
      expect((await gateway.get<GatewayState>("/v1/gateway")).journal.newestId).toBe(1);
    });

    test("a frame of the present minute is seen at the API, on the state topic and in InfluxDB", async () => {
      const state = spawn("mosquitto_sub", [
        "-h",
        "127.0.0.1",
        "-p",
        String(gateway.app.mqtt.port),
        "-V",
        "mqttv311",
        "-u",
        PERSON,
        "-P",
        PASSWORD,
        "-t",
        "waakvlam/v1/points/alm-01/state",
      ]);
      let seen = "";
      state.stdout.on("data", (data) => {
        seen += String(data);
      });
      const time = Math.floor((performance.timeOrigin + performance.now()) / 1000);
      const live = encodeReport(
        report({
          sequence: 4243,
          time,
          power: { fuelLevelPct: 41.5, generator: "running", mains: "lost", loadKw: 3.1, starterBatteryV: 13.7 },
        }),
      );
      expect(await publish(DEVICE, uplinkTopic(DEVICE), payloadFile("live", sealed(live)))).toMatchObject({ code: 0 });
      await waitFor(
        "the API",
        async () => (await gateway.get<PointState>("/v1/points/alm-01")).fuel?.levelPct === 41.5,
      );
      const point = await gateway.get<PointState>("/v1/points/alm-01");
      expect(point).toMatchObject({
        contact: "present",
        mains: "lost",
        source: "generator",
        occupancy: { people: 143 },
      });
      expect(point.readings.find((one) => one.name === "power.loadKw")).toMatchObject({ value: 3.1, quality: "good" });
      expect(await gateway.get<DeviceState>(`/v1/devices/${DEVICE}`)).toMatchObject({
        sequence: 4243,
        records: 2,
        report: { power: { fuelLevelPct: 41.5 } },
      });
      await waitFor("the state topic", () => seen.includes('"levelPct":41.5'));
      state.kill();
      if (influx === undefined) return;
      const rows = async () =>
        influx?.query("SELECT fuelLevelPct, generator_word FROM report WHERE device = 'alm-01-d1'") ?? [];
      await waitFor("InfluxDB", async () => (await rows()).length === 2);
      expect((await rows()).map((row) => row.slice(1))).toEqual([
        [63.5, "running"],
        [41.5, "running"],
      ]);
    });

    test.skipIf(!HAS_INFLUX)(
      `the sink has handed on every row (needs influxdb${HAS_INFLUX ? "" : ": not installed"})`,
      async () => {
        const { sinks } = await gateway.get<GatewayState>("/v1/gateway");
        expect(sinks).toMatchObject([{ name: "influxdb", behindRows: 0, dead: 0 }]);
      },
    );

    test("untagged, flipped, on another's topic, under another's name: not stored, counted, the others carry on", async () => {
      const stored = async () => (await gateway.get<GatewayState>("/v1/gateway")).journal.newestId;
      const before = await stored();
      const frame = encodeReport(report({ sequence: 4244 }));
      const flipped = sealed(frame);
      flipped[12] = (flipped[12] as number) ^ 4;
      expect((await publish(DEVICE, uplinkTopic(DEVICE), payloadFile("untagged", frame))).code).toBe(0);
      expect((await publish(DEVICE, uplinkTopic(DEVICE), payloadFile("flipped", flipped))).code).toBe(0);
      expect(
        (await publish(DEVICE, uplinkTopic("alm-02-d1"), payloadFile("other", sealed(frame, "alm-02-d1")))).code,
      ).toBe(0);
      const wrongName = [
        "-h",
        "127.0.0.1",
        "-p",
        String(gateway.app.mqtt.port),
        "-V",
        "mqttv311",
        "-i",
        "alm-02-d1",
        "-u",
        DEVICE,
        "-P",
        gateway.password(DEVICE),
      ];
      const asOther = await run("mosquitto_pub", [...wrongName, "-q", "1", "-t", uplinkTopic("alm-02-d1"), "-m", "x"]);
      expect(asOther.code).not.toBe(0);
      expect(
        (await publish("alm-02-d1", uplinkTopic("alm-02-d1"), payloadFile("x", sealed(frame, "alm-02-d1")), "wrong"))
          .code,
      ).not.toBe(0);
      expect(await stored()).toBe(before);
      const { counts, recent } = await gateway.get<Refusals>("/v1/refusals");
      expect(counts).toEqual({ "bad-tag": 2, "wrong-topic": 1, "name-mismatch": 1, "bad-password": 1 });
      expect(recent.map((one) => one.reason)).toContain("wrong-topic");
      const good = payloadFile("good", sealed(encodeReport(report({ sequence: 7 })), "alm-02-d1"));
      expect((await publish("alm-02-d1", uplinkTopic("alm-02-d1"), good)).code).toBe(0);
      expect(await stored()).toBe(before + 1);
    });

    test("a flood of bad frames is banned, and a person is told", async () => {
      const lines = `${"x\n".repeat(40)}`;
      const flood = spawn("mosquitto_pub", [...login(DEVICE), "-q", "1", "-t", uplinkTopic(DEVICE), "-l"]);
      flood.stdin.on("error", () => undefined);
      flood.stdin.end(lines);
      await waitFor(
        "the ban",
        async () => (await gateway.get<Refusals>("/v1/refusals")).counts["banned"] !== undefined,
      );
      flood.kill();
      const later = await publish(
        DEVICE,
        uplinkTopic(DEVICE),
        payloadFile("later", sealed(encodeReport(report({ sequence: 4245 })))),
      );
      expect(later.code).not.toBe(0);
      const good = payloadFile("good2", sealed(encodeReport(report({ sequence: 8 })), "alm-02-d1"));
      expect((await publish("alm-02-d1", uplinkTopic("alm-02-d1"), good)).code).toBe(0);
      await waitFor("the alert", async () => {
        const alerts = await gateway.get<{ ruleId: string; subject: { id: string } }[]>("/v1/alerts");
        return alerts.some((alert) => alert.ruleId === "frames-refused" && alert.subject.id === DEVICE);
      });
    });
  },
);
