// A request for help of a point: asked by a button, by voice or on a screen, and what became of it. The work list of a coordination
// point.
import Type, { type Static } from "typebox";
import { IdSchema, InstantSchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;

/** In the order of event 9's argument, from 1. */
export const REQUEST_KINDS = ["medical", "fuel", "water", "staff", "police", "technical"] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];
export const RequestKindSchema = Type.Unsafe<RequestKind>({ type: "string", enum: [...REQUEST_KINDS] });

/** Forward only; the last two are the end. */
export const REQUEST_STATES = ["asked", "promised", "under-way", "delivered", "declined"] as const;
export type RequestState = (typeof REQUEST_STATES)[number];
const STEPS = ["promised", "under-way", "delivered", "declined"] as const;
export type RequestStepState = (typeof STEPS)[number];

const VIAS = ["voice", "runner", "visit", "screen"] as const;
export type RequestVia = (typeof VIAS)[number] | "button";
const PersonVia = Type.Unsafe<(typeof VIAS)[number]>({
  type: "string",
  enum: [...VIAS],
  description: "how it was learned",
});
const Via = Type.Unsafe<RequestVia>({ type: "string", enum: [...VIAS, "button"] });

export const REQUEST_ID_PATTERN = "^[a-zA-Z0-9-]{8,64}$";
const RequestId = Type.String({ pattern: REQUEST_ID_PATTERN });
const Note = Type.String({
  minLength: 1,
  maxLength: 280,
  description: "no names of people, nothing by which somebody can be known",
});
/** Litres of fuel and water, people of staff; the other kinds have none. */
const Quantity = Type.Number({
  exclusiveMinimum: 0,
  maximum: 100_000,
  description: "litres of fuel and water, people of staff; the other kinds have none",
});
/** Steps that one request remembers: it can take no more than four forward. */
export const REQUEST_STEPS_MAX = 8;
/** Presses that a request knows by device and sequence. */
export const PRESSES_MAX = 64;

export const RequestStepSchema = Type.Object(
  {
    state: Type.Unsafe<RequestState>({ type: "string", enum: [...REQUEST_STATES] }),
    at: InstantSchema,
    /** Who: a person, or the device whose button was pressed. */
    by: Type.String({ minLength: 1, maxLength: 64 }),
    via: Via,
    note: Type.Optional(Note),
  },
  Closed,
);

export const HelpRequestSchema = Type.Object(
  {
    requestId: RequestId,
    pointId: IdSchema,
    kind: RequestKindSchema,
    state: Type.Unsafe<RequestState>({ type: "string", enum: [...REQUEST_STATES] }),
    askedAt: InstantSchema,
    updatedAt: InstantSchema,
    quantity: Type.Optional(Quantity),
    neededBy: Type.Optional(InstantSchema),
    /** How often the button was pressed while it was open; 0 when it was asked otherwise. */
    pressed: Type.Integer({ minimum: 0 }),
    /** When it was pressed last. */
    pressedAt: Type.Optional(InstantSchema),
    /** It came when it was no longer news: recorded, and nothing sounded. */
    late: Type.Optional(Type.Literal(true)),
    /** The first is how it was asked. */
    steps: Type.Array(RequestStepSchema, { minItems: 1, maxItems: REQUEST_STEPS_MAX }),
  },
  { ...Closed, $id: "HelpRequest" },
);
export type HelpRequest = Static<typeof HelpRequestSchema>;

/** Body of `POST /v1/points/{pointId}/requests`. */
export const NewHelpRequestSchema = Type.Object(
  {
    /** Given by the client, so that a form that is sent twice asks once. */
    requestId: Type.Optional(RequestId),
    kind: RequestKindSchema,
    quantity: Type.Optional(Quantity),
    neededBy: Type.Optional(InstantSchema),
    via: PersonVia,
    note: Type.Optional(Note),
  },
  { ...Closed, $id: "NewHelpRequest" },
);
export type NewHelpRequest = Static<typeof NewHelpRequestSchema>;

/** Body of `POST /v1/requests/{requestId}/steps`. */
export const NewRequestStepSchema = Type.Object(
  {
    state: Type.Unsafe<RequestStepState>({ type: "string", enum: [...STEPS] }),
    via: Type.Optional(PersonVia),
    /** Needed for declined: the reason. */
    note: Type.Optional(Note),
  },
  { ...Closed, $id: "NewRequestStep" },
);
export type NewRequestStep = Static<typeof NewRequestStepSchema>;
