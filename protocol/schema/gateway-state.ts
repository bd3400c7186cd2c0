// The gateway about itself: the payload of `gateway/state`. Late (after `nextBefore`) means down.
import Type, { type Static } from "typebox";
import { NotifyStateSchema } from "./notify.ts";
import { InstantSchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });

export const SinkStateSchema = Type.Object(
  {
    name: Type.String(),
    state: Type.Union([
      Type.Literal("idle"),
      Type.Literal("sending"),
      Type.Literal("retrying"),
      Type.Literal("refused"),
    ]),
    behindRows: Count,
    sent: Count,
    dead: Count,
    /** While it cannot deliver: when the gateway received the first record that waits. */
    waitingSince: Type.Optional(InstantSchema),
    reason: Type.Optional(Type.String()),
  },
  Closed,
);
export type SinkState = Static<typeof SinkStateSchema>;

/** Of the disk that holds the data folder. */
export const DiskStateSchema = Type.Object({ freeBytes: Count, sizeBytes: Count, lowWaterBytes: Count }, Closed);

/** The gateway's own supply, as `upsd` tells it. */
export const UpsStateSchema = Type.Union([
  Type.Object(
    {
      kind: Type.Literal("reading"),
      onBattery: Type.Boolean(),
      lowBattery: Type.Boolean(),
      chargePct: Type.Optional(Type.Number()),
      runtimeS: Type.Optional(Type.Number()),
    },
    Closed,
  ),
  Type.Object({ kind: Type.Literal("unreachable"), reason: Type.String() }, Closed),
]);

export const HistoryStateSchema = Type.Object(
  {
    /** Rows that are stored and in no chunk yet; those of the last minutes are told all the same. */
    behindRows: Type.Optional(Count),
    bytes: Type.Optional(Count),
    compactionAgeS: Type.Optional(Type.Number({ minimum: 0 })),
    /** Why it cannot be opened or written now. */
    failing: Type.Optional(Type.String()),
  },
  Closed,
);

/** The scheduled copy of everything, from which a spare machine can take over. */
export const CopyStateSchema = Type.Object(
  {
    state: Type.Union([Type.Literal("starting"), Type.Literal("current"), Type.Literal("failing")]),
    /** Rows that are not in it yet. */
    behindRows: Count,
    everyS: Count,
    lastAt: Type.Optional(InstantSchema),
    reason: Type.Optional(Type.String()),
    /** It lies on the disk of the data, and would be lost with it. */
    sameDisk: Type.Optional(Type.Literal(true)),
  },
  Closed,
);
export type CopyState = Static<typeof CopyStateSchema>;

export const GatewayStateSchema = Type.Object(
  {
    gatewayId: Type.String(),
    version: Type.String(),
    startedAt: InstantSchema,
    asOf: InstantSchema,
    nextBefore: InstantSchema,
    clockTrusted: Type.Boolean(),
    /** Since when the region has been without mains, and the moment 72 hours later. */
    outage: Type.Optional(Type.Object({ startedAt: InstantSchema, until: InstantSchema }, Closed)),
    points: Type.Object({ total: Count, reaching: Count, notReaching: Count, unknown: Count, current: Count }, Closed),
    people: Type.Object({ present: Count, capacity: Count }, Closed),
    alerts: Type.Object({ unacknowledged: Count, acknowledged: Count, hidden: Type.Optional(Count) }, Closed),
    journal: Type.Object(
      {
        newestId: Count,
        pendingRows: Count,
        engineBehindRows: Count,
        setAside: Count,
        /** Rows since the start of devices that the registry does not know: kept, and passed by. */
        unknownDeviceRows: Type.Optional(Count),
      },
      Closed,
    ),
    /** Frames that were refused, by reason, since the gateway started. */
    refusals: Type.Record(Type.String(), Count),
    sinks: Type.Array(SinkStateSchema, { maxItems: 32 }),
    history: Type.Optional(HistoryStateSchema),
    /** Absent when no copy is configured. */
    copy: Type.Optional(CopyStateSchema),
    /** Absent where nobody is to be told. */
    notify: Type.Optional(NotifyStateSchema),
    disk: Type.Optional(DiskStateSchema),
    ups: Type.Optional(UpsStateSchema),
  },
  { ...Closed, $id: "GatewayState" },
);
export type GatewayState = Static<typeof GatewayStateSchema>;
