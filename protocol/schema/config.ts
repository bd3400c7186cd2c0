// The gateway's configuration file (TOML): every key, its bounds and its default.
import Type, { type Static } from "typebox";
import { IdSchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;
const Port = Type.Integer({ minimum: 0, maximum: 65_535 });
const Path = Type.String({ minLength: 1, maxLength: 1_000 });
const Seconds = Type.Integer({ minimum: 0, maximum: 86_400 });

export const GatewayConfigSchema = Type.Object(
  {
    gateway: Type.Object(
      { id: Type.String({ ...IdSchema, default: "gateway", description: "Name of this gateway in logs and states." }) },
      { ...Closed, default: {} },
    ),
    data: Type.Object(
      { dir: Type.String({ ...Path, default: "data", description: "Folder for journal, registry, keys and people." }) },
      { ...Closed, default: {} },
    ),
    mqtt: Type.Object(
      {
        host: Type.String({ default: "127.0.0.1", description: "Address for devices and readers." }),
        port: Type.Integer({ ...Port, default: 1883, description: "0 takes any free port." }),
        tlsCert: Type.Optional(Type.String({ ...Path, description: "PEM certificate chain; with tlsKey, TLS only." })),
        tlsKey: Type.Optional(Type.String({ ...Path, description: "PEM key." })),
      },
      { ...Closed, default: {} },
    ),
    http: Type.Object(
      {
        host: Type.String({ default: "127.0.0.1", description: "Address for screens; beyond loopback it needs TLS." }),
        port: Type.Integer({ ...Port, default: 8080, description: "0 takes any free port." }),
        tlsCert: Type.Optional(Type.String({ ...Path, description: "PEM certificate chain of this gateway." })),
        tlsKey: Type.Optional(Type.String({ ...Path, description: "PEM key." })),
      },
      { ...Closed, default: {} },
    ),
    profile: Type.Object(
      {
        name: Type.String({ default: "concept-2026", description: "Profile of norms: thresholds and delays." }),
        enduranceCriticalDelayS: Type.Optional(Type.Integer({ ...Seconds, description: "In place of the profile's." })),
        enduranceLowDelayS: Type.Optional(Type.Integer({ ...Seconds, description: "In place of the profile's." })),
        cannotReach72hDelayS: Type.Optional(Type.Integer({ ...Seconds, description: "In place of the profile's." })),
        sensorBadDelayS: Type.Optional(Type.Integer({ ...Seconds, description: "In place of the profile's." })),
        silenceGraceS: Type.Optional(Type.Integer({ ...Seconds, description: "In place of the profile's." })),
      },
      { ...Closed, default: {} },
    ),
    influxdb: Type.Optional(
      Type.Object(
        {
          url: Type.String({ pattern: "^https?://[^\\s]+$", maxLength: 500, description: "Address of InfluxDB 2.x." }),
          org: Type.String({ minLength: 1, maxLength: 200, description: "Organisation." }),
          bucket: Type.String({ minLength: 1, maxLength: 200, description: "Bucket." }),
          tokenFile: Type.String({ ...Path, description: "File that holds the token and nothing else." }),
          batchLinesMax: Type.Integer({
            minimum: 1,
            maximum: 5_000,
            default: 500,
            description: "Rows in one request.",
          }),
          timeoutMs: Type.Integer({ minimum: 100, maximum: 60_000, default: 10_000, description: "Of one request." }),
        },
        Closed,
      ),
    ),
    ups: Type.Optional(
      Type.Object(
        {
          host: Type.String({ minLength: 1, default: "127.0.0.1", description: "Machine that runs upsd (NUT)." }),
          port: Type.Integer({ minimum: 1, maximum: 65_535, default: 3493, description: "Its port." }),
          name: Type.String({
            pattern: "^[A-Za-z0-9._-]{1,64}$",
            description: "Name of the UPS, as upsd has it ('upsc -l').",
          }),
          pollS: Type.Integer({ minimum: 2, maximum: 300, default: 10, description: "Asked so often." }),
          timeoutMs: Type.Integer({ minimum: 100, maximum: 60_000, default: 5_000, description: "Of one answer." }),
        },
        Closed,
      ),
    ),
    metrics: Type.Object(
      {
        tokenFile: Type.Optional(
          Type.String({
            ...Path,
            description: "File with the bearer token that reads /metrics from elsewhere; this machine needs none.",
          }),
        ),
      },
      { ...Closed, default: {} },
    ),
    log: Type.Object(
      {
        format: Type.Union([Type.Literal("auto"), Type.Literal("json"), Type.Literal("text")], {
          default: "auto",
          description: "JSON lines, or text for people; auto is text on a terminal.",
        }),
        level: Type.Union([Type.Literal("debug"), Type.Literal("info"), Type.Literal("warn"), Type.Literal("error")], {
          default: "info",
          description: "Least level that is written.",
        }),
      },
      { ...Closed, default: {} },
    ),
  },
  { ...Closed, $id: "GatewayConfig", default: {} },
);
export type GatewayConfig = Static<typeof GatewayConfigSchema>;
