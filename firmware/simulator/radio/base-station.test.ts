// The base station against the gateway's own side of the protocol: on virtual time, and over real UDP.
import { expect, test } from "vitest";
import { systemClock } from "../../../gateway/clock.ts";
import type { HeardFrame, Transmission } from "../../../gateway/ingress/lorawan/interfaces.ts";
import { createStations } from "../../../gateway/ingress/lorawan/stations/stations.ts";
import { startUdpStations } from "../../../gateway/ingress/lorawan/stations/udp.ts";
import { NOON_MS, waitFor } from "../../../tests/fixtures.ts";
import { virtualClock } from "../../../tests/virtual-clock.ts";
import { keepPace } from "../paced.ts";
import { createRandom } from "../random.ts";
import { realClock } from "../real-clock.ts";
import { createSchedule } from "../schedule.ts";
import { createAir } from "./air.ts";
import { type BaseStation, createBaseStation } from "./base-station.ts";
import { openStationUdp } from "./station-udp.ts";

const EUI = "0016c001f153a14c";

function setUp(seed = 1) {
  const schedule = createSchedule();
  const clock = virtualClock(NOON_MS);
  const air = createAir({ schedule, random: createRandom(seed), lossDb: () => 100 });
  const heard: HeardFrame[] = [];
  let token = 0;
  const stations = createStations({
    stations: [{ eui: EUI, name: "Roof" }],
    clock: { ...clock, monotonicMs: schedule.nowMs },
    randomToken: () => token++,
    send: (bytes) => station.take(bytes),
  });
  stations.onHeard((frame) => void heard.push(frame));
  const station = createBaseStation({
    schedule,
    random: createRandom(seed + 1),
    air,
    eui: EUI,
    send: (bytes, socket) => stations.take(bytes, { address: "10.0.0.7", port: socket === "push" ? 1 : 2 }),
  });
  station.setPower(true);
  const up = () =>
    air.emit({
      sender: "d1",
      isDown: false,
      phy: new Uint8Array([1, 2, 3]),
      frequencyHz: 868_300_000,
      dataRate: 2,
      powerDbm: 14,
    });
  return { schedule, air, heard, stations, station, up };
}

function answerTo(frame: HeardFrame, delayMs: number, part: Partial<Transmission> = {}): Transmission {
  const { frequencyHz, dataRate, counterUs } = frame;
  const at = (counterUs + delayMs * 1000) % 2 ** 32;
  return {
    stationId: EUI,
    phy: new Uint8Array(20),
    frequencyHz,
    dataRate,
    powerDbm: 14,
    counterUs: at,
    ...part,
  };
}

test("what it hears reaches the server, and what that answers goes out on the counter's moment", async () => {
  // Seeds, so that its counter wraps on the way for some.
  for (let seed = 1; seed < 20; seed++) {
    const { schedule, air, heard, stations, station, up } = setUp(seed);
    schedule.runUntil(70 * 60_000 + seed * 1_000);
    const endMs = schedule.nowMs() + up();
    schedule.runUntil(endMs + 200);
    expect(heard).toMatchObject([{ frequencyHz: 868_300_000, dataRate: 2, reception: { stationId: EUI } }]);
    const outcome = stations.transmit(answerTo(heard[0] as HeardFrame, 5_000));
    expect(await outcome).toBe("sent");
    let got: number | undefined;
    schedule.after(endMs + 4_985 - schedule.nowMs(), () =>
      air.listen({
        listener: "d1",
        frequencyHz: 868_300_000,
        dataRate: 2,
        forMs: 40,
        done: (one) => {
          got = one?.phy.length;
        },
      }),
    );
    schedule.runUntil(endMs + 8_000);
    expect(got).toBe(20);
    expect(station.counts).toEqual({ heard: 1, sent: 1 });
    expect(stations.states()[0]).toMatchObject({ isConnected: true, transmissions: { sent: 1 }, refused: {} });
    expect(stations.states()[0]?.status?.acknowledgedPct).toBe(100);
  }
});

test("what cannot go is refused with its reason", async () => {
  const { schedule, heard, stations, station, up } = setUp();
  schedule.runUntil(schedule.nowMs() + up() + 100);
  const frame = heard[0] as HeardFrame;
  const outcomes = await Promise.all([
    stations.transmit(answerTo(frame, 50)),
    stations.transmit(answerTo(frame, 200_000)),
    stations.transmit(answerTo(frame, 1_000)),
    stations.transmit(answerTo(frame, 1_100)),
    stations.transmit(answerTo(frame, 3_000, { powerDbm: 30 })),
    stations.transmit(answerTo(frame, 3_000, { frequencyHz: 915_000_000 })),
  ]);
  expect(outcomes).toEqual(["too-late", "too-early", "sent", "collision", "power", "frequency"]);
  expect(station.answers).toEqual({
    NONE: 1,
    TOO_LATE: 1,
    TOO_EARLY: 1,
    COLLISION_PACKET: 1,
    TX_FREQ: 1,
    TX_POWER: 1,
  });
});

test("without power it hears nothing and forgets what it was to send", async () => {
  const { schedule, heard, stations, station, up } = setUp();
  schedule.runUntil(schedule.nowMs() + up() + 100);
  await stations.transmit(answerTo(heard[0] as HeardFrame, 1_000));
  station.setPower(false);
  schedule.runUntil(60_000);
  up();
  schedule.runUntil(70_000);
  expect(station.counts).toEqual({ heard: 1, sent: 0 });
  expect(stations.states()[0]?.isConnected).toBe(false);
  station.setPower(true);
  expect(stations.states()[0]?.isConnected).toBe(true);
});

test("over real UDP it is heard, and sends what it is told", async () => {
  const stations = await startUdpStations({
    host: "127.0.0.1",
    port: 0,
    stations: [{ eui: EUI, name: "Roof" }],
    clock: systemClock,
    randomToken: () => 7,
  });
  const schedule = createSchedule();
  const air = createAir({ schedule, random: createRandom(1), lossDb: () => 100 });
  const pace = keepPace(schedule, realClock);
  const udp = openStationUdp({
    host: "127.0.0.1",
    port: stations.address.port,
    received: (bytes) => station.take(bytes),
    atStationTime: pace.at,
  });
  const station: BaseStation = createBaseStation({ schedule, random: createRandom(2), air, eui: EUI, send: udp.send });
  try {
    const heard: HeardFrame[] = [];
    stations.onHeard((frame) => void heard.push(frame));
    pace.at(() => station.setPower(true));
    await waitFor("a connection", () => stations.states()[0]?.isConnected);
    const phy = new Uint8Array([1, 2, 3]);
    const frame = { sender: "d1", isDown: false, phy, frequencyHz: 868_300_000, dataRate: 5, powerDbm: 14 };
    pace.at(() => void air.emit(frame));
    await waitFor("an uplink", () => heard.length === 1);
    expect(await stations.transmit(answerTo(heard[0] as HeardFrame, 1_000))).toBe("sent");
    await waitFor("a downlink", () => station.counts.sent === 1);
    expect(station.answers.NONE).toBe(1);
  } finally {
    pace.stop();
    udp.close();
    await stations.stop();
  }
});
