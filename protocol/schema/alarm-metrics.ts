// How the alerts themselves do: figures of ISA-18.2 clause 16 and EEMUA 191, answered by `GET /v1/alarm-metrics`.
import Type, { type Static } from "typebox";
import { InstantSchema } from "./scalars.ts";

const Closed = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });
const Named = Type.Object({ name: Type.String(), count: Count }, Closed);

export const AlarmMetricsSchema = Type.Object(
  {
    /** Since when they are counted. */
    since: InstantSchema,
    /** New lines that people were shown: raised, more pressing, or back. */
    announced: Type.Object(
      { total: Count, last10Min: Count, lastHour: Count, peak10Min: Count, per10Min: Type.Number({ minimum: 0 }) },
      Closed,
    ),
    /** From 10 new lines in 10 minutes until there are fewer than 5. */
    flood: Type.Object({ now: Type.Boolean(), count: Count, share: Type.Number({ minimum: 0, maximum: 1 }) }, Closed),
    /** By priority 1, 2, 3. */
    byPriority: Type.Object({ "1": Count, "2": Count, "3": Count }, Closed),
    /** Lines that stand now and say that they come and go. */
    chattering: Count,
    /** Over within a minute, before anybody had seen them. */
    fleeting: Count,
    /** Standing for more than a day. */
    stale: Count,
    /** Seconds from a new line until a person has seen it; absent before the first. */
    acknowledgeS: Type.Optional(
      Type.Object({ count: Count, median: Type.Number({ minimum: 0 }), p90: Type.Number({ minimum: 0 }) }, Closed),
    ),
    /** The most frequent, with how often. */
    topRules: Type.Array(Named, { maxItems: 10 }),
    topSubjects: Type.Array(Named, { maxItems: 10 }),
  },
  { ...Closed, $id: "AlarmMetrics" },
);
export type AlarmMetrics = Static<typeof AlarmMetricsSchema>;
