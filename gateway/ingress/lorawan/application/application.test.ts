import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createTagger,
  decodeDownlink,
  decodeUplink,
  encodeEvent,
  encodeReport,
  openWith,
  type Report,
} from "../../../../protocol/index.ts";
import { NOON_MS, report, sha256, temporaryFolder } from "../../../../tests/fixtures.ts";
import { virtualClock } from "../../../../tests/virtual-clock.ts";
import { GatewayError } from "../../../errors.ts";
import { type Journal, openJournal } from "../../../journal/journal.ts";
import { openCommands } from "../../commands.ts";
import type { NetworkUplink, UplinkTaker } from "../interfaces.ts";
import { createApplication, type LorawanDevice, TAKING_MAX, withoutTime } from "./application.ts";
import type { BookJournal } from "./foreign.ts";

const OURS = "0080e115000a9c4e";
const TANK = "24e124713d491234";
const DEVICES: Readonly<Record<string, LorawanDevice>> = {
  [OURS]: { deviceId: "alm-01-d1", reportIntervalS: 60 },
  [TANK]: {
    deviceId: "alm-01-t1",
    reportIntervalS: 600,
    model: "EM500-UDL",
    sensing: { fuelLevelPct: { empty: 1100, full: 100 } },
  },
};
const TAGGER = createTagger(sha256, new Uint8Array(createHash("sha256").update("a key").digest()));

let clock: ReturnType<typeof virtualClock>;
let folder: ReturnType<typeof temporaryFolder>;
let journal: Journal;
let refused: string[];

beforeEach(async () => {
  clock = virtualClock(NOON_MS);
  folder = temporaryFolder();
  journal = await openJournal({ dir: folder.path, clock });
  refused = [];
});
afterEach(async () => {
  await journal.close();
  folder.remove();
});

function application(part: Partial<Parameters<typeof createApplication>[0]> = {}): UplinkTaker {
  return createApplication({
    journal,
    clock,
    isClockTrusted: () => true,
    deviceOf: (devEui) => DEVICES[devEui],
    taggerOf: () => TAGGER,
    onRefusal: ({ reason, sender }) => refused.push(`${sender} ${reason}`),
    ...part,
  });
}

function uplink(part: Partial<NetworkUplink> & { hex?: string } = {}): NetworkUplink {
  const { hex, ...rest } = part;
  return {
    network: "own",
    devEui: TANK,
    session: "s1",
    counter: 0,
    port: 85,
    payload: Buffer.from(hex ?? "01756403823802", "hex"),
    dataRate: 3,
    receptions: [],
    ...rest,
  };
}

function ours(sequence: number, counter: number, ackRequested = false): NetworkUplink {
  const flags = { clockSynced: true, ackRequested };
  const payload = encodeReport(report({ sequence, time: NOON_MS / 1000, flags }));
  return uplink({ devEui: OURS, port: 10, counter, payload });
}

/** A reading of the tank that was kept so many minutes ago. */
function log(minutes: number, mm: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16BE(0x20ce);
  bytes.writeUInt32LE(NOON_MS / 1000 - 60 * minutes, 2);
  bytes.writeUInt16LE(mm, 6);
  return bytes.toString("hex");
}

/** What the journal has: kind, sequence, seconds from noon, and the fuel level. */
async function stored(): Promise<unknown[]> {
  return (await journal.read(0, 100)).map((row) => {
    const decoded = decodeUplink(row.frame);
    const { power } = (decoded.kind === "report" ? decoded.value : {}) as Partial<Report>;
    return [decoded.kind, row.sequence - 65_536, (row.timeMs - NOON_MS) / 1000, power?.fuelLevelPct];
  });
}

describe("a board of ours", () => {
  test("is answered with an ack frame that says the time, when it asks", async () => {
    const app = application();
    expect(await app.take(ours(1, 0))).toEqual([]);
    const [answer] = await app.take(ours(2, 1, true));
    expect(answer).toMatchObject({ port: 10, isTimely: true });
    expect(decodeDownlink(answer?.payload as Uint8Array)).toMatchObject({
      kind: "ack",
      value: { time: NOON_MS / 1000 },
    });
    const late = withoutTime(answer as never);
    expect(late.isTimely).toBe(false);
    expect(decodeDownlink(late.payload)).toMatchObject({ kind: "ack", value: { time: 0, bitmap: 3 } });
  });

  test("gets a command that waits when there is nothing to acknowledge, sealed, until its event answers", async () => {
    const commands = await openCommands({ journal, clock, isClockTrusted: () => true });
    await commands.ask([{ deviceId: "alm-01-d1", command: "locate", argument: 5, expiresMs: NOON_MS + 3_600_000 }]);
    const app = application({ commands });
    const [downlink] = await app.take(ours(1, 0));
    expect(downlink).toMatchObject({ port: 10, isTimely: false });
    const command = decodeDownlink(openWith(TAGGER, downlink?.payload as Uint8Array) as Uint8Array);
    expect(command).toMatchObject({ kind: "command", value: { command: "locate", argument: 5 } });
    expect(withoutTime(downlink as never)).toEqual(downlink);
    const argument = (command as { value: { counter: number } }).value.counter & 0xffff;
    const flags = { clockSynced: true };
    const event = encodeEvent({ sequence: 2, time: NOON_MS / 1000, flags, event: "downlink-applied", argument });
    await app.take(uplink({ devEui: OURS, port: 10, counter: 1, payload: event }));
    expect(commands.waiting()).toBe(0);
  });

  test("gets its command although every one of its frames asks for an ack", async () => {
    const commands = await openCommands({ journal, clock, isClockTrusted: () => true });
    await commands.ask([{ deviceId: "alm-01-d1", command: "send-info", argument: 0, expiresMs: NOON_MS + 3_600_000 }]);
    const app = application({ commands });
    const kinds: unknown[] = [];
    for (let i = 0; i < 7; i++) kinds.push((await app.take(ours(i, i, true)))[0]?.isTimely);
    expect(kinds).toEqual([true, true, true, true, false, true, true]);
  });

  test("on another port, and one that nobody registered, is refused and counted", async () => {
    const app = application();
    expect(await app.take({ ...ours(1, 0, true), port: 2 })).toEqual([]);
    expect(await app.take(uplink({ devEui: "0000000000000001" }))).toEqual([]);
    await application({ deviceOf: () => ({ ...(DEVICES[OURS] as LorawanDevice), disabled: true }) }).take(ours(1, 0));
    expect(refused).toEqual(["alm-01-d1 wrong-port", "0000000000000001 unknown-device", "alm-01-d1 disabled-device"]);
    expect(await stored()).toEqual([]);
  });
});

describe("a device that is not ours", () => {
  test("becomes reports of ours, at the time of their receipt or of the network's", async () => {
    const app = application();
    expect(await app.take(uplink())).toEqual([]);
    await app.take(uplink({ counter: 1, hex: "0382e803", atMs: NOON_MS - 60_000 }));
    await app.take(uplink({ counter: 2, hex: "01750a", atMs: 5_000 }));
    expect(await stored()).toEqual([
      ["report", 0, 0, 53.2],
      ["report", 1, -60, 10],
      ["report", 2, 0, undefined],
    ]);
    const decoded = decodeUplink((await journal.read(2, 1))[0]?.frame as Uint8Array);
    expect(decoded).toMatchObject({ value: { phase: "absent", flags: { clockSynced: true, ownPowerLow: true } } });
  });

  test("is stored once, also when it comes again after a restart", async () => {
    const first = application();
    for (let counter = 0; counter < 3; counter++) await first.take(uplink({ counter }));
    const again = application();
    for (let counter = 0; counter < 3; counter++) await again.take(uplink({ counter }));
    await again.take(uplink({ counter: 3 }));
    expect((await stored()).map((row) => (row as unknown[])[1])).toEqual([0, 1, 2, 3]);
  });

  test("begins its counter anew with a session, and nothing of it is taken for the old one's, also after a restart", async () => {
    await application().take(uplink({ counter: 500 }));
    const app = application();
    await app.take(uplink({ session: "s2", counter: 0, hex: "0382e803" }));
    await application().take(uplink({ session: "s2", counter: 0, hex: "0382e803" }));
    await application().take(uplink({ session: "s2", counter: 1, hex: "0382e803" }));
    expect((await stored()).map((row) => (row as unknown[])[3])).toEqual([53.2, 10, 10]);
    await app.take(uplink({ session: "s1", counter: 3 }));
    expect(refused).toEqual(["alm-01-t1 replay"]);
  });

  test("stands behind all that it sent before, however long that went on without a new session", async () => {
    const app = application();
    for (let counter = 0; counter <= 130; counter++) await app.take(uplink({ counter }));
    await application().take(uplink({ session: "s2" }));
    const last = (await journal.read(131, 1))[0]?.sequence ?? 0;
    expect(last - 65_536).toBeGreaterThan(130);
    expect(last - 65_536).toBeLessThan(300);
  });

  test("of a restored copy numbers on further: the lost machine may have used what comes next", async () => {
    const elsewhere = (epoch: string): BookJournal => ({
      epoch,
      append: (frame) => journal.append(frame),
      documents: (kind) => journal.documents(kind),
      save: (change) => journal.save(change),
    });
    await application({ journal: elsewhere("lost") }).take(uplink());
    const spare = application({ journal: elsewhere("spare") });
    await spare.take(uplink({ counter: 1 }));
    await spare.take(uplink({ session: "s2" }));
    const [, same, next] = (await stored()) as number[][];
    expect(same?.[1]).toBe(1);
    expect(next?.[1]).toBeGreaterThan(4_000);
  });

  test("that counts from the beginning in one session is refused, what a broker repeats is not", async () => {
    const app = application();
    const at = (minute: number) => ({ network: "chirpstack" as const, atMs: NOON_MS + 60_000 * minute });
    for (const counter of [0, 1, 2]) await app.take(uplink({ counter, ...at(counter) }));
    await app.take(uplink({ counter: 1, ...at(1) }));
    expect(refused).toEqual([]);
    const again = application();
    for (const counter of [0, 1, 2]) await again.take(uplink({ counter, ...at(counter) }));
    expect(refused).toEqual([]);
    await app.take(uplink({ counter: 0, ...at(3) }));
    expect(refused).toEqual(["alm-01-t1 counter-reset"]);
    expect(await stored()).toHaveLength(3);
  });

  test("sends what it kept: each reading at its own time, once, however often it is sent", async () => {
    const app = application();
    await app.take(uplink());
    await app.take(uplink({ counter: 1, hex: log(4000, 600) + log(3990, 610) }));
    await app.take(uplink({ counter: 2, hex: log(3990, 610) + log(3980, 620) }));
    await application().take(uplink({ counter: 2, hex: log(3990, 610) + log(3980, 620) }));
    const many = Array.from({ length: 20 }, (_, i) => log(3000 - i, 300 + i)).join("");
    await app.take(uplink({ counter: 3, hex: `${many}03823802` }));
    const rows = (await stored()) as [string, number, number, number | undefined][];
    const reports = rows.filter(([kind]) => kind === "report");
    expect(reports.slice(0, 4)).toEqual([
      ["report", 0, 0, 53.2],
      ["report", 1, -240_000, 50],
      ["report", 2, -239_400, 49],
      ["report", 4, -238_800, 48],
    ]);
    expect(reports).toHaveLength(4 + 20 + 1);
    expect(new Set(rows.map(([, sequence]) => sequence)).size).toBe(rows.length);
    expect(rows.filter(([kind]) => kind === "backlog")).toHaveLength(2 + 3);
    expect(refused).toEqual([]);
  });

  test("whose clock was never set loses nothing of what it kept", async () => {
    const log = "20ce100000005802" + "20ce6802000058020382e803";
    await application().take(uplink({ hex: log }));
    await application().take(uplink({ session: "s2", hex: log }));
    const reports = ((await stored()) as unknown[][]).filter(([kind]) => kind === "report");
    expect(reports.map(([, , , level]) => level)).toEqual([50, 50, 10, 50, 50, 10]);
  });

  test("what it kept of one moment in two parts is one reading", async () => {
    const counter = { deviceId: "alm-01-p1", reportIntervalS: 600, model: "VS121" } as const;
    const app = application({ deviceOf: () => counter });
    const at = Buffer.alloc(4);
    at.writeUInt32LE(NOON_MS / 1000 - 3600);
    const part = (kind: string, hex: string) => `20ce${at.toString("hex")}${kind}${hex}`;
    await app.take(uplink({ hex: part("01", "0c010001") + part("10", "2c012001") }));
    const decoded = decodeUplink((await journal.read(0, 1))[0]?.frame as Uint8Array);
    expect(decoded).toMatchObject({ value: { occupancy: { occupancy: 12, entries: 300 } } });
    expect((await stored()).map((row) => (row as unknown[])[0])).toEqual(["report", "backlog"]);
  });

  test("that has the name of a board that was there before stands behind all of that", async () => {
    for (const sequence of [0, 1, 2]) {
      const frame = encodeReport(report({ sequence, time: NOON_MS / 1000 }));
      await journal.append({
        ...{ deviceId: "alm-01-t1", header: { sequence, timeS: NOON_MS / 1000, clockSynced: true }, frame },
        ...{ receivedMs: NOON_MS, clockTrusted: true, link: "lorawan" },
      });
    }
    const app = application();
    for (const counter of [0, 1]) await app.take(uplink({ counter }));
    expect((await stored()).map((row) => (row as unknown[])[1])).toEqual([0, 1, 2, 16_384, 16_385]);
  });

  test("is read as far as it can be read, and the rest is counted", async () => {
    const app = application();
    await app.take(uplink({ hex: "0382e803bbbb01" }));
    await app.take(uplink({ counter: 1, hex: "038201" }));
    await app.take(uplink({ counter: 2, port: 3 }));
    expect(refused).toEqual(["alm-01-t1 unknown-channel", "alm-01-t1 truncated", "alm-01-t1 wrong-port"]);
    expect(await stored()).toHaveLength(1);
  });
});

describe("a journal that cannot take it", () => {
  const broken = (part: Partial<BookJournal>): BookJournal => ({
    epoch: journal.epoch,
    append: (frame) => journal.append(frame),
    documents: (kind) => journal.documents(kind),
    save: (change) => journal.save(change),
    ...part,
  });
  const full = () => Promise.reject(new GatewayError("JOURNAL_BUSY"));

  test("rejects, so that nothing is answered, and takes the same later", async () => {
    for (const part of [{ save: full }, { documents: full }, { append: full }] as Partial<BookJournal>[]) {
      await expect(application({ journal: broken(part) }).take(uplink())).rejects.toThrow(GatewayError);
    }
    await expect(application({ journal: broken({ append: full }) }).take(ours(1, 0, true))).rejects.toThrow(
      GatewayError,
    );
    expect(await stored()).toEqual([]);
    await application().take(uplink());
    expect(await stored()).toEqual([["report", 0, 0, 53.2]]);
  });

  test("that wrote what it said it had not: what was set apart there is given to nobody else at a restart", async () => {
    let [isAnswerLost, saves] = [false, 0];
    const save: BookJournal["save"] = async (change) => {
      await journal.save(change);
      saves++;
      if (isAnswerLost) throw new GatewayError("JOURNAL_BUSY");
    };
    const app = application({ journal: broken({ save }) });
    await app.take(uplink());
    isAnswerLost = true;
    await expect(app.take(uplink({ counter: 1, hex: log(60, 600) + log(50, 610) }))).rejects.toThrow(GatewayError);
    isAnswerLost = false;
    await app.take(uplink({ counter: 2 }));
    await application().take(uplink({ counter: 3, hex: log(60, 600) + log(50, 610) }));
    expect(saves).toBe(3);
    const levels = ((await stored()) as unknown[][]).filter(([kind]) => kind === "report").map((row) => row[3]);
    expect(levels).toEqual([53.2, 53.2, 50, 49]);
  });

  test("lets only so many wait", async () => {
    const app = application({ journal: broken({ append: () => new Promise(() => undefined) }) });
    for (let i = 0; i < TAKING_MAX; i++) void app.take(ours(i, i));
    await expect(app.take(ours(0, 0))).rejects.toThrow(GatewayError);
  });
});
