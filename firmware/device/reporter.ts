// Decides what is sent next: what is urgent, then what is new, then info, then history in what is left. A record is delivered when
// an ack frame that checks names it, and by nothing else; what was not delivered is sent again, events by themselves, samples as
// history.
import type { Delay, Link } from "../hal.ts";
import { u16 } from "../store/bytes.ts";
import type { Place, Ring } from "../store/ring.ts";
import { behindOf, createFlights, type Flight } from "./flights.ts";
import {
  ACK_REQUESTED,
  BACKLOG_PENDING,
  CLOCK_SYNCED,
  EVENT,
  GENERATOR_FAILED,
  HEADER,
  HELP,
  REPORT,
  TAMPERED,
} from "./frames.ts";
import type { History } from "./history.ts";

/** What waits to be sent by itself; more is history. */
export const QUEUE_MAX = 8;
/** On a fast link an answer that has not come by then does not come; on a slow one, with the windows of two further uplinks. */
export const ANSWER_S = 30;
/** After an outage history begins at a random moment within this; on a slow link doubled with each answer that stayed out, to an hour. */
export const START_S = 5;
const SLOW_START_S = 60;
/** A sample without a clock that has waited longer does not go by itself. */
const LIVE_S = 60;
/** Between two turns of work. */
const TURN_MS = 10;
/** What waits, info, marks, a frame in the making, history. */
const MAKING = 3;
const STAGES = 5;
/** What goes by itself and was not acknowledged goes again after this, doubled with every answer that stayed out. */
const RETRY_S = 15;
const LEVEL_MAX = 6;
/** Smaller frames are not worth a header. */
const BACKLOG_BYTES_MIN = 40;
/** Airtime is short on a slow link, and an ack frame names many: with so many frames under way, and at the newest record, history asks. */
const UNASKED = 3;
/** Rank of a sample that goes a second time: the next sample takes its place, and no event does. */
const AGAIN = -0.5;
/** A live sample on a slow link has to be paid for so many times before the next one: the rest is for history. */
const LIVE_SHARE = 2;

interface Waiting {
  readonly place: Place;
  readonly dueS: number;
  /** 0 sample, 1 event, 2 event at once; AGAIN. */
  readonly rank: number;
}

export interface ReporterOptions {
  readonly ring: Ring;
  readonly link: Link;
  /** Made with what stands behind a place that is under way or waits, and with who takes an event that history meets. */
  readonly history: (skip: (place: Place) => Place, event: (place: Place, frame: Uint8Array) => boolean) => History;
  readonly flightsMax: number;
  readonly ackEvery: () => number;
  readonly delay: Delay;
  readonly uptime: () => number;
  /** 0..1. */
  readonly random: () => number;
  /** True while every frame asks: the clock is not set yet. */
  readonly asks: () => boolean;
  /** Time of an ack frame, and how long ago the frame was sent that it answers. */
  readonly heard: (time: number, ageS: number) => void;
  /** The info frame that waits for its acknowledgement, if one does; it is not in the ring. */
  readonly info: () => Uint8Array | undefined;
  readonly infoStored: (sequence: number) => void;
  /** No writes to flash now. */
  readonly isStill: () => boolean;
}

export interface Reporter {
  /** A record of the ring goes by itself, after so many seconds. Of the samples only the newest does. */
  add(place: Place, rank: number, afterS: number): void;
  /** Sends what can be sent now. Called on every change of the link, and regularly. */
  pump(): void;
  acknowledge(time: number, base: number, bitmap: number): void;
  /** The link was lost, or is another one: nothing is known of what was under way. */
  reset(): void;
  resend(sequence: number): void;
  /** Nothing that was asked for again is under way any more. */
  isIdle(): boolean;
}

/** How soon a record has to go: help, tamper and failure at once. */
export function rankOf(frame: Uint8Array): number {
  if (((frame[0] as number) & 15) !== EVENT) return 0;
  const event = frame[HEADER];
  return event === HELP || event === TAMPERED || event === GENERATOR_FAILED ? 2 : 1;
}

export function createReporter(options: ReporterOptions): Reporter {
  const ring = options.ring;
  const link = options.link;
  const uptime = options.uptime;
  const queue: Waiting[] = [];
  /** Acknowledged and not yet marked. */
  const marking: Flight[] = [];
  let markAt = 0;
  let sent = 0;
  let infoFlies = false;
  /** Out of the queue, for the next turn. */
  let chosen: Waiting | undefined;
  /** Goes in the next turn: it is under way already. */
  let outgoing: Uint8Array | undefined;
  let isWorking = false;
  /** What the next turn looks at. */
  let stage = 0;
  /** Room for a frame that history may begin; 0 until it has been asked for. */
  let spare = 0;
  /** Grows with answers that stay out, and sinks with those that come. */
  let level = 0;
  let isAnswered = true;
  let historyS = 0;
  let liveS = 0;

  /** Not acknowledged, and not open again yet. */
  const lost: Flight[] = [];
  const flights = createFlights(options.flightsMax, (flight) => {
    lost.push(flight);
  });

  const history = options.history(
    (place) => {
      for (const one of queue) if (one.place === place) return place + 1;
      return flights.behind(behindOf(marking, place));
    },
    (place, frame) => enqueue(place, Math.max(rankOf(frame), 1), 0),
  );

  function enqueue(place: Place, rank: number, afterS: number): boolean {
    if (queue.length >= QUEUE_MAX) return false;
    queue.push({ place: place, dueS: uptime() + afterS, rank: rank });
    return true;
  }

  /** An event goes again by itself, and keeps its rank; all else is history. */
  function reopen(flight: Flight): void {
    const place = flight.first;
    const frame = flight.until > place + 1 ? undefined : ring.read(place, false);
    const rank = frame ? rankOf(frame) : 0;
    if (place < 0) infoFlies = false;
    else if (!frame || rank < 1 || !enqueue(place, rank, RETRY_S << level)) history.back(place);
  }

  /** History has not come to the newest record. */
  function isBehind(): boolean {
    return history.cursor() < ring.head() - 1;
  }

  function transmit(frame: Uint8Array, first: Place, end: Place, mustAsk: boolean): void {
    const isOut = flights.judge(uptime(), link.isSlow() ? 0 : ANSWER_S);
    if (isOut) {
      level = Math.min(level + 1, LEVEL_MAX);
      isAnswered = false;
    }
    sent++;
    // Also the next one, and so not at the same moment of each hour: there it may meet the frames of others every time.
    const asks = mustAsk || isOut || options.asks() || sent % options.ackEvery() === 0;
    frame[HEADER - 1] =
      ((frame[HEADER - 1] as number) & ~(ACK_REQUESTED | BACKLOG_PENDING)) |
      (asks ? ACK_REQUESTED : 0) |
      (isBehind() ? BACKLOG_PENDING : 0);
    flights.add(u16(frame, 1), first, end, uptime(), asks);
    outgoing = frame;
    stage = spare = 0;
  }

  /** Hands the link what is to go; the link may have been lost since. */
  function dispatch(frame: Uint8Array): void {
    const done = (taken: boolean): void => {
      if (!taken) flights.lose(u16(frame, 1));
      pump();
    };
    outgoing = undefined;
    if (frame.length > link.room()) done(false);
    else link.send(frame, rankOf(frame) > 1, done);
  }

  /** Where in the queue the most urgent of what is due waits, or -1. */
  function nextDue(): number {
    const now = uptime();
    let best = -1;
    for (let i = 0; i < queue.length; i++) {
      const one = queue[i] as Waiting;
      if (one.dueS <= now && (best < 0 || one.rank > (queue[best] as Waiting).rank)) best = i;
    }
    return best;
  }

  /** False when there is nothing that could go. */
  function choose(): boolean {
    const due = nextDue();
    if (due < 0 || link.room() < 1) return false;
    chosen = queue.splice(due, 1)[0];
    return true;
  }

  function send(one: Waiting): void {
    chosen = undefined;
    // An event also when it is marked: it may have been asked for again.
    const isEvent = one.rank > 0;
    const frame = ring.read(one.place, isEvent);
    if (!frame) return;
    if (!isEvent) {
      // A slow link must not spend all its time on single samples, and the age of one without a clock is told by history only.
      const hasClock = (frame[HEADER - 1] as number) & CLOCK_SYNCED;
      if ((!hasClock && uptime() - one.dueS > LIVE_S) || frame.length > link.room() || uptime() < liveS) {
        history.back(one.place);
        return;
      }
      const costS = link.costS(frame.length) * (LIVE_SHARE + options.random());
      liveS = uptime() + costS;
      // Who has history is seldom the only one, and a base station that answers many is deaf meanwhile. To ask for more answers makes it worse.
      if (hasClock && !one.rank && link.isSlow() && isBehind()) enqueue(one.place, AGAIN, costS);
    }
    transmit(frame, one.place, one.place + 1, isEvent);
  }

  function sendInfo(): boolean {
    const info = options.info();
    if (!info || infoFlies || !isAnswered || info.length > link.room()) return false;
    infoFlies = true;
    transmit(info.slice(0), -1, -1, true);
    return true;
  }

  /** All that had no link speak again at once: each begins with its history at a moment of its own. */
  function startHistory(): void {
    historyS = uptime() + options.random() * (link.isSlow() ? SLOW_START_S << level : START_S);
  }

  /** Sends the frame that is ready, or lets history look for the next one. */
  function goBack(): boolean {
    const made = history.ready();
    // It has looked, and found nothing to do.
    if (!made && spare > 0) return false;
    if (
      !isAnswered ||
      uptime() < historyS ||
      options.isStill() ||
      flights.count() + marking.length >= options.flightsMax
    )
      return false;
    spare = link.spare();
    if (spare < BACKLOG_BYTES_MIN) return false;
    stage = MAKING;
    if (!made) return true;
    if (made.length > spare) history.drop();
    else {
      const mustAsk = !link.isSlow() || flights.count() >= UNASKED || !isBehind();
      transmit(made, history.first(), history.until(), mustAsk);
      history.gone();
    }
    return true;
  }

  /** One thing: true when it was done, and there may be another. */
  function look(): boolean {
    // Most turns are this one. What is begun asks nothing of the link until it is ready.
    if (stage === MAKING) return (spare > 0 || history.isMaking()) && history.step(spare);
    if (stage > MAKING) return goBack();
    if (stage > 1) return mark();
    if (stage > 0) return sendInfo();
    const flight = lost.shift();
    if (flight) reopen(flight);
    else if (outgoing) dispatch(outgoing);
    else if (chosen) send(chosen);
    else return choose();
    return true;
  }

  /** One look a turn, at each stage as long as it finds something to do. */
  function turn(): void {
    // Whatever fails in here: the next pump must find that nothing is under way.
    isWorking = false;
    if (!look()) stage++;
    if (stage < STAGES) work();
  }

  function work(): void {
    if (isWorking) return;
    isWorking = true;
    options.delay(TURN_MS, turn);
  }

  /** Looks at everything, from what is most urgent on. */
  function pump(): void {
    stage = spare = 0;
    work();
  }

  function mark(): boolean {
    const flight = marking[0];
    if (!flight || options.isStill()) return false;
    if (markAt < flight.first) markAt = flight.first;
    // A range holds samples; an event in it has an acknowledgement of its own.
    const isOne = flight.until === flight.first + 1;
    const record = isOne ? undefined : ring.read(markAt, false);
    if (isOne || (record && ((record[0] as number) & 15) === REPORT)) ring.mark(markAt);
    if (++markAt >= flight.until) {
      markAt = 0;
      marking.shift();
    }
    return true;
  }

  return {
    add: (place, rank, afterS) => {
      // The sample before is history now; so is the oldest of too many.
      for (let i = 0; i < queue.length; i++) {
        const one = queue[i] as Waiting;
        if (rank + one.rank > 0 && (i > 0 || queue.length < QUEUE_MAX)) continue;
        queue.splice(i, 1);
        i--;
        history.back(one.place);
      }
      enqueue(place, rank, afterS);
      pump();
    },
    pump: pump,
    acknowledge: (time, base, bitmap) => {
      const ageS = flights.acknowledge(base, bitmap, uptime(), (flight) => {
        if (flight.first >= 0) marking.push(flight);
        else {
          infoFlies = false;
          options.infoStored(flight.sequence);
        }
      });
      if (ageS < 0) return;
      if (!isAnswered) startHistory();
      isAnswered = true;
      level = Math.max(level - 1, 0);
      options.heard(time, ageS);
      pump();
    },
    reset: () => {
      outgoing = undefined;
      flights.lose();
      isAnswered = true;
      level = 0;
      startHistory();
    },
    resend: (sequence) => {
      history.resend(sequence);
      pump();
    },
    isIdle: () => !history.isResending() && flights.count() + lost.length + marking.length === 0,
  };
}
