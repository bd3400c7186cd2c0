// Frames that are under way: sent, and not yet named by an ack frame. What an ack frame leaves out that was sent before something
// that it names is a hole; what nobody answers is judged only after two further uplinks.
import type { Place } from "../store/ring.ts";

/** A frame that asked is judged unanswered after so many more. */
const FURTHER_UPLINKS = 2;
const WINDOW = 32;
/** What an ack frame is too narrow for may be named by one beside it; later by none. */
const BESIDE_S = 60;
/** Of an answer that says nothing of now. */
const AGE_UNKNOWN = 9999;

export interface Flight {
  readonly sequence: number;
  /** Records that it carries: from here up to before `until`. -1: none of the ring. */
  readonly first: Place;
  readonly until: Place;
  readonly sentS: number;
}

export interface Flights {
  add(sequence: number, first: Place, end: Place, nowS: number, asks: boolean): void;
  /**
   * Takes out what an ack frame names; gives the age of its answer in seconds, or -1 when it names nothing. Holes go to `lost`.
   * On LoRaWAN an answer can wait for the window of a later frame: only one that names the last frame sent has an age, and none if
   * that frame had gone before, as an answer to the first time may come in the window of the second.
   */
  acknowledge(base: number, bitmap: number, nowS: number, stored: (flight: Flight) => void): number;
  /** True when an answer has stayed out: all that was sent up to the frame that asked goes to `lost`. */
  judge(nowS: number, answerS: number): boolean;
  /** All of them go to `lost`, or the one with this sequence. */
  lose(sequence?: number): void;
  /** The place behind the flight that carries this place, or the place itself. */
  behind(place: Place): Place;
  count(): number;
}

/** The place behind the flight of a list that carries this place, or the place itself. */
export function behindOf(flights: readonly Flight[], place: Place): Place {
  for (const flight of flights) {
    if (place >= flight.first && place < flight.until) return flight.until;
  }
  return place;
}

export function createFlights(most: number, lost: (flight: Flight) => void): Flights {
  /** In the order in which they were sent. */
  let flights: Flight[] = [];
  /** Uplinks since the first one that asked and has no answer yet; -1 when there is none. */
  let further = -1;
  let askedS = 0;
  /** Behind the furthest sequence sent. Undefined makes the first one new. */
  let next: number | undefined;

  /** Hands over those for which `isOut` holds. */
  function sift(isOut: (flight: Flight) => boolean): void {
    const all = flights;
    flights = [];
    for (const flight of all) {
      if (isOut(flight)) lost(flight);
      else flights.push(flight);
    }
  }

  return {
    add: (sequence, first, end, nowS, asks) => {
      if (further >= 0) further++;
      else if (asks) {
        further = 0;
        askedS = nowS;
      }
      if (flights.length >= most) lost(flights.shift() as Flight);
      // What does not go beyond it may have gone before. 32 s: too long ago to set a clock, not so long that one beside it comes too late.
      const beforeS = ((sequence - (next as number)) & 0x8000) >> 10;
      if (!beforeS) next = sequence + 1;
      flights.push({ sequence: sequence, first: first, until: end, sentS: nowS - beforeS });
    },
    acknowledge: (base, bitmap, nowS, stored) => {
      const newest = flights.length - 1;
      let ageS = -1;
      for (let i = newest; i >= 0; i--) {
        const flight = flights[i] as Flight;
        const at = (flight.sequence - base) & 0xffff;
        if (at < WINDOW && (bitmap >>> (WINDOW - 1 - at)) & 1) {
          if (ageS < 0) ageS = i < newest ? AGE_UNKNOWN : nowS - flight.sentS;
          stored(flight);
        } else if (ageS < 0 || (at >= WINDOW && nowS - flight.sentS < BESIDE_S)) continue;
        else lost(flight);
        flights.splice(i, 1);
      }
      if (ageS >= 0) further = -1;
      return ageS;
    },
    judge: (nowS, answerS) => {
      const isOut = further >= FURTHER_UPLINKS && nowS - askedS >= answerS;
      if (isOut) {
        further = -1;
        sift((flight) => flight.sentS <= askedS);
      }
      return isOut;
    },
    lose: (sequence) => sift((flight) => sequence === undefined || flight.sequence === sequence),
    behind: (place) => behindOf(flights, place),
    count: () => flights.length,
  };
}
