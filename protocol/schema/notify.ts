// Who is told of an alert, how, and when: the file of recipients, the notices made by it, and mutes.
import Type, { type Static } from "typebox";
import { IdSchema, InstantSchema, PrioritySchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;
const Word = Type.String({ minLength: 1, maxLength: 80 });
const Path = Type.String({ minLength: 1, maxLength: 1_000 });
const Priorities = Type.Array(PrioritySchema, { minItems: 1, maxItems: 3, uniqueItems: true });
const ClockTime = Type.String({ pattern: "^([01]\\d|2[0-3]):[0-5]\\d$", description: "a local time, 07:00" });

export const RECIPIENTS_MAX = 200;
export const CHANNELS_MAX = 8;

/** Days of the week, as in the Netherlands. */
export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];
const Days = Type.Array(
  Type.Union([
    Type.Literal("mon"),
    Type.Literal("tue"),
    Type.Literal("wed"),
    Type.Literal("thu"),
    Type.Literal("fri"),
    Type.Literal("sat"),
    Type.Literal("sun"),
  ]),
  {
    minItems: 1,
    maxItems: 7,
    uniqueItems: true,
  },
);

/** A way to a recipient. Of those, `mqtt` and `audible` cannot say that somebody was reached: the next one is taken too. */
export const ChannelSchema = Type.Union([
  Type.Object({ type: Type.Literal("sms"), phone: Type.String({ pattern: "^\\+[1-9][0-9]{6,14}$" }) }, Closed),
  Type.Object(
    { type: Type.Literal("email"), address: Type.String({ pattern: "^[^\\s@<>,;]+@[^\\s@<>,;]+$", maxLength: 254 }) },
    Closed,
  ),
  Type.Object(
    {
      type: Type.Literal("webhook"),
      url: Type.String({ pattern: "^https?://[^\\s/@]+(/[^\\s]*)?$", maxLength: 500 }),
      tokenFile: Type.Optional(Path),
      secretFile: Type.Optional(Path),
      caFile: Type.Optional(Path),
    },
    Closed,
  ),
  Type.Object({ type: Type.Literal("mqtt") }, Closed),
  Type.Object(
    {
      type: Type.Literal("audible"),
      /** A device at the coordination point: it blinks and sounds. */
      deviceId: IdSchema,
      seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 600 })),
    },
    Closed,
  ),
]);
export type Channel = Static<typeof ChannelSchema>;
export type ChannelType = Channel["type"];
export const CHANNEL_TYPES: readonly ChannelType[] = ["sms", "email", "webhook", "mqtt", "audible"];

/** Every week; over midnight when `until` is not later than `from`. Without days it is every day on which it begins. */
const Weekly = { days: Type.Optional(Days), from: ClockTime, until: ClockTime };
export const ShiftSchema = Type.Union([
  Type.Object(Weekly, Closed),
  /** Once. */
  Type.Object({ fromAt: InstantSchema, untilAt: InstantSchema }, Closed),
]);
export type Shift = Static<typeof ShiftSchema>;

export const QuietSchema = Type.Object(
  {
    ...Weekly,
    /** Priorities that are told of all the same; 1 when left out. */
    breakThrough: Type.Optional(Type.Array(PrioritySchema, { maxItems: 3, uniqueItems: true })),
  },
  Closed,
);
export type Quiet = Static<typeof QuietSchema>;

const SubjectKind = Type.Union([
  Type.Literal("point"),
  Type.Literal("device"),
  Type.Literal("gateway"),
  Type.Literal("group"),
  Type.Literal("path"),
]);

export const RecipientSchema = Type.Object(
  {
    recipientId: IdSchema,
    /** A duty rather than a person, where that will do. */
    name: Type.Optional(Word),
    role: Word,
    language: Type.Optional(Type.Union([Type.Literal("nl"), Type.Literal("en")])),
    /** In the order in which they are tried. */
    channels: Type.Array(ChannelSchema, { minItems: 1, maxItems: CHANNELS_MAX }),
    /** All of them when left out; so for the other three. */
    priorities: Type.Optional(Priorities),
    regions: Type.Optional(Type.Array(Word, { minItems: 1, maxItems: 40 })),
    municipalities: Type.Optional(Type.Array(Word, { minItems: 1, maxItems: 400 })),
    kinds: Type.Optional(Type.Array(SubjectKind, { minItems: 1, maxItems: 5, uniqueItems: true })),
    quiet: Type.Optional(Type.Array(QuietSchema, { maxItems: 14 })),
    /** On duty then, and told at the beginning of what is open; always when left out. */
    shifts: Type.Optional(Type.Array(ShiftSchema, { minItems: 1, maxItems: 100 })),
    /** Also told when it is over. */
    returns: Type.Optional(Type.Boolean()),
  },
  Closed,
);
export type Recipient = Static<typeof RecipientSchema>;

/** Who is told, and who next while nobody acknowledges. Roles that no step names are told at once. */
export const EscalationSchema = Type.Object(
  {
    priorities: Priorities,
    steps: Type.Array(
      Type.Object(
        {
          afterMin: Type.Integer({ minimum: 0, maximum: 1_440 }),
          roles: Type.Array(Word, { minItems: 1, maxItems: 20 }),
        },
        Closed,
      ),
      { minItems: 1, maxItems: 10 },
    ),
    /** Told again while it is not acknowledged; for priority 1 alone. */
    repeatMin: Type.Optional(Type.Integer({ minimum: 5, maximum: 1_440 })),
  },
  Closed,
);
export type Escalation = Static<typeof EscalationSchema>;

/** The file that `notify.file` names (TOML or JSON). */
export const NotifyPlanSchema = Type.Object(
  {
    recipients: Type.Array(RecipientSchema, { maxItems: RECIPIENTS_MAX }),
    escalation: Type.Optional(Type.Array(EscalationSchema, { maxItems: 3 })),
    /** Local times at which shifts change: no mute outlives one. */
    handOvers: Type.Optional(Type.Array(ClockTime, { maxItems: 12 })),
    /** Messages to one recipient in ten minutes; more become one. */
    messagesMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 60 })),
    /** A notice that was not delivered by then is given up. */
    expireMin: Type.Optional(Type.Integer({ minimum: 5, maximum: 4_320 })),
  },
  { ...Closed, $id: "NotifyPlan" },
);
export type NotifyPlan = Static<typeof NotifyPlanSchema>;

export const NoticeStateSchema = Type.Union([
  Type.Literal("waiting"),
  Type.Literal("sending"),
  Type.Literal("delivered"),
  Type.Literal("failed"),
  Type.Literal("expired"),
]);
export type NoticeState = Static<typeof NoticeStateSchema>;

/** Why somebody is told. */
export const NoticeReasonSchema = Type.Union([
  Type.Literal("raised"),
  Type.Literal("escalated"),
  Type.Literal("grown"),
  Type.Literal("breached-again"),
  Type.Literal("back"),
  Type.Literal("returned"),
  Type.Literal("not-acknowledged"),
  Type.Literal("repeated"),
  Type.Literal("hand-over"),
  Type.Literal("test"),
]);
export type NoticeReason = Static<typeof NoticeReasonSchema>;

const ChannelName = Type.Union([
  Type.Literal("sms"),
  Type.Literal("email"),
  Type.Literal("webhook"),
  Type.Literal("mqtt"),
  Type.Literal("audible"),
]);

export const NoticeSchema = Type.Object(
  {
    /** The same in every message about it, also when it is sent twice. */
    noticeId: Type.String({ pattern: "^[a-z0-9-]{3,160}$" }),
    recipientId: Type.String(),
    role: Type.String(),
    reason: NoticeReasonSchema,
    priority: PrioritySchema,
    /** The most pressing first; the first of very many. */
    alertIds: Type.Array(Type.String(), { maxItems: 50 }),
    /** Alerts in it. */
    count: Type.Integer({ minimum: 0 }),
    headline: Type.String(),
    lines: Type.Array(Type.String(), { maxItems: 60 }),
    state: NoticeStateSchema,
    createdAt: InstantSchema,
    expiresAt: InstantSchema,
    /** What was tried, the last one last. */
    attempts: Type.Array(
      Type.Object(
        {
          at: InstantSchema,
          channel: ChannelName,
          outcome: Type.Union([
            Type.Literal("delivered"),
            /** Handed on; nobody says whether it was seen or heard. */
            Type.Literal("handed-on"),
            Type.Literal("failed"),
            Type.Literal("refused"),
          ]),
          detail: Type.Optional(Type.String()),
        },
        Closed,
      ),
      { maxItems: 40 },
    ),
    nextAt: Type.Optional(InstantSchema),
    /** Somebody had seen all of it before it got anywhere: it was not sent any more. */
    handled: Type.Optional(Type.Literal(true)),
  },
  { ...Closed, $id: "Notice" },
);
export type Notice = Static<typeof NoticeSchema>;

export const NOTICES_PAGE_MAX = 200;

export const MuteSchema = Type.Object(
  {
    recipientId: IdSchema,
    by: Type.String(),
    at: InstantSchema,
    until: InstantSchema,
    reason: Type.String(),
  },
  { ...Closed, $id: "Mute" },
);
export type Mute = Static<typeof MuteSchema>;

/** Body of `POST /v1/mutes`. */
export const NewMuteSchema = Type.Object(
  { recipientId: IdSchema, until: InstantSchema, reason: Type.String({ minLength: 3, maxLength: 280 }) },
  { ...Closed, $id: "NewMute" },
);
export type NewMute = Static<typeof NewMuteSchema>;

const Count = Type.Integer({ minimum: 0 });
/** Notification in the gateway's own state. */
export const NotifyStateSchema = Type.Object(
  {
    recipients: Count,
    waiting: Count,
    /** Given up: nobody was reached. */
    undelivered: Count,
    channels: Type.Array(Type.Object({ channel: Type.String(), failing: Type.Optional(Type.String()) }, Closed), {
      maxItems: 8,
    }),
  },
  Closed,
);
export type NotifyState = Static<typeof NotifyStateSchema>;

/** `GET /v1/notices`: the newest first, and how notification stands. */
export const NoticesSchema = Type.Object(
  { state: NotifyStateSchema, notices: Type.Array(NoticeSchema), mutes: Type.Array(MuteSchema) },
  { ...Closed, $id: "Notices" },
);
export type Notices = Static<typeof NoticesSchema>;

const CallSchema = Type.Object(
  { role: Type.String(), name: Type.Optional(Type.String()), phone: Type.String() },
  Closed,
);

/** `GET /v1/call-list`: whom to call for what. Phone numbers stand in it. */
export const CallListSchema = Type.Object(
  {
    madeAt: InstantSchema,
    /** Those of the file of recipients that have a number. */
    people: Type.Array(
      Type.Object(
        {
          role: Type.String(),
          name: Type.Optional(Type.String()),
          phone: Type.String(),
          onDuty: Type.Boolean(),
          priorities: Type.Array(PrioritySchema),
        },
        Closed,
      ),
    ),
    /** What concerns no single point. */
    general: Type.Array(Type.String()),
    /** Points at which something is open, the most pressing first. */
    points: Type.Array(
      Type.Object(
        {
          pointId: Type.String(),
          name: Type.String(),
          address: Type.Optional(Type.String()),
          municipality: Type.String(),
          alerts: Type.Array(Type.String()),
          contacts: Type.Array(CallSchema),
        },
        Closed,
      ),
    ),
  },
  { ...Closed, $id: "CallList" },
);
export type CallList = Static<typeof CallListSchema>;
