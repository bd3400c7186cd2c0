// One alert, open or just closed: a row of the alert list and the payload of `alerts/{alertId}`.
import Type, { type Static } from "typebox";
import { InstantSchema, PrioritySchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;

/** Alert states of ISA-18.2 that this version can reach; `normal` closes the alert. */
export const AlertStateSchema = Type.Union([
  Type.Literal("unacknowledged"),
  Type.Literal("acknowledged"),
  Type.Literal("returned-unacknowledged"),
  Type.Literal("normal"),
]);
export type AlertState = Static<typeof AlertStateSchema>;

export const AlertTextSchema = Type.Object(
  { what: Type.String(), consequence: Type.String(), action: Type.String() },
  Closed,
);

export const AlertSchema = Type.Object(
  {
    alertId: Type.String({ pattern: "^[a-z0-9-]{3,80}$" }),
    ruleId: Type.String({ pattern: "^[a-z0-9-]{3,40}$" }),
    priority: PrioritySchema,
    state: AlertStateSchema,
    subject: Type.Object(
      {
        kind: Type.Union([Type.Literal("point"), Type.Literal("device"), Type.Literal("gateway")]),
        id: Type.String(),
        name: Type.String(),
        /** The point concerned, when there is one. */
        pointId: Type.Optional(Type.String()),
      },
      Closed,
    ),
    raisedAt: InstantSchema,
    returnedAt: Type.Optional(InstantSchema),
    acknowledged: Type.Optional(
      Type.Object(
        { by: Type.String(), at: InstantSchema, note: Type.Optional(Type.String({ maxLength: 500 })) },
        Closed,
      ),
    ),
    /** Figures the texts are about: enduranceH, emptyAt, shortageL, field, reason, silentMin, count. */
    values: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()])),
    text: Type.Object({ nl: AlertTextSchema, en: AlertTextSchema }, Closed),
    updatedAt: InstantSchema,
  },
  { ...Closed, $id: "Alert" },
);
export type Alert = Static<typeof AlertSchema>;

/** Body of `POST /v1/alerts/{alertId}/acknowledgements`. */
export const AcknowledgementSchema = Type.Object(
  { note: Type.Optional(Type.String({ maxLength: 500 })) },
  { ...Closed, $id: "Acknowledgement" },
);
export type Acknowledgement = Static<typeof AcknowledgementSchema>;
