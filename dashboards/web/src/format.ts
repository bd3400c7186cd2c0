// Numbers and times as people here write them: 24 hours, decimal comma, weekday, the gateway's clock and not the screen's.
import { en } from "./en.ts";
import { nl, type TextKey, type Texts } from "./nl.ts";

export type Language = "nl" | "en";
const TEXTS: Readonly<Record<Language, Texts>> = { nl, en };
const LOCALES = { nl: "nl-NL", en: "en-GB" } as const;
const ZONE = "Europe/Amsterdam";

/** From here a weekday alone could be another week's. */
const FAR_MS = 6 * 86_400_000;

export interface Format {
  readonly language: Language;
  text(key: TextKey, values?: Readonly<Record<string, string | number>>): string;
  whole(value: number): string;
  decimal(value: number): string;
  /** 3.166 as 3:10. */
  hours(hours: number): string;
  /** di 16:42 */
  moment(ms: number): string;
  /** As moment; with the date once the weekday alone could be another week's: di 1 dec 16:42 */
  farMoment(ms: number, nowMs: number): string;
  /** 16:42 */
  clock(ms: number): string;
  /** 16:42:08 */
  seconds(ms: number): string;
  weekday(ms: number): string;
  hourOfDay(ms: number): string;
  /** 12 s, 4 min, 3:10 u, 2 d */
  age(ms: number): string;
}

export function hoursText(hours: number): string {
  const minutes = Math.max(0, Math.round(hours * 60));
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}

/** How old something is, in the largest unit that still tells. */
export function ageText(ms: number, hourUnit: string): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${hoursText(seconds / 3600)} ${hourUnit}`;
  return `${Math.floor(seconds / 86_400)} d`;
}

export function createFormat(language: Language): Format {
  const locale = LOCALES[language];
  const texts = TEXTS[language];
  const part = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, { timeZone: ZONE, ...options });
  const clock = part({ hour: "2-digit", minute: "2-digit" });
  const seconds = part({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const weekday = part({ weekday: "short" });
  const date = part({ day: "numeric", month: "short" });
  const hourOfDay = part({ hour: "2-digit", hourCycle: "h23" });
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const decimal = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const day = (ms: number) => weekday.format(ms).replace(".", "");
  return {
    language,
    text: (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? "")),
    whole: (value) => whole.format(value),
    decimal: (value) => decimal.format(value),
    hours: hoursText,
    moment: (ms) => `${day(ms)} ${clock.format(ms)}`,
    farMoment: (ms, nowMs) =>
      Math.abs(ms - nowMs) < FAR_MS
        ? `${day(ms)} ${clock.format(ms)}`
        : `${day(ms)} ${date.format(ms).replace(".", "")} ${clock.format(ms)}`,
    clock: (ms) => clock.format(ms),
    seconds: (ms) => seconds.format(ms),
    weekday: day,
    hourOfDay: (ms) => hourOfDay.format(ms),
    age: (ms) => ageText(ms, language === "nl" ? "u" : "h"),
  };
}
