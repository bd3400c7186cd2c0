// Rules as data: when something at a point needs a person, how pressing it is, and what it says.
import Type, { type Static } from "typebox";
import { PhaseSchema } from "./entry.ts";
import { IdSchema, PrioritySchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;
export const RULES_MAX = 64;
export const OVERRIDES_MAX = 4_000;
const RuleId = Type.String({ pattern: "^[a-z0-9-]{3,40}$" });
const Seconds = Type.Integer({ minimum: 0, maximum: 86_400 });

/** What a rule can look at: known of a point now, or absent, and then no condition about it holds. */
export const NUMBERS = [
  "enduranceH",
  "occupancyPct",
  "starterBatteryV",
  "stateOfChargePct",
  "fuelUsableL",
  "loadKw",
  "temperatureC",
  "badSensors",
  "supplyScoreMin",
  "sampleAgeS",
  "fuelLossL",
  "fuelLeakLPerH",
  "fuelOveruse",
] as const;
export const WORDS = [
  "phase",
  "contact",
  "mains",
  "source",
  "generator",
  "reaches72h",
  "backup",
  "fuelSight",
  "fuelSensor",
  "minimum",
] as const;
export type RuleNumber = (typeof NUMBERS)[number];
export type RuleWord = (typeof WORDS)[number];

const NumberSchema = Type.Unsafe<RuleNumber>({ type: "string", enum: [...NUMBERS] });
const WordSchema = Type.Unsafe<RuleWord>({ type: "string", enum: [...WORDS] });
const Words = Type.Array(Type.String({ minLength: 1, maxLength: 40 }), { minItems: 1, maxItems: 12 });

/** One test of one quantity. */
export const ConditionSchema = Type.Union([
  Type.Object({ quantity: NumberSchema, below: Type.Number() }, Closed),
  Type.Object({ quantity: NumberSchema, atLeast: Type.Number() }, Closed),
  Type.Object({ quantity: WordSchema, is: Words }, Closed),
  Type.Object({ quantity: WordSchema, isNot: Words }, Closed),
]);
export type Condition = Static<typeof ConditionSchema>;

const Text = Type.Object(
  {
    what: Type.String({ minLength: 1, maxLength: 80 }),
    consequence: Type.String({ minLength: 1, maxLength: 200 }),
    action: Type.String({ minLength: 1, maxLength: 200 }),
  },
  Closed,
);

export const RuleSchema = Type.Object(
  {
    ruleId: RuleId,
    /** At most one alert is open on a matter of a point: its rules rise and fall into one another. */
    matter: Type.String({ pattern: "^[a-z]{3,20}$" }),
    priority: PrioritySchema,
    /** In place of `priority` where all of these hold as well; the first that fits counts. */
    priorityWhen: Type.Optional(
      Type.Array(
        Type.Object(
          { when: Type.Array(ConditionSchema, { minItems: 1, maxItems: 8 }), priority: PrioritySchema },
          Closed,
        ),
        { maxItems: 4 },
      ),
    ),
    /** All of them have to hold. */
    when: Type.Array(ConditionSchema, { minItems: 1, maxItems: 8 }),
    /** Once it is an alert, it goes on while these hold (hysteresis); `when` if left out. */
    holds: Type.Optional(Type.Array(ConditionSchema, { minItems: 1, maxItems: 8 })),
    onDelayS: Seconds,
    offDelayS: Type.Optional(Seconds),
    /** Over only when a person resets it. */
    latches: Type.Optional(Type.Boolean()),
    /** So many points at once make one line. */
    group: Type.Optional(Type.Object({ at: Type.Integer({ minimum: 2, maximum: 1_000 }) }, Closed)),
    /** What the text names: `{enduranceH}`. Needed for a rule that Waakvlam does not bring itself. */
    text: Type.Optional(Type.Object({ nl: Text, en: Text }, Closed)),
  },
  Closed,
);
export type Rule = Static<typeof RuleSchema>;

/** Another threshold, delay or priority at some points. */
export const OverrideSchema = Type.Object(
  {
    ruleId: RuleId,
    /** Left out: every point. */
    points: Type.Optional(Type.Array(IdSchema, { minItems: 1, maxItems: 1_000 })),
    phases: Type.Optional(Type.Array(PhaseSchema, { minItems: 1, maxItems: 8 })),
    disabled: Type.Optional(Type.Boolean()),
    priority: Type.Optional(PrioritySchema),
    onDelayS: Type.Optional(Seconds),
    when: Type.Optional(Type.Array(ConditionSchema, { minItems: 1, maxItems: 8 })),
    holds: Type.Optional(Type.Array(ConditionSchema, { minItems: 1, maxItems: 8 })),
    /** Why: whoever reads it later has to know. */
    reason: Type.String({ minLength: 3, maxLength: 280 }),
  },
  Closed,
);
export type Override = Static<typeof OverrideSchema>;

/** A file of rules: those of the profile, with these added or put in place of those of the same id. */
export const RulesFileSchema = Type.Object(
  {
    version: Type.Literal(1),
    rules: Type.Optional(Type.Array(RuleSchema, { maxItems: RULES_MAX })),
    overrides: Type.Optional(Type.Array(OverrideSchema, { maxItems: OVERRIDES_MAX })),
  },
  { ...Closed, $id: "RulesFile" },
);
export type RulesFile = Static<typeof RulesFileSchema>;
