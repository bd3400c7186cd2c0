import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { type LabelFacts, labelSvg, labelText } from "./lorawan-label.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const FACTS: LabelFacts = {
  ...{ deviceId: "alm-01-t1", pointId: "alm-01", pointName: 'Buurthuis "De <Hoek> & Co"', devEui: "24e124713d491234" },
  ...{ joinEui: "0000000000000000", keys: { appKey: KEY } },
};

test("a label has who it is, where it belongs and its keys, each with a check behind it", () => {
  const text = labelText(FACTS);
  expect(text).toContain("24-E1-24-71-3D-49-12-34");
  const check = (crc32(`24e124713d491234 ${KEY}`) & 0xffff).toString(16).padStart(4, "0");
  expect(text).toContain(`0123 4567 89ab cdef 0123 4567 89ab cdef · ${check}`);
  const lines = text.split("\n");
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  const personalised = labelText({ ...FACTS, keys: { devAddr: "00ab12cd", nwkSKey: KEY, appSKey: KEY } });
  expect(personalised).toContain("00ab12cd");
  expect(personalised).not.toContain("JoinEUI");
});

test("as SVG it is one drawing whose lines fit its width, whatever the point is called", () => {
  const long = { ...FACTS, deviceId: "a".repeat(32), pointName: `${FACTS.pointName} ${"x".repeat(60)}` };
  const svg = labelSvg({ ...long, keys: { devAddr: "00ab12cd", nwkSKey: KEY, appSKey: KEY } });
  expect(svg).toContain("&lt;Hoek&gt; &amp; Co");
  expect(svg.match(/<svg /g)).toHaveLength(1);
  const height = Number(/viewBox="0 0 62 ([\d.]+)"/.exec(svg)?.[1]);
  const lines = [...svg.matchAll(/y="([\d.]+)" font-size="([\d.]+)"[^>]*>([^<]*)</g)];
  for (const [, y, size, text] of lines) {
    expect(Number(y)).toBeLessThan(height);
    // A letter of a fixed-width font is 0.6 of its size.
    expect((text ?? "").replaceAll(/&\w+;/g, "x").length * 0.6 * Number(size)).toBeLessThanOrEqual(56);
  }
  expect(lines.length).toBeGreaterThan(6);
});
