// The registry file: points, their assets and devices, as `waakvlam registry import` takes it.
import Type, { type Static } from "typebox";
import { BatterySchema, GeneratorSchema } from "./assets.ts";
import { POINTS_MAX } from "./overview.ts";
import { PointKindSchema } from "./point-state.ts";
import { DaySchema, IdSchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;
const Name = Type.String({ minLength: 1, maxLength: 80 });

/** Anything that holds from one day (included) until another (excluded); no `until` is for good. */
const From = { from: Type.Optional(DaySchema), until: Type.Optional(DaySchema) };

export const MunicipalitySchema = Type.Object({ id: IdSchema, name: Name, region: Name, ...From }, Closed);

export const PointSchema = Type.Object(
  {
    pointId: IdSchema,
    name: Name,
    kind: PointKindSchema,
    coordination: Type.Optional(Type.Boolean()),
    /** One after another without overlap: a municipality can merge into another. */
    municipalities: Type.Array(Type.Object({ id: IdSchema, ...From }, Closed), { minItems: 1, maxItems: 8 }),
    location: Type.Object(
      { lat: Type.Number({ minimum: 50.5, maximum: 53.8 }), lon: Type.Number({ minimum: 3.2, maximum: 7.4 }) },
      Closed,
    ),
    capacity: Type.Optional(Type.Integer({ minimum: 0, maximum: 2039 })),
    /** A socket for a delivered set, without a set of its own. */
    connectionPoint: Type.Optional(Type.Boolean()),
    generators: Type.Optional(
      Type.Array(Type.Object({ ...GeneratorSchema.properties, ...From }, Closed), { maxItems: 4 }),
    ),
    batteries: Type.Optional(
      Type.Array(Type.Object({ ...BatterySchema.properties, ...From }, Closed), { maxItems: 4 }),
    ),
  },
  { ...Closed, $id: "Point" },
);
export type Point = Static<typeof PointSchema>;

export const DeviceSchema = Type.Object(
  {
    deviceId: IdSchema,
    pointId: IdSchema,
    board: Type.Union([
      Type.Literal("esp32"),
      Type.Literal("xiaoble"),
      Type.Literal("mdbt42q"),
      Type.Literal("pixljs"),
      Type.Literal("virtual"),
    ]),
    link: Type.Union([Type.Literal("mqtt"), Type.Literal("lorawan")]),
    reportIntervalS: Type.Optional(Type.Integer({ minimum: 10, maximum: 3600 })),
    disabled: Type.Optional(Type.Boolean()),
    ...From,
  },
  { ...Closed, $id: "Device" },
);
export type Device = Static<typeof DeviceSchema>;

export const RegistrySchema = Type.Object(
  {
    version: Type.Literal(1),
    /** The profile of norms in force: thresholds and delays as data. */
    profile: Type.Optional(IdSchema),
    municipalities: Type.Array(MunicipalitySchema, { maxItems: 400 }),
    points: Type.Array(PointSchema, { maxItems: POINTS_MAX }),
    devices: Type.Array(DeviceSchema, { maxItems: 4 * POINTS_MAX }),
  },
  { ...Closed, $id: "Registry" },
);
export type Registry = Static<typeof RegistrySchema>;

/** What `registry import --credentials` writes once, for the technician who flashes the devices. */
export const CredentialsSchema = Type.Object(
  {
    devices: Type.Array(
      Type.Object({ deviceId: IdSchema, pointId: IdSchema, key: Type.String({ pattern: "^[0-9a-f]{64}$" }) }, Closed),
      { maxItems: 4 * POINTS_MAX },
    ),
  },
  { ...Closed, $id: "Credentials" },
);
export type Credentials = Static<typeof CredentialsSchema>;
