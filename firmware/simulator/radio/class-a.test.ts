// The modem's class A radio against frames that the gateway's own code makes, sent by hand into its windows.
import { expect, test } from "vitest";
import { fromHex, type SessionKeys, sessionKeys } from "../../../gateway/ingress/lorawan/network/crypto.ts";
import { buildDownlink, buildJoinAccept, parseUplink } from "../../../gateway/ingress/lorawan/network/phy.ts";
import { createModem } from "../modem.ts";
import { createRandom } from "../random.ts";
import { createSchedule } from "../schedule.ts";
import { createAir, type Emission } from "./air.ts";
import { createClassA } from "./class-a.ts";

const STATION = "0016c001f153a14c";
const APP_KEY = "b6b53f4a168a7a88bdf7ea135ce9cfca";
const DEV_ADDR = "26012e43";
const NOTHING = new Uint8Array(0);
const RX_DELAY_S = 3;

function setUp() {
  const schedule = createSchedule();
  const air = createAir({ schedule, random: createRandom(1), lossDb: () => 100 });
  const lines: string[] = [];
  const heard: Emission[] = [];
  let said = "";
  let onHeard: (one: Emission) => void = () => undefined;
  air.addStation({
    id: STATION,
    isOn: () => true,
    heard: (one) => {
      heard.push(one);
      onHeard(one);
    },
  });
  const modem = createModem({ schedule, random: createRandom(2), radio: (parts) => createClassA(air, parts) });
  Object.assign(modem.memory, { devEui: "AFEE7CF5ED6F1E70", appEui: "00B3D57ED00000DC", appKey: APP_KEY });
  Object.assign(modem.memory, { mode: "LWOTAA", dataRate: 3, port: 10, retry: 1 });
  modem.open((text) => {
    said += text;
    lines.push(...said.split("\r\n").slice(0, -1));
    said = said.slice(said.lastIndexOf("\n") + 1);
  });
  const down = (afterMs: number, phy: Uint8Array, frequencyHz: number, dataRate: number) =>
    schedule.after(
      afterMs,
      () => void air.emit({ sender: STATION, isDown: true, phy, frequencyHz, dataRate, powerDbm: 14 }),
    );
  const run = (ms: number) => schedule.runUntil(schedule.nowMs() + ms);
  const command = (text: string) => {
    lines.length = 0;
    modem.write(`AT+${text}\r\n`);
    run(30_000);
    return lines;
  };
  let keys: SessionKeys | undefined;
  const join = (isInTime = true) => {
    onHeard = ({ phy, frequencyHz, dataRate }) => {
      const request = parseUplink(phy);
      if (request.kind !== "join") return;
      keys = sessionKeys(fromHex(APP_KEY), { joinNonce: 1, netId: 0x13, devNonce: request.devNonce });
      const accept = { joinNonce: 1, netId: 0x13, devAddr: DEV_ADDR, rx2DataRate: 3, rxDelayS: RX_DELAY_S };
      down(isInTime ? 5_000 : 5_300, buildJoinAccept(fromHex(APP_KEY), accept), frequencyHz, dataRate);
    };
    return command("JOIN");
  };
  const frame = (counter: number, payload: Uint8Array, devAddr = DEV_ADDR) =>
    buildDownlink(keys as SessionKeys, {
      devAddr,
      counter,
      isAck: true,
      isPending: false,
      options: NOTHING,
      data: { port: 10, payload },
    });
  return {
    schedule,
    air,
    modem,
    heard,
    down,
    join,
    command,
    frame,
    answer: (work: (one: Emission) => void) => {
      onHeard = work;
    },
  };
}

test("it joins when the answer begins with its window, and not when it is late", () => {
  expect(setUp().join()).toEqual([
    "+JOIN: Start",
    "+JOIN: NORMAL",
    "+JOIN: Network joined",
    "+JOIN: NetID 000013 DevAddr 26:01:2E:43",
    "+JOIN: Done",
  ]);
  expect(setUp().join(false)).toContain("+JOIN: Join failed");
});

test("an answer in the second window comes at the rate of the join accept; one to another device ends nothing", () => {
  const it = setUp();
  it.join();
  it.answer(({ frequencyHz, dataRate }) => {
    it.down(RX_DELAY_S * 1_000, it.frame(0, Uint8Array.of(9), "26012e44"), frequencyHz, dataRate);
    it.down(RX_DELAY_S * 1_000 + 1_000, it.frame(0, Uint8Array.of(0x18, 1)), 869_525_000, 3);
  });
  expect(it.command('MSGHEX="0102"')).toEqual([
    "+MSGHEX: Start",
    "+MSGHEX: ACK Received",
    '+MSGHEX: PORT: 10; RX: "1801"',
    expect.stringMatching(/^\+MSGHEX: RXWIN2, RSSI -8\d, SNR /),
    "+MSGHEX: Done",
  ]);
});

test("a confirmed frame goes again as it was, on whatever channel, until it is acknowledged", () => {
  const it = setUp();
  it.join();
  expect(it.command('CMSGHEX="0102"').at(-1)).toBe("+CMSGHEX: Done");
  const [first, second] = it.heard.slice(1);
  expect(it.heard).toHaveLength(3);
  expect(Buffer.from(second?.phy ?? [])).toEqual(Buffer.from(first?.phy ?? [1]));
  expect(parseUplink(first?.phy ?? NOTHING)).toMatchObject({ kind: "data", isConfirmed: true, counterLow: 0 });
  expect(it.command('MSGHEX="0102"')).not.toContain("+MSGHEX: ACK Received");
  expect(parseUplink(it.heard.at(-1)?.phy ?? NOTHING)).toMatchObject({ isConfirmed: false, counterLow: 1 });
});

test("joins keep to the three channels, frames use all eight", () => {
  const it = setUp();
  it.join();
  for (let i = 0; i < 60; i++) {
    it.command('MSGHEX="01"');
    it.schedule.runUntil(it.schedule.nowMs() + 60_000);
  }
  const channels = (frames: readonly Emission[]) => new Set(frames.map((one) => one.frequencyHz)).size;
  expect(it.heard[0]?.frequencyHz).toBeGreaterThan(868_000_000);
  expect(channels(it.heard.slice(1))).toBe(8);
});

test("what the band does not allow waits, and the modem says how long", () => {
  const it = setUp();
  it.modem.memory.dataRate = 0;
  it.join();
  // Both sub-bands.
  it.command('MSGHEX="0102"');
  const [refused] = it.command('MSGHEX="0102"').slice(-1);
  const waitMs = Number(/No band in (\d+)ms/.exec(refused ?? "")?.[1]);
  expect(waitMs).toBeGreaterThan(10_000);
  it.schedule.runUntil(it.schedule.nowMs() + waitMs);
  expect(it.command('MSGHEX="0102"')).toContain("+MSGHEX: Done");
});

test("without power it forgets its session and what was under way, not its nonces", () => {
  const it = setUp();
  it.join();
  const { nonce } = it.modem.memory;
  it.modem.write('AT+MSGHEX="0102"\r\n');
  it.schedule.runUntil(it.schedule.nowMs() + 500);
  it.modem.setPower(false);
  it.schedule.runUntil(it.schedule.nowMs() + 10_000);
  it.modem.setPower(true);
  it.schedule.runUntil(it.schedule.nowMs() + 1_000);
  expect(it.modem.isJoined()).toBe(false);
  expect(it.command('MSGHEX="0102"')).toEqual(["+MSGHEX: Please join network first"]);
  it.join();
  expect(it.modem.memory.nonce).toBe(nonce + 1);
});
