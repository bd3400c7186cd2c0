// What a point lives on: generator sets with their tanks, and batteries.
import Type, { type Static } from "typebox";

const Closed = { additionalProperties: false } as const;
const Millimetres = Type.Number({ exclusiveMinimum: 0, maximum: 20_000 });

/** The inside of a tank, in millimetres. */
export const TankGeometrySchema = Type.Union([
  Type.Object(
    { shape: Type.Literal("box"), lengthMm: Millimetres, widthMm: Millimetres, heightMm: Millimetres },
    Closed,
  ),
  Type.Object({ shape: Type.Literal("lying-cylinder"), lengthMm: Millimetres, diameterMm: Millimetres }, Closed),
]);

export const TankSchema = Type.Object(
  {
    capacityL: Type.Number({ exclusiveMinimum: 0, maximum: 100_000 }),
    /** Under the suction pipe, never usable. */
    deadVolumeL: Type.Optional(Type.Number({ minimum: 0 })),
    /** Sensor span (0..100 %) to litres, strictly rising; linear from 0 to capacityL when there is no other form. */
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
    /** Height of the fuel above the bottom to litres, strictly rising; never read beyond its ends. */
    strapping: Type.Optional(
      Type.Array(
        Type.Object({ mm: Type.Number({ minimum: 0, maximum: 20_000 }), litres: Type.Number({ minimum: 0 }) }, Closed),
        { minItems: 2, maxItems: 64 },
      ),
    ),
    /** Used where there is no strapping table. */
    geometry: Type.Optional(TankGeometrySchema),
    /** Where 0 % of the sensor stands above the bottom, and what 100 % adds; the whole height when left out. */
    sensor: Type.Optional(
      Type.Object(
        {
          offsetMm: Type.Optional(Type.Number({ minimum: -20_000, maximum: 20_000 })),
          spanMm: Type.Optional(Millimetres),
        },
        Closed,
      ),
    ),
    /** A tank is never filled to the brim: 95 to 97 %. */
    maxFillPct: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 100 })),
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
    /** Exponent of Peukert's law; 1.25 for lead and 1.05 for LFP when left out. */
    peukert: Type.Optional(Type.Number({ minimum: 1, maximum: 1.6 })),
    /** Share of a charge that comes out again; 0.95 when left out. */
    chargeEfficiency: Type.Optional(Type.Number({ minimum: 0.5, maximum: 1 })),
  },
  Closed,
);
