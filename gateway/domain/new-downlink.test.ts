import { Value } from "typebox/value";
import { expect, test } from "vitest";
import {
  COMMANDS,
  DeviceDownlinkSchema,
  DeviceSettingsSchema,
  type NewDownlink,
  SETTINGS,
} from "../../protocol/index.ts";
import { actionFor, contentOf, downlinkProblems, expiryMs, sayContent, shownDownlink } from "./new-downlink.ts";

test("every setting and command of the protocol can be asked for", () => {
  expect(Object.keys(DeviceSettingsSchema.properties)).toEqual(SETTINGS.slice(1));
  for (const command of COMMANDS.slice(1))
    expect(
      [undefined, 1].some((argument) => downlinkProblems({ command, ...(argument && { argument }) }).length === 0),
    ).toBe(true);
});

test.each<[NewDownlink, string]>([
  [{}, "give either a command or settings"],
  [{ command: "reboot", settings: { capacity: 1 } }, "give either a command or settings"],
  [{ settings: { capacity: 1 }, argument: 3 }, "/argument belongs to a command"],
  [{ settings: { alarmIntervalS: 9 } }, "/settings/alarmIntervalS 9 is neither 0 nor at least 10"],
  [{ command: "reboot", argument: 0 }, "/argument: reboot has none"],
  [{ command: "locate" }, "/argument is missing: 1 to 3600 for locate"],
  [{ command: "locate", argument: 3_601 }, "/argument 3601 is not 1 to 3600"],
  [{ command: "set-occupancy", argument: 2_040 }, "/argument 2040 is not 0 to 2039"],
])("%j: %s", (asked, problem) => {
  expect(downlinkProblems(asked)).toEqual([problem]);
});

test.each<[NewDownlink, object, string, string, number]>([
  [{ command: "reboot" }, { command: "reboot", argument: 0 }, "administer", "reboot", 86_400],
  [{ command: "resend-from" }, { command: "resend-from" }, "command", "resend-from all", 86_400],
  [{ command: "locate", argument: 30 }, { command: "locate", argument: 30 }, "command", "locate 30", 900],
  [
    { settings: { capacity: 9, alarmIntervalS: 0 }, expiresInS: 60 },
    { settings: { capacity: 9, alarmIntervalS: 0 } },
    "administer",
    "settings capacity 9, alarmIntervalS 0",
    60,
  ],
  [{ settings: { capacity: 9 } }, { settings: { capacity: 9 } }, "administer", "settings capacity 9", 604_800],
])("%j is asked for, by whom, said and kept for how long", (asked, content, action, said, seconds) => {
  expect(downlinkProblems(asked)).toEqual([]);
  expect(contentOf(asked)).toEqual(content);
  expect([actionFor(asked), sayContent(contentOf(asked)), expiryMs(asked, 5_000)]).toEqual([
    action,
    said,
    5_000 + seconds * 1000,
  ]);
});

test("each state is shown in the form of the schema", () => {
  const asked = { command: "reboot", argument: 0, counter: 7, askedMs: 0, expiresMs: 60_000 } as const;
  const rows = [
    asked,
    { ...asked, sentMs: 1_000, by: "admin-1" },
    { ...asked, settings: { capacity: 3 }, command: undefined, argument: undefined, state: "expired", endedMs: 60_000 },
    { ...asked, command: "locate", argument: 5, sentMs: 1_000, state: "applied", endedMs: 2_000, downlinkId: "form-1" },
  ] as const;
  const shown = rows.map(shownDownlink);
  for (const one of shown) expect(Value.Check(DeviceDownlinkSchema, one)).toBe(true);
  expect(shown.map(({ state }) => state)).toEqual(["queued", "sent", "expired", "applied"]);
  expect(shown[0]).toEqual({
    downlinkId: "counter-7",
    counter: 7,
    command: "reboot",
    state: "queued",
    by: "gateway",
    askedAt: "1970-01-01T00:00:00.000Z",
    expiresAt: "1970-01-01T00:01:00.000Z",
  });
  expect(shown[3]).toMatchObject({ downlinkId: "form-1", argument: 5, endedAt: "1970-01-01T00:00:02.000Z" });
});
