// InfluxDB 1.6.7 as Debian has it, behind a small proxy that speaks the v2 write path: an oracle of count and idempotency.
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { freePort, waitFor } from "../fixtures.ts";

export interface Influx {
  /** The v2 address. */
  readonly url: string;
  query(text: string): Promise<unknown[][]>;
  stop(): Promise<void>;
}

const DATABASE = "waakvlam";

export async function startInflux(dir: string): Promise<Influx> {
  const [http, rpc] = [await freePort(), await freePort()];
  const config = join(dir, "influxdb.conf");
  const sections = [
    "reporting-disabled = true",
    `bind-address = "127.0.0.1:${rpc}"`,
    `[meta]\ndir = "${dir}/meta"`,
    `[data]\ndir = "${dir}/data"\nwal-dir = "${dir}/wal"`,
    `[http]\nbind-address = "127.0.0.1:${http}"\nlog-enabled = false`,
    "[monitor]\nstore-enabled = false",
    '[logging]\nlevel = "error"',
  ];
  writeFileSync(config, `${sections.join("\n")}\n`);
  const daemon: ChildProcess = spawn("/usr/bin/influxd", ["-config", config], { stdio: "ignore" });
  const base = `http://127.0.0.1:${http}`;
  await waitFor("influxd", async () => (await fetch(`${base}/ping`).catch(() => undefined))?.status === 204, 30_000);
  await fetch(`${base}/query`, { method: "POST", body: new URLSearchParams({ q: `CREATE DATABASE ${DATABASE}` }) });
  const proxy = startProxy(base);
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    query: async (text) => {
      const answer = await fetch(`${base}/query?${new URLSearchParams({ db: DATABASE, q: text })}`);
      const body = (await answer.json()) as { results?: { series?: { values: unknown[][] }[] }[] };
      return body.results?.[0]?.series?.[0]?.values ?? [];
    },
    stop: async () => {
      proxy.closeAllConnections();
      proxy.close();
      const gone = new Promise((resolve) => daemon.once("exit", resolve));
      daemon.kill("SIGKILL");
      await gone;
    },
  };
}

/** Maps org and bucket to a database, precision names, and the token check of v2. */
function startProxy(base: string): Server {
  return createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://proxy");
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const refuse = (status: number, code: string, message: string) => {
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ code, message }));
      };
      if (url.pathname !== "/api/v2/write") return refuse(404, "not found", "path not found");
      if (request.headers.authorization !== "Token test-token")
        return refuse(401, "unauthorized", "unauthorized access");
      const precision = { ns: "n", us: "u", ms: "ms", s: "s" }[url.searchParams.get("precision") ?? "ns"] ?? "n";
      const target = `${base}/write?${new URLSearchParams({ db: url.searchParams.get("bucket") ?? "", precision })}`;
      const headers: Record<string, string> =
        request.headers["content-encoding"] === "gzip" ? { "content-encoding": "gzip" } : {};
      fetch(target, { method: "POST", headers, body: Buffer.concat(chunks) }).then(
        async (answer) => {
          if (answer.status === 204) response.writeHead(204).end();
          else refuse(answer.status, "invalid", await answer.text());
        },
        () => refuse(503, "unavailable", "no answer"),
      );
    });
  });
}
