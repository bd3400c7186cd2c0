// Receivers over HTTP: InfluxDB 2.x as its handler answers, a webhook that takes CloudEvents, and a proxy before either.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { gunzipSync, gzipSync } from "node:zlib";
import { blankTarget, type Fault, type SinkTarget, type Taken } from "./target.ts";

export const TOKEN = "test-token";
const DRIP_MS = 20;
const FLOOD_BYTES = 4 * 1024 * 1024;

export interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body?: object;
}

/** What is behind the faults. It takes only after it has looked at everything. */
interface Receiver {
  /** The rows of a body; an answer when it is none. */
  parse(body: string, request: IncomingMessage): readonly Taken[] | Answer;
  poisoned(row: number): Answer;
  tooLarge: Answer;
  partial: Answer;
  accepted: Answer;
  wrongKey: Answer;
  /** Hands it on to what really keeps it. */
  keep?(body: string, path: string): Promise<Answer>;
}

export async function startHttpTarget(receiver: Receiver): Promise<SinkTarget> {
  const target = blankTarget();
  const answerOf = async (body: string, request: IncomingMessage, most: number): Promise<Answer> => {
    const rows = receiver.parse(body, request);
    if (!("length" in rows)) return rows;
    if (rows.length > target.rowsMax) return receiver.tooLarge;
    const bad = rows.find(({ row }) => target.isPoison(row));
    if (bad !== undefined) return receiver.poisoned(bad.row);
    const kept = await receiver.keep?.(body, request.url ?? "/");
    if (kept !== undefined && kept.status !== receiver.accepted.status) return kept;
    for (const one of rows.slice(0, most)) target.take(one);
    return receiver.accepted;
  };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("error", () => undefined);
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const raw = Buffer.concat(parts);
      const body = (request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw).toString();
      const fault = target.draw();
      const before = fault === undefined ? undefined : beforeTaking(fault, receiver);
      if (before !== undefined) return before(response);
      const most = fault === "partial" ? 1 : Number.POSITIVE_INFINITY;
      answerOf(body, request, most).then(
        (answer) => afterTaking(fault, answer, receiver)(response),
        () => response.destroy(),
      );
    });
  });
  const port = await listening(server);
  return Object.assign(target, {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

type Reply = (response: ServerResponse) => void;

function say({ status, type = "application/json", body }: Answer, headers: Record<string, string> = {}): Reply {
  return (response) => {
    if (body === undefined) response.writeHead(status, headers).end();
    else response.writeHead(status, { ...headers, "content-type": type }).end(JSON.stringify(body));
  };
}

/** Bytes on the wire, and then nothing more. */
function breakOff(text: string): Reply {
  return (response) => {
    response.socket?.write(text, () => response.socket?.destroy());
  };
}

function beforeTaking(fault: Fault, receiver: Receiver): Reply | undefined {
  switch (fault) {
    case "refuse":
      return say({ status: 503, body: { code: "unavailable", message: "busy" } }, { "retry-after": "2" });
    case "overload":
      return say({ status: 429, body: { code: "too many requests", message: "slow down" } }, { "retry-after": "3" });
    case "internal":
      return say({ status: 500, body: { code: "internal error", message: "oops" } });
    case "reset":
      return (response) => void response.socket?.destroy();
    case "half-refusal": {
      const { type = "application/json", body } = receiver.poisoned(0);
      const whole = JSON.stringify(body);
      const head = `HTTP/1.1 422 No\r\ncontent-type: ${type}\r\ncontent-length: ${whole.length + 10}\r\n\r\n`;
      return breakOff(head + whole);
    }
    case "hang":
      return () => undefined;
    case "trickle":
      return (response) => {
        response.writeHead(receiver.accepted.status === 204 ? 200 : receiver.accepted.status);
        const drip = setInterval(() => response.write("."), DRIP_MS);
        response.on("close", () => clearInterval(drip));
      };
    case "switch":
      return (response) => {
        response.socket?.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n");
      };
    case "flood": {
      const { status, type = "application/json", body } = receiver.poisoned(0);
      return (response) => {
        response.writeHead(status, { "content-type": type, "content-encoding": "gzip" });
        response.end(gzipSync(JSON.stringify(body).padEnd(FLOOD_BYTES)));
      };
    }
    case "foreign":
      return (response) => void response.writeHead(400, { "content-type": "text/html" }).end("<h1>no</h1>");
    case "page": {
      const page = "<html><head><title>Request Rejected</title></head><body>Your support ID is 1.</body></html>";
      return (response) => void response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
    }
    case "wrong-key":
      return say(receiver.wrongKey);
    default:
      return undefined;
  }
}

function afterTaking(fault: Fault | undefined, answer: Answer, receiver: Receiver): Reply {
  if (fault === "ack-lost") return (response) => void response.socket?.destroy();
  if (fault === "half-answer") return breakOff("HTTP/1.1 20");
  return say(fault === "partial" ? receiver.partial : answer);
}

export async function listening(server: Server | import("node:net").Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const LINE = /^([a-z]+,\S+) (\S+(?:"[^"]*"\S*)*) (-?\d+)$/;

/** InfluxDB 2.x: token, bucket, line protocol; a batch with a line that cannot be read writes nothing. */
export function influxReceiver(keep?: Receiver["keep"]): Receiver {
  const wrong = (status: number, code: string, message: string): Answer => ({ status, body: { code, message } });
  return {
    parse(body, request) {
      const url = new URL(request.url ?? "/", "http://target");
      if (request.headers.authorization !== `Token ${TOKEN}`) return wrong(401, "unauthorized", "unauthorized access");
      if (url.pathname !== "/api/v2/write" || url.searchParams.get("bucket") !== "waakvlam")
        return wrong(404, "not found", "bucket not found");
      const rows: Taken[] = [];
      for (const line of body.split("\n")) {
        const found = LINE.exec(line);
        const row = /(?:^|,)row=(\d+)\.0/.exec(found?.[2] ?? "")?.[1];
        if (found === null || row === undefined) return wrong(400, "invalid", `unable to parse '${line}': bad line`);
        rows.push({ identity: `${found[1]} ${found[3]}`, row: Number(row) });
      }
      return rows;
    },
    poisoned: (row) => wrong(422, "unprocessable entity", `partial write: field type conflict: row ${row} dropped=1`),
    tooLarge: wrong(413, "request too large", "unable to read data: points batch is too large"),
    partial: { status: 201 },
    accepted: { status: 204 },
    wrongKey: wrong(401, "unauthorized", "unauthorized access"),
    ...(keep === undefined ? {} : { keep }),
  };
}

/** A webhook: bearer token, CloudEvents alone or in a batch, problems as RFC 9457 has them. */
export function webhookReceiver(): Receiver {
  const problem = (status: number, title: string): Answer => {
    return { status, type: "application/problem+json", body: { status, title } };
  };
  return {
    parse(body, request) {
      if (request.headers.authorization !== `Bearer ${TOKEN}`) return problem(401, "unauthorized");
      const type = request.headers["content-type"] ?? "";
      const isBatch = type.startsWith("application/cloudevents-batch+json");
      if (!isBatch && !type.startsWith("application/cloudevents+json")) return problem(415, "not a CloudEvent");
      const value = JSON.parse(body) as { source: string; id: string; sequence: string };
      const events = isBatch ? (value as unknown as (typeof value)[]) : [value];
      return events.map((event) => ({ identity: `${event.source} ${event.id}`, row: Number(event.sequence) }));
    },
    poisoned: (row) => problem(422, `row ${row} cannot be taken`),
    tooLarge: problem(413, "too large"),
    partial: { status: 207 },
    accepted: { status: 204 },
    wrongKey: problem(403, "forbidden"),
  };
}
