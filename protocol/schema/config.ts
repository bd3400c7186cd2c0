// The gateway's configuration file (TOML): every key, its bounds and its default.
import Type, { type Static } from "typebox";
import { RecordKindSchema } from "./cloud-event.ts";
import { EuiSchema } from "./lorawan.ts";
import { IdSchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;
const Port = Type.Integer({ minimum: 0, maximum: 65_535 });
const Path = Type.String({ minLength: 1, maxLength: 1_000 });
/** No name or password in it: secrets stand in files. */
const HttpUrl = { pattern: "^https?://[^\\s/@]+(/[^\\s]*)?$", maxLength: 500 } as const;
const BrokerUrl = { pattern: "^mqtts?://[^\\s/@]+$", maxLength: 500 } as const;
const ClientId = { minLength: 1, maxLength: 64 } as const;
const Timeout = { minimum: 100, maximum: 60_000, default: 10_000 } as const;
const Rows = { minimum: 1, maximum: 1_000, default: 100 } as const;
const EventSource = {
  pattern: "^urn:nld:[!-~]+$",
  maxLength: 200,
  description: "Organisation and system: urn:nld:oin:NUMBER:systeem:NAME.",
} as const;
const RecordKinds = {
  minItems: 1,
  uniqueItems: true,
  default: ["samples", "events"],
  description: "Of samples, events, info, undecoded, entries.",
} as const;
const Seconds = Type.Integer({ minimum: 0, maximum: 86_400 });

/** One that is not listed is not heard. */
const BaseStation = Type.Object(
  {
    eui: EuiSchema,
    name: Type.String({ minLength: 1, maxLength: 100 }),
    path: Type.Optional(IdSchema),
    address: Type.Optional(Type.String({ pattern: "^[0-9a-f.:]{2,45}$", description: "an IPv4 or IPv6 address" })),
  },
  Closed,
);

export const GatewayConfigSchema = Type.Object(
  {
    gateway: Type.Object(
      { id: Type.String({ ...IdSchema, default: "gateway", description: "Name of this gateway in logs and states." }) },
      { ...Closed, default: {} },
    ),
    data: Type.Object(
      {
        dir: Type.String({ ...Path, default: "data", description: "Folder for journal, registry, keys and people." }),
        keepDays: Type.Integer({
          minimum: 3,
          maximum: 3_650,
          default: 7,
          description: "Days of raw rows in the journal once all have read them.",
        }),
        lowWaterMb: Type.Optional(
          Type.Integer({
            minimum: 0,
            maximum: 10_000_000,
            description: "Free space below which old days go early; else 512 MB or 5 %.",
          }),
        ),
        reserveMb: Type.Integer({
          minimum: 0,
          maximum: 10_000,
          default: 64,
          description: "Space held back for a full disk.",
        }),
        keepActsYears: Type.Integer({
          minimum: 1,
          maximum: 30,
          default: 7,
          description: "Years of the log of what people did; 100,000 acts at most.",
        }),
        commitWindowMs: Type.Integer({
          minimum: 0,
          maximum: 1_000,
          default: 0,
          description: "How long rows wait for company; 250 for an SD card. Alarms never wait.",
        }),
      },
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
        rulesFile: Type.Optional(
          Type.String({ minLength: 1, description: "Rules and overrides beside the profile's (TOML or JSON)." }),
        ),
      },
      { ...Closed, default: {} },
    ),
    history: Type.Object(
      {
        compactEveryS: Type.Integer({
          minimum: 60,
          maximum: 3_600,
          default: 600,
          description: "How often new rows go into history.db; more often wears the disk.",
        }),
        rawDays: Type.Integer({
          minimum: 3,
          maximum: 3_660,
          default: 90,
          description: "Samples are kept so long, and 72 hours whatever the clock says.",
        }),
        rollupYears: Type.Integer({
          minimum: 1,
          maximum: 30,
          default: 5,
          description: "Quarters of an hour and hours are kept so long.",
        }),
      },
      { ...Closed, default: {} },
    ),
    influxdb: Type.Optional(
      Type.Object(
        {
          url: Type.String({ ...HttpUrl, description: "Address of InfluxDB 2.x; beyond loopback it needs https." }),
          org: Type.String({ minLength: 1, maxLength: 200, description: "Organisation." }),
          bucket: Type.String({ minLength: 1, maxLength: 200, description: "Bucket." }),
          tokenFile: Type.String({ ...Path, description: "File that holds the token and nothing else." }),
          batchLinesMax: Type.Integer({
            minimum: 1,
            maximum: 5_000,
            default: 500,
            description: "Rows in one request.",
          }),
          timeoutMs: Type.Integer({ ...Timeout, description: "Of one request." }),
          caFile: Type.Optional(Type.String({ ...Path, description: "PEM of the authority behind https." })),
        },
        Closed,
      ),
    ),
    webhook: Type.Optional(
      Type.Object(
        {
          url: Type.String({ ...HttpUrl, description: "Where events are posted." }),
          source: Type.String(EventSource),
          records: Type.Array(RecordKindSchema, RecordKinds),
          form: Type.Union([Type.Literal("structured"), Type.Literal("batch")], {
            default: "structured",
            description: "One event a request, or many: structured, batch.",
          }),
          tokenFile: Type.Optional(Type.String({ ...Path, description: "File that holds the bearer token." })),
          secretFile: Type.Optional(Type.String({ ...Path, description: "File that holds the key of the signature." })),
          caFile: Type.Optional(Type.String({ ...Path, description: "PEM of the authority behind https." })),
          batchRowsMax: Type.Integer({ ...Rows, description: "Rows between two marks of progress; in one batch." }),
          timeoutMs: Type.Integer({ ...Timeout, description: "Of one request." }),
        },
        Closed,
      ),
    ),
    upstream: Type.Optional(
      Type.Object(
        {
          url: Type.String({ ...BrokerUrl, description: "Address of another MQTT broker." }),
          source: Type.String(EventSource),
          records: Type.Array(RecordKindSchema, RecordKinds),
          clientId: Type.String({
            minLength: 1,
            maxLength: 64,
            default: "waakvlam",
            description: "Name for that broker.",
          }),
          username: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "To sign in with." })),
          passwordFile: Type.Optional(Type.String({ ...Path, description: "File that holds the password." })),
          caFile: Type.Optional(Type.String({ ...Path, description: "PEM of the authority; needed beyond loopback." })),
          topicPrefix: Type.String({
            pattern: "^[^+#$\\s/][^+#\\s]{0,99}$",
            default: "waakvlam",
            description: "What topics begin with.",
          }),
          batchRowsMax: Type.Integer({ ...Rows, description: "Rows under way at once." }),
          timeoutMs: Type.Integer({ ...Timeout, description: "Of connecting and of a whole batch." }),
        },
        Closed,
      ),
    ),
    chirpstack: Type.Optional(
      Type.Object(
        {
          url: Type.String({ ...BrokerUrl, description: "Address of the MQTT broker of ChirpStack v4." }),
          applicationId: Type.String({
            pattern: "^(\\+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$",
            default: "+",
            description: "Its application; + is all that the user may read.",
          }),
          clientId: Type.String({ ...ClientId, default: "waakvlam", description: "Name for that broker." }),
          username: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "To sign in with." })),
          passwordFile: Type.Optional(Type.String({ ...Path, description: "File that holds the password." })),
          tlsCert: Type.Optional(Type.String({ ...Path, description: "PEM of the certificate to sign in with." })),
          tlsKey: Type.Optional(Type.String({ ...Path, description: "PEM of its key." })),
          caFile: Type.Optional(Type.String({ ...Path, description: "PEM of the authority behind mqtts." })),
          expiresAt: Type.Boolean({
            default: false,
            description: "ChirpStack is 4.14 or later and drops late downlinks: ack frames may say the time.",
          }),
          timeoutMs: Type.Integer({ ...Timeout, description: "Of connecting." }),
        },
        Closed,
      ),
    ),
    thingsStack: Type.Optional(
      Type.Object(
        {
          url: Type.String({ ...BrokerUrl, description: "Address of the MQTT server of The Things Stack v3." }),
          username: Type.String({
            pattern: "^[a-z0-9-]{2,36}(@[a-z0-9-]{1,36})?$",
            description: "application@tenant, or the application alone where there are no tenants.",
          }),
          passwordFile: Type.String({ ...Path, description: "File that holds the API key." }),
          clientId: Type.String({ ...ClientId, default: "waakvlam", description: "Name for that server." }),
          caFile: Type.Optional(Type.String({ ...Path, description: "PEM of the authority behind mqtts." })),
          timeoutMs: Type.Integer({ ...Timeout, description: "Of connecting." }),
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
    lorawan: Type.Optional(
      Type.Object(
        {
          udpHost: Type.String({
            minLength: 1,
            maxLength: 253,
            default: "127.0.0.1",
            description: "Address or interface for base stations (Semtech UDP); of a network of their own.",
          }),
          udpPort: Type.Integer({ ...Port, default: 1700, description: "0 takes any free port." }),
          stations: Type.Array(BaseStation, {
            minItems: 1,
            maxItems: 64,
            description: "Base stations: eui (16 hex digits), name, and at will path and address (its only one).",
          }),
        },
        Closed,
      ),
    ),
    notify: Type.Optional(
      Type.Object(
        { file: Type.String({ ...Path, description: "Who is told of alerts, and how (TOML or JSON)." }) },
        Closed,
      ),
    ),
    smtp: Type.Optional(
      Type.Object(
        {
          host: Type.String({ minLength: 1, maxLength: 253, description: "Mail server." }),
          port: Type.Integer({ minimum: 1, maximum: 65_535, default: 587, description: "Its port." }),
          tls: Type.Union([Type.Literal("starttls"), Type.Literal("tls"), Type.Literal("none")], {
            default: "starttls",
            description: "starttls, tls from the start (port 465), or none, on this machine alone.",
          }),
          from: Type.String({
            pattern: "^[^\\s@<>,;]+@[^\\s@<>,;]+$",
            maxLength: 254,
            description: "Address that mail comes from.",
          }),
          user: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "To sign in with." })),
          passwordFile: Type.Optional(Type.String({ ...Path, description: "File that holds the password." })),
          caFile: Type.Optional(Type.String({ ...Path, description: "PEM of the authority of its certificate." })),
          timeoutMs: Type.Integer({ ...Timeout, description: "Of connecting, and of each answer." }),
        },
        Closed,
      ),
    ),
    sms: Type.Optional(
      Type.Object(
        {
          port: Type.String({
            ...Path,
            description: "Serial port of the modem, by its lasting name in /dev/serial/by-id.",
          }),
          baud: Type.Integer({ minimum: 1_200, maximum: 921_600, default: 115_200, description: "Its speed." }),
          pinFile: Type.Optional(Type.String({ ...Path, description: "File that holds the PIN of the SIM." })),
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
    backup: Type.Optional(
      Type.Object(
        {
          dir: Type.String({
            ...Path,
            description: "Where the copy is kept: a second disk, or one of another machine.",
          }),
          everyS: Type.Integer({ minimum: 1, maximum: 86_400, default: 300, description: "Time between two copies." }),
          passphraseFile: Type.Optional(
            Type.String({
              ...Path,
              description: "File with the passphrase that seals keys; without it they are left out.",
            }),
          ),
        },
        Closed,
      ),
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
