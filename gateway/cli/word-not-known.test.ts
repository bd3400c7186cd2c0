import { expect, test } from "vitest";
import { wordNotKnown } from "./word-not-known.ts";

test("a word that nobody knows is told of in whole sentences, with the one that was meant where there is one", () => {
  expect(wordNotKnown("command", "chek", ["check", "show"])).toBe(
    "command chek is not known: did you mean check? Known: check, show.",
  );
  expect(wordNotKnown("option", "--colour", ["--file", "--json"])).toBe(
    "option --colour is not known. Known: --file, --json.",
  );
});
