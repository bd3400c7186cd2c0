// The gateway as an operator meets it: metrics, readiness, a configuration that changes while it runs, alerts about itself.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Value } from "typebox/value";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type App, startApp } from "../../gateway/app.ts";
import { systemClock } from "../../gateway/clock.ts";
import { readConfig } from "../../gateway/config/config.ts";
import { gather } from "../../gateway/doctor/gather.ts";
import { createLogs } from "../../gateway/log.ts";
import { addPerson } from "../../gateway/registry/people.ts";
import { type Alert, AlertSchema, type GatewayState, GatewayStateSchema } from "../../protocol/index.ts";
import { parseExposition } from "../exposition.ts";
import { temporaryFolder, waitFor } from "../fixtures.ts";

let folder: ReturnType<typeof temporaryFolder>;
let app: App | undefined;
const servers: Server[] = [];
const sockets = new Set<Socket>();
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  await app?.stop();
  app = undefined;
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
  folder.remove();
});

const BASE = "[data]\ndir = 'data'\n[mqtt]\nport = 0\n[http]\nport = 0\n";
const PASSWORD = "a long enough password";

async function start(extra = "") {
  const path = join(folder.path, "waakvlam.toml");
  const write = (more: string) => writeFileSync(path, `${BASE}${more}`);
  write(extra);
  const rows: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void rows.push(JSON.parse(line) as Record<string, unknown>) };
  const config = readConfig(path);
  const logs = createLogs({ level: config.log.level, destination });
  app = await startApp(config, { logs, readConfig: () => readConfig(path), configPath: path });
  const { url } = app.http;
  await addPerson(config.data.dir, { name: "coordinator-1", role: "coordinator" }, PASSWORD);
  let cookie = "";
  const get = async <T>(at: string): Promise<T> => {
    if (cookie === "") {
      await app?.reload();
      const body = JSON.stringify({ name: "coordinator-1", password: PASSWORD });
      const headers = { "content-type": "application/json" };
      const answer = await fetch(`${url}/v1/session`, { method: "POST", headers, body });
      cookie = (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    }
    return (await (await fetch(`${url}${at}`, { headers: { cookie } })).json()) as T;
  };
  return { app, url, rows, write, get };
}

/** An `upsd` on loopback whose UPS is in the state given. */
async function upsd(status: () => string): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      if (!data.toString().startsWith("LIST VAR ups\n")) return;
      socket.write(
        `BEGIN LIST VAR ups\nVAR ups ups.status "${status()}"\nVAR ups battery.runtime "600"\nEND LIST VAR ups\n`,
      );
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const found = server.address();
  return typeof found === "object" && found !== null ? found.port : 0;
}

describe("an operator", () => {
  test("reads metrics without signing in on this machine, and whether the gateway is ready", async () => {
    const { url } = await start();
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: "ok" });
    const answer = await fetch(`${url}/metrics`);
    expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const families = parseExposition(await answer.text());
    const value = (name: string) => families.get(name)?.samples[0]?.value;
    expect(value("waakvlam_clock_trusted")).toBe(1);
    expect(value("waakvlam_journal_refusing")).toBe(0);
    expect(families.get("waakvlam_journal_commit_seconds")?.samples.at(-1)?.value).toBeGreaterThan(0);
    await waitFor("the first measure of the disk", async () => {
      const now = parseExposition(await (await fetch(`${url}/metrics`)).text());
      return (now.get("waakvlam_disk_free_bytes")?.samples[0]?.value ?? 0) > 1e6;
    });
    expect((await fetch(`${url}/metrics`, { headers: { "x-forwarded-for": "10.0.0.1" } })).status).toBe(401);
  });

  test("reloads a configuration: told key by key, in force at once where it can be", async () => {
    const { app, rows, url, write } = await start("[log]\nlevel = 'error'\n");
    writeFileSync(join(folder.path, "token"), "0123456789abcdef\n");
    write("[log]\nlevel = 'info'\n[metrics]\ntokenFile = 'token'\n[gateway]\nid = 'other'\n");
    const outcome = await app.reload();
    expect(outcome).toMatchObject({ kind: "loaded", problems: [] });
    expect(outcome.changes).toEqual([
      'gateway.id: "gateway" → "other" (after a restart)',
      'log.level: "error" → "info" (at once)',
      `metrics.tokenFile: not set → "${join(folder.path, "token")}" (at once)`,
    ]);
    expect(rows.at(-1)).toMatchObject({ event: "configuration loaded", changes: outcome.changes });
    const away = { "x-forwarded-for": "10.0.0.1", authorization: "Bearer 0123456789abcdef" };
    expect((await fetch(`${url}/metrics`, { headers: away })).status).toBe(200);
    // What waits for a restart is told of until there was one.
    expect((await app.reload()).changes).toEqual(['gateway.id: "gateway" → "other" (after a restart)']);
  });

  test("a bad file leaves the old configuration in force, and an alert says so until it is mended", async () => {
    const { app, rows, write, get } = await start(
      "[influxdb]\nurl='http://127.0.0.1:1'\norg='o'\nbucket='b'\ntokenFile='token'\n".replace(
        "tokenFile='token'",
        `tokenFile='${tokenFile()}'`,
      ),
    );
    write("[mqqt]\nport = 1\n");
    const outcome = await app.reload();
    expect(outcome).toMatchObject({
      kind: "refused",
      problems: ["line 7: mqqt is not a known key: did you mean mqtt?"],
    });
    expect(rows.at(-1)).toMatchObject({ level: "error", problems: outcome.problems });
    write("[influxdb]\nurl='http://127.0.0.1:1'\norg='o'\nbucket='b'\ntokenFile='gone'\n");
    expect((await app.reload()).problems[0]).toMatch(/^line 11: influxdb\/tokenFile: .*gone cannot be read/);
    expect(app.engine.gateway().sinks).toHaveLength(1);
    await waitFor("the alert", async () => {
      const alerts = await get<Alert[]>("/v1/alerts");
      return alerts.some((alert) => alert.ruleId === "config-refused" && alert.state === "unacknowledged");
    });
    const [alert] = await get<Alert[]>("/v1/alerts");
    expect(Value.Check(AlertSchema, alert)).toBe(true);
    expect(alert).toMatchObject({
      subject: { kind: "gateway" },
      text: { nl: { what: "Nieuwe configuratie geweigerd" } },
    });
    write("");
    expect(await app.reload()).toMatchObject({ kind: "loaded" });
    expect(app.engine.gateway().sinks).toEqual([]);
    await waitFor("its end", () => app.engine.alerts()[0]?.state === "returned-unacknowledged");
  });

  test("sees that the gateway runs on its battery, by upsd, through the API", async () => {
    let status = "OL";
    const port = await upsd(() => status);
    const { app, get } = await start(`[ups]\nname = 'ups'\nport = ${port}\npollS = 2\n`);
    await waitFor("a reading", async () => (await get<GatewayState>("/v1/gateway")).ups?.kind === "reading");
    expect(app.engine.alerts()).toEqual([]);
    status = "OB LB";
    await waitFor("the alert", async () => (await get<Alert[]>("/v1/alerts")).length > 0);
    const [alert] = await get<Alert[]>("/v1/alerts");
    expect(alert).toMatchObject({
      ruleId: "ups-low-battery",
      priority: 1,
      subject: { kind: "gateway", name: "gateway" },
    });
    expect(alert?.text.nl.consequence).toMatch(/^nog 10 min/);
    const state = await get<GatewayState>("/v1/gateway");
    expect(Value.Check(GatewayStateSchema, state)).toBe(true);
    expect(state).toMatchObject({
      ups: { onBattery: true, lowBattery: true, runtimeS: 600 },
      alerts: { unacknowledged: 1 },
    });
  });

  test("sees that history cannot be opened, by the gateway and the doctor, while everything else goes on", async () => {
    const dir = join(folder.path, "data");
    mkdirSync(dir);
    writeFileSync(join(dir, "history.db"), "this is no database, and long enough to be one".repeat(100));
    const { app, url, get } = await start();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const families = parseExposition(await (await fetch(`${url}/metrics`)).text());
    expect(families.get("waakvlam_history_failing")?.samples[0]?.value).toBe(1);
    const state = await get<GatewayState>("/v1/gateway");
    expect(Value.Check(GatewayStateSchema, state)).toBe(true);
    expect(state.history?.failing).toMatch(/not a database/);
    await app.stop();
    const path = join(folder.path, "waakvlam.toml");
    const { journal, history } = await gather({ config: readConfig(path), path, clock: systemClock });
    expect(history).toMatchObject({ kind: "unreadable", reason: expect.stringMatching(/not a database/) });
    expect(journal.kind).toBe("open");
  });

  test("sees how far history is", async () => {
    const { app, url } = await start();
    await app.history.compact();
    const families = parseExposition(await (await fetch(`${url}/metrics`)).text());
    const value = (name: string) => families.get(name)?.samples[0]?.value;
    expect(value("waakvlam_history_failing")).toBe(0);
    expect(value("waakvlam_history_size_bytes")).toBeGreaterThan(0);
    expect(value("waakvlam_history_behind_rows")).toBe(0);
  });

  test("sends SIGHUP to the process, which says what has changed, and goes on", async () => {
    const path = join(folder.path, "waakvlam.toml");
    writeFileSync(path, BASE);
    const main = fileURLToPath(new URL("../../gateway/main.ts", import.meta.url));
    // The file that is found where nobody named one is the one that is read again.
    const child = spawn(process.execPath, [main, "start"], { cwd: folder.path, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const refusals = () => said.split("the old one stays in force").length - 1;
    try {
      await waitFor("its start", () => said.includes("gateway listens"), 30_000);
      writeFileSync(path, `${BASE}[log]\nlevel = 'warn'\n`);
      child.kill("SIGHUP");
      await waitFor("the difference", () => said.includes('log.level: \\"info\\" → \\"warn\\" (at once)'));
      writeFileSync(path, "[mqtt\n");
      child.kill("SIGHUP");
      await waitFor("the refusal", () => refusals() === 1);
      rmSync(path);
      child.kill("SIGHUP");
      await waitFor("the refusal without a file", () => refusals() === 2);
      expect(said).toContain("a file cannot be read (path waakvlam.toml)");
      expect(child.exitCode).toBeNull();
      for (const line of said.split("\n").filter((one) => one !== "")) JSON.parse(line);
    } finally {
      child.kill("SIGTERM");
      await waitFor("its end", () => child.exitCode !== null || child.signalCode !== null);
    }
    expect(child.exitCode).toBe(0);
  }, 60_000);
});

test("a command whose output nobody reads any more ends without a word, and on a full disk with some", async () => {
  const path = join(folder.path, "waakvlam.toml");
  writeFileSync(path, BASE);
  const main = fileURLToPath(new URL("../../gateway/main.ts", import.meta.url));
  const args = [main, "config", "show", "--config", path];
  const ended = async (out: "pipe" | number) => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", out, "pipe"] });
    child.stdout?.destroy();
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const [code] = (await once(child, "close")) as [number];
    return { code, said };
  };
  expect(await ended("pipe")).toEqual({ code: 0, said: "" });
  const full = openSync("/dev/full", "w");
  const { code, said } = await ended(full);
  closeSync(full);
  expect([code, said]).toEqual([1, expect.stringMatching(/^FILE_UNWRITABLE: .*standard output.*ENOSPC/)]);
}, 60_000);

function tokenFile(): string {
  const path = join(folder.path, "influx-token");
  writeFileSync(path, "t\n");
  return path;
}
