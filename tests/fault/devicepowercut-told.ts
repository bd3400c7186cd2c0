// What a device was told is written down, and what may be found of it after a power cut: all of it, and at most one record more,
// the one that was being written. A page that was being erased may have lost its records: its place was needed.
import { type Faults, noFaults } from "./devicepowercut-board.ts";

/** One thing that a device writes. */
export type Doing =
  | { readonly kind: "sample" }
  | { readonly kind: "use" }
  | { readonly kind: "boot" }
  | { readonly kind: "command"; readonly counter: number }
  | { readonly kind: "mark"; readonly place: number };

export interface SeenRecord {
  readonly place: number;
  /** 16 bits. */
  readonly sequence: number;
  readonly isOpen: boolean;
  /** Its bytes are those of the sample with this sequence. */
  readonly isRight: boolean;
}

/** What is found after a restart. */
export interface Seen {
  readonly next: number;
  readonly boot: number;
  readonly counter: number;
  readonly head: number;
  /** Records but no states, of the places that were looked at. */
  readonly records: readonly SeenRecord[];
}

export interface Told {
  /** Begins something; it counts as told when it is done. */
  begin(doing: Doing): void;
  /** It is done, and the next record will lie there. A sample has the place that it was given. */
  done(head: number, place?: number): void;
  /** The sequence of the last sample or of the last one used, not cut to 16 bits. */
  last(): number;
  head(): number;
  /** Places of samples that are not marked, oldest first. */
  open(): number[];
  /** Faults in what is found; from then on that is what was told. `isLooked` says which places were looked at. */
  check(seen: Seen, isLooked: (place: number) => boolean): Faults;
}

export interface ToldOptions {
  readonly slots: number;
  readonly pages: number;
  /** The ring as it is at the beginning. */
  readonly found: Seen;
}

/** Of a ring with so many slots in a page. */
export function oldestOf(head: number, slots: number, pages: number): number {
  const turn = Math.max(Math.ceil(head / slots) - 1, 0);
  return Math.max(turn + 1 - pages, 1) * slots;
}

export function createTold({ slots, pages, found: first }: ToldOptions): Told {
  const samples = new Map<number, number>();
  const marked = new Set<number>();
  let last = first.next - 1;
  let head = first.head;
  let boot = first.boot;
  let counter = first.counter;
  let doing: Doing | undefined;
  for (const { place, sequence, isOpen } of first.records) {
    samples.set(place, last - ((last - sequence) & 0xffff));
    if (!isOpen) marked.add(place);
  }

  /** A record goes to a new page when its own is full; a page may also have been begun and hold nothing yet. */
  function turns(): boolean {
    return doing !== undefined && doing.kind !== "mark" && head % slots === 0;
  }

  function checkNumbers(seen: Seen, faults: Faults): void {
    const steps = (seen.next - 1 - last) & 0xffff;
    const takes = doing?.kind === "sample" || doing?.kind === "use";
    if (steps > (takes ? 1 : 0)) faults.twice++;
    const boots = doing?.kind === "boot" ? 1 : 0;
    if (seen.boot < boot || seen.boot > boot + boots) faults.lost++;
    if (seen.counter !== counter && !(doing?.kind === "command" && seen.counter === doing.counter)) faults.lost++;
    if (seen.head < head || seen.head > head + 2) faults.lost++;
    last += steps;
    boot = seen.boot;
    counter = seen.counter;
  }

  function checkFound(seen: Seen, faults: Faults): void {
    for (const { place, sequence, isOpen, isRight } of seen.records) {
      const told = samples.get(place);
      if (told === undefined) {
        const isNew = doing?.kind === "sample" && place >= head && place <= head + 1 && sequence === (last & 0xffff);
        if (!isNew || !isRight || !isOpen) faults.damaged++;
        else samples.set(place, last);
      } else if (sequence !== (told & 0xffff) || !isRight) faults.damaged++;
      if (isOpen && marked.has(place)) faults.twice++;
      if (!isOpen && !marked.has(place)) {
        if (doing?.kind === "mark" && doing.place === place) marked.add(place);
        else faults.lost++;
      }
    }
  }

  function forget(place: number): void {
    samples.delete(place);
    marked.delete(place);
  }

  return {
    begin: (next) => {
      doing = next;
    },
    done: (now, place) => {
      if (doing === undefined) return;
      head = now;
      if (doing.kind === "mark") marked.add(doing.place);
      if (doing.kind === "sample" || doing.kind === "use") last++;
      if (doing.kind === "sample") samples.set(place as number, last);
      if (doing.kind === "boot") boot++;
      if (doing.kind === "command") counter = doing.counter;
      doing = undefined;
    },
    last: () => last,
    head: () => head,
    open: () => [...samples.keys()].filter((place) => !marked.has(place)),
    check: (seen, isLooked) => {
      const faults = noFaults();
      const needed = oldestOf(head + (turns() ? 1 : 0), slots, pages);
      checkNumbers(seen, faults);
      checkFound(seen, faults);
      const found = new Set(seen.records.map(({ place }) => place));
      for (const place of [...samples.keys()]) {
        if (found.has(place)) continue;
        if (place < needed) forget(place);
        else if (isLooked(place)) faults.lost++;
      }
      head = seen.head;
      doing = undefined;
      return faults;
    },
  };
}
