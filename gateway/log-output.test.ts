import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { NOON_MS } from "../tests/fixtures.ts";
import { virtualClock } from "../tests/virtual-clock.ts";
import { createLogs } from "./log.ts";
import { createLineOutput, HELD_BYTES_MAX, RETRY_MS } from "./log-output.ts";

type Done = (error: NodeJS.ErrnoException | null, written: number) => void;

/** Somebody who reads: takes what he is told to, and by default nothing. */
function start() {
  const clock = virtualClock(NOON_MS);
  const tries: { readonly bytes: Buffer; readonly done: Done }[] = [];
  const atOnce: string[] = [];
  const output = createLineOutput({
    clock,
    write: (bytes, done) => void tries.push({ bytes, done }),
    writeNow: (bytes) => void atOnce.push(bytes.toString()),
  });
  const take = (bytes?: number) => {
    const one = tries.shift();
    one?.done(null, bytes ?? one.bytes.length);
    return one?.bytes.toString();
  };
  const fail = (code: string) => tries.shift()?.done(Object.assign(new Error(code), { code }), 0);
  return { clock, output, tries, atOnce, take, fail };
}

describe("lines to standard error", () => {
  test("go out in order, whole, and are not waited for", () => {
    const { output, take } = start();
    for (const line of ["one\n", "two\n", "three\n"]) output.write(line);
    expect(take(2)).toBe("one\n");
    expect(take()).toBe("e\n");
    expect(take()).toBe("two\nthree\n");
    expect(take()).toBeUndefined();
  });

  test("on a full disk are tried again, and come out when there is room", async () => {
    const { clock, output, tries, take, fail } = start();
    output.write("one\n");
    fail("ENOSPC");
    output.write("two\n");
    expect(tries).toHaveLength(0);
    await clock.advance(RETRY_MS);
    fail("ENOSPC");
    await clock.advance(RETRY_MS);
    expect(take()).toBe("one\n");
    expect(take()).toBe("two\n");
  });

  test("that nobody takes are held up to a limit; more are lost, and counted in the first line after", () => {
    const { output, take } = start();
    const line = `${"x".repeat(1_023)}\n`;
    output.write("first\n");
    for (let i = 0; i < HELD_BYTES_MAX / line.length; i++) output.write(line);
    expect(output.takeLost()).toBe(0);
    output.write("x");
    output.write("x");
    expect(output.takeLost()).toBe(0);
    const logs = createLogs({ level: "info", destination: output });
    take();
    take();
    logs.area("app").info("there is room again");
    logs.area("app").info("and more");
    expect(JSON.parse(take() ?? "")).toMatchObject({ event: "there is room again", lost: 2 });
    expect(JSON.parse(take() ?? "")).not.toHaveProperty("lost");
  });

  test("are no longer kept once nobody can ever read them", () => {
    const { output, tries, fail } = start();
    output.write("one\n");
    fail("EPIPE");
    for (let i = 0; i < 10; i++) output.write("two\n");
    expect(tries).toHaveLength(0);
    expect(output.takeLost()).toBe(0);
  });

  test("are waited for at the end, and not for long", async () => {
    const { clock, output, take, atOnce } = start();
    output.write("last\n");
    let settled = 0;
    void output.settle().then(() => settled++);
    await clock.advance(10);
    expect(settled).toBe(0);
    take();
    await clock.advance(0);
    expect(settled).toBe(1);
    output.write("stuck\n");
    void output.settle().then(() => settled++);
    await clock.advance(1_000);
    expect(settled).toBe(2);
    // What is stuck stays so: a second try would hold up the end.
    output.endNow();
    expect(atOnce).toEqual([]);
  });

  test("that were refused are tried once more at the very end", () => {
    const { output, fail, atOnce } = start();
    output.write("one\n");
    fail("ENOSPC");
    output.write("two\n");
    output.endNow();
    expect(atOnce).toEqual(["one\ntwo\n"]);
  });

  test.skipIf(!existsSync("/dev/full"))("a program whose log is on a full disk goes on, and ends", () => {
    const program = `
      import { stat } from "node:fs/promises";
      import { createLogs } from ${JSON.stringify(new URL("log.ts", import.meta.url).href)};
      const { info } = createLogs({ level: "info" }).area("app");
      for (let i = 0; i < 9; i++) { info("once more"); await stat("/"); }
      process.stdout.write("alive");
      process.exit(0);`;
    const full = openSync("/dev/full", "w");
    const args = ["--input-type=module", "-e", program];
    const { stdout, status } = spawnSync(process.execPath, args, { stdio: ["ignore", "pipe", full], timeout: 20_000 });
    closeSync(full);
    expect([stdout.toString(), status]).toEqual(["alive", 0]);
  });
});
