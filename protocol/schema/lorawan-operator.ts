// What an operator sees of LoRaWAN and does to it: devices with their sessions, base stations, keys that are made and shown once.
import Type, { type Static } from "typebox";
import { EuiSchema, LorawanSchema } from "./lorawan.ts";
import { DeviceSchema } from "./registry.ts";
import { IdSchema, InstantSchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;
const KeyHex = Type.String({ pattern: "^[0-9a-fA-F]{32}$", description: "32 hexadecimal digits" });
const Count = Type.Integer({ minimum: 0 });
const Counts = Type.Record(Type.String(), Count);

/** Of a device that joins, or of one that is personalised. */
const DeviceKeysSchema = Type.Object(
  {
    appKey: Type.Optional(KeyHex),
    devAddr: Type.Optional(Type.String({ pattern: "^[0-9a-fA-F]{8}$", description: "8 hexadecimal digits" })),
    nwkSKey: Type.Optional(KeyHex),
    appSKey: Type.Optional(KeyHex),
  },
  Closed,
);
export type GivenKeys = Static<typeof DeviceKeysSchema>;

const { version, activation } = LorawanSchema.properties;
const Identity = {
  /** As on its label, with or without signs between; made when left out. */
  devEui: Type.Optional(Type.String({ minLength: 16, maxLength: 24 })),
  joinEui: Type.Optional(Type.String({ minLength: 16, maxLength: 24 })),
  version,
  activation,
  /** Those that the device has already; made when left out. */
  keys: Type.Optional(DeviceKeysSchema),
};

const { board, model, sensing, path, reportIntervalS, ownSupplyH, owns } = DeviceSchema.properties;

/** Body of `POST /v1/lorawan/devices`. */
export const NewLorawanDeviceSchema = Type.Object(
  {
    ...{ deviceId: IdSchema, pointId: IdSchema, ...Identity },
    /** Of ours; one with a model has none. */
    board: Type.Optional(board),
    ...{ model, sensing, path, reportIntervalS, ownSupplyH, owns },
  },
  { ...Closed, $id: "NewLorawanDevice" },
);
export type NewLorawanDevice = Static<typeof NewLorawanDeviceSchema>;

/** Body of `POST /v1/lorawan/devices/{deviceId}/replacement`: the device that takes its place from now on. */
export const NewLorawanReplacementSchema = Type.Object(
  { deviceId: IdSchema, ...Identity },
  { ...Closed, $id: "NewLorawanReplacement" },
);
export type NewLorawanReplacement = Static<typeof NewLorawanReplacementSchema>;

/** Body of `POST /v1/lorawan/devices/{deviceId}/keys`. */
export const NewLorawanKeysSchema = Type.Object(
  { keys: Type.Optional(DeviceKeysSchema) },
  { ...Closed, $id: "NewLorawanKeys" },
);
export type NewLorawanKeys = Static<typeof NewLorawanKeysSchema>;

/** Body of `PATCH /v1/lorawan/devices/{deviceId}`. */
export const LorawanDeviceChangeSchema = Type.Object(
  { disabled: Type.Boolean() },
  { ...Closed, $id: "LorawanDeviceChange" },
);

/** The one answer that has keys; none has them again. */
export const IssuedKeysSchema = Type.Object(
  {
    deviceId: IdSchema,
    pointId: IdSchema,
    devEui: EuiSchema,
    joinEui: EuiSchema,
    keys: DeviceKeysSchema,
    /** Of a device of ours: the key of its frames, as `registry import --credentials` writes it. */
    frameKey: Type.Optional(Type.String({ pattern: "^[0-9a-f]{64}$" })),
  },
  { ...Closed, $id: "IssuedKeys" },
);
export type IssuedKeys = Static<typeof IssuedKeysSchema>;

/** How the network knows a device now. */
const SessionSchema = Type.Object(
  {
    state: Type.String({ description: "disabled, never-seen, joining, active, key-changed" }),
    devAddr: Type.Optional(Type.String()),
    lastHeardAt: Type.Optional(InstantSchema),
    counterUp: Type.Optional(Count),
    counterDown: Type.Optional(Count),
    dataRate: Type.Optional(Count),
    /** The base station that heard its last frame best. */
    stationId: Type.Optional(EuiSchema),
    rssi: Type.Optional(Type.Number()),
    snr: Type.Optional(Type.Number()),
    downlinks: Count,
    noncesUsed: Count,
    noncesMax: Count,
  },
  Closed,
);
export type LorawanSession = Static<typeof SessionSchema>;

export const LorawanDeviceSchema = Type.Object(
  {
    deviceId: IdSchema,
    pointId: IdSchema,
    devEui: EuiSchema,
    joinEui: Type.Optional(EuiSchema),
    version: Type.String(),
    activation: Type.Union([Type.Literal("otaa"), Type.Literal("abp")]),
    model: Type.Optional(Type.String()),
    disabled: Type.Boolean(),
    hasKeys: Type.Boolean(),
    /** With the network of this gateway. */
    session: Type.Optional(SessionSchema),
  },
  { ...Closed, $id: "LorawanDevice" },
);
export type LorawanDeviceState = Static<typeof LorawanDeviceSchema>;

export const LorawanStationSchema = Type.Object(
  {
    stationId: EuiSchema,
    name: Type.String(),
    path: Type.Optional(Type.String()),
    lastHeardAt: Type.Optional(InstantSchema),
    heardFrom: Type.Optional(Type.String({ description: "address and port" })),
    /** It can be given downlinks. */
    connected: Type.Boolean(),
    silent: Type.Boolean(),
    framesHeard: Count,
    transmissions: Counts,
    refused: Counts,
    /** Milliseconds on the air in the last hour, by sub-band. */
    airtime: Type.Array(
      Type.Object({ band: Type.String(), usedMs: Type.Number({ minimum: 0 }), limitMs: Type.Number() }, Closed),
    ),
  },
  { ...Closed, $id: "LorawanStation" },
);
export type LorawanStation = Static<typeof LorawanStationSchema>;

/** What an import of devices did, or would do. */
export const LorawanImportSchema = Type.Object(
  {
    dryRun: Type.Boolean(),
    added: Type.Array(IdSchema),
    keyed: Type.Array(IdSchema),
    unchanged: Type.Array(IdSchema),
    warnings: Type.Array(Type.String()),
  },
  { ...Closed, $id: "LorawanImport" },
);
export type LorawanImport = Static<typeof LorawanImportSchema>;
