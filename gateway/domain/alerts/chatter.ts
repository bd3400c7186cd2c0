// An alert that comes and goes: after a few times in short order it is held on longer, so that it is one line which says so and not a
// new one every minute (ISA-18.2 16.7.2, EEMUA 191: chattering alarms). Pure; kept among the point's conditions.

/** Raises on one matter, each soon after the one before. */
export interface Chatter {
  readonly count: number;
  /** Of the last raise. */
  readonly atMs: number;
}

/** Raised again within this, it is the same trouble that comes and goes. */
export const AGAIN_MS = 20 * 60_000;
/** From so many times on it chatters. */
export const CHATTER_COUNT = 3;
const OFF_DELAY_S_MIN = 300;
const OFF_DELAY_S_MAX = 1_800;

/** After one more raise. */
export function chatterAfter(before: Chatter | undefined, atMs: number): Chatter {
  const isAgain = before !== undefined && atMs >= before.atMs && atMs - before.atMs <= againMs(before);
  return { count: isAgain ? before.count + 1 : 1, atMs };
}

export function isChattering(chatter: Chatter | undefined): boolean {
  return chatter !== undefined && chatter.count >= CHATTER_COUNT;
}

/** How long the condition has to be gone before the alert returns: five minutes at first, then twice as long each time. */
export function offDelayOf(usualS: number, chatter: Chatter | undefined): number {
  if (chatter === undefined || !isChattering(chatter)) return usualS;
  const grownS = OFF_DELAY_S_MIN * 2 ** (chatter.count - CHATTER_COUNT);
  return Math.max(usualS, Math.min(OFF_DELAY_S_MAX, grownS));
}

/** The longer it is held on, the later it can come again. */
function againMs(chatter: Chatter): number {
  return AGAIN_MS + offDelayOf(0, chatter) * 1000;
}

const COUNT = "chatter-";
const LAST = "chatter-at-";

export function chatterIn(conditions: Readonly<Record<string, number>>, matter: string): Chatter | undefined {
  const [count, atMs] = [conditions[COUNT + matter], conditions[LAST + matter]];
  return count === undefined || atMs === undefined ? undefined : { count, atMs };
}

export function withChatter(
  conditions: Readonly<Record<string, number>>,
  matter: string,
  { count, atMs }: Chatter,
): Readonly<Record<string, number>> {
  return { ...conditions, [COUNT + matter]: count, [LAST + matter]: atMs };
}

/** The matter of a condition that is kept here; undefined for others. */
export function chatterMatter(key: string): string | undefined {
  if (key.startsWith(LAST)) return key.slice(LAST.length);
  return key.startsWith(COUNT) ? key.slice(COUNT.length) : undefined;
}
