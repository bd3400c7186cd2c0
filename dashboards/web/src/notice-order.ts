// Messages to people on the screen: which did not arrive, which are under way, and what each says of itself. Pure.
import type { Notice } from "../../../protocol/schema/index.ts";
import type { Format } from "./format.ts";
import { coded } from "./words.ts";

export interface SortedNotices {
  /** Given up, and nobody had seen what it was about: somebody has to call. */
  readonly lost: readonly Notice[];
  readonly underWay: readonly Notice[];
  /** Delivered, or not needed any more. */
  readonly done: readonly Notice[];
}

/** The newest first in each, the pressing before the rest in what did not arrive. */
export function sortNotices(notices: readonly Notice[]): SortedNotices {
  const newest = [...notices].sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
  const isLost = ({ state, handled }: Notice) => state === "failed" || (state === "expired" && handled !== true);
  const isUnderWay = ({ state }: Notice) => state === "waiting" || state === "sending";
  return {
    lost: newest.filter(isLost).sort((a, b) => a.priority - b.priority),
    underWay: newest.filter(isUnderWay),
    done: newest.filter((one) => !isLost(one) && !isUnderWay(one)),
  };
}

/** What was tried last and what came of it, and when it is tried again. */
export function attemptWords({ attempts, nextAt, state, handled }: Notice, format: Format): string {
  const last = attempts.at(-1);
  const tried =
    last === undefined
      ? []
      : [
          `${format.clock(Date.parse(last.at))} ${coded(format, "channel", last.channel)}: ${coded(format, "outcome", last.outcome)}${last.detail === undefined ? "" : ` (${last.detail})`}`,
        ];
  const isAgain = nextAt !== undefined && state === "waiting" && attempts.length > 0;
  const next = isAgain ? [format.text("noticeNext", { time: format.clock(Date.parse(nextAt)) })] : [];
  return [...tried, ...next, ...(handled === true ? [format.text("noticeHandled")] : [])].join(" · ");
}

/** Whom there is to leave out: those who were told of something, by their ids. */
export function recipientsIn(notices: readonly Notice[]): readonly string[] {
  return [...new Set(notices.map((notice) => notice.recipientId))].sort();
}
