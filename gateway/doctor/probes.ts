// Looks beyond this process: a port, the gateway's own pages, the journal, the system's clock and services.
import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { GatewayConfig } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import { JOURNAL_FILE, JOURNAL_VERSION } from "../journal/file.ts";
import type { DoctorFacts, HistoryFileFacts, HttpFacts, JournalFacts } from "./facts.ts";
import type { ProbeLine } from "./journal-probe.ts";

const CONNECT_MS = 3_000;
const HTTP_MS = 5_000;
const BODY_BYTES_MAX = 64 * 1_024;
const PROBE_MS = 20_000;
const COMMAND_MS = 3_000;

/** Undefined when something listens there, else why not. */
export function answers(
  { host, port }: { readonly host: string; readonly port: number },
  clock: Pick<Clock, "after">,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    // Port 0 is any free one: nothing can listen there yet.
    if (port === 0) return resolve("any free port");
    const socket = connect({ host, port });
    const timer = clock.after(CONNECT_MS, () => end(`no answer within ${CONNECT_MS} ms`));
    const end = (failure: string | undefined) => {
      timer.stop();
      socket.destroy();
      resolve(failure);
    };
    socket.once("connect", () => end(undefined));
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

type Page = { readonly status: number; readonly body: string } | undefined;

function getPage(config: GatewayConfig["http"], host: string, path: string): Promise<Page> {
  return new Promise((resolve) => {
    const isTls = config.tlsCert !== undefined;
    // Whose certificate it is does not matter to somebody who asks it nothing but how it is.
    const options = {
      host,
      port: config.port,
      path,
      timeout: HTTP_MS,
      ...(isTls ? { rejectUnauthorized: false } : {}),
    };
    const request = (isTls ? requestHttps : requestHttp)(options, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (text: string) => {
        body += text;
        if (body.length > BODY_BYTES_MAX) request.destroy();
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body }));
    });
    request.on("timeout", () => request.destroy());
    request.on("close", () => resolve(undefined));
    request.on("error", () => resolve(undefined));
    request.end();
  });
}

export async function askGateway(
  config: GatewayConfig["http"],
  host: string,
  clock: Pick<Clock, "after">,
): Promise<Pick<HttpFacts, "answer" | "notReady">> {
  if ((await answers({ host, port: config.port }, clock)) !== undefined) return { answer: "nobody", notReady: [] };
  const health = await getPage(config, host, "/healthz");
  const isGateway = health?.status === 200 && parsed(health.body)["status"] === "ok";
  if (!isGateway) return { answer: "other", notReady: [] };
  const ready = await getPage(config, host, "/readyz");
  if (ready?.status === 200) return { answer: "gateway", notReady: [] };
  const { problems, detail } = parsed(ready?.body ?? "");
  return {
    answer: "gateway",
    notReady: Array.isArray(problems) ? problems.map(String) : [String(detail ?? "no answer")],
  };
}

function parsed(body: string): Record<string, unknown> {
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** What a probe in a process of its own said in time. One that waits for a disk that does not answer is left behind. */
export async function linesOf<Line>(
  probe: URL,
  words: readonly string[],
  clock: Pick<Clock, "after">,
): Promise<{ readonly lines: readonly Line[]; readonly err: string }> {
  const child = spawn(process.execPath, [fileURLToPath(probe), ...words], { stdio: ["ignore", "pipe", "pipe"] });
  const said = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.err = (said.err + text).slice(-2_000);
  });
  await new Promise<void>((resolve) => {
    const timer = clock.after(PROBE_MS, () => {
      child.kill("SIGKILL");
      child.unref();
      child.stdout.destroy();
      child.stderr.destroy();
      resolve();
    });
    child.once("close", () => {
      timer.stop();
      resolve();
    });
  });
  // The last line may be torn off.
  const whole = said.out.split("\n").slice(0, -1);
  return { lines: whole.map((line) => JSON.parse(line) as Line), err: said.err };
}

/** The journal, and beside it what is made of it. */
export async function probeJournal(
  dir: string,
  clock: Pick<Clock, "after">,
): Promise<{ readonly journal: JournalFacts; readonly history: HistoryFileFacts }> {
  try {
    accessSync(join(dir, JOURNAL_FILE), constants.R_OK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (code === "ENOENT") return { journal: { kind: "none" }, history: { kind: "none" } };
    const unreadable = { kind: "unreadable", reason: `this user may not read it (${code})` } as const;
    return { journal: unreadable, history: unreadable };
  }
  const { lines, err } = await linesOf<ProbeLine>(new URL("./journal-probe.ts", import.meta.url), [dir], clock);
  return { journal: journalFacts(lines, err), history: historyFacts(lines) };
}

function historyFacts(lines: readonly ProbeLine[]): HistoryFileFacts {
  const found = lines.find((line) => line.step === "history");
  if (found === undefined) return { kind: "none" };
  return "covered" in found ? { kind: "open", covered: found.covered } : { kind: "unreadable", reason: found.reason };
}

/** Of the steps that were done in time. */
function journalFacts(lines: readonly ProbeLine[], err: string): JournalFacts {
  const step = <S extends ProbeLine["step"]>(name: S) =>
    lines.find((line): line is Extract<ProbeLine, { step: S }> => line.step === name);
  const open = step("open");
  const failed = step("failed");
  const other = step("version");
  if (other !== undefined) return { kind: "version", found: other.version, known: JOURNAL_VERSION };
  if (open === undefined || failed !== undefined) {
    const reason = failed?.reason ?? err.split("\n").find((line) => line.includes("Error")) ?? "no answer in time";
    return { kind: "unreadable", reason };
  }
  const { step: _, ...said } = open;
  const rows = step("rows");
  const file = step("file");
  return {
    kind: "open",
    ...said,
    checkedRows: rows?.checkedRows ?? 0,
    damagedRows: rows?.damagedRows ?? 0,
    ...(file === undefined ? {} : { quickCheck: file.quickCheck }),
  };
}

function command(name: string, args: readonly string[]): string | undefined {
  const result = spawnSync(name, args, { encoding: "utf8", timeout: COMMAND_MS, stdio: ["ignore", "pipe", "ignore"] });
  return result.status === 0 ? result.stdout : undefined;
}

/** Whether the system's clock follows a time source; undefined where nobody says. */
export function readClock(): boolean | undefined {
  const answer = command("timedatectl", ["show", "-p", "NTPSynchronized", "--value"])?.trim();
  if (answer === "yes" || answer === "no") return answer === "yes";
  // The reference id of nothing at all.
  const chrony = command("chronyc", ["-c", "tracking"]);
  return chrony === undefined ? undefined : !chrony.startsWith("00000000,");
}

export function readUnit(): DoctorFacts["unit"] {
  const names = ["LoadState", "ActiveState", "UnitFileState", "NRestarts"];
  const answer = command("systemctl", ["show", "waakvlam.service", ...names.map((name) => `--property=${name}`)]);
  const values = new Map(
    (answer ?? "").split("\n").map((line) => [line.split("=")[0] ?? "", line.split("=")[1] ?? ""]),
  );
  if (values.get("LoadState") !== "loaded") return undefined;
  return {
    active: values.get("ActiveState") ?? "",
    enabled: values.get("UnitFileState") ?? "",
    restarts: Number(values.get("NRestarts") ?? 0),
  };
}
