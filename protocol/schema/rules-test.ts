// A file of tests of rules: what happens at which minute, and which alerts stand then.
import Type, { type Static, type TSchema } from "typebox";
import { type Field, GROUPS, PHASES, REASONS } from "../frames/fields.ts";
import { EVENTS } from "../frames/uplink.ts";
import { AlertStateSchema } from "./alert.ts";
import { StatementSchema, ViaSchema } from "./entry.ts";
import { MINIMUMS_MAX } from "./point-state.ts";
import { ProcessSchema } from "./registry.ts";
import { IdSchema, InstantSchema, PrioritySchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;
export const RULES_TESTS_MAX = 500;
/** Of one test; a point's report every minute for a day is one of these. */
export const RULES_TEST_STEPS_MAX = 2_000;
export const RULES_TEST_POINTS_MAX = 1_000;
/** Longer than two weeks no test needs to be. */
const MINUTES_MAX = 20_160;

const Minute = Type.Number({ minimum: 0, maximum: MINUTES_MAX });
const oneOf = (words: readonly string[]) => Type.Unsafe<string>({ type: "string", enum: [...words] });

function fieldSchema(field: Field): TSchema {
  if ("words" in field) return Type.Optional(oneOf([...field.words, "unknown", "absent"]));
  return Type.Optional(Type.Union([Type.Number(), oneOf([...REASONS])]));
}

const groups = Object.fromEntries(
  GROUPS.map(({ name, fields }) => {
    const inner = Object.fromEntries(fields.map((field) => [field.name, fieldSchema(field)]));
    return [name, Type.Optional(Type.Object(inner, Closed))];
  }),
);

/** What a report says beside its header: the names of the protocol; what is left out is absent. */
const ReportPart = Type.Unsafe<Readonly<Record<string, Readonly<Record<string, number | string>> | string>>>(
  Type.Object({ phase: Type.Optional(oneOf(PHASES)), ...groups }, Closed),
);

/** Points that a step is about: all of the test when left out. */
const Points = Type.Optional(Type.Array(IdSchema, { minItems: 1, maxItems: RULES_TEST_POINTS_MAX }));

const { pointId: _, ...process } = ProcessSchema.properties;

const PointSchema = Type.Object(
  {
    pointId: IdSchema,
    /** So many, numbered from 1: `alm-1`, `alm-2`. */
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: RULES_TEST_POINTS_MAX })),
    region: Type.Optional(Type.String({ minLength: 1, maxLength: 80 })),
    capacity: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    /** A fixed set of so many kW with a tank (200 l); no set when left out. */
    ratedKw: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 5_000 })),
    tankL: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 100_000 })),
    link: Type.Optional(Type.Union([Type.Literal("mqtt"), Type.Literal("lorawan")])),
    /** What its device shares with others on its way. */
    path: Type.Optional(IdSchema),
    reportIntervalS: Type.Optional(Type.Integer({ minimum: 10, maximum: 86_400 })),
    /** Of an own post. */
    processes: Type.Optional(Type.Array(Type.Object(process, Closed), { maxItems: MINIMUMS_MAX })),
  },
  Closed,
);

const ReportsSchema = Type.Object(
  {
    minute: Minute,
    /** Again and again, up to and with this minute. */
    until: Type.Optional(Minute),
    everyMinutes: Type.Optional(Type.Number({ minimum: 0.1, maximum: 1_440 })),
    /** So much later they came in: late samples. */
    lateMinutes: Type.Optional(Minute),
    points: Points,
    report: ReportPart,
  },
  Closed,
);

const EventSchema = Type.Object(
  {
    minute: Minute,
    points: Points,
    event: oneOf(EVENTS.filter((one) => one !== "")),
    argument: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
  },
  Closed,
);

/** What a person tells of a point. */
const ToldSchema = Type.Object({ minute: Minute, points: Points, via: ViaSchema, statement: StatementSchema }, Closed);

/** What a person does to an alert, named by its rule and what it is about. */
const ActSchema = Type.Object(
  {
    minute: Minute,
    act: oneOf(["acknowledge", "shelve", "unshelve", "reset", "take-out", "put-back"]),
    rule: Type.String(),
    on: Type.String(),
    by: Type.Optional(Type.String()),
    reason: Type.Optional(Type.String({ minLength: 3, maxLength: 280 })),
    /** Of a shelf: back at this minute. */
    until: Type.Optional(Minute),
  },
  Closed,
);

const ExpectedAlertSchema = Type.Object(
  {
    rule: Type.String(),
    /** The point, or the rule of a group (`mains-lost`), or the path; of a process `{pointId}/{processId}`. */
    on: Type.String(),
    state: Type.Optional(AlertStateSchema),
    priority: Type.Optional(PrioritySchema),
    values: Type.Optional(Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()]))),
  },
  Closed,
);
export type ExpectedAlert = Static<typeof ExpectedAlertSchema>;

const steps = <T extends TSchema>(schema: T) => Type.Optional(Type.Array(schema, { maxItems: RULES_TEST_STEPS_MAX }));

export const RulesTestSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 200 }),
    start: Type.Optional(InstantSchema),
    points: Type.Array(PointSchema, { minItems: 1, maxItems: RULES_TEST_POINTS_MAX }),
    reports: steps(ReportsSchema),
    events: steps(EventSchema),
    told: steps(ToldSchema),
    acts: steps(ActSchema),
    /** All alerts that stand at a minute: more and fewer are both wrong. Those that are hidden count where they are named. */
    expect: Type.Array(
      Type.Object({ minute: Minute, alerts: Type.Array(ExpectedAlertSchema, { maxItems: 1_000 }) }, Closed),
      { minItems: 1, maxItems: RULES_TEST_STEPS_MAX },
    ),
  },
  Closed,
);
export type RulesTest = Static<typeof RulesTestSchema>;

export const RulesTestsSchema = Type.Object(
  {
    version: Type.Literal(1),
    /** Name of the profile; that of Waakvlam when left out. */
    profile: Type.Optional(Type.String()),
    /** A file of rules, from the folder of this one. */
    rulesFile: Type.Optional(Type.String({ minLength: 1 })),
    tests: Type.Array(RulesTestSchema, { minItems: 1, maxItems: RULES_TESTS_MAX }),
  },
  Closed,
);
export type RulesTests = Static<typeof RulesTestsSchema>;
