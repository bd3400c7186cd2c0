// What the HTTP API says beside the nouns: sessions, refusals, devices, and every error.
import Type, { type Static } from "typebox";
import { IdSchema, InstantSchema, RoleSchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;

/** Body of `POST /v1/session`. */
export const SignInSchema = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 64 }), password: Type.String({ minLength: 1, maxLength: 256 }) },
  { ...Closed, $id: "SignIn" },
);
export type SignIn = Static<typeof SignInSchema>;

export const SessionSchema = Type.Object(
  { name: Type.String(), role: RoleSchema, until: InstantSchema },
  { ...Closed, $id: "Session" },
);
export type Session = Static<typeof SessionSchema>;

/** RFC 9457, `application/problem+json`; `code` is stable, `problems` lists every fault of a body with its path. */
export const ProblemSchema = Type.Object(
  {
    status: Type.Integer(),
    title: Type.String(),
    detail: Type.String(),
    code: Type.String(),
    problems: Type.Optional(Type.Array(Type.String(), { maxItems: 100 })),
  },
  { ...Closed, $id: "Problem" },
);
export type Problem = Static<typeof ProblemSchema>;

/** A frame that cannot be right: kept for a look, never stored as a record. */
export const RefusalSchema = Type.Object(
  {
    at: InstantSchema,
    reason: Type.String({ description: "bad-tag, wrong-topic, too-long, truncated, replay, unknown-device …" }),
    deviceId: Type.Optional(Type.String()),
    topic: Type.String(),
    hex: Type.String({ description: "the first 250 bytes" }),
  },
  Closed,
);
export type Refusal = Static<typeof RefusalSchema>;

export const RefusalsSchema = Type.Object(
  {
    counts: Type.Record(Type.String(), Type.Integer({ minimum: 0 })),
    recent: Type.Array(RefusalSchema, { maxItems: 100 }),
  },
  { ...Closed, $id: "Refusals" },
);
export type Refusals = Static<typeof RefusalsSchema>;

export const DeviceStateSchema = Type.Object(
  {
    deviceId: IdSchema,
    pointId: IdSchema,
    contact: Type.Union([Type.Literal("present"), Type.Literal("silent"), Type.Literal("never")]),
    sequence: Type.Optional(Type.Integer({ minimum: 0, description: "the highest record's, as on the wire" })),
    lastReceivedAt: Type.Optional(InstantSchema),
    lastSampleAt: Type.Optional(InstantSchema),
    records: Type.Integer({ minimum: 0, description: "records taken by the engine" }),
    undecoded: Type.Integer({ minimum: 0 }),
    missing: Type.Integer({
      minimum: 0,
      description: "sequences between its first and its newest record that never came",
    }),
    leftOut: Type.Integer({ minimum: 0, description: "of those, samples that the device left out by its rule" }),
    /** Values of the newest report and info, in the names and shapes of the frame. */
    report: Type.Optional(Type.Unknown()),
    info: Type.Optional(Type.Unknown()),
    lastEvent: Type.Optional(Type.Unknown()),
  },
  { ...Closed, $id: "DeviceState" },
);
export type DeviceState = Static<typeof DeviceStateSchema>;
