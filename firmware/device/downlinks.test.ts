// Settings and commands: checked, counted, done once, answered.
import { describe, expect, test } from "vitest";
import { configHash, createTagger, encodeAck, encodeCommand, encodeConfig, sealWith } from "../../protocol/wire.ts";
import { sha256 } from "../../tests/fixtures.ts";
import { type Bench, createBench, KEY, TAGGER, UNIX_S } from "../../tests/fixtures-device.ts";
import { PowerCut } from "../simulator/flash.ts";
import { isSetting, settingRows, settingsOf } from "./settings.ts";

const MINUTE = 60;
const N = 70_000;

function ready(options: Parameters<typeof createBench>[0] = {}): Bench {
  const it = createBench(options);
  it.run(10 * MINUTE);
  return it;
}

/** Events that answer downlinks, as name and argument; each once, however often it was sent. */
function answersOf(it: Bench): string[] {
  const bySequence = new Map(it.events().map((one) => [one.sequence, one]));
  return [...bySequence.values()]
    .filter((one) => one.event.startsWith("downlink"))
    .map((one) => `${one.event.slice(9)} ${one.argument}`);
}

const low = (counter: number) => counter & 0xffff;

describe("a downlink", () => {
  test("is answered with the low 16 bits of its counter when it was done", () => {
    const it = ready();
    it.command(N, "report-now");
    it.run(30);
    expect(answersOf(it)).toEqual([`applied ${low(N)}`]);
  });

  test("repeated to the letter is answered again and not done again, also after a restart", () => {
    const it = ready();
    const sealed = it.command(N, "set-occupancy", 55);
    it.run(30);
    expect(it.recounted).toBe(55);
    it.recounted = -1;
    it.receiveSealed(sealed);
    it.run(30);
    it.boot();
    it.receiveSealed(sealed);
    it.run(30);
    expect(it.recounted).toBe(-1);
    expect(answersOf(it)).toEqual([`applied ${low(N)}`, `applied ${low(N)}`, `applied ${low(N)}`]);
  });

  test("with a lower counter, or the same one and other words, is refused and not done, also after a restart", () => {
    const it = ready();
    it.command(N, "report-now");
    it.run(30);
    it.command(N - 1, "set-occupancy", 9);
    it.run(30);
    it.command(N, "set-occupancy", 9);
    it.run(30);
    it.boot();
    it.run(30);
    it.command(N - 1, "set-occupancy", 9);
    it.run(30);
    expect(it.recounted).toBe(-1);
    expect(answersOf(it)).toEqual([
      `applied ${low(N)}`,
      `refused ${low(N - 1)}`,
      `refused ${low(N)}`,
      `refused ${low(N - 1)}`,
    ]);
  });

  test("with the tag of another key, one bit wrong, or no tag at all is ignored and counted", () => {
    const it = ready();
    const other = createTagger(
      sha256,
      KEY.map((byte) => byte ^ 1),
    );
    const command = encodeCommand({ counter: N, command: "set-occupancy", argument: 9 });
    it.receiveSealed(sealWith(other, command));
    const flipped = sealWith(TAGGER, command);
    flipped[6] = (flipped[6] as number) ^ 1;
    it.receiveSealed(flipped);
    it.receiveSealed(command);
    it.receiveSealed(new Uint8Array(0));
    it.command(N, "send-info");
    it.run(30);
    expect(it.recounted).toBe(-1);
    expect(answersOf(it)).toEqual([`applied ${low(N)}`]);
    expect(it.infos().at(-1)?.faultCount).toBe(4);
  });

  test("of a wrong length or an unknown kind is ignored and counted, whatever its tag", () => {
    const it = ready();
    const command = encodeCommand({ counter: N, command: "set-occupancy", argument: 9 });
    const config = encodeConfig({ counter: N, settings: { capacity: 3, ackEvery: 2 } });
    const ack = encodeAck({ time: UNIX_S, baseSequence: 0, bitmap: 0xffffffff });
    const wrong = [command, config, ack].flatMap((frame) => [frame.slice(0, -1), Uint8Array.from([...frame, 0])]);
    wrong.push(Uint8Array.of(0x1b, 0, 0, 0, 1, 0, 0, 0), Uint8Array.of(0x2a, 0, 0, 0, 1, 6, 0, 9), Uint8Array.of(0x19));
    for (const frame of wrong) it.receive(frame);
    it.command(N, "send-info");
    it.run(30);
    expect(it.recounted).toBe(-1);
    expect(it.kept()).toBeUndefined();
    expect(answersOf(it)).toEqual([`applied ${low(N)}`]);
    expect(it.infos().at(-1)?.faultCount).toBe(wrong.length);
  });

  test("checked by the network needs no tag when it is an ack frame, and one all the same when it changes something", () => {
    const it = ready({ link: { isSlow: true } });
    expect(it.stored().some((one) => one.isMarked)).toBe(true);
    it.device().received(encodeCommand({ counter: N, command: "set-occupancy", argument: 9 }), true);
    it.run(30);
    expect(it.recounted).toBe(-1);
    it.device().received(sealWith(TAGGER, encodeCommand({ counter: N, command: "set-occupancy", argument: 9 })), true);
    it.run(30);
    expect(it.recounted).toBe(9);
  });

  test("that this version does not know is refused, and refused again when it is repeated", () => {
    const it = ready();
    const frame = Uint8Array.of(0x1a, 0, 1, 17, 112, 99, 0, 0);
    const sealed = it.receive(frame);
    it.run(30);
    it.receiveSealed(sealed);
    it.run(30);
    expect(answersOf(it)).toEqual([`refused ${0x1170}`, `refused ${0x1170}`]);
  });

  test("that was refused is refused after a restart too, when it is repeated", () => {
    const it = ready();
    const sealed = it.receive(Uint8Array.of(0x1a, 0, 1, 17, 112, 99, 0, 0));
    it.run(30);
    it.boot();
    it.run(30);
    it.receiveSealed(sealed);
    it.run(30);
    expect(answersOf(it)).toEqual([`refused ${0x1170}`, `refused ${0x1170}`]);
  });

  test("repeated before it is done is done once, and both are answered", () => {
    let recounts = 0;
    const counted = ready({ options: { recount: () => recounts++ < 1 } });
    const command = sealWith(TAGGER, encodeCommand({ counter: N, command: "set-occupancy", argument: 9 }));
    counted.receiveSealed(command);
    counted.receiveSealed(command);
    counted.run(30);
    expect(recounts).toBe(1);
    expect(answersOf(counted)).toEqual([`applied ${low(N)}`, `applied ${low(N)}`]);
    const it = ready();
    const unknown = sealWith(TAGGER, Uint8Array.of(0x1a, 0, 1, 17, 112, 99, 0, 0));
    it.receiveSealed(unknown);
    it.receiveSealed(unknown);
    it.run(30);
    expect(answersOf(it)).toEqual([`refused ${0x1170}`]);
  });

  test("that is refused just before the next one is done does not make that one a stranger", () => {
    const it = ready();
    it.receive(Uint8Array.of(0x1a, 0, 1, 17, 112, 99, 0, 0));
    const next = it.command(N + 1, "set-occupancy", 9);
    it.run(30);
    it.receiveSealed(next);
    it.run(30);
    expect(answersOf(it)).toEqual([`refused ${low(N)}`, `applied ${low(N + 1)}`, `applied ${low(N + 1)}`]);
  });

  test("whose counter could not be written down any more is not done, and is done when it is repeated", () => {
    const it = ready();
    const sealed = it.command(N, "set-occupancy", 9);
    it.supply = -0.1;
    it.run(30);
    expect(it.recounted).toBe(-1);
    it.supply = 1;
    it.receiveSealed(sealed);
    it.run(30);
    expect(it.recounted).toBe(9);
    expect(answersOf(it)).toEqual([`applied ${low(N)}`]);
  });

  test("refused many times in a row does not fill the ring with answers", () => {
    const it = ready();
    it.command(N, "report-now");
    for (let i = 0; i < 50; i++) {
      it.command(5, "report-now");
      it.run(1);
    }
    expect(answersOf(it).filter((one) => one.startsWith("refused")).length).toBeLessThanOrEqual(6);
  });
});

describe("settings", () => {
  test("are kept for the next boot, worked with at once, and told by the hash of the next info frame", () => {
    const it = ready();
    it.config(N, { reportIntervalS: 300, capacity: 120, ackEvery: 2 });
    it.run(30);
    expect(answersOf(it)).toEqual([`applied ${low(N)}`]);
    const hash = configHash({ reportIntervalS: 300, capacity: 120, ackEvery: 2 });
    expect(it.infos().at(-1)).toMatchObject({ configHash: hash, reportIntervalS: 300 });
    const count = it.reports().length;
    it.run(60 * MINUTE);
    expect(it.reports().length - count).toBeLessThanOrEqual(13);
    it.boot();
    it.run(MINUTE);
    expect(it.infos().at(-1)).toMatchObject({ configHash: hash, bootCount: 2 });
  });

  test("of which one is out of range are refused as a whole, and their counter is not taken", () => {
    const it = ready();
    it.config(N, { capacity: 120, fuelLowPct: 101 });
    it.run(30);
    expect(it.kept()).toBeUndefined();
    it.receive(Uint8Array.of(0x19, 0, 1, 17, 113, 2, 7, 0, 120, 200, 0, 1));
    it.run(30);
    expect(it.kept()).toBeUndefined();
    it.config(N, { capacity: 120 });
    it.run(30);
    expect(answersOf(it)).toEqual([`refused ${low(N)}`, `refused ${0x1171}`, `applied ${low(N)}`]);
    expect(it.kept()?.[7]).toBe(120);
  });

  test("that are what they were are applied without a word to flash or an info frame", () => {
    const it = ready();
    const count = it.infos().length;
    it.config(N, { reportIntervalS: 60 });
    it.run(30);
    expect(answersOf(it)).toEqual([`applied ${low(N)}`]);
    expect(it.kept()).toBeUndefined();
    expect(it.infos().length).toBe(count);
  });

  test("lost to a power cut between counter and flash are set by the repeat", () => {
    const frame = encodeConfig({ counter: N, settings: { capacity: 77 } });
    const bench = createBench();
    bench.run(10 * MINUTE);
    // The counter is written first, then the settings.
    bench.flash.cutAt(2, 0.5);
    bench.receive(frame);
    expect(() => bench.run(1)).toThrow(PowerCut);
    const after = createBench({ flash: bench.flash });
    after.receive(frame);
    after.run(30);
    expect(after.kept()?.[7]).toBe(77);
    expect(answersOf(after)).toEqual([`applied ${low(N)}`]);
  });

  test("that came in two downlinks at once are all kept", () => {
    const it = ready();
    it.config(N, { capacity: 120 });
    it.config(N + 1, { ackEvery: 7 });
    it.run(30);
    expect(it.kept()?.slice(7)).toEqual([120, 7]);
  });

  test("are written down when the supply has come back, if it went between counter and settings", () => {
    let looks = Number.POSITIVE_INFINITY;
    const it = ready({ options: { ownSupply: () => (looks-- > 0 ? 1 : -0.1) } });
    it.config(N, { capacity: 120 });
    // The counter may still be written, and what it asks for no more.
    looks = 2;
    it.run(1);
    expect(it.kept()).toBeUndefined();
    looks = Number.POSITIVE_INFINITY;
    it.run(30);
    it.boot();
    it.run(1);
    expect(it.kept()?.[7]).toBe(120);
  });

  test("not given or senseless are the usual ones", () => {
    expect([...settingsOf([], 900)]).toEqual([0, 900, 0, 0, 0, 0, 0, 0, 4]);
    expect([...settingsOf([0, 5, 30, 200, 10], 60)]).toEqual([0, 60, 30, 0, 10, 0, 0, 0, 4]);
    expect(isSetting(0, 1)).toBe(false);
    expect(isSetting(9, 1)).toBe(false);
    expect([isSetting(1, 9), isSetting(1, 10), isSetting(8, 0), isSetting(8, 1)]).toEqual([false, true, false, true]);
    expect([isSetting(3, 100), isSetting(3, 101), isSetting(7, 2039)]).toEqual([true, false, true]);
  });

  test("hash as the gateway's do", () => {
    const names = ["", "reportIntervalS", "alarmIntervalS", "fuelLowPct", "", "", "", "capacity", "ackEvery"];
    const settings = settingsOf([0, 300, 60, 20, 0, 0, 0, 150, 2], 60);
    const values = Object.fromEntries(
      names.flatMap((name, id) => (name === "" ? [] : [[name, settings[id] as number]])),
    );
    expect(settingRows(settings).length).toBe(15);
    const frame = encodeConfig({ counter: 1, settings: values });
    expect([...settingRows(settings)]).toEqual([...frame.slice(6)]);
  });
});

describe("a command", () => {
  test("send-info brings an info frame, report-now a sample at once", () => {
    const it = ready();
    const counts = [it.infos().length, it.reports().length];
    it.command(N, "send-info");
    it.command(N + 1, "report-now");
    it.run(2);
    expect([it.infos().length, it.reports().length]).toEqual([(counts[0] as number) + 1, (counts[1] as number) + 1]);
  });

  test("locate blinks for so many seconds and leaves lamp and buzzer as they were", () => {
    const it = ready();
    it.command(N, "locate", 10);
    it.run(9.6);
    const during = it.outputs.lampChanges;
    expect(during).toBeGreaterThanOrEqual(15);
    it.run(MINUTE);
    expect(it.outputs.lampChanges - during).toBeLessThanOrEqual(4);
    expect(it.outputs).toMatchObject({ lamp: false, buzzer: false });
  });

  test("reboot comes after its answer is stored, and the next info says that it was asked for", () => {
    const it = ready();
    it.command(N, "reboot");
    it.run(1);
    expect(it.reboots()).toBe(0);
    it.run(5);
    expect(it.reboots()).toBe(1);
    it.boot();
    it.run(MINUTE);
    expect(answersOf(it)).toContain(`applied ${low(N)}`);
    expect(it.infos().at(-1)).toMatchObject({ resetCause: "software", bootCount: 2 });
    it.boot();
    it.run(MINUTE);
    expect(it.infos().at(-1)).toMatchObject({ resetCause: "unknown", bootCount: 3 });
  });

  test("acknowledge-help lights the 'seen' lamp and takes the flag off, which outlives a restart until then", () => {
    const it = ready();
    it.device().help(1);
    it.run(2 * MINUTE);
    expect(it.reports().at(-1)?.flags.helpRequested).toBe(true);
    expect(it.outputs.seen).toBe(false);
    it.boot();
    it.run(2 * MINUTE);
    expect(it.reports().at(-1)?.flags.helpRequested).toBe(true);
    it.command(N, "acknowledge-help");
    it.run(2 * MINUTE);
    expect(it.outputs.seen).toBe(true);
    expect(it.reports().at(-1)?.flags.helpRequested).toBe(false);
    it.boot();
    it.run(2 * MINUTE);
    expect(it.reports().at(-1)?.flags.helpRequested).toBe(false);
    it.device().help(2);
    expect(it.outputs.seen).toBe(false);
  });

  test("set-occupancy is refused by a device that counts nobody", () => {
    const it = ready({ options: { recount: () => false } });
    it.command(N, "set-occupancy", 12);
    it.run(30);
    expect(answersOf(it)).toEqual([`refused ${low(N)}`]);
  });

  test("clear-latched-alarm ends the failure of the generator, which outlives its cause and a restart until then", () => {
    const it = ready({ groups: 1, codes: () => [500, 5, 1, 1023, 127] });
    expect(it.outputs).toMatchObject({ lamp: true, buzzer: true });
    it.codes = () => [500, 1, 1, 1023, 127];
    it.run(5 * MINUTE);
    it.boot();
    it.run(1);
    expect(it.outputs).toMatchObject({ lamp: true, buzzer: true });
    it.run(5 * MINUTE);
    expect(it.reports().at(-1)?.flags.localAlarm).toBe(true);
    it.command(N, "clear-latched-alarm");
    it.run(2 * MINUTE);
    expect(it.outputs).toMatchObject({ lamp: false, buzzer: false });
    expect(it.reports().at(-1)?.flags.localAlarm).toBe(false);
    it.boot();
    it.run(1);
    expect(it.outputs.lamp).toBe(false);
  });
});
