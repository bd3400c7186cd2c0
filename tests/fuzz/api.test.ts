// Every operation of the API document, asked with what it allows and with what it does not: the whole gateway answers as the document
// says, and never with a fault of its own.
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import fc, { type Arbitrary } from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addPerson } from "../../gateway/registry/people.ts";
import type { Device } from "../../protocol/index.ts";
import { startGateway, type TestGateway } from "../e2e/gateway.ts";
import { temporaryFolder } from "../fixtures.ts";
import { anyFor, namedFor, type Schema, type SchemaWorld } from "./schema-values.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? Math.floor(performance.timeOrigin) % 1_000_000);
/** Of each operation. */
const RUNS = Math.ceil(Number(process.env["FUZZ_RUNS"] ?? 20_000) / 500);
const ADMIN = { name: "admin-1", password: "a-password-for-tests" };
const STATION = "0016c001f153a14c";
const DEV_EUI = "70b3d57ed0000001";
const LORA: Device = {
  deviceId: "alm-01-l1",
  pointId: "alm-01",
  board: "xiaoble",
  link: "lorawan",
  lorawan: { devEui: DEV_EUI },
};
/** It does not end, and is asked elsewhere (stream.test.ts); a session that is ended ends the test. */
const LEFT_OUT = new Set(["get /v1/stream", "delete /v1/session"]);
console.info(`fuzz: FUZZ_SEED=${SEED} FUZZ_RUNS=${RUNS * 500}`);

interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}

interface Asked {
  readonly path: string;
  readonly body: string | undefined;
}

const folder = temporaryFolder();
const ajv = new Ajv2020({ strict: false, validateFormats: false });
let gateway: TestGateway;
let cookie = "";
let schemas: Record<string, Schema> = {};
let operations: [string, string, Operation][] = [];

async function ask(method: string, path: string, body?: string): Promise<Response> {
  const headers = { cookie, ...(body === undefined ? {} : { "content-type": "application/json" }) };
  return fetch(`${gateway.app.http.url}${path}`, {
    method,
    headers,
    redirect: "manual",
    ...(body === undefined ? {} : { body }),
  });
}

beforeAll(async () => {
  await addPerson(folder.path, { name: ADMIN.name, role: "admin" }, ADMIN.password);
  gateway = await startGateway({
    dir: folder.path,
    devices: [LORA],
    sections: { lorawan: { udpPort: 0, stations: [{ eui: STATION, name: "Roof", path: "roof" }] } },
  });
  const signedIn = await ask("POST", "/v1/session", JSON.stringify(ADMIN));
  cookie = (signedIn.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const document = (await (await ask("GET", "/v1/openapi.json")).json()) as {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, Schema> };
  };
  schemas = document.components.schemas;
  ajv.addSchema({ $id: "document", components: { schemas } });
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]): [string, string, Operation] => [method, path, one]),
  );
  await ask("POST", "/v1/points/alm-01/requests", JSON.stringify({ kind: "fuel", via: "voice" }));
});

afterAll(async () => {
  await gateway.app.stop();
  folder.remove();
});

const POINTS = ["alm-01", "alm-02"];
const DEVICES = ["alm-01-d1", "alm-02-d1", LORA.deviceId];

/** What may stand in a path or a body, and means something now. */
async function worldNow(oddOneIn: number): Promise<SchemaWorld> {
  const [alerts, requests] = (await Promise.all(
    ["/v1/alerts", "/v1/requests?state=all"].map(async (path) => (await ask("GET", path)).json()),
  )) as [{ alertId: string }[], { requestId: string }[]];
  const now = Date.now();
  const moments = [-3_600_000, 3_600_000, 86_400_000, -1e12].map((ms) => new Date(now + ms).toISOString());
  return {
    schemas,
    oddOneIn,
    words: [
      ...[...POINTS, ...DEVICES, ...moments, "almere", "points", "people", "nl", "all", "generator", "1", "Een reden."],
      ...[DEV_EUI, STATION, "a".repeat(32), "2026-11-24T12:00:00Z", "2026-02-30T12:00:00Z", "2027-01-01"],
    ],
    known: {
      pointId: POINTS,
      deviceId: DEVICES,
      noun: ["points", "devices", "assets", "assignments", "contacts"],
      alertId: alerts.slice(0, 5).map((one) => one.alertId),
      requestId: requests.slice(0, 5).map((one) => one.requestId),
      fields: ["power.fuelLevelPct", "people.present", "phase,power.fuelLevelPct"],
      via: ["voice", "screen"],
      ...{ from: moments, to: moments, until: moments, at: moments },
    },
  };
}

function askedOf(path: string, { parameters = [], requestBody }: Operation, world: SchemaWorld): Arbitrary<Asked> {
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  const inPath = parameters.filter((one) => one.in === "path");
  const inQuery = parameters.filter((one) => one.in === "query");
  const json = requestBody?.content["application/json"]?.schema;
  const body = json === undefined ? fc.constant(undefined) : anyFor(json, world).map((value) => JSON.stringify(value));
  const torn = fc.constantFrom("", "{", "[1,", '"', '{"a":1}}', "\u0000", `{"__proto__":{"a":1}}`, "[".repeat(5_000));
  return fc
    .record({
      places: fc.record(Object.fromEntries(inPath.map((one) => [one.name, namedFor(one.name, one.schema, world)]))),
      query: fc.record(Object.fromEntries(inQuery.map((one) => [one.name, namedFor(one.name, one.schema, world)])), {
        requiredKeys: [],
      }),
      body: json === undefined ? body : fc.oneof({ weight: 15, arbitrary: body }, { weight: 1, arbitrary: torn }),
    })
    .map(({ places, query, body: sent }) => {
      const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(text(places[name])));
      const said = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(text(value))}`);
      return { path: said.length === 0 ? filled : `${filled}?${said.join("&")}`, body: sent };
    });
}

/** Compiled once each. */
const checks = new Map<string, ValidateFunction>();
function checkOf(key: string, schema: Schema): ValidateFunction {
  const known = checks.get(key);
  if (known !== undefined) return known;
  const whole = JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/')) as Schema;
  const made = ajv.compile(whole);
  checks.set(key, made);
  return made;
}

/** What is wrong with an answer; undefined when it is what the document says. */
async function faultOf(name: string, operation: Operation, answer: Response): Promise<string | undefined> {
  const body = await answer.text();
  const kind = (answer.headers.get("content-type") ?? "").split(";")[0] ?? "";
  if (answer.status >= 500) return `${answer.status}: ${body}`;
  const isProblem = answer.status >= 400;
  const said = operation.responses[String(answer.status)] ?? (isProblem ? operation.responses["default"] : undefined);
  if (said === undefined) return `${answer.status} is not in the document`;
  const content = Object.entries(said.content ?? {})[0];
  if (content === undefined) return body === "" ? undefined : `${answer.status} has a body`;
  if (content[0] !== kind) return `${answer.status} is ${kind}, not ${content[0]}`;
  if (!kind.endsWith("json")) return undefined;
  const check = checkOf(`${name} ${isProblem ? "problem" : answer.status}`, content[1].schema);
  const value = JSON.parse(body) as unknown;
  if (!check(value)) return `${answer.status}: ${ajv.errorsText(check.errors)} in ${body.slice(0, 600)}`;
  if (isProblem && /node:|\.ts:|\.js:|SqliteError|undefined is|of undefined|\[object /.test(body))
    return `it shows its inside: ${body}`;
  return undefined;
}

test("every operation answers as the document says, whatever it is asked", { timeout: 300_000 }, async () => {
  const statuses = new Map<number, number>();
  for (const [method, path, operation] of operations) {
    const name = `${method} ${path}`;
    if (LEFT_OUT.has(name)) continue;
    // The whole registry in one body is nearly always wrong: it gets its chance.
    const world = await worldNow(path === "/v1/registry" ? 60 : 12);
    await fc.assert(
      fc.asyncProperty(askedOf(path, operation, world), async (asked) => {
        const answer = await ask(method.toUpperCase(), asked.path, asked.body);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        const fault = await faultOf(name, operation, answer);
        expect(fault, `${method} ${asked.path} ${asked.body}`).toBeUndefined();
      }),
      { seed: SEED, numRuns: RUNS, endOnFailure: true },
    );
  }
  console.info(`fuzz: answers ${JSON.stringify(Object.fromEntries(statuses))}`);
  // It was not all refused, and not all taken.
  expect(statuses.get(200) ?? 0).toBeGreaterThan(operations.length);
  expect(statuses.get(400) ?? 0).toBeGreaterThan(operations.length);
  const ready = await ask("GET", "/readyz");
  expect(ready.status).toBe(200);
});
