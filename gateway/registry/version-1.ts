// Registry files of version 1: sets and batteries stood in their points. They are read as version 2 for good; the form is
// frozen here.
import Type, { type Static } from "typebox";
import {
  type Asset,
  type Assignment,
  DaySchema,
  DeviceSchema,
  IdSchema,
  MunicipalitySchema,
  PointSchema,
  type Registry,
} from "../../protocol/index.ts";

const Closed = { additionalProperties: false } as const;
const From = { from: Type.Optional(DaySchema), until: Type.Optional(DaySchema) };
const ID_LETTERS_MAX = 32;

const Tank = Type.Object(
  {
    capacityL: Type.Number({ exclusiveMinimum: 0, maximum: 100_000 }),
    deadVolumeL: Type.Optional(Type.Number({ minimum: 0 })),
    table: Type.Optional(
      Type.Array(
        Type.Object(
          { levelPct: Type.Number({ minimum: 0, maximum: 100 }), litres: Type.Number({ minimum: 0 }) },
          Closed,
        ),
        { minItems: 2, maxItems: 64 },
      ),
    ),
  },
  Closed,
);
const Generator = Type.Object(
  {
    kind: Type.Union([Type.Literal("fixed"), Type.Literal("mobile")]),
    ratedKw: Type.Number({ exclusiveMinimum: 0, maximum: 5_000 }),
    f0LPerHPerKw: Type.Optional(Type.Number({ minimum: 0 })),
    f1LPerKwh: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    tank: Tank,
    ...From,
  },
  Closed,
);
const Battery = Type.Object(
  {
    chemistry: Type.Union([Type.Literal("lfp"), Type.Literal("lead")]),
    capacityKwh: Type.Number({ exclusiveMinimum: 0, maximum: 10_000 }),
    nominalV: Type.Number({ exclusiveMinimum: 0, maximum: 1_000 }),
    floorPct: Type.Optional(Type.Number({ minimum: 0, maximum: 95 })),
    ...From,
  },
  Closed,
);

const { pointId, name, kind, coordination, location } = PointSchema.properties;
const { owns: _owns, ownSupplyH: _ownSupplyH, ...deviceProperties } = DeviceSchema.properties;
const POINT_1 = Type.Object(
  {
    pointId,
    name,
    kind,
    coordination,
    municipalities: Type.Array(Type.Object({ id: IdSchema, ...From }, Closed), { minItems: 1, maxItems: 8 }),
    location,
    capacity: Type.Optional(Type.Integer({ minimum: 0, maximum: 2039 })),
    connectionPoint: Type.Optional(Type.Boolean()),
    generators: Type.Optional(Type.Array(Generator, { maxItems: 4 })),
    batteries: Type.Optional(Type.Array(Battery, { maxItems: 4 })),
  },
  Closed,
);

export const REGISTRY_1 = Type.Object(
  {
    version: Type.Literal(1),
    profile: Type.Optional(IdSchema),
    municipalities: Type.Array(MunicipalitySchema),
    points: Type.Array(POINT_1),
    devices: Type.Array(Type.Object({ ...deviceProperties, ...From }, Closed)),
  },
  Closed,
);
export type Registry1 = Static<typeof REGISTRY_1>;
type Point1 = Registry1["points"][number];

export const ROWS_1 = {
  municipalities: MunicipalitySchema,
  points: POINT_1,
  devices: REGISTRY_1.properties.devices.items,
} as const;

/**
 * The same as version 2. Each set and battery gets an id of its point, `alm-01-g1`, the same at every reading; one number
 * for the people holds by day and by night. The profile of norms is named by the configuration alone.
 */
export function fromVersion1(before: Registry1): Registry {
  const assets: Asset[] = [];
  const assignments: Assignment[] = [];
  const taken = new Set<string>();
  const add = (point: Point1, letter: string, part: Record<string, unknown> & { from?: string; until?: string }) => {
    const { from, until, ...rest } = part;
    let assetId = "";
    for (let i = 1; assetId === "" || taken.has(assetId); i++) {
      const end = `-${letter}${i}`;
      assetId = `${point.pointId.slice(0, ID_LETTERS_MAX - end.length)}${end}`;
    }
    taken.add(assetId);
    assets.push({ assetId, ...rest } as Asset);
    const period = { ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) };
    assignments.push({ assetId, pointId: point.pointId, ...period });
  };
  for (const point of before.points) {
    for (const one of point.generators ?? []) add(point, "g", { type: "generator", ...one });
    for (const one of point.batteries ?? []) add(point, "b", { type: "battery", ...one });
  }
  const { municipalities, devices } = before;
  const points = before.points.map(pointOf);
  const none = { organisations: [], contacts: [], processes: [] };
  return { version: 2, municipalities, points, assets, assignments, devices, ...none };
}

function pointOf(point: Point1): Registry["points"][number] {
  const { capacity, connectionPoint, generators, batteries: _, ...rest } = point;
  const supply = generators?.[0]?.kind ?? (connectionPoint === true ? ("socket" as const) : undefined);
  return {
    ...rest,
    ...(capacity === undefined ? {} : { capacity: { day: capacity, night: capacity } }),
    ...(supply === undefined ? {} : { supply }),
  };
}
