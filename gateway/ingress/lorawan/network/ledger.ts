// What each base station has on the air: shares of time by sub-band over a sliding hour (EN 300 220-1 §4.3.3), and what it sends when, as
// it sends one frame at a time. The hour is kept in minutes that count until they are wholly past, so it never holds less than it should.
import type { Eui } from "../interfaces.ts";
import { airtimeMs, SUB_BANDS, type SubBand, subBandOf } from "./eu868.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** What an answer leaves of a share to joins, acknowledgements and commands. */
const ANSWER_PART = 0.9;
/** The longest that a transmission waits for its moment is a join's second window. */
const PLANNED_FOR_MS = 30_000;
/** Between two frames of two base stations that would meet at a device. */
const APART_MS = 50;
/** Between two transmissions of one base station: its queue takes none closer (30 ms and a start of 1.5 ms). */
const APART_US = 40_000;

type Minutes = Map<number, number>;

export interface Planned extends AirtimeAsk {
  readonly band: SubBand;
  readonly minute: number;
  readonly airtimeMs: number;
  readonly atMs: number;
}

export interface AirtimeAsk {
  readonly stationId: Eui;
  /** Of the whole frame. */
  readonly bytes: number;
  readonly frequencyHz: number;
  readonly dataRate: number;
  readonly counterUs: number;
  /** The same moment on the monotonic clock, as far as the network tells. */
  readonly startMs: number;
}

export interface AirtimeRow {
  readonly stationId: Eui;
  readonly band: SubBand;
  readonly usedMs: number;
  readonly limitMs: number;
}

export interface Ledger {
  /** Books it, or says why it cannot be. */
  book(asked: AirtimeAsk, isAnswer: boolean): Planned | "duty-cycle" | "station-busy";
  /** It was not sent after all. */
  giveBack(planned: Planned): void;
  rows(): readonly AirtimeRow[];
  /** Of one base station, for the disk. */
  text(stationId: Eui, nowMs: number): string;
  read(stationId: Eui, text: string, nowMs: number): void;
}

type Bands = Readonly<Record<SubBand, Minutes>>;

export function limitMs(band: SubBand): number {
  return SUB_BANDS[band].share * HOUR_MS;
}

/** Base stations are few: those that a `Radio` lets in. */
export function createLedger(monotonicMs: () => number): Ledger {
  const stations = new Map<Eui, Bands>();
  let plans: Planned[] = [];

  function bandsOf(stationId: Eui): Bands {
    const bands = stations.get(stationId) ?? { L: new Map(), M: new Map(), P: new Map() };
    stations.set(stationId, bands);
    return bands;
  }

  function used(minutes: Minutes): number {
    const from = Math.floor((monotonicMs() - HOUR_MS) / MINUTE_MS);
    let sum = 0;
    for (const [minute, ms] of minutes) {
      if (minute < from) minutes.delete(minute);
      else sum += ms;
    }
    return sum;
  }

  /** It sends nothing else then, and no other base station does on the same channel and rate: a device would hear neither. */
  function isFree(asked: AirtimeAsk, lastsMs: number): boolean {
    plans = plans.filter(({ atMs }) => monotonicMs() - atMs < PLANNED_FOR_MS);
    return plans.every((other) => {
      if (other.stationId === asked.stationId) {
        // Signed, as the counter of a base station wraps after 71 minutes.
        const afterUs = (asked.counterUs - other.counterUs) | 0;
        return afterUs >= other.airtimeMs * 1000 + APART_US || -afterUs >= lastsMs * 1000 + APART_US;
      }
      if (other.frequencyHz !== asked.frequencyHz || other.dataRate !== asked.dataRate) return true;
      const afterMs = asked.startMs - other.startMs;
      return afterMs >= other.airtimeMs + APART_MS || -afterMs >= lastsMs + APART_MS;
    });
  }

  return {
    book(asked, isAnswer) {
      const { stationId, bytes, frequencyHz, dataRate } = asked;
      const bands = bandsOf(stationId);
      const band = subBandOf(frequencyHz);
      const lastsMs = airtimeMs(bytes, dataRate);
      if (!isFree(asked, lastsMs)) return "station-busy";
      const room = limitMs(band) * (isAnswer ? ANSWER_PART : 1);
      if (used(bands[band]) + lastsMs > room) return "duty-cycle";
      const atMs = monotonicMs();
      const minute = Math.floor(atMs / MINUTE_MS);
      bands[band].set(minute, (bands[band].get(minute) ?? 0) + lastsMs);
      const planned = { ...asked, band, minute, airtimeMs: lastsMs, atMs };
      plans.push(planned);
      return planned;
    },
    giveBack(planned) {
      const minutes = bandsOf(planned.stationId)[planned.band];
      const left = (minutes.get(planned.minute) ?? 0) - planned.airtimeMs;
      if (left > 0.001) minutes.set(planned.minute, left);
      else minutes.delete(planned.minute);
      plans = plans.filter((one) => one !== planned);
    },
    rows() {
      return [...stations].flatMap(([stationId, bands]) =>
        (Object.keys(bands) as SubBand[]).map((band) => {
          return { stationId, band, usedMs: used(bands[band]), limitMs: limitMs(band) };
        }),
      );
    },
    text(stationId, nowMs) {
      const bands = bandsOf(stationId);
      const nowMinute = Math.floor(monotonicMs() / MINUTE_MS);
      const rows = (Object.keys(bands) as SubBand[]).map((band) => {
        used(bands[band]);
        return [band, [...bands[band]].map(([minute, ms]) => [nowMinute - minute, Math.ceil(ms)])];
      });
      return JSON.stringify({ savedMs: nowMs, minutesAgo: Object.fromEntries(rows) });
    },
    read(stationId, text, nowMs) {
      const { savedMs, minutesAgo } = JSON.parse(text) as {
        savedMs: number;
        minutesAgo: Partial<Record<SubBand, [number, number][]>>;
      };
      // A clock that stands before what was written has not been set yet: nothing is past then. Rounded down, so rather too much.
      const since = Math.floor(Math.max(nowMs - savedMs, 0) / MINUTE_MS);
      const nowMinute = Math.floor(monotonicMs() / MINUTE_MS);
      const bands = bandsOf(stationId);
      for (const band of Object.keys(bands) as SubBand[]) {
        for (const [ago, ms] of minutesAgo[band] ?? []) {
          // What was a minute ago by their numbers can have been a second ago.
          const minute = nowMinute - Math.max(ago - 1, 0) - since;
          bands[band].set(minute, (bands[band].get(minute) ?? 0) + ms);
        }
      }
    },
  };
}
