import { describe, expect, test } from "vitest";
import { downlinkTopic, isDeviceId, parseDeviceTopic, uplinkTopic } from "./topics.ts";

describe("a device topic", () => {
  test("names its device and direction, there and back", () => {
    expect(parseDeviceTopic(uplinkTopic("alm-01-d1"))).toEqual({ deviceId: "alm-01-d1", direction: "up" });
    expect(parseDeviceTopic(downlinkTopic("alm-01-d1"))).toEqual({ deviceId: "alm-01-d1", direction: "down" });
  });

  test.each([
    "",
    "waakvlam/v1/devices/alm-01-d1",
    "waakvlam/v1/devices/alm-01-d1/up/",
    "waakvlam/v1/devices/alm-01-d1/sideways",
    "waakvlam/v1/devices//up",
    "waakvlam/v1/devices/+/up",
    "waakvlam/v1/devices/#",
    "waakvlam/v2/devices/alm-01-d1/up",
    "$SYS/waakvlam/v1/devices/alm-01-d1/up",
    "waakvlam/v1/points/alm-01/state",
  ])("is nothing else: %s", (topic) => {
    expect(parseDeviceTopic(topic)).toBeUndefined();
  });
});

test("an id is 3 to 32 of a-z, 0-9 and hyphen", () => {
  expect(isDeviceId("a-1")).toBe(true);
  expect(isDeviceId("x".repeat(32))).toBe(true);
  for (const text of ["ab", "x".repeat(33), "ABC", "a_b", "a b", "é-1", "a/b", "a.b"])
    expect(isDeviceId(text)).toBe(false);
});
