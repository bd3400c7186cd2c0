// Devices on LoRaWAN in the registry: how their network knows them, and, of those that are not ours, what their readings stand for.
import Type, { type Static } from "typebox";

const Closed = { additionalProperties: false } as const;

/** EUI-64, most significant byte first. */
export const EuiSchema = Type.String({ pattern: "^[0-9a-f]{16}$", description: "16 hexadecimal digits, a-f small" });

export const LorawanSchema = Type.Object(
  {
    devEui: EuiSchema,
    /** Also called AppEUI; zeros when left out. */
    joinEui: Type.Optional(EuiSchema),
    /** Of LoRaWAN; 1.0.3 when left out. From 1.0.4 on DevNonces count upwards. */
    version: Type.Optional(Type.Union([Type.Literal("1.0.2"), Type.Literal("1.0.3"), Type.Literal("1.0.4")])),
    /** OTAA when left out. */
    activation: Type.Optional(Type.Union([Type.Literal("otaa"), Type.Literal("abp")])),
  },
  Closed,
);
export type LorawanIdentity = Static<typeof LorawanSchema>;

function numbered(name: string, count: number, unit = ""): string[] {
  return Array.from({ length: count }, (_, i) => `${name}${i + 1}${unit}`);
}

/** Channels of each type of device that its decoder reads; `level` is the one that a tank is measured by. */
export const DEVICE_MODELS = {
  VS121: { maker: "Milesight", channels: ["people", "totalIn", "totalOut"], people: true },
  VS133: { maker: "Milesight", channels: [...numbered("totalIn", 4), ...numbered("totalOut", 4)], people: true },
  "EM500-UDL": { maker: "Milesight", channels: ["distanceMm"], level: "distanceMm" },
  UC300: {
    maker: "Milesight",
    channels: [
      ...numbered("input", 4),
      ...numbered("counter", 4),
      ...numbered("output", 2),
      ...numbered("temperature", 2, "C"),
      ...numbered("current", 2, "Ma"),
      ...numbered("voltage", 2, "V"),
      ...numbered("register", 32),
    ],
    level: "current1Ma",
  },
  LDDS75: { maker: "Dragino", channels: ["distanceMm", "temperatureC"], level: "distanceMm" },
  "PS-LB": { maker: "Dragino", channels: ["currentMa", "voltageV", "input1", "input2"], level: "currentMa" },
  CPL03: { maker: "Dragino", channels: [...numbered("contact", 3), ...numbered("pulses", 3)] },
} as const satisfies Readonly<
  Record<
    string,
    {
      readonly maker: string;
      readonly channels: readonly string[];
      readonly level?: string;
      readonly people?: true;
    }
  >
>;
export type DeviceModelName = keyof typeof DEVICE_MODELS;
export const DEVICE_MODEL_NAMES = Object.keys(DEVICE_MODELS) as readonly DeviceModelName[];
export const DeviceModelSchema = Type.Unsafe<DeviceModelName>(
  Type.Union(DEVICE_MODEL_NAMES.map((name) => Type.Literal(name))),
);

const Channel = Type.String({ pattern: "^[a-z][A-Za-z0-9]{1,31}$", description: "a channel of the device's model" });
const Value = Type.Number({ minimum: -1_000_000, maximum: 1_000_000 });

/** By a line between two readings of one channel; the model's level when `from` is left out. */
const Level = Type.Object({ from: Type.Optional(Channel), empty: Value, full: Value }, Closed);
/** True from a value on, or below it: `atLeast = 1` is a closed contact, `below = 1` an open one. */
const Switch = Type.Object({ from: Channel, atLeast: Type.Optional(Value), below: Type.Optional(Value) }, Closed);
/** The reading times `scale` (1) plus `offset` (0). */
const Linear = Type.Object({ from: Channel, scale: Type.Optional(Value), offset: Type.Optional(Value) }, Closed);

/** What channels of a device that is not ours stand for, by the fields of a report. */
export const SensingSchema = Type.Object(
  {
    fuelLevelPct: Type.Optional(Level),
    /** Runs. */
    generator: Type.Optional(Switch),
    /** Has failed: goes before whether it runs. */
    generatorFailed: Type.Optional(Switch),
    /** Is there. */
    mains: Type.Optional(Switch),
    loadKw: Type.Optional(Linear),
    starterBatteryV: Type.Optional(Linear),
    batteryV: Type.Optional(Linear),
    batteryA: Type.Optional(Linear),
    stateOfChargePct: Type.Optional(Linear),
    temperatureC: Type.Optional(Linear),
    /** Of a counter at a door: how many of its lines, from the first on, are ways into the point. */
    lines: Type.Optional(Type.Integer({ minimum: 1, maximum: 4 })),
  },
  Closed,
);
export type Sensing = Static<typeof SensingSchema>;
