import { createSocket, type Socket } from "node:dgram";
import { syncBuiltinESMExports } from "node:module";
import os from "node:os";
import { afterEach, expect, test, vi } from "vitest";
import { waitFor } from "../../../../tests/fixtures.ts";
import { systemClock } from "../../../clock.ts";
import type { HeardFrame } from "../interfaces.ts";
import { addressOf, startUdpStations, type UdpStations } from "./udp.ts";

const EUI = "aa555a0000000101";
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function start(port = 0): Promise<UdpStations> {
  let token = 0;
  const stations = await startUdpStations({
    host: "127.0.0.1",
    port,
    stations: [{ eui: EUI, name: "Roof" }],
    clock: systemClock,
    randomToken: () => token++,
  });
  closers.push(() => stations.stop());
  return stations;
}

function forwarder(to: UdpStations): { socket: Socket; got: Buffer[]; say(hex: string, text?: string): void } {
  const socket = createSocket("udp4");
  closers.push(() => socket.close());
  const got: Buffer[] = [];
  socket.on("message", (bytes) => void got.push(bytes));
  const say = (hex: string, text = "") =>
    socket.send(Buffer.concat([Buffer.from(hex, "hex"), Buffer.from(text)]), to.address.port, to.address.address);
  return { socket, got, say };
}

test("a forwarder is answered, heard, and told what to send", async () => {
  const stations = await start();
  expect(stations.address.address).toBe("127.0.0.1");
  const heard: HeardFrame[] = [];
  stations.onHeard((frame) => void heard.push(frame));
  const { got, say } = forwarder(stations);
  say(`02000102${EUI}`);
  say(
    `02000200${EUI}`,
    '{"rxpk":[{"tmst":1,"freq":868.1,"stat":1,"modu":"LORA","datr":"SF7BW125","rssi":-9,"lsnr":1,"size":1,"data":"AQ"}]}',
  );
  await waitFor("two answers", () => got.length === 2);
  expect(got.map((one) => one.toString("hex"))).toEqual(["02000104", "02000201"]);
  expect(heard).toHaveLength(1);
  const outcome = stations.transmit({
    stationId: EUI,
    phy: new Uint8Array([1]),
    frequencyHz: 868_100_000,
    dataRate: 5,
    powerDbm: 14,
    counterUs: 5_000_001,
  });
  await waitFor("a downlink", () => got.length === 3);
  expect(got[2]?.subarray(0, 4).toString("hex")).toBe("02000003");
  say(`02000005${EUI}`);
  expect(await outcome).toBe("sent");
});

test("an address that another program has, or that is not of this machine, is told of by its code", async () => {
  const { address } = await start();
  await expect(start(address.port)).rejects.toMatchObject({ code: "ADDRESS_IN_USE" });
  const options = { port: 0, stations: [], clock: systemClock, randomToken: () => 0 };
  await expect(startUdpStations({ ...options, host: "lan9" })).rejects.toMatchObject({ code: "ADDRESS_UNKNOWN" });
  await expect(startUdpStations({ ...options, host: "192.0.2.1" })).rejects.toMatchObject({ code: "ADDRESS_UNKNOWN" });
});

test("a downlink that is under way when it stops ends without an answer", async () => {
  const stations = await start();
  const { got, say } = forwarder(stations);
  say(`02000102${EUI}`);
  await waitFor("an answer", () => got.length === 1);
  const phy = new Uint8Array([1]);
  const outcome = stations.transmit({
    stationId: EUI,
    phy,
    frequencyHz: 868_100_000,
    dataRate: 5,
    powerDbm: 14,
    counterUs: 1,
  });
  closers.shift();
  await stations.stop();
  expect(await outcome).toBe("no-answer");
});

test("an interface stands for its first address", () => {
  const one = { netmask: "", mac: "", internal: false };
  const v6 = { ...one, address: "fe80::1", family: "IPv6" as const, cidr: null, scopeid: 1 };
  const v4 = { ...one, address: "10.0.0.1", family: "IPv4" as const, cidr: null };
  expect(addressOf("lora0", () => ({ lora0: [v6, v4] }))).toBe("10.0.0.1");
  expect(addressOf("lora0", () => ({ lora0: [v6] }))).toBe("fe80::1");
  expect(addressOf("lora0", () => ({}))).toBeUndefined();
});

test("an address is taken as it is, also where the interfaces of the machine are kept from the gateway", async () => {
  const kept = vi.spyOn(os, "networkInterfaces").mockImplementation(() => {
    throw new Error("uv_interface_addresses returned Unknown system error 97");
  });
  syncBuiltinESMExports();
  try {
    expect(addressOf("localhost")).toBe("127.0.0.1");
    expect(addressOf("10.1.2.3")).toBe("10.1.2.3");
    const start = (host: string) =>
      startUdpStations({ host, port: 0, stations: [], clock: systemClock, randomToken: () => 1 });
    const started = await start("127.0.0.1");
    await started.stop();
    await expect(start("lora0")).rejects.toMatchObject({ code: "ADDRESS_UNKNOWN", detail: { host: "lora0" } });
  } finally {
    kept.mockRestore();
    syncBuiltinESMExports();
  }
});
