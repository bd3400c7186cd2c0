import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Book,
  EMPTY_BOOK,
  JUMP_MAX,
  LOG_MAX,
  movedOn,
  type Place,
  placeUplink,
  SEGMENTS_MAX,
} from "./identity.ts";

/** Places uplinks one after another: [session, counter, keys?, more?]. */
function run(...uplinks: [string, number, string[]?, number?][]): { book: Book; places: (Place | undefined)[] } {
  let book: Book = EMPTY_BOOK;
  const places = uplinks.map(([session, counter, keys = [], more = 0]) => {
    const place = placeUplink(book, { session, counter, keys, more });
    book = place?.book ?? book;
    return place;
  });
  return { book, places };
}
const sequences = (...uplinks: Parameters<typeof run>) => run(...uplinks).places.map((place) => place?.sequence);

describe("the sequence of an uplink", () => {
  test("goes with the counter, and what comes again has the one that it had", () => {
    expect(sequences(["a", 0], ["a", 1], ["a", 5], ["a", 1])).toEqual([0, 1, 5, 1]);
  });

  test("goes on over a new session, whose counter begins anew", () => {
    expect(sequences(["a", 40], ["a", 41], ["b", 0], ["b", 1], ["a", 41], ["b", 1])).toEqual([0, 1, 2, 3, 1, 3]);
    const { places } = run(["a", 40], ["a", 41], ["b", 0]);
    expect(places.map((place) => place?.opens)).toEqual([true, false, true]);
  });

  test("of an old session that speaks once more is a new one", () => {
    expect(sequences(["a", 7], ["b", 0], ["b", 1], ["a", 8], ["b", 2], ["a", 8])).toEqual([0, 1, 2, 3, 4, 3]);
  });

  test("is refused for a counter before all that is known of its session", () => {
    expect(sequences(["a", 7], ["a", 6])).toEqual([0, undefined]);
  });

  test("does not jump with a counter further than 16 bits can tell", () => {
    expect(sequences(["a", 0], ["a", JUMP_MAX], ["a", 3 * JUMP_MAX], ["a", 0], ["a", JUMP_MAX])).toEqual([
      0,
      JUMP_MAX,
      JUMP_MAX + 1,
      0,
      JUMP_MAX,
    ]);
  });

  test("stands behind those of the kept readings in it, which keep theirs however often they come", () => {
    const { places } = run(["a", 0], ["a", 1, ["x", "y"], 1], ["a", 2], ["a", 3, ["y", "z"]], ["a", 1, ["x", "y"], 1]);
    expect(places.map((place) => [place?.sequence, place?.kept])).toEqual([
      [0, []],
      [4, [1, 2]],
      [5, []],
      [7, [2, 6]],
      [4, [1, 2]],
    ]);
  });

  test("of the same reading twice in one uplink is one", () => {
    expect(run(["a", 0, ["x", "x"]]).places[0]).toMatchObject({ sequence: 1, kept: [0, 0] });
  });

  test("moves on when it turns out to be taken", () => {
    expect(placeUplink(movedOn(EMPTY_BOOK), { session: "a", counter: 9, keys: [], more: 0 })?.sequence).toBe(16_384);
  });
});

describe("whatever comes", () => {
  const uplink = fc.tuple(
    fc.constantFrom("a", "b", "c"),
    fc.oneof(fc.nat(6), fc.nat(0xffff_ffff)),
    fc.array(fc.constantFrom("k", "l", "m", "n"), { maxLength: 3 }),
    fc.nat(2),
  );

  test("two different uplinks or readings never have one sequence, and the book is bounded", () => {
    fc.assert(
      fc.property(fc.array(uplink, { maxLength: 60 }), (uplinks) => {
        let book: Book = EMPTY_BOOK;
        const owner = new Map<number, string>();
        const named = new Map<string, number>();
        for (const [session, counter, keys, more] of uplinks) {
          const place = placeUplink(book, { session, counter, keys, more });
          if (place === undefined) continue;
          const isNew = place.book !== book;
          book = place.book;
          const claim = (sequence: number, name: string) => {
            if (!owner.has(sequence)) owner.set(sequence, name);
            expect(owner.get(sequence)).toBe(name);
            if (!named.has(name)) named.set(name, sequence);
            expect(named.get(name)).toBe(sequence);
          };
          claim(place.sequence, `${session}/${counter}`);
          place.kept.forEach((sequence, i) => {
            if (sequence !== undefined) claim(sequence, `log ${keys[i]}`);
            if (sequence !== undefined && isNew) expect(sequence).toBeLessThan(place.sequence);
          });
          if (isNew) for (let k = 1; k <= more; k++) claim(place.sequence - k, `more ${session}/${counter}/${k}`);
        }
        expect(book.segments.length).toBeLessThanOrEqual(SEGMENTS_MAX);
        expect(book.log.length).toBeLessThanOrEqual(LOG_MAX);
      }),
    );
  });
});
