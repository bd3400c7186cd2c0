import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { NOON_MS, temporaryFolder, waitFor } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { systemClock } from "../clock.ts";
import { askUps, type NutAnswer } from "./ask.ts";
import { createNutReader, upsFactsOf, VARIABLES_MAX } from "./nut.ts";
import { BACKOFF_MS_MAX, startUpsWatch } from "./watch.ts";

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** An `upsd` that answers each line by a script. */
async function scripted(answer: (line: string, socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      for (const line of data.toString().split("\n").filter(Boolean)) answer(line, socket);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const found = server.address();
  return typeof found === "object" && found !== null ? found.port : 0;
}

function ask(port: number, timeoutMs = 2_000): Promise<NutAnswer> {
  return askUps({ host: "127.0.0.1", port, name: "ups", timeoutMs }, systemClock);
}

const LIST = [
  "BEGIN LIST VAR ups",
  'VAR ups battery.charge "87"',
  'VAR ups battery.runtime "5400"',
  'VAR ups device.model "Box \\"S\\" \\\\ 3"',
  'VAR ups ups.status "OB DISCHRG"',
  "END LIST VAR ups",
];

describe("the answer to LIST VAR", () => {
  test("becomes the state of the supply", () => {
    const reader = createNutReader("ups");
    const steps = LIST.map((line) => reader.take(line));
    const last = steps.at(-1);
    expect(steps.slice(0, -1).every((step) => step.kind === "more")).toBe(true);
    expect(last?.kind === "done" && last.variables.get("device.model")).toBe('Box "S" \\ 3');
    expect(last?.kind === "done" && upsFactsOf(last.variables)).toEqual({
      kind: "reading",
      onBattery: true,
      lowBattery: false,
      chargePct: 87,
      runtimeS: 5_400,
    });
  });

  test.each([
    ["OL CHRG", { onBattery: false, lowBattery: false }],
    ["OL LB", { onBattery: false, lowBattery: true }],
    ["OB LB DISCHRG", { onBattery: true, lowBattery: true }],
    ["FSD OB LB", { onBattery: true, lowBattery: true }],
    ["OLD", undefined],
    ["WAIT", undefined],
    ["", undefined],
  ])("status %j", (status, wanted) => {
    const facts = upsFactsOf(
      new Map([
        ["ups.status", status],
        ["battery.charge", "-1"],
        ["battery.runtime", "soon"],
      ]),
    );
    if (wanted === undefined) expect(facts.kind).toBe("unreachable");
    else expect(facts).toEqual({ kind: "reading", ...wanted });
  });

  test.each([
    [["ERR UNKNOWN-UPS"], /no UPS of this name/],
    [["ERR DATA-STALE"], /no fresh data/],
    [["ERR DRIVER-NOT-CONNECTED"], /driver/],
    [["ERR ACCESS-DENIED"], /not ask/],
    [["ERR FEATURE-NOT-SUPPORTED"], /FEATURE-NOT-SUPPORTED/],
    [["HTTP/1.1 400 Bad Request"], /no answer of upsd/],
    [["BEGIN LIST VAR other"], /no answer of upsd/],
    [["BEGIN LIST VAR ups", 'VAR other a "1"'], /no answer of upsd/],
    [["BEGIN LIST VAR ups", "VAR ups a 1"], /no answer of upsd/],
  ])("%j is a failure with its reason", (lines, wanted) => {
    const reader = createNutReader("ups");
    const last = lines.map((line) => reader.take(line)).at(-1);
    expect(last).toMatchObject({ kind: "failed", reason: expect.stringMatching(wanted) });
  });

  test("ends at its most variables", () => {
    const reader = createNutReader("ups");
    reader.take("BEGIN LIST VAR ups");
    for (let i = 0; i < VARIABLES_MAX; i++) expect(reader.take(`VAR ups v.${i} "1"`).kind).toBe("more");
    expect(reader.take('VAR ups v.more "1"').kind).toBe("failed");
  });
});

describe("one question over a connection", () => {
  test("is answered in pieces, and the client says goodbye", async () => {
    const heard: string[] = [];
    const port = await scripted((line, socket) => {
      heard.push(line);
      if (line === "LOGOUT") socket.end("OK Goodbye\n");
      if (line !== "LIST VAR ups") return;
      const text = `${LIST.join("\n")}\n`;
      for (const part of [text.slice(0, 25), text.slice(25, 90), text.slice(90)]) socket.write(part);
    });
    const answer = await ask(port);
    expect(answer.kind === "done" && answer.variables.size).toBe(4);
    await waitFor("the goodbye", () => heard.length === 2);
    expect(heard).toEqual(["LIST VAR ups", "LOGOUT"]);
  });

  test.each([
    ["says nothing", () => undefined, /no answer within 150 ms/],
    ["closes", (socket: Socket) => socket.end(), /closed/],
    ["never ends its line", (socket: Socket) => socket.write("x".repeat(2_000)), /line is too long/],
    [
      "never ends its list",
      (socket: Socket) => socket.write(`BEGIN LIST VAR ups\n${`VAR ups a "${"b".repeat(900)}"\n`.repeat(200)}`),
      /too long/,
    ],
  ])("a server that %s", async (_what, script, wanted) => {
    const port = await scripted((_line, socket) => void script(socket));
    expect(await ask(port, 150)).toMatchObject({ kind: "failed", reason: expect.stringMatching(wanted) });
  });

  test("a port where nobody listens", async () => {
    const port = await scripted(() => undefined);
    await new Promise<void>((resolve) => servers.splice(0)[0]?.close(() => resolve()));
    expect(await ask(port)).toEqual({ kind: "failed", reason: "ECONNREFUSED" });
  });
});

describe("the watch", () => {
  test("asks at its interval, slower while nobody answers, and again at once when it is back", async () => {
    const clock = virtualClock(NOON_MS);
    const asked: number[] = [];
    const logged: string[] = [];
    let answer: NutAnswer = { kind: "done", variables: new Map([["ups.status", "OL"]]) };
    const watch = startUpsWatch({
      address: { host: "x", port: 1, name: "ups", timeoutMs: 1 },
      pollMs: 10_000,
      clock,
      ask: async () => {
        asked.push(clock.monotonicMs() / 1000);
        return answer;
      },
      log: (event) => logged.push(event),
    });
    expect(watch.facts()).toBeUndefined();
    await clock.advance(0);
    await clock.advance(20_000);
    expect(asked).toEqual([0, 10, 20]);
    expect(watch.facts()).toEqual({ kind: "reading", onBattery: false, lowBattery: false });
    answer = { kind: "failed", reason: "ECONNREFUSED" };
    await clock.advance(200_000);
    expect(asked.slice(3)).toEqual([30, 50, 90, 150, 210]);
    expect(BACKOFF_MS_MAX).toBe(60_000);
    expect(logged).toEqual(["ups does not answer"]);
    expect(watch.facts()).toEqual({ kind: "unreachable", reason: "ECONNREFUSED" });
    answer = { kind: "done", variables: new Map([["ups.status", "OB"]]) };
    await clock.advance(60_000);
    expect(watch.facts()).toMatchObject({ kind: "reading", onBattery: true });
    watch.stop();
    const before = asked.length;
    await clock.advance(100_000);
    expect(asked.length).toBe(before);
  });
});

const UPSD = "/lib/nut/upsd";
const DUMMY = "/lib/nut/dummy-ups";
const missing = [UPSD, DUMMY].filter((file) => !existsSync(file));

describe("the real upsd", () => {
  test.skipIf(missing.length > 0)(
    `with its dummy driver${missing.length > 0 ? ` (skipped: ${missing.join(", ")} not there; Debian package nut-server)` : ""}`,
    async () => {
      const folder = temporaryFolder();
      const port = await scripted(() => undefined);
      await new Promise<void>((resolve) => servers.splice(0)[0]?.close(() => resolve()));
      const children: ChildProcess[] = [];
      const as = process.getuid?.() === 0 ? idOf("nut") : undefined;
      const write = (name: string, text: string) => {
        writeFileSync(join(folder.path, name), text, { mode: 0o640 });
        if (as !== undefined) chownSync(join(folder.path, name), as, as);
      };
      write("ups.conf", `[ups]\ndriver = dummy-ups\nport = ups.dev\nmode = dummy-loop\n`);
      write("upsd.conf", `LISTEN 127.0.0.1 ${port}\nSTATEPATH ${folder.path}\n`);
      write("upsd.users", "");
      const device = (status: string, runtime: number) =>
        write("ups.dev", `ups.status: ${status}\nbattery.charge: 64\nbattery.runtime: ${runtime}\nTIMER 1\n`);
      device("OL", 7_200);
      chmodSync(folder.path, 0o770);
      if (as !== undefined) chownSync(folder.path, as, as);
      const env = {
        NUT_CONFPATH: folder.path,
        NUT_STATEPATH: folder.path,
        NUT_ALTPIDPATH: folder.path,
        PATH: "/usr/bin:/bin",
      };
      const user = as === undefined ? [] : ["-u", "nut"];
      try {
        children.push(spawn(DUMMY, ["-D", "-a", "ups", ...user], { env, stdio: "ignore" }));
        children.push(spawn(UPSD, ["-D", ...user], { env, stdio: "ignore" }));
        const facts = async () => {
          const answer = await ask(port);
          return answer.kind === "done" ? upsFactsOf(answer.variables) : answer;
        };
        // Until its driver speaks there is none.
        await waitFor("a reading of upsd", async () => (await facts()).kind === "reading");
        expect(await facts()).toMatchObject({ kind: "reading", onBattery: false, chargePct: 64, runtimeS: 7_200 });
        device("OB LB", 240);
        await waitFor("the battery", async () => {
          const now = await facts();
          return now.kind === "reading" && now.onBattery && now.lowBattery && now.runtimeS === 240;
        });
        const other = { host: "127.0.0.1", port, name: "other", timeoutMs: 2_000 };
        expect(await askUps(other, systemClock)).toEqual({ kind: "failed", reason: "upsd knows no UPS of this name" });
      } finally {
        for (const child of children) child.kill("SIGTERM");
        await Promise.all(
          children.map((child) => waitFor("its end", () => child.exitCode !== null || child.signalCode !== null)),
        );
        folder.remove();
      }
    },
    30_000,
  );
});

function idOf(user: string): number {
  return Number(spawnSync("id", ["-u", user], { encoding: "utf8" }).stdout.trim());
}
