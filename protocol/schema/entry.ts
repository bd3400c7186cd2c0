// What a person tells of a point: by voice, by a runner, or seen on the spot, and typed in. A row of the journal, as JSON.
import Type, { type Static } from "typebox";
import { IdSchema, InstantSchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;

/** The phases that somebody can put a point in (protocol section 1, phase 0 to 7). */
export const PhaseSchema = Type.Union([
  Type.Literal("standby"),
  Type.Literal("opening"),
  Type.Literal("open"),
  Type.Literal("limited"),
  Type.Literal("full"),
  Type.Literal("closing"),
  Type.Literal("closed"),
  Type.Literal("out-of-service"),
]);
export type Phase = Static<typeof PhaseSchema>;

/** Entries of one page. */
export const ENTRIES_PAGE_MAX = 128;
const NO_NAMES = "no names of people, nothing by which somebody can be known";

const Score = Type.Optional(Type.Integer({ minimum: 0, maximum: 5 }));
const LITRES_MAX = 100_000;

/** No free words: it goes to other systems. */
const DeliveryId = Type.String({ pattern: "^[a-zA-Z0-9.:_-]{1,80}$" });

/** One statement, by its kind. */
export const StatementSchema = Type.Union([
  Type.Object({ kind: Type.Literal("phase"), phase: PhaseSchema }, Closed),
  Type.Object({ kind: Type.Literal("count"), people: Type.Integer({ minimum: 0, maximum: 2039 }) }, Closed),
  Type.Object(
    {
      kind: Type.Literal("dip"),
      /** What the stick shows; read against the tank's table. */
      mm: Type.Optional(Type.Number({ minimum: 0, maximum: 10_000 })),
      /** What is in the tank, where the stick is marked in litres. */
      litres: Type.Optional(Type.Number({ minimum: 0, maximum: LITRES_MAX })),
    },
    Closed,
  ),
  Type.Object(
    {
      kind: Type.Literal("delivery"),
      litres: Type.Number({ exclusiveMinimum: 0, maximum: LITRES_MAX }),
      /** The detected delivery that this confirms; a new one when left out. */
      deliveryId: Type.Optional(DeliveryId),
    },
    Closed,
  ),
  Type.Object({ kind: Type.Literal("no-delivery"), deliveryId: DeliveryId }, Closed),
  Type.Object(
    {
      kind: Type.Literal("power"),
      mains: Type.Optional(Type.Union([Type.Literal("present"), Type.Literal("lost")])),
      generator: Type.Optional(
        Type.Union([Type.Literal("none"), Type.Literal("stopped"), Type.Literal("running"), Type.Literal("failed")]),
      ),
      loadKw: Type.Optional(Type.Number({ minimum: 0, maximum: 5_000 })),
      stateOfChargePct: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
    },
    Closed,
  ),
  Type.Object(
    {
      kind: Type.Literal("supplies"),
      communications: Score,
      power: Score,
      food: Score,
      water: Score,
      warmth: Score,
      shelter: Score,
      sanitation: Score,
      medical: Score,
      safety: Score,
    },
    Closed,
  ),
  Type.Object(
    { kind: Type.Literal("note"), text: Type.String({ minLength: 1, maxLength: 280, description: NO_NAMES }) },
    Closed,
  ),
]);
export type Statement = Static<typeof StatementSchema>;

export const ViaSchema = Type.Union(
  [Type.Literal("voice"), Type.Literal("runner"), Type.Literal("visit"), Type.Literal("screen")],
  { description: "how it was learned" },
);

/** Body of `POST /v1/points/{pointId}/entries`. */
export const NewEntrySchema = Type.Object(
  {
    /** When it was so; now when left out. Not ahead of now. */
    at: Type.Optional(InstantSchema),
    via: ViaSchema,
    /** Given by the client, so that a form that is sent twice counts once. */
    entryId: Type.Optional(Type.String({ pattern: "^[a-zA-Z0-9-]{8,64}$" })),
    statement: StatementSchema,
    note: Type.Optional(Type.String({ maxLength: 280, description: NO_NAMES })),
  },
  { ...Closed, $id: "NewEntry" },
);
export type NewEntry = Static<typeof NewEntrySchema>;

/** As it lies in the journal and as `GET /v1/points/{pointId}/entries` tells it. */
export const EntrySchema = Type.Object(
  {
    entryId: Type.String({ pattern: "^[a-zA-Z0-9-]{8,64}$" }),
    pointId: IdSchema,
    at: InstantSchema,
    /** Who typed it in. */
    by: Type.String({ minLength: 1, maxLength: 64 }),
    via: ViaSchema,
    statement: StatementSchema,
    note: Type.Optional(Type.String({ maxLength: 280 })),
  },
  { ...Closed, $id: "Entry" },
);
export type Entry = Static<typeof EntrySchema>;
