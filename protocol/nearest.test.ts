import { expect, test } from "vitest";
import { nearest } from "./nearest.ts";

const MODELS = ["VS121", "VS133", "EM500-UDL", "UC300", "PS-LB"];

test.each([
  ["EM500", "EM500-UDL"],
  ["em500-ull", "EM500-UDL"],
  ["UC30", "UC300"],
  // The beginning of two is neither, and the nearer one counts.
  ["VS12", "VS121"],
  ["generator", undefined],
  ["E", undefined],
])("%s was probably meant to be %s", (word, meant) => {
  expect(nearest(word, MODELS)).toBe(meant);
});
