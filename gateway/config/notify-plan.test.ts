// A file of recipients: everything wrong with it is told at once, and nothing is taken of a file with a mistake.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryFolder } from "../../tests/fixtures.ts";
import type { GatewayError } from "../errors.ts";
import { readNotifyPlan } from "./notify-plan.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const CONFIG = { sms: { port: "/dev/modem", baud: 115_200 } };

function read(text: string, name = "notify.toml") {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return readNotifyPlan(path, CONFIG);
}

function problems(text: string, name?: string): readonly string[] {
  try {
    read(text, name);
  } catch (error) {
    return (error as GatewayError).detail["problems"] as string[];
  }
  return [];
}

const ONE = '[[recipients]]\nrecipientId = "officier"\nrole = "officier"\n';

test("TOML or JSON; files of keys are looked for beside it", () => {
  const toml = read(`${ONE}channels = [{ type = "webhook", url = "https://example.org/x", tokenFile = "t" }]\n`);
  expect(toml.recipients[0]?.channels[0]).toMatchObject({ tokenFile: join(folder.path, "t") });
  const json = read(
    JSON.stringify({ recipients: [{ recipientId: "abc", role: "r", channels: [{ type: "mqtt" }] }] }),
    "n.json",
  );
  expect(json.recipients).toHaveLength(1);
});

test.each([
  [
    "a key that is not known",
    `${ONE}channels = [{ type = "mqtt" }]\nregion = ["Flevoland"]\n`,
    "did you mean regions?",
  ],
  [
    "a number with no country",
    `${ONE}channels = [{ type = "sms", phone = "0612345678" }]\n`,
    "recipients/0/channels/0",
  ],
  ["a way that is not set up", `${ONE}channels = [{ type = "email", address = "a@b.nl" }]\n`, "needs [smtp]"],
  ["an address in the clear", `${ONE}channels = [{ type = "webhook", url = "http://example.org/" }]\n`, "needs https"],
  [
    "a webhook that shows no key",
    `${ONE}channels = [{ type = "webhook", url = "https://example.org/" }]\n`,
    "tokenFile or secretFile",
  ],
  ["one id for two", `${ONE}channels = [{ type = "mqtt" }]\n${ONE}channels = [{ type = "mqtt" }]\n`, "is there twice"],
  [
    "a role that nobody has",
    `${ONE}channels = [{ type = "mqtt" }]\n[[escalation]]\npriorities = [1]\nsteps = [{ afterMin = 5, roles = ["oficier"] }]\n`,
    "did you mean officier?",
  ],
  [
    "two chains for one priority, and a step before the one before it",
    `${ONE}channels = [{ type = "mqtt" }]\n${'[[escalation]]\npriorities = [1]\nsteps = [{ afterMin = 5, roles = ["officier"] }, { afterMin = 2, roles = ["officier"] }]\n'.repeat(2)}`,
    "priority 1 is in two of them",
  ],
  [
    "a shift that ends before it begins",
    `${ONE}channels = [{ type = "mqtt" }]\nshifts = [{ fromAt = "2026-11-24T12:00:00Z", untilAt = "2026-11-24T11:00:00Z" }]\n`,
    "ends before it begins",
  ],
  ["no TOML at all", "[[recipients\n", ""],
])("%s is told of", (_, text, words) => {
  const found = problems(text);
  expect(found.length).toBeGreaterThan(0);
  expect(found.join("\n")).toContain(words);
});

test("every mistake is told of with its line, or with that of the table which it is in", () => {
  const one = `${ONE}channels = [{ type = "mqtt" }]\n`;
  const [twice] = problems(`${one}${one}`);
  expect(twice).toBe("line 5: recipients/1: officier is there twice");
  const [mail] = problems(
    `${one}${ONE.replace('"officier"', '"wacht"')}channels = [{ type = "email", address = "a@b.nl" }]\n`,
  );
  expect(mail).toMatch(/^line 5: recipients\/1: wacht: for email/);
  expect(problems("a = 1\n[[recipients\n")[0]).toMatch(/^line 2, column /);
  expect(problems("{", "n.json")).toHaveLength(1);
});

test("a file that is not there", () => {
  expect(() => readNotifyPlan(join(folder.path, "none.toml"), CONFIG)).toThrow("a file cannot be read");
});
