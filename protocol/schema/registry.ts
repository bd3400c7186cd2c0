// The registry, version 2: points, what they live on, who they belong to and what measures them, as `waakvlam registry
// import` takes it. One list a noun; what moves is assigned from–to. Keys are never in it.
import Type, { type Static } from "typebox";
import { BatterySchema, GeneratorSchema, TankSchema } from "./assets.ts";
import { DeviceModelSchema, LorawanSchema, SensingSchema } from "./lorawan.ts";
import { POINTS_MAX } from "./overview.ts";
import { LevelSchema, PointKindSchema } from "./point-state.ts";
import { IdSchema, MomentSchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;
const Name = Type.String({ minLength: 1, maxLength: 80 });
const Line = Type.Optional(Type.String({ minLength: 1, maxLength: 160 }));

/** Anything that holds from one moment (included) until another (excluded); no `until` is for good. */
const From = { from: Type.Optional(MomentSchema), until: Type.Optional(MomentSchema) };
export interface Period {
  readonly from?: string;
  readonly until?: string;
}

/** Belongs to one after another: a municipality can merge into another. */
const Membership = Type.Object({ id: IdSchema, ...From }, Closed);
export type Membership = Static<typeof Membership>;

export const MunicipalitySchema = Type.Object({ id: IdSchema, name: Name, region: Name, ...From }, Closed);

export const OrganisationSchema = Type.Object(
  {
    id: IdSchema,
    name: Name,
    kind: Type.Optional(
      Type.Union([
        Type.Literal("municipality"),
        Type.Literal("safety-region"),
        Type.Literal("fire-service"),
        Type.Literal("association"),
        Type.Literal("church"),
        Type.Literal("supplier"),
        Type.Literal("other"),
      ]),
    ),
    phone: Type.Optional(Type.String({ pattern: "^\\+?[0-9 ()-]{3,24}$", description: "a phone number" })),
    ...From,
  },
  Closed,
);

/** How a delivered set is connected and fuelled: what its driver has to know beforehand. */
const ConnectionSchema = Type.Object(
  {
    phases: Type.Optional(Type.Union([Type.Literal(1), Type.Literal(3)])),
    voltageV: Type.Optional(Type.Union([Type.Literal(230), Type.Literal(400)])),
    /** Size of the CEE inlet (IEC 60309-2), in amperes. */
    ceeA: Type.Optional(Type.Union([Type.Literal(16), Type.Literal(32), Type.Literal(63), Type.Literal(125)])),
    /** IEC 60364-1 section 312.2. */
    earthing: Type.Optional(
      Type.Union([
        Type.Literal("TN-S"),
        Type.Literal("TN-C"),
        Type.Literal("TN-C-S"),
        Type.Literal("TT"),
        Type.Literal("IT"),
      ]),
    ),
    cableM: Type.Optional(Type.Number({ minimum: 0, maximum: 500 })),
    fillerCap: Line,
    keyPlace: Line,
    deliveryAddress: Line,
  },
  Closed,
);

const People = Type.Integer({ minimum: 0, maximum: 2039 });

export const PointSchema = Type.Object(
  {
    pointId: IdSchema,
    name: Name,
    kind: PointKindSchema,
    /** A coordination point of the safety region. */
    coordination: Type.Optional(Type.Boolean()),
    municipalities: Type.Array(Membership, { minItems: 1, maxItems: 8 }),
    organisations: Type.Optional(Type.Array(Membership, { maxItems: 8 })),
    /** WGS84, degrees. */
    location: Type.Object(
      { lat: Type.Number({ minimum: 50.5, maximum: 53.8 }), lon: Type.Number({ minimum: 3.2, maximum: 7.4 }) },
      Closed,
    ),
    /** Of the building in the BAG. */
    bagId: Type.Optional(Type.String({ pattern: "^[0-9]{16}$", description: "16 digits" })),
    capacity: Type.Optional(Type.Object({ day: People, night: People }, Closed)),
    /** Order in which scarce fuel goes to points: 1 first. */
    fuelPriority: Type.Optional(Type.Integer({ minimum: 1, maximum: 9 })),
    /** What the building is made for: nothing, a socket for a set, a mobile set that is planned for it, a fixed set. */
    supply: Type.Optional(
      Type.Union([Type.Literal("none"), Type.Literal("socket"), Type.Literal("mobile"), Type.Literal("fixed")]),
    ),
    connection: Type.Optional(ConnectionSchema),
  },
  { ...Closed, $id: "Point" },
);
export type Point = Static<typeof PointSchema>;

const { tank: _tank, ...generatorProperties } = GeneratorSchema.properties;
const asset = { assetId: IdSchema, name: Type.Optional(Name), organisation: Type.Optional(IdSchema) };

export const GeneratorAssetSchema = Type.Object(
  {
    ...asset,
    type: Type.Literal("generator"),
    ...generatorProperties,
    fuel: Type.Optional(
      Type.Union([Type.Literal("diesel"), Type.Literal("hvo"), Type.Literal("petrol"), Type.Literal("lpg")]),
    ),
    /** Its own tank, or that of another asset. */
    tank: Type.Optional(TankSchema),
    tankId: Type.Optional(IdSchema),
  },
  Closed,
);
export const TankAssetSchema = Type.Object({ ...asset, type: Type.Literal("tank"), ...TankSchema.properties }, Closed);
export const BatteryAssetSchema = Type.Object(
  { ...asset, type: Type.Literal("battery"), ...BatterySchema.properties },
  Closed,
);
export const AssetSchema = Type.Union([GeneratorAssetSchema, TankAssetSchema, BatteryAssetSchema]);
export type Asset = Static<typeof AssetSchema>;
export const ASSET_TYPES = {
  generator: GeneratorAssetSchema,
  tank: TankAssetSchema,
  battery: BatteryAssetSchema,
} as const;

/** Where an asset stands, and when. */
export const AssignmentSchema = Type.Object(
  { assetId: IdSchema, pointId: IdSchema, ...From },
  { ...Closed, $id: "Assignment" },
);
export type Assignment = Static<typeof AssignmentSchema>;

/** Body of `POST /v1/assignments`. */
export const NewAssignmentSchema = Type.Object(
  {
    assetId: IdSchema,
    /** Where it goes; left out, it only leaves where it is. */
    pointId: Type.Optional(IdSchema),
    /** Now when left out. */
    from: Type.Optional(MomentSchema),
  },
  { ...Closed, $id: "NewAssignment" },
);
export type NewAssignment = Static<typeof NewAssignmentSchema>;

/** What has been done: where the asset was, where it is, and from when. */
export const MovedSchema = Type.Object(
  {
    assetId: IdSchema,
    from: MomentSchema,
    pointId: Type.Optional(IdSchema),
    left: Type.Optional(IdSchema),
  },
  { ...Closed, $id: "Moved" },
);

/** Groups of quantities in a report. */
export const ReportGroupSchema = Type.Union([
  Type.Literal("power"),
  Type.Literal("battery"),
  Type.Literal("occupancy"),
  Type.Literal("environment"),
  Type.Literal("supplies"),
]);
export type ReportGroup = Static<typeof ReportGroupSchema>;

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
      /** Not one of ours: then `model` says which. */
      Type.Literal("other"),
    ]),
    link: Type.Union([Type.Literal("mqtt"), Type.Literal("lorawan")]),
    lorawan: Type.Optional(LorawanSchema),
    model: Type.Optional(DeviceModelSchema),
    sensing: Type.Optional(SensingSchema),
    /** What it shares with others on its way here: a base station, an access point. */
    path: Type.Optional(IdSchema),
    reportIntervalS: Type.Optional(Type.Integer({ minimum: 10, maximum: 3600 })),
    /** How long it goes on without mains, on what it has of its own. */
    ownSupplyH: Type.Optional(Type.Number({ minimum: 0, maximum: 10_000 })),
    /** Groups of its point for which it counts; what others say of them is held beside it. */
    owns: Type.Optional(Type.Array(ReportGroupSchema, { maxItems: 5, uniqueItems: true })),
    disabled: Type.Optional(Type.Boolean()),
    ...From,
  },
  { ...Closed, $id: "Device" },
);
export type Device = Static<typeof DeviceSchema>;

/** Whom to call at a point. A name is personal data: a role and a duty phone do without. */
export const ContactSchema = Type.Object(
  {
    pointId: IdSchema,
    role: Name,
    phone: Type.String({ pattern: "^\\+?[0-9 ()-]{3,24}$", description: "a phone number" }),
    name: Type.Optional(Name),
  },
  Closed,
);
export type Contact = Static<typeof ContactSchema>;

/** A critical process of an own post: below its minimum level it cannot go on, and its directorate owns that. */
export const ProcessSchema = Type.Object(
  {
    pointId: IdSchema,
    processId: IdSchema,
    name: Name,
    directorate: Name,
    quantity: LevelSchema,
    /** That of the profile of norms when left out; of litres there is none. */
    minimum: Type.Optional(Type.Number({ minimum: -40, maximum: 100_000 })),
  },
  Closed,
);
export type Process = Static<typeof ProcessSchema>;

export const RegistrySchema = Type.Object(
  {
    version: Type.Literal(2),
    municipalities: Type.Array(MunicipalitySchema, { maxItems: 400 }),
    organisations: Type.Array(OrganisationSchema, { maxItems: 1000 }),
    points: Type.Array(PointSchema, { maxItems: POINTS_MAX }),
    assets: Type.Array(AssetSchema, { maxItems: 4 * POINTS_MAX }),
    assignments: Type.Array(AssignmentSchema, { maxItems: 16 * POINTS_MAX }),
    devices: Type.Array(DeviceSchema, { maxItems: 4 * POINTS_MAX }),
    contacts: Type.Array(ContactSchema, { maxItems: 8 * POINTS_MAX }),
    processes: Type.Array(ProcessSchema, { maxItems: 8 * POINTS_MAX }),
  },
  { ...Closed, $id: "Registry" },
);
export type Registry = Static<typeof RegistrySchema>;

/** The lists of the registry: a file `{noun}.csv` each, and `GET /v1/registry/{noun}`. */
export const NOUNS = [
  "municipalities",
  "organisations",
  "points",
  "assets",
  "assignments",
  "devices",
  "contacts",
  "processes",
] as const;
export type Noun = (typeof NOUNS)[number];

/** What two registries differ in; an entry by what names it, and its fields. */
export const RegistryChangesSchema = Type.Object(
  {
    dryRun: Type.Boolean(),
    changes: Type.Array(
      Type.Object(
        {
          noun: Type.String(),
          id: Type.String(),
          kind: Type.Union([Type.Literal("added"), Type.Literal("changed"), Type.Literal("removed")]),
          fields: Type.Array(
            Type.Object(
              { field: Type.String(), before: Type.Optional(Type.String()), after: Type.Optional(Type.String()) },
              Closed,
            ),
          ),
        },
        Closed,
      ),
    ),
    /** More than the list has when there are very many. */
    changesTotal: Type.Integer({ minimum: 0 }),
    /** What is allowed and yet worth a look. */
    warnings: Type.Array(Type.String()),
  },
  { ...Closed, $id: "RegistryChanges" },
);
export type RegistryChanges = Static<typeof RegistryChangesSchema>;

/** What `registry import --credentials` and `lorawan add` write once, for the technician who flashes the devices. */
export const CredentialsSchema = Type.Object(
  {
    devices: Type.Array(
      Type.Object(
        {
          ...{ deviceId: IdSchema, pointId: IdSchema, key: Type.String({ pattern: "^[0-9a-f]{64}$" }) },
          /** Of a device that joins a LoRaWAN network. */
          lorawan: Type.Optional(
            Type.Object({ devEui: Type.String(), joinEui: Type.String(), appKey: Type.String() }, Closed),
          ),
        },
        Closed,
      ),
      { maxItems: 4 * POINTS_MAX },
    ),
  },
  { ...Closed, $id: "Credentials" },
);
export type Credentials = Static<typeof CredentialsSchema>;
