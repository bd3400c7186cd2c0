// What a device is told, from HTTP to the device and back: the whole gateway, and a client that listens and answers as a device does.
import mqtt from "mqtt";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../../gateway/clock.ts";
import { openJournal } from "../../gateway/journal/journal.ts";
import { addPerson } from "../../gateway/registry/people.ts";
import {
  type DeviceDownlink,
  decodeDownlink,
  downlinkTopic,
  encodeEvent,
  openFrame,
  sealFrame,
  uplinkTopic,
} from "../../protocol/index.ts";
import { sha256, temporaryFolder, waitFor } from "../fixtures.ts";
import { PASSWORD, PERSON, startGateway, type TestGateway } from "./gateway.ts";

const DEVICE = "alm-01-d1";
const ADMIN = "admin-1";
const PATH = `/v1/devices/${DEVICE}/downlinks`;
const folder = temporaryFolder();
let gateway: TestGateway | undefined;
let client: mqtt.MqttClient | undefined;
afterAll(async () => {
  await client?.endAsync(true);
  await gateway?.app.stop();
  folder.remove();
});

/** A device that takes every downlink, and can be made to speak. */
async function listen({ app, keys, password }: TestGateway) {
  const key = keys.get(DEVICE) as Uint8Array;
  const taken: { readonly kind: string; readonly value: { readonly counter?: number } }[] = [];
  client = await mqtt.connectAsync(`mqtt://127.0.0.1:${app.mqtt.port}`, {
    ...{ clientId: DEVICE, username: DEVICE, password: password(DEVICE), protocolVersion: 4, reconnectPeriod: 0 },
  });
  client.on("message", (_topic, payload) => {
    const frame = openFrame(sha256, key, payload);
    const downlink = frame === undefined ? undefined : decodeDownlink(frame);
    if (downlink?.kind === "command" || downlink?.kind === "config") taken.push(downlink);
  });
  await client.subscribeAsync(downlinkTopic(DEVICE));
  let sequence = 0;
  const say = (event: string, argument: number) => {
    const time = Math.floor(Date.now() / 1000);
    const frame = encodeEvent({ sequence: sequence++, time, flags: { clockSynced: true }, event, argument });
    return client?.publishAsync(uplinkTopic(DEVICE), Buffer.from(sealFrame(sha256, key, frame)), { qos: 1 });
  };
  return { taken, say };
}

async function asAdmin({ app }: TestGateway) {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ name: ADMIN, password: PASSWORD });
  const signIn = await fetch(`${app.http.url}/v1/session`, { method: "POST", headers, body });
  const cookie = (signIn.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  return async (asked: object) => {
    const answer = await fetch(`${app.http.url}${PATH}`, {
      method: "POST",
      headers: { ...headers, cookie },
      body: JSON.stringify(asked),
    });
    return (await answer.json()) as DeviceDownlink;
  };
}

test("settings and a command go out one after the other, and say what became of them", async () => {
  await addPerson(folder.path, { name: ADMIN, role: "admin" }, PASSWORD);
  gateway = await startGateway({ dir: folder.path });
  const { get, post } = gateway;
  const states = async () => (await get<DeviceDownlink[]>(PATH)).map(({ counter, state }) => [counter, state]);
  await expect(post(PATH, { settings: { capacity: 90 } })).rejects.toThrow("NOT_ALLOWED");
  const first = await (await asAdmin(gateway))({ settings: { capacity: 90, reportIntervalS: 300 } });
  expect(first).toMatchObject({ state: "queued", by: ADMIN, settings: { capacity: 90 } });
  const ask = { command: "set-occupancy", argument: 12, downlinkId: "form-0001" };
  const second = await post<DeviceDownlink>(PATH, ask);
  expect((await post<DeviceDownlink>(PATH, ask)).counter).toBe(second.counter);
  await expect(post(PATH, { command: "locate" })).rejects.toThrow("DOWNLINK_INVALID");
  await expect(post(PATH.replace(DEVICE, "alm-99-d1"), ask)).rejects.toThrow("DEVICE_UNKNOWN");
  expect(await states()).toEqual([
    [first.counter, "queued"],
    [second.counter, "queued"],
  ]);

  const { taken, say } = await listen(gateway);
  await say("mains-lost", 0);
  await waitFor("the settings", () => taken.length === 1);
  expect(taken[0]).toEqual({
    kind: "config",
    value: { counter: first.counter, settings: { capacity: 90, reportIntervalS: 300 } },
  });
  expect(await states()).toContainEqual([first.counter, "sent"]);
  await say("downlink-applied", first.counter & 0xffff);
  await waitFor("the command", () => taken.length === 2);
  expect(taken[1]).toMatchObject({ kind: "command", value: { counter: second.counter, argument: 12 } });
  await say("downlink-refused", second.counter & 0xffff);
  const over = [
    [second.counter, "refused"],
    [first.counter, "applied"],
  ];
  expect(await states()).toEqual(over);

  await client?.endAsync(true);
  await gateway.app.stop();
  const journal = await openJournal({ dir: folder.path, clock: systemClock, reserveMb: 0 });
  const acts = (await journal.acts(10)).filter(({ action }) => action === "downlink-asked");
  await journal.close();
  expect(acts.map(({ actor, object, detail }) => [actor, object, detail.replace(/, until .*/, "")])).toEqual([
    [PERSON, DEVICE, "set-occupancy 12"],
    [ADMIN, DEVICE, "settings capacity 90, reportIntervalS 300"],
  ]);
  gateway = await startGateway({ dir: folder.path });
  expect((await gateway.get<DeviceDownlink[]>(PATH)).map(({ counter, state }) => [counter, state])).toEqual(over);
});
