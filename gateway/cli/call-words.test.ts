import { describe, expect, test } from "vitest";
import { callProblem, type WordShape } from "./call-words.ts";
import { unknownWord } from "./failures.ts";

const START: Record<string, WordShape> = { config: { type: "string", valueHint: "FILE" } };
const ADD: Record<string, WordShape> = {
  ...START,
  name: { type: "positional" },
  role: { type: "string" },
  json: { type: "boolean" },
};

describe("the words of a call", () => {
  test("that are right are let through, in any order", () => {
    for (const words of [[], ["--config", "a.toml"], ["--config=a.toml"], ["--help"], ["-h"]])
      expect(callProblem(START, words)).toBeUndefined();
    expect(callProblem(ADD, ["--json", "jan", "--role", "admin", "--config", "-a.toml"])).toBeUndefined();
    expect(callProblem(ADD, ["-", "--role=a=b"])).toBeUndefined();
  });

  test("that nobody knows are told of, with one hyphen too", () => {
    expect(callProblem(START, ["--confg", "a.toml"])).toMatch(/^option --confg is not known: did you mean --config\?/);
    expect(callProblem(START, ["-c", "a.toml"])).toMatch(/^option -c is not known.* Known: --config\.$/);
    expect(callProblem(ADD, ["--name", "jan"])).toMatch(
      /^option --name is not known.* Known: --config, --role, --json\.$/,
    );
  });

  test("that are too many are not passed over: a gateway would start by the defaults", () => {
    expect(callProblem(START, ["waakvlam.toml"])).toBe(
      "waakvlam.toml is a word too many: did you mean --config waakvlam.toml?",
    );
    expect(callProblem(ADD, ["jan", "piet", "--role", "admin"])).toBe("piet is a word too many.");
    expect(callProblem({ json: { type: "boolean" } }, ["b.toml"])).toBe("b.toml is a word too many.");
  });

  test("that lack their value do not take the next option for it", () => {
    expect(callProblem(ADD, ["jan", "--role", "--json"])).toBe("option --role needs a value behind it.");
    for (const words of [["--config"], ["--config="], ["--config", ""]])
      expect(callProblem(START, words)).toBe("option --config needs FILE behind it.");
  });

  test("are looked at before a command runs", () => {
    const main = { subCommands: { start: { args: { config: { type: "string" } } } } } as const;
    const of = (...words: string[]) => {
      const found = unknownWord(main, words);
      return found.kind === "unknown" ? found.text : found.kind;
    };
    expect(of("start", "--config", "a.toml")).toBe("known");
    expect(of("start", "a.toml")).toMatch(/^a\.toml is a word too many: .* Use --help for more\.$/);
    expect(of("start", "-c", "a.toml")).toMatch(/^option -c is not known/);
    expect(of("strt")).toMatch(/^command strt is not known: did you mean start\?/);
  });
});
