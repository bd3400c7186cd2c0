// The link against a scripted modem that answers from the logs, and against everything that a modem and a wire can do wrong.
import { afterEach, describe, expect, it } from "vitest";
import { encodeReport } from "../../../protocol/wire.ts";
import { createLorawanNetwork, type LorawanNetwork } from "../../simulator/lorawan-network.ts";
import { createModem, type Modem } from "../../simulator/modem.ts";
import { createModemRadio } from "../../simulator/modem-radio.ts";
import { timeOnAirMs } from "../../simulator/radio/airtime.ts";
import { createRandom } from "../../simulator/random.ts";
import { createSchedule, type Schedule } from "../../simulator/schedule.ts";
import { airtimeMs, BUDGET_MS, costS, leftAfter, payloadMax } from "./ledger.ts";
import * as link from "./wio-e5.ts";

const DEV_EUI = "0123456789ABCDEF";
const KEYS = { devEui: DEV_EUI, appEui: "70B3D57ED0000001", appKey: "000102030405060708090A0B0C0D0E0F" };
const SPREAD_MS = 120_000;
const HOUR_MS = 3_600_000;

interface Bench {
  readonly schedule: Schedule;
  readonly network: LorawanNetwork;
  readonly modem: Modem;
  readonly delivered: Uint8Array[];
  readonly received: Uint8Array[];
  readonly link: link.LoraLink;
  /** A board that starts again: the modem does not. */
  reboot(): link.LoraLink;
  run(ms: number): void;
  joined(): void;
  send(frame: Uint8Array, isConfirmed?: boolean): { taken: boolean | undefined; calls: number };
}

function bench(seed = 1, dataRate = 3, cutPower?: (modem: Modem) => void): Bench {
  const schedule = createSchedule();
  const random = createRandom(seed);
  const delivered: Uint8Array[] = [];
  const received: Uint8Array[] = [];
  const network = createLorawanNetwork({
    random,
    keys: new Map([[DEV_EUI, KEYS.appKey]]),
    deliver: (_, payload) => delivered.push(payload),
  });
  const modem = createModem({ schedule, random, radio: (parts) => createModemRadio(network, parts) });
  let boot = 0;
  const make = () => {
    const mine = ++boot;
    const startMs = schedule.nowMs();
    let close = () => {};
    const made = link.createWioE5({
      ...KEYS,
      dataRate,
      delay: (ms, run) => schedule.after(ms, () => mine === boot && run()),
      uptime: () => (schedule.nowMs() - startMs) / 1000,
      random: random.next,
      changed: () => undefined,
      received: (frame) => received.push(frame),
      line: {
        open: (listener) => {
          close = modem.open(listener);
        },
        close: () => close(),
        write: (data) => modem.write(data),
      },
      ...(cutPower === undefined ? {} : { cutPower: () => cutPower(modem) }),
    });
    made.start();
    return made;
  };
  const self = {
    schedule,
    network,
    modem,
    delivered,
    received,
    link: make(),
    reboot: () => {
      self.link = make();
      return self.link;
    },
    run: (ms: number) => schedule.runUntil(schedule.nowMs() + ms),
    joined: () => self.run(SPREAD_MS + 20_000),
    send: (frame: Uint8Array, isConfirmed = false) => {
      const answer = { taken: undefined as boolean | undefined, calls: 0 };
      self.link.send(frame, isConfirmed, (taken) => {
        answer.taken = taken;
        answer.calls++;
      });
      return answer;
    },
  };
  return self;
}

function frame(sequence: number, ackRequested = false): Uint8Array {
  return encodeReport({ sequence, time: 1_800_000_000, flags: { clockSynced: true, ackRequested }, phase: "open" });
}

let b: Bench;
afterEach(() => {
  expect(b.modem.log().some((line) => line.includes("FDEFAULT"))).toBe(false);
});

function commands(from = 0): string[] {
  return b.modem
    .log()
    .slice(from)
    .map((line) => line.replace(/^AT\+/, ""));
}

function joinsTried(): number {
  return commands().filter((line) => line.startsWith("JOIN")).length;
}

describe("joining", () => {
  it("sets up a new modem and joins with the keys that it was given", () => {
    b = bench();
    b.joined();
    expect(b.link.isUp()).toBe(true);
    expect(b.link.room()).toBe(115);
    expect(b.modem.memory).toMatchObject({ ...KEYS, mode: "LWOTAA", channels: 8, port: 10, isAdr: false, dataRate: 3 });
    expect(b.modem.memory).toMatchObject({ isLowPower: true, hasTimeout: false, isDutyCycle: true });
    expect(commands().at(-1)).toBe("JOIN=FORCE");
  });

  it("keeps the session of a modem that stayed on, and gives it no keys again", () => {
    b = bench();
    b.joined();
    const before = b.modem.log().length;
    b.reboot();
    b.joined();
    expect(b.link.isUp()).toBe(true);
    expect(b.network.joins()).toBe(1);
    expect(commands(before)).toContain("JOIN");
    expect(commands(before).some((line) => line.startsWith("KEY"))).toBe(false);
  });

  it("sets up everything when the modem is somebody else's", () => {
    b = bench();
    b.joined();
    b.modem.memory.devEui = "FFFFFFFFFFFFFFFF";
    b.reboot();
    b.joined();
    expect(b.modem.memory.devEui).toBe(DEV_EUI);
    expect(b.network.joins()).toBe(2);
    expect(b.link.isUp()).toBe(true);
  });

  it("takes Done after Join failed for what it is, and backs off by the airtime of 7", () => {
    b = bench();
    b.network.settings.isUp = false;
    b.run(HOUR_MS);
    expect(b.link.isUp()).toBe(false);
    expect(b.link.room()).toBe(0);
    expect(b.modem.onAirMs().m).toBeLessThanOrEqual(36_000);
    const first = b.modem.onAirMs().m;
    expect(joinsTried()).toBeGreaterThan(20);
    b.run(10 * HOUR_MS);
    expect(b.modem.onAirMs().m - first).toBeLessThanOrEqual(36_000);
    const second = b.modem.onAirMs().m;
    b.run(24 * HOUR_MS);
    expect(b.modem.onAirMs().m - second).toBeLessThanOrEqual(8_700);
    b.network.settings.isUp = true;
    b.run(6 * HOUR_MS);
    expect(b.link.isUp()).toBe(true);
  });

  it("joins from far away at the slowest rate", () => {
    b = bench();
    b.network.settings.reach = 1;
    b.run(HOUR_MS);
    expect(b.link.isUp()).toBe(true);
    expect(b.link.room()).toBe(51);
  });

  it("follows each log of a join", () => {
    b = bench();
    b.modem.script("JOIN", ["+JOIN: Start", "+JOIN: NORMAL", "+JOIN: Join failed", "+JOIN: Done"], 900);
    for (let s = 0; s < 200 && joinsTried() === 0; s++) b.run(1_000);
    b.run(4_000);
    expect(joinsTried()).toBe(1);
    expect(b.link.isUp()).toBe(false);
    b.modem.script("JOIN", ["+JOIN: LoRaWAN modem is busy"]);
    b.modem.script("JOIN", ["+JOIN: Not in OTAA mode"]);
    b.modem.script("JOIN", ["+JOIN: No free channel"]);
    b.modem.script("JOIN", ["+JOIN: ERROR(-1)"]);
    b.modem.script("JOIN", [
      "+JOIN: Start",
      "+JOIN: NORMAL",
      "+JOIN: Network joined",
      "+JOIN: NetID 000013 DevAddr 26:01:2E:43",
      "+JOIN: Done",
    ]);
    b.run(5 * 60_000);
    expect(b.link.isUp()).toBe(true);
    expect(b.network.joins()).toBe(0);
  });
});

describe("sending", () => {
  it("sends a frame, and says so when both windows are over", () => {
    b = bench();
    b.joined();
    const sent = b.send(frame(7));
    expect(b.link.room()).toBe(0);
    b.run(1_000);
    expect(sent.calls).toBe(0);
    b.run(4_000);
    expect(sent).toEqual({ taken: true, calls: 1 });
    expect(b.delivered).toEqual([frame(7)]);
    expect(b.link.room()).toBe(115);
  });

  it("hands on a downlink of port 10; an empty frame fetches what still waits", () => {
    b = bench();
    b.joined();
    b.network.queue(DEV_EUI, Uint8Array.of(0x18, 1, 2, 254));
    b.network.queue(DEV_EUI, Uint8Array.of(0x18, 3));
    b.send(frame(1));
    b.run(5_000);
    expect(b.received).toEqual([Uint8Array.of(0x18, 1, 2, 254)]);
    b.run(8_000);
    expect(b.received).toHaveLength(2);
    expect(commands()).toContain('MSGHEX=""');
  });

  it.each([
    ["a downlink and its strength", ["Start", 'PORT: 10; RX: "12AB"', "RXWIN1, RSSI -79, SNR 7.0", "Done"], true, 1],
    ["nothing but that it was sent", ["Start", "Done"], true, 0],
    ["a downlink of another port", ["Start", 'PORT: 8; RX: "12AB"', "RXWIN2, RSSI -106, SNR 4.0", "Done"], true, 0],
    ["a downlink that lost a digit", ["Start", 'PORT: 10; RX: "12A"', "Done"], true, 0],
    ["a downlink that lost its end", ["Start", 'PORT: 10; RX: "12AB', "Done"], true, 0],
    ["a downlink with a digit that is none", ["Start", 'PORT: 10; RX: "1:AB"', "Done"], true, 0],
    ["a downlink longer than any", ["Start", `PORT: 10; RX: "${"00".repeat(100)}"`, "Done"], true, 0],
    ["that it must join", ["Please join network first"], false, 0],
    ["that it is busy", ["LoRaWAN modem is busy"], false, 0],
    ["that no channel is free", ["No free channel"], false, 0],
    ["that its band is used up", ["No band in 5000ms"], false, 0],
    ["that the rate is wrong", ["DR error"], false, 0],
    ["that it is too long", ["Length error 11"], false, 0],
    ["an error", ["ERROR(-20)"], false, 0],
    ["a Done of before", ["Done", "LoRaWAN modem is busy"], false, 0],
  ])("understands an answer that says %s", (_, answers, taken, downlinks) => {
    b = bench();
    b.joined();
    b.modem.script(
      "MSGHEX",
      answers.map((one) => `+MSGHEX: ${one}`),
    );
    const sent = b.send(frame(1));
    b.run(30_000);
    expect(sent).toEqual({ taken, calls: 1 });
    expect(b.received).toHaveLength(downlinks);
    b.run(60_000);
    expect(b.link.isUp()).toBe(true);
    const next = b.send(frame(2).slice(0, 9));
    b.run(10_000);
    expect(next).toEqual({ taken: true, calls: 1 });
  });

  it("waits as long as a used band says, and takes the length that it is told", () => {
    b = bench();
    b.joined();
    b.modem.script("MSGHEX", ["+MSGHEX: No band in 45000ms"]);
    b.send(frame(1));
    b.run(44_000);
    expect(b.link.room()).toBe(0);
    b.run(2_000);
    expect(b.link.room()).toBe(115);
    b.modem.script("MSGHEX", ["+MSGHEX: Length error 11"]);
    b.send(frame(1));
    b.run(9_000);
    expect(b.link.room()).toBe(11);
    // An empty frame takes the network's own business off the next one.
    b.run(10_000);
    expect(commands().at(-1)).toBe('MSGHEX=""');
    expect(b.link.room()).toBe(115);
  });

  it("repeats a confirmed frame once, which the network stores once", () => {
    b = bench();
    b.joined();
    b.network.settings.lossDown = 1;
    const sent = b.send(frame(1), true);
    b.run(20_000);
    expect(sent).toEqual({ taken: true, calls: 1 });
    expect(b.delivered).toHaveLength(1);
    expect(b.network.repeats()).toBe(1);
  });

  it("writes a long frame in pieces that fit a turn", () => {
    b = bench(1, 5);
    b.joined();
    const pieces: number[] = [];
    const write = b.modem.write;
    Object.assign(b.modem, {
      write: (text: string) => {
        pieces.push(text.length);
        write(text);
      },
    });
    const long = new Uint8Array(222).fill(0xa5);
    const sent = b.send(long);
    b.run(10_000);
    expect(sent.taken).toBe(true);
    expect(b.delivered).toEqual([long]);
    expect(Math.max(...pieces)).toBeLessThanOrEqual(52);
  });
});

describe("a modem in trouble", () => {
  it("finds out that the modem started anew, and joins again", () => {
    b = bench();
    b.joined();
    b.modem.restart();
    b.run(20_000);
    expect(commands()).toContain("VER");
    expect(b.network.joins()).toBe(2);
    expect(b.link.isUp()).toBe(true);
  });

  it("finds out in the middle of a send", () => {
    b = bench();
    b.joined();
    const sent = b.send(frame(1));
    b.run(300);
    b.modem.restart();
    b.run(90_000);
    expect(sent).toEqual({ taken: false, calls: 1 });
    expect(b.network.joins()).toBe(2);
    expect(b.link.isUp()).toBe(true);
  });

  it("says that it is down while the modem is without power, takes its power and comes back", () => {
    let cuts = 0;
    b = bench(1, 3, (modem) => {
      cuts++;
      if (cuts === 2) modem.setPower(true);
    });
    b.joined();
    b.modem.setPower(false);
    const sent = b.send(frame(1));
    b.run(50_000);
    expect(sent).toEqual({ taken: false, calls: 1 });
    expect(b.link.isUp()).toBe(false);
    b.run(HOUR_MS);
    expect(cuts).toBe(2);
    expect(b.link.isUp()).toBe(true);
  });

  it("goes without what the modem does not know", () => {
    b = bench();
    b.modem.script("LOWPOWER", ["+LOWPOWER: ERROR(-10)"]);
    b.modem.script("LOWPOWER", ["+LOWPOWER: ERROR(-10)"]);
    b.modem.script("LOWPOWER", ["+LOWPOWER: ERROR(-10)"]);
    b.joined();
    expect(b.link.isUp()).toBe(true);
    expect(commands().filter((line) => line === "LOWPOWER=AUTOON")).toHaveLength(3);
  });
});

describe("data rate", () => {
  function ask(count: number): void {
    for (let i = 0; i < count; i++) {
      b.send(frame(i, true));
      b.run(15 * 60_000);
    }
  }

  it("falls after three unanswered requests each, and stays at the slowest", () => {
    b = bench();
    b.joined();
    b.network.settings.isUp = false;
    ask(2);
    expect(b.modem.memory.dataRate).toBe(3);
    ask(1);
    expect(b.modem.memory.dataRate).toBe(2);
    expect(b.link.room()).toBe(51);
    ask(3);
    expect(b.modem.memory.dataRate).toBe(0);
    ask(4);
    expect(b.modem.memory.dataRate).toBe(0);
    expect(b.link.isUp()).toBe(true);
  });

  it("is drawn anew with each frame while nobody has answered for hours: seldom the slowest", () => {
    b = bench();
    b.joined();
    b.network.settings.isUp = false;
    ask(4 * 4 + 2);
    const rates = Array.from({ length: 4 * 60 }, () => {
      ask(1);
      return b.modem.memory.dataRate;
    });
    expect(new Set(rates)).toEqual(new Set([0, 3]));
    const slowest = rates.filter((rate) => rate === 0).length / rates.length;
    expect(slowest).toBeGreaterThan(0.05);
    expect(slowest).toBeLessThan(0.17);
  });

  it("climbs after four answers each", () => {
    b = bench();
    b.joined();
    b.network.settings.isUp = false;
    ask(6);
    b.network.settings.isUp = true;
    const rates: number[] = [];
    for (let i = 0; i < 9; i++) {
      b.network.queue(DEV_EUI, Uint8Array.of(0x18));
      ask(1);
      rates.push(b.modem.memory.dataRate);
    }
    expect(rates).toEqual([0, 0, 0, 2, 2, 2, 2, 3, 3]);
    expect(b.network.joins()).toBe(1);
  });

  it("does not judge by frames that asked for nothing", () => {
    b = bench();
    b.joined();
    b.network.settings.isUp = false;
    for (let i = 0; i < 12; i++) {
      b.send(frame(i));
      b.run(15 * 60_000);
    }
    expect(b.modem.memory.dataRate).toBe(3);
  });

  it("keeps a session through an outage of 72 hours", () => {
    b = bench();
    b.joined();
    b.network.settings.isUp = false;
    ask(4 * 72);
    // An answer at the slowest rate: it is what it was from then on.
    for (let i = 0; i < 100 && b.modem.memory.dataRate > 0; i++) ask(1);
    expect(b.modem.memory.dataRate).toBe(0);
    b.network.settings.isUp = true;
    b.network.queue(DEV_EUI, Uint8Array.of(0x18));
    ask(1);
    expect(b.modem.memory.dataRate).toBe(3);
    expect(b.link.isUp()).toBe(true);
    expect(b.network.joins()).toBe(1);
  });

  it("gives up a session that nobody has answered for 80 hours, and joins by the back-off", () => {
    b = bench();
    b.joined();
    b.network.settings.isUp = false;
    ask(4 * 82);
    expect(b.link.isUp()).toBe(false);
    b.network.settings.isUp = true;
    b.run(6 * HOUR_MS);
    expect(b.link.isUp()).toBe(true);
    expect(b.network.joins()).toBe(2);
  });
});

describe("airtime", () => {
  /** Facts, section 4: bytes, and milliseconds at SF12, SF10, SF9 and SF7. */
  const TABLE: readonly (readonly [number, readonly number[]])[] = [
    [10, [1482.8, 370.7, 205.8, 61.7]],
    [18, [1810.4, 452.6, 246.8, 71.9]],
    [22, [1810.4, 493.6, 246.8, 77.1]],
    [24, [1974.3, 493.6, 267.3, 82.2]],
    [31, [2138.1, 534.5, 287.7, 92.4]],
    [40, [2465.8, 616.4, 328.7, 102.7]],
    [51, [2793.5, 698.4, 390.1, 118.0]],
  ];

  it("fits the table at every data rate, and the modem's own figure", () => {
    b = bench();
    for (const [bytes, expected] of TABLE)
      [0, 2, 3, 5].forEach((rate, i) => {
        expect(airtimeMs(bytes, rate)).toBeCloseTo(expected[i] as number, 0);
        expect(airtimeMs(bytes, rate)).toBeCloseTo(timeOnAirMs(bytes + 13, rate), 6);
      });
    expect(airtimeMs(115, 3)).toBeCloseTo(677, 0);
    expect(airtimeMs(222, 5)).toBeCloseTo(369, 0);
    expect([0, 1, 2, 3, 4, 5].map(payloadMax)).toEqual([51, 51, 51, 115, 222, 222]);
  });

  it("fills again over an hour, and says what an hour holds", () => {
    b = bench();
    expect(leftAfter(0, 1800, 0)).toBe(BUDGET_MS / 2);
    expect(leftAfter(BUDGET_MS, 7200, 1000)).toBe(BUDGET_MS - 625);
    // 12 reports of 51 bytes an hour at SF12 in one sub-band; eight fifths of that in two.
    expect(Math.floor(3600 / costS(51, 0))).toBe(20);
  });

  it.each([0, 3, 5])("keeps both sub-bands under 1 % when it sends all that it can at DR%i", (rate) => {
    b = bench(4, rate);
    b.modem.memory.isDutyCycle = false;
    b.modem.script("LW", ["+LW: DC, OFF"]);
    b.joined();
    expect(b.modem.memory.isDutyCycle).toBe(false);
    const before = { ...b.modem.onAirMs() };
    let frames = 0;
    for (let s = 0; s < 6 * 3600; s += 5) {
      const room = b.link.room();
      if (room > 0) {
        b.send(new Uint8Array(room));
        frames++;
      }
      b.run(5_000);
    }
    expect(frames).toBeGreaterThan(100);
    const { l, m } = b.modem.onAirMs();
    // The modem draws channels by chance; a quarter above is what its own limit is there for.
    expect(l - before.l).toBeLessThan(6 * BUDGET_MS * 1.25);
    expect(m - before.m).toBeLessThan(6 * BUDGET_MS);
  });
});

describe("whatever happens", () => {
  it.each(Array.from({ length: 24 }, (_, i) => i + 1))("neither hangs nor tells twice (seed %i)", (seed) => {
    b = bench(seed, 3, (modem) => modem.restart());
    const chance = createRandom(seed * 977);
    Object.assign(b.modem.troubles, {
      errorShare: chance.between(0, 0.3),
      muteShare: chance.between(0, 0.2),
      lostShare: chance.between(0, 0.01),
      strayShare: chance.between(0, 0.3),
      restartShare: chance.between(0, 0.02),
    });
    Object.assign(b.network.settings, { lossUp: chance.between(0, 0.5), lossDown: chance.between(0, 0.5) });
    const answers: { taken: boolean | undefined; calls: number }[] = [];
    for (let minute = 0; minute < 24 * 60; minute++) {
      if (chance.next() < 0.3) b.network.queue(DEV_EUI, Uint8Array.of(0x18, minute & 255));
      if (chance.next() < 0.003) b.reboot();
      if (b.link.room() >= 9) answers.push(b.send(frame(minute, chance.next() < 0.5), chance.next() < 0.2));
      b.run(60_000);
    }
    // Trouble ends: the link must come back by itself and work.
    Object.assign(b.modem.troubles, { errorShare: 0, muteShare: 0, lostShare: 0, strayShare: 0, restartShare: 0 });
    Object.assign(b.network.settings, { lossUp: 0, lossDown: 0 });
    const open = answers.filter((one) => one.calls === 0);
    b.run(6 * HOUR_MS);
    expect(b.link.isUp()).toBe(true);
    let last = { taken: undefined as boolean | undefined, calls: 0 };
    for (let tries = 0; tries < 5 && last.taken !== true; tries++) {
      expect(b.link.room()).toBeGreaterThan(8);
      last = b.send(frame(1).slice(0, 9));
      b.run(10 * 60_000);
    }
    expect(last).toEqual({ taken: true, calls: 1 });
    expect(answers.length).toBeGreaterThan(20);
    expect(answers.every((one) => one.calls <= 1)).toBe(true);
    // What is open belonged to a board that was rebooted.
    expect(open.filter((one) => one.calls === 0).length).toBeLessThanOrEqual(12);
    // A frame can be sent and not arrive; it never arrives otherwise than it was.
    expect(b.delivered.every((one) => one[0] === 0x11)).toBe(true);
  });
});
