// The sinks of a configuration file, with their secrets from files, over TLS with an authority of our own.

import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { Aedes } from "aedes";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { ROW_CONTEXT, rowsOfEverything } from "../../tests/influx-rows.ts";
import { listening } from "../../tests/sinks/http-target.ts";
import { systemClock } from "../clock.ts";
import { parseConfig } from "../config/config.ts";
import { createCertificates } from "../registry/certificates.ts";
import type { Sink } from "../sinks/pump.ts";
import { createSinks } from "./sinks.ts";

const SOURCE = "urn:nld:oin:00000001823288444000:systeem:test";
const ROWS = rowsOfEverything().slice(0, 16);
const folder = temporaryFolder();
const told: string[] = [];
let files: { readonly authority: string; readonly certificate: string; readonly key: string };
let broker: Aedes;
let servers: [Server, TlsServer];
let ports: [number, number];

beforeAll(async () => {
  files = await createCertificates(folder.path, ["127.0.0.1"], systemClock.nowMs());
  const tls = { cert: readFileSync(files.certificate), key: readFileSync(files.key) };
  writeFileSync(join(folder.path, "token"), "a-token\n");
  writeFileSync(join(folder.path, "password"), "a-password\n");
  broker = new Aedes({
    authenticate: (client, name, password, done) => {
      told.push(`mqtt ${client.id} ${name} ${password?.toString()}`);
      done(null, true);
    },
  });
  await broker.listen();
  const web = createServer(tls, (request, response) => {
    told.push(`https ${request.url} ${request.headers.authorization}`);
    request.resume().on("end", () => response.writeHead(204).end());
  });
  const mqtt = createTlsServer(tls, broker.handle as never);
  servers = [web, mqtt];
  ports = [await listening(web as never), await listening(mqtt)];
});
afterAll(async () => {
  servers[0].closeAllConnections();
  for (const server of servers) server.close();
  await new Promise<void>((resolve) => broker.close(() => resolve()));
  folder.remove();
});

function sinksOf(caFile: Readonly<Record<string, string>>, tokens: Readonly<Record<string, string>> = {}): Sink[] {
  const [web, mqtt] = ports;
  const raw = {
    influxdb: {
      url: `https://127.0.0.1:${web}`,
      org: "o",
      bucket: "b",
      tokenFile: tokens["influxdb"] ?? "token",
      ...caFile,
    },
    webhook: {
      url: `https://127.0.0.1:${web}/events`,
      source: SOURCE,
      form: "batch",
      tokenFile: tokens["webhook"] ?? "token",
      ...caFile,
    },
    upstream: {
      url: `mqtts://127.0.0.1:${mqtt}`,
      source: SOURCE,
      clientId: "region-1",
      username: "gateway",
      passwordFile: "password",
      ...caFile,
    },
  };
  const config = parseConfig(raw, { path: "test", baseDir: folder.path });
  return createSinks({ config, clock: systemClock, journal: { epoch: "e" }, store: ROW_CONTEXT });
}

describe("the sinks of a configuration", () => {
  test("deliver over TLS to a receiver whose authority they were given, with the secrets of their files", async () => {
    const sinks = sinksOf({ caFile: files.authority });
    expect(sinks.map((sink) => sink.name)).toEqual(["influxdb", "webhook", "upstream"]);
    for (const sink of sinks) expect(await sink.deliver(ROWS), sink.name).toEqual({ kind: "accepted" });
    for (const sink of sinks) sink.close?.();
    expect(told).toEqual([
      "https /api/v2/write?org=o&bucket=b&precision=ns Token a-token",
      "https /events Bearer a-token",
      "mqtt region-1 gateway a-password",
    ]);
  });

  test("tell nothing to one whose authority they do not know", async () => {
    told.length = 0;
    for (const sink of sinksOf({})) {
      expect(await sink.deliver(ROWS), sink.name).toMatchObject({ kind: "retry" });
      sink.close?.();
    }
    expect(told).toEqual([]);
  });

  test("are not made of a token that would break a header, and the file is named", () => {
    const path = join(folder.path, "two-lines");
    writeFileSync(path, "a-token\n# of the region\n");
    for (const name of ["influxdb", "webhook"]) {
      const refused = { code: "CONFIG_INVALID", detail: { path, problems: [expect.stringContaining(path)] } };
      expect(() => sinksOf({}, { [name]: path }), name).toThrowError(expect.objectContaining(refused));
    }
  });

  test("are not made when a file of theirs is not there", () => {
    expect(() => sinksOf({ caFile: join(folder.path, "nowhere.pem") })).toThrowError(
      expect.objectContaining({ code: "FILE_UNREADABLE" }),
    );
  });
});
