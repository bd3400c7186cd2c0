// Moments as people here read them: day of the week and time, in Dutch and English.
export const NL = new Intl.DateTimeFormat("nl-NL", {
  timeZone: "Europe/Amsterdam",
  weekday: "short",
  hour: "2-digit",
  minute: "2-digit",
});
export const EN = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Europe/Amsterdam",
  weekday: "short",
  hour: "2-digit",
  minute: "2-digit",
});

/** An instant in words; a question mark for what is none. */
export function clockText(format: Intl.DateTimeFormat, instant: unknown): string {
  return typeof instant === "string" ? format.format(Date.parse(instant)).replace(",", "") : "?";
}

/** 3.166 as 3:10. */
export function hoursText(hours: number): string {
  const minutes = Math.round(hours * 60);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}
