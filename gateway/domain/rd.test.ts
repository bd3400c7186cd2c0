import fc from "fast-check";
import { expect, test } from "vitest";
import { fromRd, toRd } from "./rd.ts";

// The tower of Amersfoort is the origin; those of Amsterdam and Groningen are the examples of the publication.
test.each([
  ["Amersfoort", 52.1551744, 5.38720621, 155_000, 463_000],
  ["Amsterdam, Westertoren", 52.37453253, 4.88352559, 120_700.723, 487_525.501],
  ["Groningen, Martinitoren", 53.21938317, 6.56820053, 233_883.131, 582_065.167],
])("%s has its known coordinates both ways", (_name, lat, lon, x, y) => {
  const rd = toRd({ lat, lon });
  expect(Math.hypot(rd.x - x, rd.y - y)).toBeLessThan(0.5);
  const back = fromRd({ x, y });
  expect(Math.abs(back.lat - lat)).toBeLessThan(0.000_003);
  expect(Math.abs(back.lon - lon)).toBeLessThan(0.000_005);
});

test("there and back again is the same place within half a metre, all over the country", () => {
  const place = fc.record({
    lat: fc.double({ min: 50.8, max: 53.5, noNaN: true }),
    lon: fc.double({ min: 3.5, max: 7.2, noNaN: true }),
  });
  fc.assert(
    fc.property(place, ({ lat, lon }) => {
      const rd = toRd({ lat, lon });
      const again = toRd(fromRd(rd));
      expect(Math.hypot(again.x - rd.x, again.y - rd.y)).toBeLessThan(0.5);
    }),
  );
});
