// What a point lives on: generator sets with their tanks, and batteries.
import Type, { type Static } from "typebox";

const Closed = { additionalProperties: false } as const;

export const TankSchema = Type.Object(
  {
    capacityL: Type.Number({ exclusiveMinimum: 0, maximum: 100_000 }),
    /** Under the suction pipe, never usable. */
    deadVolumeL: Type.Optional(Type.Number({ minimum: 0 })),
    /** Sensor span (0..100 %) to litres, strictly rising; linear from 0 to capacityL when left out. */
    table: Type.Optional(
      Type.Array(
        Type.Object(
          { levelPct: Type.Number({ minimum: 0, maximum: 100 }), litres: Type.Number({ minimum: 0 }) },
          Closed,
        ),
        {
          minItems: 2,
          maxItems: 64,
        },
      ),
    ),
  },
  Closed,
);
export type Tank = Static<typeof TankSchema>;

export const GeneratorSchema = Type.Object(
  {
    kind: Type.Union([Type.Literal("fixed"), Type.Literal("mobile")]),
    ratedKw: Type.Number({ exclusiveMinimum: 0, maximum: 5_000 }),
    /** Measured consumption, when known: litres per hour at no load per rated kW, and litres per kWh. */
    f0LPerHPerKw: Type.Optional(Type.Number({ minimum: 0 })),
    f1LPerKwh: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    tank: TankSchema,
  },
  Closed,
);

export const BatterySchema = Type.Object(
  {
    chemistry: Type.Union([Type.Literal("lfp"), Type.Literal("lead")]),
    capacityKwh: Type.Number({ exclusiveMinimum: 0, maximum: 10_000 }),
    nominalV: Type.Number({ exclusiveMinimum: 0, maximum: 1_000 }),
    /** Lowest state of charge that counts as usable; 50 for lead and 15 for LFP when left out. */
    floorPct: Type.Optional(Type.Number({ minimum: 0, maximum: 95 })),
  },
  Closed,
);
