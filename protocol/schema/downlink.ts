// What the gateway is to tell a device: a command or settings, and what became of it.
import Type, { type Static } from "typebox";
import { COMMANDS } from "../frames/downlink.ts";
import { InstantSchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;
const U16_MAX = 0xffff;

const CommandName = Type.Unsafe<string>({ type: "string", enum: COMMANDS.slice(1) });
const Argument = Type.Integer({
  minimum: 0,
  maximum: U16_MAX,
  description:
    "locate: seconds; set-occupancy: people; resend-from: a sequence, left out for all; the others have none",
});

const Percent = Type.Optional(Type.Integer({ minimum: 0, maximum: 100 }));
/** Those that are named are changed; a threshold, capacity or alarm interval of 0 is none. */
export const DeviceSettingsSchema = Type.Object(
  {
    reportIntervalS: Type.Optional(Type.Integer({ minimum: 10, maximum: U16_MAX })),
    alarmIntervalS: Type.Optional(
      Type.Integer({ minimum: 0, maximum: U16_MAX, description: "0 for none, or 10 at least" }),
    ),
    fuelLowPct: Percent,
    fuelCriticalPct: Percent,
    socLowPct: Percent,
    socCriticalPct: Percent,
    capacity: Type.Optional(Type.Integer({ minimum: 0, maximum: U16_MAX })),
    ackEvery: Type.Optional(Type.Integer({ minimum: 1, maximum: 255 })),
  },
  { ...Closed, minProperties: 1 },
);
export type DeviceSettings = Static<typeof DeviceSettingsSchema>;

/** Queued until it is handed to the link; sent until the device answers; an answer that comes late still counts. */
export const DOWNLINK_STATES = ["queued", "sent", "applied", "expired", "refused"] as const;
export type DownlinkState = (typeof DOWNLINK_STATES)[number];

/** Of one device: those that wait, and the last that are over. */
export const DOWNLINKS_LISTED_MAX = 40;
export const DOWNLINK_EXPIRES_S_MAX = 30 * 86_400;

export const DeviceDownlinkSchema = Type.Object(
  {
    downlinkId: Type.String(),
    counter: Type.Integer({ minimum: 0, description: "as on the wire: it only grows" }),
    command: Type.Optional(CommandName),
    argument: Type.Optional(Argument),
    settings: Type.Optional(Type.Record(Type.String(), Type.Integer({ minimum: 0, maximum: U16_MAX }))),
    state: Type.Unsafe<DownlinkState>({ type: "string", enum: [...DOWNLINK_STATES] }),
    by: Type.String({ description: "a person, or gateway" }),
    askedAt: InstantSchema,
    expiresAt: InstantSchema,
    sentAt: Type.Optional(InstantSchema),
    endedAt: Type.Optional(InstantSchema),
  },
  { ...Closed, $id: "DeviceDownlink" },
);
export type DeviceDownlink = Static<typeof DeviceDownlinkSchema>;

/** Body of `POST /v1/devices/{deviceId}/downlinks`: a command or settings. */
export const NewDownlinkSchema = Type.Object(
  {
    /** Given by the client, so that a form that is sent twice asks once. */
    downlinkId: Type.Optional(Type.String({ pattern: "^[a-zA-Z0-9-]{8,64}$" })),
    command: Type.Optional(CommandName),
    argument: Type.Optional(Argument),
    settings: Type.Optional(DeviceSettingsSchema),
    expiresInS: Type.Optional(
      Type.Integer({
        minimum: 60,
        maximum: DOWNLINK_EXPIRES_S_MAX,
        description: "left out: 15 minutes for locate, a week for settings, else a day",
      }),
    ),
  },
  { ...Closed, $id: "NewDownlink" },
);
export type NewDownlink = Static<typeof NewDownlinkSchema>;
