// What every way to people has to keep: it ends, never rejects, says what became of a message, and marks it so that a receiver knows
// it again. The receivers are real: a server on loopback, a line on a pseudo-terminal, a broker, a queue of commands.
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import type { Channel, ChannelType } from "../../protocol/index.ts";
import { freePort, NOON_MS, temporaryFolder } from "../../tests/fixtures.ts";
import { GOOD_MODEM, type ModemRule, noPty, startPtyModem } from "../../tests/pty-modem.ts";
import { startSmtpServer } from "../../tests/smtp-server.ts";
import { type Clock, systemClock } from "../clock.ts";
import { createCertificates } from "../registry/certificates.ts";
import { createAudibleCarrier } from "./audible.ts";
import { type Carriers, deliverBy, type Outgoing } from "./channel.ts";
import { createEmailCarrier } from "./email.ts";
import { createMqttCarrier } from "./mqtt.ts";
import { createSmsCarrier } from "./sms.ts";
import { createWebhookCarrier } from "./webhook.ts";

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const CLOCK: Clock = { ...systemClock, after: (ms, run) => systemClock.after(ms / 10, run) };

const MESSAGE: Outgoing = {
  notice: {
    noticeId: "officier-power-alm-01-1-1-raised",
    recipientId: "officier",
    role: "officier",
    reason: "raised",
    priority: 1,
    alertIds: ["power-alm-01-1"],
    count: 1,
    headline: "PRIO 1 | Geen stroom | De Waterlelie | Almere | di 13:00",
    lines: ["Stuur een aggregaat."],
    state: "sending",
    createdAt: new Date(NOON_MS).toISOString(),
    expiresAt: new Date(NOON_MS + 60_000).toISOString(),
    attempts: [],
  },
  parts: [{ text: "PRIO 1", room: "keep" }],
  language: "nl",
};

interface Subject {
  readonly name: ChannelType;
  readonly confirms: boolean;
  /** Why it cannot run here. */
  readonly missing?: string | undefined;
  start(mood: "good" | "busy" | "refusing" | "gone"): Promise<{
    readonly carriers: Carriers;
    readonly way: Channel;
    /** The mark of each message that came. */
    marks(): readonly string[];
  }>;
}

const WEBHOOK: Subject = {
  name: "webhook",
  confirms: true,
  async start(mood) {
    const came: string[] = [];
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      let body = "";
      request.on("data", (part: Buffer) => {
        body += part.toString();
      });
      request.on("end", () => {
        response.statusCode = { good: 202, busy: 503, refusing: 404, gone: 500 }[mood];
        came.push(String((JSON.parse(body) as { id: string }).id));
        response.end();
      });
    };
    const server = createServer(answer);
    const port = await freePort();
    if (mood !== "gone") await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    stops.push(() => new Promise((resolve) => void server.close(() => resolve())));
    const carrier = createWebhookCarrier({ gatewayId: "gw", clock: CLOCK, readFile: () => "" });
    const way: Channel = { type: "webhook", url: `http://127.0.0.1:${port}/` };
    return { carriers: { webhook: carrier }, way, marks: () => came };
  },
};

const EMAIL: Subject = {
  name: "email",
  confirms: true,
  async start(mood) {
    const server = await startSmtpServer();
    const rcpt = { good: "250 ok", busy: "451 later", refusing: "550 <a@b.nl> unknown", gone: "250 ok" }[mood];
    server.answerRcpt(rcpt);
    if (mood === "gone") await server.stop();
    else stops.push(server.stop);
    const options = { host: "127.0.0.1", port: server.port, tls: "none", from: "waakvlam@example.org" } as const;
    const carrier = createEmailCarrier({ ...options, timeoutMs: 2_000 });
    stops.push(() => carrier.close?.());
    const marks = () => server.mails.map(({ text }) => /^Message-ID: <(.*)@/m.exec(text)?.[1] ?? "");
    return { carriers: { email: carrier }, way: { type: "email", address: "a@b.nl" }, marks };
  },
};

const SMS: Subject = {
  name: "sms",
  confirms: true,
  missing: noPty(),
  async start(mood) {
    const rules: Readonly<Record<string, readonly ModemRule[]>> = {
      good: [],
      busy: [["\\x1a$", "\r\n+CMS ERROR: 500\r\n"]],
      refusing: [["\\x1a$", "\r\n+CMS ERROR: 28\r\n"]],
      gone: [["CE?REG\\?", "\r\n+CREG: 0,2\r\n\r\nOK\r\n"]],
    };
    const modem = await startPtyModem([...(rules[mood] ?? []), ...GOOD_MODEM]);
    stops.push(modem.stop);
    const carrier = createSmsCarrier({ port: modem.path, baud: 115_200, clock: CLOCK });
    const marks = () => modem.came.filter((text) => text.endsWith("\u001a")).map((text) => text.slice(-5, -1));
    return { carriers: { sms: carrier }, way: { type: "sms", phone: "+31600000001" }, marks };
  },
};

const MQTT: Subject = {
  name: "mqtt",
  confirms: false,
  async start() {
    const topics: string[] = [];
    const carrier = createMqttCarrier({ publish: (topic) => void topics.push(topic) });
    return { carriers: { mqtt: carrier }, way: { type: "mqtt" }, marks: () => topics };
  },
};

const AUDIBLE: Subject = {
  name: "audible",
  confirms: false,
  async start(mood) {
    const sounded: string[] = [];
    const carrier = createAudibleCarrier({
      sound: async (deviceId, seconds) => {
        if (mood === "gone") throw new Error("the journal cannot be written");
        if (mood !== "good") return mood === "busy" ? "full" : "unknown";
        sounded.push(`${deviceId} ${seconds}`);
        return "taken";
      },
    });
    const way: Channel = { type: "audible", deviceId: "alm-w1-d1", seconds: 20 };
    return { carriers: { audible: carrier }, way, marks: () => sounded };
  },
};

describe.each([WEBHOOK, EMAIL, SMS, MQTT, AUDIBLE])("by $name", (subject) => {
  const has = subject.missing === undefined;

  test.skipIf(!has)("a message gets there, and again under the same mark", async () => {
    const { carriers, way, marks } = await subject.start("good");
    const kind = subject.confirms ? "delivered" : "handed-on";
    expect(await deliverBy(carriers, MESSAGE, way)).toMatchObject({ kind });
    expect(await deliverBy(carriers, MESSAGE, way)).toMatchObject({ kind });
    expect([marks().length, new Set(marks()).size]).toEqual([2, 1]);
    expect(await carriers[subject.name]?.look?.()).toBeUndefined();
  });

  if (subject.name !== "mqtt")
    test.skipIf(!has)("what time can cure is no refusal", async () => {
      const { carriers, way } = await subject.start("busy");
      expect(await deliverBy(carriers, MESSAGE, way)).toMatchObject({ kind: "failed" });
    });

  if (subject.name !== "mqtt")
    test.skipIf(!has)("a way that is gone is said to be down", async () => {
      const { carriers, way } = await subject.start("gone");
      expect(await deliverBy(carriers, MESSAGE, way)).toMatchObject({ kind: "failed", isDown: true });
      const carrier = carriers[subject.name];
      if (carrier?.look !== undefined) expect(await carrier.look()).toMatch(/./);
    });

  if (subject.name !== "mqtt")
    test.skipIf(!has)("what will never be taken is refused", async () => {
      const { carriers, way } = await subject.start("refusing");
      expect(await deliverBy(carriers, MESSAGE, way)).toMatchObject({ kind: "refused" });
    });
});

test("a firewall's page with status 200 delivers no notice: the way is down", async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<!DOCTYPE html><html>Request rejected</html>");
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  stops.push(() => new Promise((resolve) => void server.close(() => resolve())));
  const webhook = createWebhookCarrier({ gatewayId: "gw", clock: CLOCK, readFile: () => "" });
  const outcome = await webhook.deliver(MESSAGE, { type: "webhook", url: `http://127.0.0.1:${port}/` });
  expect(outcome).toEqual({ kind: "failed", reason: "HTTP 200 with a web page", isDown: true });
});

test("a webhook gets the notice as an event, with token and signature", async () => {
  const came: { headers: IncomingMessage["headers"]; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => {
      body += part.toString();
    });
    request.on("end", () => {
      came.push({ headers: request.headers, body });
      response.end();
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  stops.push(() => new Promise((resolve) => void server.close(() => resolve())));
  const readFile = (path: string) => `${path}-text\n`;
  const webhook = createWebhookCarrier({ gatewayId: "gw", clock: CLOCK, readFile });
  await webhook.deliver(MESSAGE, {
    type: "webhook",
    url: `http://127.0.0.1:${port}/`,
    tokenFile: "t",
    secretFile: "s",
  });
  const { headers, body } = came[0] as (typeof came)[0];
  expect(headers["authorization"]).toBe("Bearer t-text");
  const signed = `${MESSAGE.notice.noticeId}.${headers["webhook-timestamp"]}.${body}`;
  expect(headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", "s-text").update(signed).digest("base64")}`);
  expect(JSON.parse(body)).toMatchObject({ specversion: "1.0", data: { headline: MESSAGE.notice.headline } });
});

describe("mail", () => {
  test("goes over STARTTLS, signed in, to a server whose authority is known, and to no other", async () => {
    const folder = temporaryFolder();
    stops.push(folder.remove);
    const files = await createCertificates(folder.path, ["127.0.0.1"], Date.now());
    const read = (path: string) => readFileSync(path, "utf8");
    const server = await startSmtpServer({ key: read(files.key), cert: read(files.certificate) });
    stops.push(server.stop);
    const options = {
      host: "127.0.0.1",
      port: server.port,
      tls: "starttls",
      from: "waakvlam@example.org",
      user: "waakvlam",
      password: "geheim-wachtwoord",
      timeoutMs: 3_000,
    } as const;
    const known = createEmailCarrier({ ...options, ca: read(files.authority) });
    expect(await known.deliver(MESSAGE, { type: "email", address: "a@b.nl" })).toMatchObject({ kind: "delivered" });
    expect(server.mails[0]).toMatchObject({ isTls: true, user: "waakvlam", to: "a@b.nl", from: options.from });
    expect(server.mails[0]?.text).toContain("Stuur een aggregaat.");
    const stranger = createEmailCarrier(options);
    expect(await stranger.deliver(MESSAGE, { type: "email", address: "a@b.nl" })).toMatchObject({ isDown: true });
    expect(server.mails).toHaveLength(1);
  });

  test("goes nowhere in the clear where it should be closed", async () => {
    const server = await startSmtpServer();
    stops.push(server.stop);
    const options = {
      host: "127.0.0.1",
      port: server.port,
      tls: "starttls",
      from: "a@b.nl",
      timeoutMs: 2_000,
    } as const;
    const outcome = await createEmailCarrier(options).deliver(MESSAGE, { type: "email", address: "a@b.nl" });
    expect([outcome.kind, server.mails.length]).toEqual(["failed", 0]);
  });
});
