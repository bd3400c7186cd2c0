// A time as one says it over the radio, read as the moment that was: the clock here, the newest that fits, never ahead.
const ZONE = "Europe/Amsterdam";
const DAY_MS = 86_400_000;
/** Without a day, a time further back than this is rather a slip than yesterday's. */
const PLAIN_MS_MAX = 12 * 3_600_000;
const WEEKDAYS: readonly (readonly string[])[] = [
  ["zo", "sun"],
  ["ma", "mon"],
  ["di", "tue"],
  ["wo", "wed"],
  ["do", "thu"],
  ["vr", "fri"],
  ["za", "sat"],
];
const PARTS = new Intl.DateTimeFormat("en-GB", {
  timeZone: ZONE,
  hourCycle: "h23",
  year: "numeric",
  month: "numeric",
  day: "numeric",
  hour: "numeric",
  minute: "numeric",
});

/** What a clock here shows, as if it were UTC. */
function wallOf(ms: number): number {
  const at: Record<string, number> = {};
  for (const { type, value } of PARTS.formatToParts(ms)) at[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = at;
  return Date.UTC(year, month - 1, day, hour, minute);
}

/** The moment at which a clock here shows it. In the hour that comes twice it is the later one. */
function momentOfWall(wall: number): number {
  const near = wall - (wallOf(wall) - wall);
  return wall - (wallOf(near) - near);
}

export type SaidMoment =
  | { readonly kind: "moment"; readonly ms: number }
  | { readonly kind: "unreadable" }
  /** Still to come; the day before it was. */
  | { readonly kind: "ahead"; readonly dayBeforeMs: number };

/** `14:10`, `14.10`, `1410`, `ma 22:30`, `Mon 22:30`: within the last seven days. */
export function readMoment(text: string, nowMs: number): SaidMoment {
  const found = /^(?:([a-z]{2,9})\s+)?(\d{1,2})[:.]?(\d{2})(?:\s*(?:u|uur|h))?$/.exec(text.trim().toLowerCase());
  if (found === null) return { kind: "unreadable" };
  const [hour, minute] = [Number(found[2]), Number(found[3])];
  const word = found[1];
  const weekday =
    word === undefined ? undefined : WEEKDAYS.findIndex((names) => names.some((one) => word.startsWith(one)));
  if (hour > 23 || minute > 59 || weekday === -1) return { kind: "unreadable" };
  const midnight = Math.floor(wallOf(nowMs) / DAY_MS) * DAY_MS;
  for (let back = 0; back <= 7; back++) {
    const day = midnight - back * DAY_MS;
    if (weekday !== undefined && new Date(day).getUTCDay() !== weekday) continue;
    const ms = momentOfWall(day + hour * 3_600_000 + minute * 60_000);
    if (ms > nowMs) continue;
    return weekday === undefined && nowMs - ms > PLAIN_MS_MAX
      ? { kind: "ahead", dayBeforeMs: ms }
      : { kind: "moment", ms };
  }
  return { kind: "unreadable" };
}
