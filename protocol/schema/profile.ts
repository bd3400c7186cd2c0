// The profile of norms in force, by name and version: what a point should be able to, each with where it comes from; and
// the thresholds of alerts. National advice comes in 2027: then there is another profile beside this one.
import Type, { type Static } from "typebox";
import { OVERRIDES_MAX, OverrideSchema, RULES_MAX, RuleSchema } from "./rule.ts";

const Closed = { additionalProperties: false } as const;

/** A number that somebody has set or proposed. */
export const NormSchema = Type.Object(
  {
    value: Type.Number(),
    unit: Type.String({ description: "UCUM code" }),
    standing: Type.Union(
      [Type.Literal("own"), Type.Literal("foreign"), Type.Literal("derived"), Type.Literal("assumed")],
      { description: "set by the region, borrowed from abroad, calculated, or assumed until there is one" },
    ),
    source: Type.String(),
  },
  Closed,
);

export const NormsSchema = Type.Object(
  {
    version: Type.String(),
    source: Type.String(),
    /** How long a point goes on by itself: what endurance is measured against. */
    autonomyH: NormSchema,
    /** From the beginning of an outage until a point is open. */
    openingH: NormSchema,
    openHPerDay: NormSchema,
    peoplePerPoint: NormSchema,
    distanceKm: NormSchema,
    /** Local hours in which the capacity by day holds. */
    capacityDay: Type.Object({ fromHour: Type.Integer(), untilHour: Type.Integer() }, Closed),
    /** For a critical process of an own post that sets none of its own. */
    minimumLevels: Type.Array(Type.Object({ quantity: Type.String(), ...NormSchema.properties }, Closed)),
    /** What a point has, with the lowest score (0 to 5) that will do. */
    supplies: Type.Array(Type.Object({ name: Type.String(), ...NormSchema.properties }, Closed)),
  },
  Closed,
);
export type Norms = Static<typeof NormsSchema>;

export const ProfileSchema = Type.Object(
  {
    name: Type.String(),
    norms: NormsSchema,
    rules: Type.Array(RuleSchema, { maxItems: RULES_MAX }),
    overrides: Type.Array(OverrideSchema, { maxItems: OVERRIDES_MAX }),
    silence: Type.Object(
      { intervals: Type.Object({ mqtt: Type.Number(), lorawan: Type.Number() }, Closed), graceS: Type.Number() },
      Closed,
    ),
  },
  { ...Closed, $id: "Profile" },
);
