// The doctor on real folders: beside a gateway that runs, after it has stopped, and on a journal that was damaged.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type App, startApp } from "../../gateway/app.ts";
import { systemClock } from "../../gateway/clock.ts";
import { readConfig } from "../../gateway/config/config.ts";
import { type Finding, judge } from "../../gateway/doctor/checks.ts";
import { gather } from "../../gateway/doctor/gather.ts";
import { openJournal } from "../../gateway/journal/journal.ts";
import { createLogs } from "../../gateway/log.ts";
import { addPerson } from "../../gateway/registry/people.ts";
import { VERSION } from "../../gateway/wiring/parts.ts";
import { checkedFrame, freePort, temporaryFolder } from "../fixtures.ts";
import { toVersion2 } from "../journal-version-2.ts";

const MAIN = fileURLToPath(new URL("../../gateway/main.ts", import.meta.url));
let folder: ReturnType<typeof temporaryFolder>;
let path: string;
let app: App | undefined;
const servers: Server[] = [];
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder.path, "waakvlam.toml");
});
afterEach(async () => {
  await app?.stop();
  app = undefined;
  for (const server of servers.splice(0)) server.close();
  folder.remove();
});

async function listen(): Promise<number> {
  const server = createServer((socket) => socket.end("220 something else\r\n"));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const found = server.address();
  return typeof found === "object" && found !== null ? found.port : 0;
}

/** A port that was free a moment ago. */
async function examine(): Promise<Map<string, Finding>> {
  const facts = await gather({ config: readConfig(path), path, clock: systemClock });
  return new Map(judge(facts).map((finding) => [finding.check, finding]));
}

async function configure(extra = ""): Promise<void> {
  const [mqtt, http] = [await freePort(), await freePort()];
  writeFileSync(path, `[data]\ndir = 'data'\n[mqtt]\nport = ${mqtt}\n[http]\nport = ${http}\n${extra}`);
}

async function fill(rows: number): Promise<void> {
  const journal = await openJournal({ dir: join(folder.path, "data"), clock: systemClock });
  await Promise.all(Array.from({ length: rows }, (_, i) => journal.append(checkedFrame({ sequence: i + 1 }))));
  await journal.close();
}

describe("the doctor", () => {
  test("examines a gateway while it runs, and changes nothing", async () => {
    await configure();
    await fill(300);
    const dir = join(folder.path, "data");
    await addPerson(dir, { name: "admin-1", role: "admin" }, "a long enough password");
    app = await startApp(readConfig(path), { logs: createLogs({ level: "error" }) });
    const findings = await examine();
    expect(findings.get("gateway")).toMatchObject({ level: "ok", what: expect.stringMatching(/runs and is ready/) });
    expect(findings.get("devices")?.level).toBe("ok");
    expect(findings.get("people")?.level).toBe("ok");
    expect(findings.get("journal")).toMatchObject({
      level: "ok",
      what: "newest row 300; 300 rows fit their checksums; the file is whole",
    });
    expect(findings.get("reader engine")).toMatchObject({ level: "ok", what: "up to date" });
    chmodSync(join(dir, "people.json"), 0o644);
    expect((await examine()).get("secrets")).toMatchObject({
      level: "fault",
      mend: expect.stringMatching(/^chmod 600 /),
    });
    await app.stop();
    app = undefined;
    const after = await examine();
    expect(after.get("gateway")).toMatchObject({ level: "warning", what: expect.stringMatching(/does not run/) });
    expect(after.get("journal")?.level).toBe("ok");
  });

  test("looks at the copy: its place, what stands in it, and what was left half written", async () => {
    const place = join(folder.path, "copies");
    await configure(`[backup]\ndir = '${place}'\n`);
    await fill(20);
    expect((await examine()).get("copy")).toMatchObject({ level: "fault", what: expect.stringMatching(/not mounted/) });
    mkdirSync(place);
    const copied = () =>
      spawnSync(process.execPath, [MAIN, "backup", "--config", path], { encoding: "utf8", cwd: folder.path });
    const seen = async () => {
      const facts = await gather({ config: readConfig(path), path, clock: systemClock });
      return judge(facts).filter((one) => one.check === "copy");
    };
    expect((await seen()).map((one) => one.what).join("\n")).toMatch(/no complete copy in /);
    expect(copied().status).toBe(0);
    // In a test both lie on one disk.
    expect((await seen()).map((one) => one.what)).toEqual([expect.stringMatching(/is on the disk of the data/)]);
    const [name = ""] = readdirSync(place);
    writeFileSync(join(place, name, "state-000000000000099.piece.999999999.part"), "half");
    writeFileSync(join(place, name, "state-000000000000099.piece"), "no state");
    const said = (await seen()).map((one) => one.what).join("\n");
    expect(said).toMatch(/state-000000000000099\.piece in .* is not whole/);
    expect(said).toMatch(/1 half-written files/);
  });

  test("finds a row that does not fit its checksum, and a file that is no longer whole", async () => {
    await configure();
    await fill(3_000);
    const file = join(folder.path, "data", "journal.db");
    const db = new DatabaseSync(file);
    db.exec("UPDATE journal_1 SET time_ms = time_ms + 1 WHERE id = 2990; PRAGMA wal_checkpoint(TRUNCATE)");
    db.close();
    expect((await examine()).get("journal")).toMatchObject({
      level: "fault",
      what: "1 of the newest 3000 rows do not fit their checksum",
    });
    // A page of rows in the middle, overwritten as a bad disk would.
    const pages = Math.floor(readFileSync(file).length / 4_096);
    const handle = openSync(file, "r+");
    for (let page = Math.floor(pages / 2); page < pages; page++)
      writeSync(handle, Buffer.alloc(4_096, 0x5a), 0, 4_096, page * 4_096);
    closeSync(handle);
    expect((await examine()).get("journal")?.level).toBe("fault");
    writeFileSync(file, "this is no database, and long enough to be one".repeat(100));
    expect((await examine()).get("journal")).toMatchObject({
      level: "fault",
      what: expect.stringMatching(/not a database/),
    });
  });

  test("knows a journal of an earlier form, and leaves it as it is", async () => {
    await configure();
    await fill(10);
    const db = new DatabaseSync(join(folder.path, "data", "journal.db"));
    toVersion2(db);
    db.close();
    expect((await examine()).get("journal")).toMatchObject({ level: "warning", what: expect.stringMatching(/form 2/) });
    await fill(11);
    const { journal } = await gather({ config: readConfig(path), path, clock: systemClock });
    // Ten rows in the range of before, one in that of now.
    expect(journal).toMatchObject({ kind: "open", newestId: 11, checkedRows: 11, damagedRows: 0, gapRows: 0 });
  });

  test("as a command: a broken configuration and a taken port are faults, and the exit code is 1", async () => {
    const taken = await listen();
    writeFileSync(
      path,
      `[mqtt]\nport = ${taken}\n[http]\nport = ${await freePort()}\n[ups]\nname = "u"\nport = ${await freePort()}\n`,
    );
    const run = (...flags: string[]) =>
      spawnSync(process.execPath, [MAIN, "doctor", "--config", path, ...flags], { encoding: "utf8", cwd: folder.path });
    const said = run("--json");
    expect(said.status).toBe(1);
    const findings = (JSON.parse(said.stdout) as { findings: Finding[] }).findings;
    const of = (check: string) => findings.find((one) => one.check === check);
    expect(of("devices")).toMatchObject({ level: "fault", what: expect.stringMatching(/another program/) });
    expect(of("ups")).toMatchObject({ level: "fault", what: "u: ECONNREFUSED" });
    expect(of("people")?.mend).toBe(`waakvlam people add NAME --role admin --generate --config ${path}`);
    writeFileSync(path, "[mqtt]\nprot = 1\n");
    const table = run();
    expect(table.status).toBe(1);
    expect(table.stdout).toMatch(/FAULT +configuration +.*line 2: mqtt\/prot is not a known key: did you mean port\?/);
    expect(table.stdout).toMatch(/→ waakvlam config check /);
    // What the defaults name is of another machine.
    const checks = (table.stdout.match(/^(?:OK|WARNING|FAULT) +(?:the rest|\w+)/gm) ?? []).map((one) =>
      one.replace(/^\w+ +/, ""),
    );
    expect(checks.filter((one) => one !== "service")).toEqual(["node", "configuration", "clock", "the rest"]);
    expect(table.stderr).toBe("");
    const version = spawnSync(process.execPath, [MAIN, "--version"], { encoding: "utf8" });
    expect([version.status, version.stdout]).toEqual([0, `${VERSION}\n`]);
  });
});
