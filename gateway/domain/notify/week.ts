// Times of the week as people agree on them: local, over midnight, over the change of summer time. Pure.
import { type Quiet, type Shift, WEEKDAYS, type Weekday } from "../../../protocol/index.ts";
import { localDay } from "../point.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** How far an end is looked for. */
const AHEAD_DAYS = 8;

const FORM = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Europe/Amsterdam",
  weekday: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

interface LocalTime {
  readonly day: Weekday;
  /** Of the day. */
  readonly minute: number;
}

/** Everybody's shifts and quiet hours are looked at in one and the same minute. */
let lately: { readonly minute: number; readonly time: LocalTime } | undefined;

function localTime(ms: number): LocalTime {
  const minute = Math.floor(ms / MINUTE_MS);
  if (lately?.minute !== minute) lately = { minute, time: localTimeOf(ms) };
  return lately.time;
}

function localTimeOf(ms: number): LocalTime {
  const parts = new Map(FORM.formatToParts(ms).map(({ type, value }) => [type, value]));
  const minute = Number(parts.get("hour")) * 60 + Number(parts.get("minute"));
  return { day: String(parts.get("weekday")).toLowerCase() as Weekday, minute };
}

function minuteOf(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(":").map(Number);
  return hours * 60 + minutes;
}

type Weekly = Pick<Quiet, "days" | "from" | "until">;

/** True inside a weekly span; its days are those on which it begins. */
export function isInside({ days = [...WEEKDAYS], from, until }: Weekly, ms: number): boolean {
  const { day, minute } = localTime(ms);
  const [begin, end] = [minuteOf(from), minuteOf(until)];
  if (begin < end) return days.includes(day) && minute >= begin && minute < end;
  const before = WEEKDAYS[(WEEKDAYS.indexOf(day) + 6) % 7] as Weekday;
  return (days.includes(day) && minute >= begin) || (days.includes(before) && minute < end);
}

export function isOnShift(shift: Shift, ms: number): boolean {
  if ("fromAt" in shift) return ms >= Date.parse(shift.fromAt) && ms < Date.parse(shift.untilAt);
  return isInside(shift, ms);
}

/** The next moment at which a local clock shows this; summer time may take it away for a day. */
function nextAt(clock: string, ms: number): number {
  const wanted = minuteOf(clock);
  for (let ahead = 0; ahead <= AHEAD_DAYS; ahead++) {
    const at = dayAt(localDay(ms + ahead * DAY_MS), wanted);
    if (at > ms && localTime(at).minute === wanted) return at;
  }
  return ms + DAY_MS;
}

function dayAt(day: string, minute: number): number {
  const utc = Date.parse(`${day}T00:00:00Z`) + minute * MINUTE_MS;
  const summer = utc - 120 * MINUTE_MS;
  return localTime(summer).minute === minute ? summer : utc - 60 * MINUTE_MS;
}

/** The first moment after this one at which somebody else takes over: the end of a shift that runs, or a time of handing over. */
export function nextHandOver(shifts: readonly Shift[], handOvers: readonly string[], ms: number): number {
  const ends = shifts
    .filter((shift) => isOnShift(shift, ms))
    .map((shift) => ("fromAt" in shift ? Date.parse(shift.untilAt) : nextAt(shift.until, ms)));
  return Math.min(Number.POSITIVE_INFINITY, ...ends, ...handOvers.map((clock) => nextAt(clock, ms)));
}
