// What is known of one point now: the row of the Toestand screen and the payload of `points/{pointId}/state`.
import Type, { type Static } from "typebox";
import { ViaSchema } from "./entry.ts";
import { IdSchema, InstantSchema, PrioritySchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;

/** Critical processes of one point. */
export const MINIMUMS_MAX = 16;

/** What a critical process needs a minimum of. */
export const LevelSchema = Type.Union([
  Type.Literal("enduranceH"),
  Type.Literal("fuelL"),
  Type.Literal("stateOfChargePct"),
  Type.Literal("temperatureC"),
  Type.Literal("starterBatteryV"),
]);

/** Who told it, and how it was learned; absent for what a device measured. */
export const ToldSchema = Type.Object({ by: Type.String(), via: ViaSchema }, Closed);
export type Told = Static<typeof ToldSchema>;

/** One quantity of one device: a number, or a word (an enumeration's value or the reason why there is none). */
export const ReadingSchema = Type.Object(
  {
    name: Type.String({ description: "group and field as in the frame: power.fuelLevelPct" }),
    /** Left out of what a person told. */
    deviceId: Type.Optional(IdSchema),
    told: Type.Optional(ToldSchema),
    value: Type.Union([Type.Number(), Type.String()]),
    at: InstantSchema,
    quality: Type.Union([
      Type.Literal("good"),
      Type.Literal("bad"),
      Type.Literal("stale"),
      Type.Literal("estimated"),
      Type.Literal("suspect"),
    ]),
    saturated: Type.Optional(Type.Boolean({ description: "the value stands at the end of its range" })),
    /** Of a device that does not own the group: held against the owner's reading, and counted nowhere. */
    crossCheck: Type.Optional(
      Type.Object(
        {
          difference: Type.Optional(Type.Number({ description: "more than the owner says" })),
          differs: Type.Boolean({ description: "by more than two sound sensors can" }),
        },
        Closed,
      ),
    ),
  },
  Closed,
);
export type Reading = Static<typeof ReadingSchema>;

const Shortage = Type.Object(
  {
    hours: Type.Number({ minimum: 0 }),
    litres: Type.Optional(Type.Number({ minimum: 0 })),
    kWh: Type.Optional(Type.Number({ minimum: 0 })),
  },
  Closed,
);

/** Hours left as a range, with how it was reached; or no number, with why there is no honest one. */
export const EnduranceSchema = Type.Union([
  Type.Object(
    {
      kind: Type.Literal("estimate"),
      method: Type.Union([
        Type.Literal("fitted"),
        Type.Literal("modelled"),
        Type.Literal("rated"),
        Type.Literal("blended"),
        /** By what the set was seen to drink over hours and days, here or elsewhere. */
        Type.Literal("learned"),
        /** Litres by a dip stick or a delivery note, carried forward by the set's consumption. */
        Type.Literal("told"),
        Type.Literal("battery"),
      ]),
      limitedBy: Type.Union([Type.Literal("fuel"), Type.Literal("battery"), Type.Literal("both")]),
      p10H: Type.Number({ minimum: 0 }),
      p50H: Type.Number({ minimum: 0 }),
      p90H: Type.Number({ minimum: 0 }),
      emptyAt: InstantSchema,
      emptyEarliestAt: InstantSchema,
      emptyLatestAt: InstantSchema,
      reaches72h: Type.Union([Type.Literal("yes"), Type.Literal("no"), Type.Literal("uncertain")]),
      shortage: Type.Optional(Shortage),
      rateLPerH: Type.Optional(Type.Number({ minimum: 0 })),
      rateKw: Type.Optional(Type.Number({ minimum: 0 })),
      /** True when contact is lost, or the level sensor is, and the figure is carried forward from what was known. */
      carriedForward: Type.Boolean(),
      /** True while the mains are there: how long it would be if they failed now. */
      hypothetical: Type.Boolean(),
      asOf: InstantSchema,
    },
    Closed,
  ),
  Type.Object(
    {
      kind: Type.Literal("none"),
      reason: Type.Union([
        Type.Literal("no-device"),
        Type.Literal("no-data"),
        Type.Literal("too-early"),
        Type.Literal("bad-sensor"),
        Type.Literal("no-backup"),
      ]),
      asOf: InstantSchema,
    },
    Closed,
  ),
]);
export type Endurance = Static<typeof EnduranceSchema>;

/** Fuel that came: seen by the sensor, told by a person, or both. */
export const DeliverySchema = Type.Object(
  {
    deliveryId: Type.String({ minLength: 1, maxLength: 80 }),
    at: InstantSchema,
    /** Measured: what the level rose by, with what was burnt meanwhile. */
    measuredL: Type.Optional(Type.Number({ minimum: 0 })),
    toldL: Type.Optional(Type.Number({ minimum: 0 })),
    told: Type.Optional(ToldSchema),
    state: Type.Union([Type.Literal("detected"), Type.Literal("confirmed"), Type.Literal("rejected")]),
  },
  Closed,
);
export type Delivery = Static<typeof DeliverySchema>;

export const PointKindSchema = Type.Union([
  Type.Literal("community-centre"),
  Type.Literal("sports-hall"),
  Type.Literal("church"),
  Type.Literal("village-hall"),
  Type.Literal("fire-station"),
]);

export const PointStateSchema = Type.Object(
  {
    pointId: IdSchema,
    name: Type.String(),
    kind: PointKindSchema,
    municipality: Type.String(),
    region: Type.String(),
    coordination: Type.Boolean({ description: "a coordination point of the safety region" }),
    location: Type.Object({ lat: Type.Number(), lon: Type.Number() }, Closed),
    phase: Type.String({ description: "standby … out-of-service, or unknown, absent" }),
    /** Since when, and who says so: a device or a person. */
    phaseSince: Type.Optional(
      Type.Object({ at: InstantSchema, deviceId: Type.Optional(IdSchema), told: Type.Optional(ToldSchema) }, Closed),
    ),
    contact: Type.Union([
      Type.Literal("present"),
      Type.Literal("silent"),
      Type.Literal("never"),
      Type.Literal("no-device"),
    ]),
    lastReceivedAt: Type.Optional(InstantSchema),
    lastSampleAt: Type.Optional(InstantSchema),
    mains: Type.Union([Type.Literal("present"), Type.Literal("lost"), Type.Literal("unknown")]),
    mainsLostAt: Type.Optional(InstantSchema),
    /** What feeds the point now, as far as is known. */
    source: Type.Union([
      Type.Literal("mains"),
      Type.Literal("generator"),
      Type.Literal("battery"),
      Type.Literal("none"),
      Type.Literal("unknown"),
    ]),
    generator: Type.String({ description: "none, stopped, starting, running, cooling, failed, unknown, absent" }),
    fuel: Type.Optional(
      Type.Object(
        {
          levelPct: Type.Number(),
          litres: Type.Number({ minimum: 0 }),
          usableL: Type.Number({ minimum: 0 }),
          capacityL: Type.Number({ minimum: 0 }),
          at: InstantSchema,
          told: Type.Optional(ToldSchema),
          /** The last dip-stick reading of the tank, here or where it stood before, and what the sensor said more (minus: less) at that moment, as it was then calibrated. */
          dip: Type.Optional(
            Type.Object(
              { litres: Type.Number({ minimum: 0 }), at: InstantSchema, sensorMoreL: Type.Optional(Type.Number()) },
              Closed,
            ),
          ),
        },
        Closed,
      ),
    ),
    battery: Type.Optional(
      Type.Object(
        {
          stateOfChargePct: Type.Number(),
          usableKwh: Type.Number({ minimum: 0 }),
          capacityKwh: Type.Number({ minimum: 0 }),
          at: InstantSchema,
        },
        Closed,
      ),
    ),
    endurance: EnduranceSchema,
    occupancy: Type.Optional(
      Type.Object(
        {
          people: Type.Integer({ minimum: 0 }),
          at: InstantSchema,
          quality: Type.Union([Type.Literal("good"), Type.Literal("stale")]),
          told: Type.Optional(ToldSchema),
          /** The true number lies within so many of it, nine times of ten. */
          plusMinus: Type.Optional(Type.Integer({ minimum: 0 })),
          perHour: Type.Optional(Type.Integer({ description: "came in less went out, in the last hour" })),
          /** Why somebody should count again; absent when nobody needs to. */
          recount: Type.Optional(
            Type.Union([
              Type.Literal("drift"),
              Type.Literal("below-zero"),
              Type.Literal("over-capacity"),
              Type.Literal("never-counted"),
              Type.Literal("counters-disagree"),
              Type.Literal("shift"),
            ]),
          ),
        },
        Closed,
      ),
    ),
    /** At this time of day. */
    capacity: Type.Optional(Type.Integer({ minimum: 0 })),
    /** Open points nearby with room, the nearest first; only where this one has none. */
    roomAt: Type.Optional(
      Type.Array(
        Type.Object({ pointId: IdSchema, name: Type.String(), km: Type.Number(), free: Type.Integer() }, Closed),
        { maxItems: 3 },
      ),
    ),
    deliveries: Type.Optional(Type.Array(DeliverySchema, { maxItems: 16 })),
    organisation: Type.Optional(Type.String()),
    /** Order in which scarce fuel goes to points: 1 first. */
    fuelPriority: Type.Optional(Type.Integer({ minimum: 1, maximum: 9 })),
    /** Of an own post: what its critical processes need at least, and whether they have it. */
    minimums: Type.Optional(
      Type.Array(
        Type.Object(
          {
            processId: IdSchema,
            name: Type.String(),
            directorate: Type.String({ description: "which owns the minimum" }),
            quantity: LevelSchema,
            /** Left out where neither the process nor the profile of norms sets one. */
            minimum: Type.Optional(Type.Number()),
            byNorm: Type.Optional(Type.Boolean({ description: "the minimum is the profile's: the process sets none" })),
            value: Type.Optional(Type.Number()),
            met: Type.Union([Type.Literal("yes"), Type.Literal("no"), Type.Literal("unknown")]),
          },
          Closed,
        ),
        { maxItems: MINIMUMS_MAX },
      ),
    ),
    /** The most pressing open alert's priority; 0 when there is none. */
    priority: Type.Union([Type.Literal(0), PrioritySchema]),
    readings: Type.Array(ReadingSchema, { maxItems: 256 }),
    leftOut: Type.Optional(
      Type.Integer({ minimum: 0, description: "samples that its devices left out by their rule after an outage" }),
    ),
    updatedAt: InstantSchema,
  },
  { ...Closed, $id: "PointState" },
);
export type PointState = Static<typeof PointStateSchema>;
