// The small shapes every noun is made of. JSON that crosses a boundary uses these and nothing looser.
import Type, { type Static } from "typebox";

export const ID_PATTERN = "^[a-z0-9-]{3,32}$";
/** deviceId and pointId: 3 to 32 of a-z, 0-9 and hyphen (protocol section 2). */
export const IdSchema = Type.String({ pattern: ID_PATTERN, description: "3 to 32 of a-z, 0-9 and hyphen" });

/** RFC 3339 in UTC, ending in Z. */
export const InstantSchema = Type.String({
  pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,3})?Z$",
  description: "RFC 3339 in UTC, ending in Z",
});

/** A calendar day, for what is assigned from one day until another. */
export const DaySchema = Type.String({ pattern: "^\\d{4}-\\d{2}-\\d{2}$", description: "a day, 2026-12-31" });

/** Where a period begins or ends: a day (midnight in the Netherlands), or an instant (RFC 3339). */
export const MomentSchema = Type.String({
  pattern: "^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,3})?(Z|[+-]\\d{2}:\\d{2}))?$",
  description: "a day (2026-12-31) or an instant (2026-12-31T10:00:00Z)",
});

export const ReasonSchema = Type.Union(
  [
    Type.Literal("absent"),
    Type.Literal("unknown"),
    Type.Literal("open-circuit"),
    Type.Literal("short-circuit"),
    Type.Literal("out-of-range"),
    Type.Literal("stuck"),
    Type.Literal("corrupt"),
    Type.Literal("untrusted"),
  ],
  { description: "why there is no value" },
);

/** Priorities 1 (act now) to 3 (advice), as Dutch control rooms use them. */
export const PrioritySchema = Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(3)]);
export type Priority = Static<typeof PrioritySchema>;

export const RoleSchema = Type.Union([Type.Literal("viewer"), Type.Literal("coordinator"), Type.Literal("admin")]);
export type Role = Static<typeof RoleSchema>;
