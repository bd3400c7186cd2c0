// What the gateway tells other systems, over the webhook and the upstream broker: CloudEvents 1.0 by the NL GOV profile.
import Type, { type Static } from "typebox";
import { InstantSchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;

/** The records that a receiver can choose, each with the type of its event. Names no organisation: they change. */
export const EVENT_TYPES = {
  samples: "nl.noodsteunpunten.meting-ontvangen",
  events: "nl.noodsteunpunten.gebeurtenis-gemeld",
  info: "nl.noodsteunpunten.apparaatgegevens-ontvangen",
  undecoded: "nl.noodsteunpunten.frame-onleesbaar",
  entries: "nl.noodsteunpunten.invoer-vastgelegd",
} as const;

export const RecordKindSchema = Type.Union([
  Type.Literal("samples"),
  Type.Literal("events"),
  Type.Literal("info"),
  Type.Literal("undecoded"),
  Type.Literal("entries"),
]);
export type RecordKind = Static<typeof RecordKindSchema>;

export const CloudEventSchema = Type.Object(
  {
    specversion: Type.Literal("1.0"),
    id: Type.String({
      minLength: 1,
      description:
        "deviceId, a dot, and the record's 32-bit sequence; of an entry, pointId and entryId: the same whenever it is sent again",
    }),
    source: Type.String({ description: "organisation and system: urn:nld:oin:NUMBER:systeem:NAME" }),
    type: Type.Union([
      Type.Literal(EVENT_TYPES.samples),
      Type.Literal(EVENT_TYPES.events),
      Type.Literal(EVENT_TYPES.info),
      Type.Literal(EVENT_TYPES.undecoded),
      Type.Literal(EVENT_TYPES.entries),
    ]),
    subject: Type.String({
      description:
        "pointId, a slash, and the deviceId; `unknown` for a device of no point; of an entry the pointId alone",
    }),
    time: Type.String({
      ...InstantSchema,
      description: "when the gateway received the record; the sample's own is in data",
    }),
    sequence: Type.String({ pattern: "^\\d{16}$", description: "place in the gateway's journal: orders as text" }),
    datacontenttype: Type.Literal("application/json"),
    data: Type.Object(
      {
        /** Left out of an entry. */
        deviceId: Type.Optional(Type.String()),
        pointId: Type.Optional(Type.String()),
        sequence: Type.Integer({
          minimum: 0,
          description: "of the record on its device, extended to 32 bits; 0 of an entry",
        }),
        sampledAt: InstantSchema,
        timeQuality: Type.Union([Type.Literal("synced"), Type.Literal("estimated"), Type.Literal("suspect")]),
        link: Type.Union([Type.Literal("mqtt"), Type.Literal("lorawan"), Type.Literal("manual")]),
        values: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()]), {
          description: "by the names of docs/data-dictionary.md",
        }),
        frameHex: Type.Optional(
          Type.String({ pattern: "^([0-9a-f]{2})*$", description: "of a frame that is undecoded" }),
        ),
      },
      Closed,
    ),
  },
  { ...Closed, $id: "CloudEvent" },
);
export type CloudEvent = Static<typeof CloudEventSchema>;
