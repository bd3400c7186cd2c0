// What was: series in steps of time, and samples one by one.
import Type, { type Static } from "typebox";
import { GROUPS, PHASE } from "../frames/fields.ts";
import { PhaseSchema, ViaSchema } from "./entry.ts";
import { IdSchema, InstantSchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;

/** Steps of a series, and samples of a page. */
export const HISTORY_POINTS_MAX = 2_000;
export const SAMPLES_MAX = 1_000;

/** Every field that has a history: `power.fuelLevelPct` … `phase`, as readings are named; in the order of the frame. */
export const HISTORY_FIELD_NAMES: readonly string[] = [
  ...GROUPS.flatMap((group) => group.fields.map((field) => `${group.name}.${field.name}`)),
  PHASE.name,
];

const Figures = (description: string) =>
  Type.Optional(Type.Array(Type.Union([Type.Number(), Type.Null()]), { maxItems: HISTORY_POINTS_MAX, description }));

export const FieldSeriesSchema = Type.Object(
  {
    deviceId: IdSchema,
    field: Type.String({ description: "group.field, or phase" }),
    count: Type.Array(Type.Integer({ minimum: 0 }), {
      maxItems: HISTORY_POINTS_MAX,
      description: "reports that had the field, with a number or without",
    }),
    min: Figures("lowest number of each step; null where there is none: a gap stays a gap"),
    max: Figures("highest number of each step"),
    mean: Figures("mean of the numbers of each step"),
    last: Type.Array(Type.Union([Type.Number(), Type.String(), Type.Null()]), {
      maxItems: HISTORY_POINTS_MAX,
      description: "the last of each step: a number, the reason why there is none, or a word",
    }),
    words: Type.Array(
      Type.Object(
        { step: Type.Integer({ minimum: 0 }), word: Type.String(), count: Type.Integer({ minimum: 1 }) },
        Closed,
      ),
      { description: "how often a reason or a word stood in a step" },
    ),
  },
  Closed,
);

/** `GET /v1/points/{pointId}/history`. */
export const PointHistorySchema = Type.Object(
  {
    pointId: IdSchema,
    from: InstantSchema,
    to: InstantSchema,
    stepS: Type.Integer({ minimum: 1, description: "step i begins at from + i × stepS" }),
    steps: Type.Integer({ minimum: 1, maximum: HISTORY_POINTS_MAX }),
    resolution: Type.Union([Type.Literal("sample"), Type.Literal("quarter"), Type.Literal("hour")], {
      description: "what the steps are made from: samples, quarters of an hour or hours",
    }),
    damaged: Type.Integer({ minimum: 0, description: "parts that could not be read, and are missing here" }),
    series: Type.Array(FieldSeriesSchema),
  },
  { ...Closed, $id: "PointHistory" },
);
export type PointHistory = Static<typeof PointHistorySchema>;

export const SampleSchema = Type.Object(
  {
    at: InstantSchema,
    quality: Type.Union([Type.Literal("synced"), Type.Literal("estimated"), Type.Literal("suspect")], {
      description: "whose clock says when",
    }),
    receivedAt: InstantSchema,
    sequence: Type.Integer({ minimum: 0, description: "as on the wire" }),
    link: Type.Union([Type.Literal("mqtt"), Type.Literal("lorawan")]),
    kind: Type.Union(
      [
        Type.Literal("report"),
        Type.Literal("info"),
        Type.Literal("backlog"),
        Type.Literal("event"),
        Type.Literal("undecoded"),
      ],
      { description: "undecoded: a frame of another version; it is kept" },
    ),
    /** In the names and shapes of the frame. */
    value: Type.Optional(Type.Unknown()),
    hex: Type.String({ description: "the frame" }),
  },
  Closed,
);

/** `GET /v1/devices/{deviceId}/samples`. */
export const DeviceSamplesSchema = Type.Object(
  {
    deviceId: IdSchema,
    samples: Type.Array(SampleSchema, { maxItems: SAMPLES_MAX, description: "in the order of their times" }),
    next: Type.Optional(Type.String({ description: "of the next page: give it as `after`" })),
    damaged: Type.Integer({ minimum: 0, description: "parts that could not be read, and are missing here" }),
  },
  { ...Closed, $id: "DeviceSamples" },
);
export type DeviceSamples = Static<typeof DeviceSamplesSchema>;

/** Phase changes of one page. */
export const PHASE_CHANGES_PAGE_MAX = 500;

export const PhaseChangeSchema = Type.Object(
  {
    phase: Type.Union([...PhaseSchema.anyOf, Type.Literal("unknown")], {
      description: "unknown: what had been said came from a clock that was wrong, and nothing else is known",
    }),
    before: Type.Optional(PhaseSchema),
    at: Type.String({ ...InstantSchema, description: "when it was so, by whoever says it" }),
    recordedAt: Type.String({ ...InstantSchema, description: "when the gateway learned it" }),
    source: Type.Union([Type.Literal("device"), ...ViaSchema.anyOf, Type.Literal("gateway")], {
      description: "a device's button, the way by which a person told it, or the gateway itself",
    }),
    actor: Type.String({ description: "the device, or who typed it in" }),
  },
  Closed,
);
export type PhaseChange = Static<typeof PhaseChangeSchema>;

/** `GET /v1/points/{pointId}/phases`. */
export const PointPhasesSchema = Type.Object(
  {
    pointId: IdSchema,
    changes: Type.Array(PhaseChangeSchema, {
      maxItems: PHASE_CHANGES_PAGE_MAX,
      description: "the newest first, as the gateway learned them",
    }),
    next: Type.Optional(Type.String({ description: "of the next page: give it as `after`" })),
  },
  { ...Closed, $id: "PointPhases" },
);
export type PointPhases = Static<typeof PointPhasesSchema>;
