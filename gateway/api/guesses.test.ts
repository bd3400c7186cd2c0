import { describe, expect, test } from "vitest";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { createGuesses, GUESS_WINDOW_MS, GUESSERS_MAX, GUESSES_MAX, GUESSES_PER_ADDRESS_MAX } from "./guesses.ts";

function start() {
  const clock = virtualClock(0);
  return { clock, guesses: createGuesses(clock) };
}

describe("guesses of passwords", () => {
  test("the last that is allowed goes on, the next waits until the window is over", async () => {
    const { clock, guesses } = start();
    for (let i = 0; i < GUESSES_MAX; i++) expect(guesses.begin("10.0.0.1", "a")).toBe(0);
    expect(guesses.begin("10.0.0.1", "a")).toBe(GUESS_WINDOW_MS / 1000);
    await clock.advance(GUESS_WINDOW_MS - 1);
    expect(guesses.begin("10.0.0.1", "a")).toBe(1);
    await clock.advance(1);
    expect(guesses.begin("10.0.0.1", "a")).toBe(0);
  });

  test("another name from the same address, and the same name from another, are free", () => {
    const { guesses } = start();
    for (let i = 0; i < GUESSES_MAX; i++) guesses.begin("10.0.0.1", "a");
    expect(guesses.begin("10.0.0.1", "b")).toBe(0);
    expect(guesses.begin("10.0.0.2", "a")).toBe(0);
  });

  test("changing names gains nothing: the address has a limit of its own", () => {
    const { guesses } = start();
    for (let i = 0; i < GUESSES_PER_ADDRESS_MAX; i++) expect(guesses.begin("10.0.0.1", `name-${i}`)).toBe(0);
    expect(guesses.begin("10.0.0.1", "one-more")).toBeGreaterThan(0);
    expect(guesses.begin("10.0.0.2", "one-more")).toBe(0);
  });

  test("a right password forgives this name's tries, and no other's", () => {
    const { guesses } = start();
    for (let i = 0; i < GUESSES_MAX; i++) {
      guesses.begin("10.0.0.1", "a");
      guesses.begin("10.0.0.1", "b");
    }
    guesses.forgive("10.0.0.1", "a");
    expect(guesses.begin("10.0.0.1", "a")).toBe(0);
    expect(guesses.begin("10.0.0.1", "b")).toBeGreaterThan(0);
  });

  test("signing in rightly again and again never makes an address wait", () => {
    const { guesses } = start();
    for (let i = 0; i < 3 * GUESSES_PER_ADDRESS_MAX; i++) {
      expect(guesses.begin("10.0.0.1", "a")).toBe(0);
      guesses.forgive("10.0.0.1", "a");
    }
  });

  test("what is remembered is bounded, and the newest stays", () => {
    const { guesses } = start();
    for (let i = 0; i < GUESSES_MAX; i++) guesses.begin("10.0.0.1", "a");
    for (let i = 0; i < GUESSERS_MAX / 2 - 1; i++) guesses.begin(`10.1.${i >> 8}.${i & 255}`, "x");
    expect(guesses.begin("10.0.0.1", "a")).toBeGreaterThan(0);
    for (let i = 0; i < GUESSERS_MAX; i++) guesses.begin(`10.2.${i >> 8}.${i & 255}`, "x");
    expect(guesses.begin("10.0.0.1", "a")).toBe(0);
  });
});
