// One alert, open or just closed: a row of the alert list and the payload of `alerts/{alertId}`.
import Type, { type Static } from "typebox";
import { InstantSchema, PrioritySchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;

/** Alert states of ISA-18.2; `normal` closes the alert. */
export const AlertStateSchema = Type.Union([
  Type.Literal("unacknowledged"),
  Type.Literal("acknowledged"),
  Type.Literal("returned-unacknowledged"),
  Type.Literal("latched-unacknowledged"),
  Type.Literal("latched-acknowledged"),
  Type.Literal("shelved"),
  Type.Literal("suppressed"),
  Type.Literal("out-of-service"),
  Type.Literal("normal"),
]);
export type AlertState = Static<typeof AlertStateSchema>;

const Reason = Type.String({ minLength: 3, maxLength: 280 });

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
        kind: Type.Union([
          Type.Literal("point"),
          Type.Literal("device"),
          Type.Literal("gateway"),
          Type.Literal("group"),
          Type.Literal("path"),
        ]),
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
    /** Put away by a person: it comes back by itself at `until`. */
    shelved: Type.Optional(
      Type.Object({ by: Type.String(), at: InstantSchema, until: InstantSchema, reason: Reason }, Closed),
    ),
    /** Taken out by a person, until a person puts it back. */
    outOfService: Type.Optional(Type.Object({ by: Type.String(), at: InstantSchema, reason: Reason }, Closed)),
    /** Hidden behind this one, which says the cause. */
    suppressedBy: Type.Optional(Type.String()),
    /** When it had stood for a day: it is part of the furniture by then, and wants its cause mended or its rule changed. */
    staleAt: Type.Optional(InstantSchema),
    /** By when somebody has to have done something, where that is known. */
    respondBy: Type.Optional(InstantSchema),
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

/** Longer than a shift nobody puts anything away: the next one has to see it. */
export const SHELF_HOURS_MAX = 12;

/** Body of `POST /v1/alerts/{alertId}/shelvings`. */
export const ShelvingSchema = Type.Object({ until: InstantSchema, reason: Reason }, { ...Closed, $id: "Shelving" });
export type Shelving = Static<typeof ShelvingSchema>;

/** Body of `POST /v1/alerts/{alertId}/removals`: out of service, until a person puts it back. */
export const RemovalSchema = Type.Object({ reason: Reason }, { ...Closed, $id: "Removal" });
export type Removal = Static<typeof RemovalSchema>;
