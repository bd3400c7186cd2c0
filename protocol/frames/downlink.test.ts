import { describe, expect, test } from "vitest";
import { configHash, decodeDownlink, encodeAck, encodeCommand, encodeConfig, SETTINGS_MAX } from "./downlink.ts";

describe("a downlink", () => {
  test("one byte short or long is a fault, for each kind", () => {
    const frames = [
      encodeAck({ time: 1, baseSequence: 2, bitmap: 3 }),
      encodeConfig({ counter: 7, settings: { capacity: 120, ackEvery: 4 } }),
      encodeCommand({ counter: 7, command: "reboot", argument: 0 }),
    ];
    for (const frame of frames) {
      expect(decodeDownlink(frame.slice(0, -1))).toEqual({ kind: "fault", fault: "truncated" });
      expect(decodeDownlink(Uint8Array.from([...frame, 0]))).toEqual({ kind: "fault", fault: "trailing-bytes" });
    }
  });

  test("the full range of an ack's bitmap and time goes through", () => {
    const ack = { time: 4_294_967_295, baseSequence: 65_535, bitmap: 2_147_483_649 };
    expect(decodeDownlink(encodeAck(ack))).toEqual({ kind: "ack", value: ack });
  });

  test("settings go out in the order of their ids and names that are none are left out", () => {
    const frame = encodeConfig({ counter: 1, settings: { ackEvery: 9, reportIntervalS: 60, colour: 3 } });
    expect(Buffer.from(frame).toString("hex")).toBe("19000000010201003c080009");
    expect(configHash({ ackEvery: 9, reportIntervalS: 60 })).toBe(configHash({ reportIntervalS: 60, ackEvery: 9 }));
  });

  test("a setting or command that this version does not know keeps its code", () => {
    const config = decodeDownlink(Uint8Array.from([0x19, 0, 0, 0, 1, 1, 200, 0, 5]));
    expect(config).toEqual({ kind: "config", value: { counter: 1, settings: { "reserved-200": 5 } } });
    const command = decodeDownlink(Uint8Array.from([0x1a, 0, 0, 0, 1, 0, 0, 5]));
    expect(command).toEqual({ kind: "command", value: { counter: 1, command: "reserved-0", argument: 5 } });
  });

  test("a count of settings that the frame does not hold is truncated, up to the largest", () => {
    const frame = new Uint8Array(6 + 3 * SETTINGS_MAX);
    frame.set([0x19, 0, 0, 0, 1, SETTINGS_MAX]);
    expect(decodeDownlink(frame).kind).toBe("config");
    frame[5] = 255;
    expect(decodeDownlink(frame)).toEqual({ kind: "fault", fault: "truncated" });
  });
});
