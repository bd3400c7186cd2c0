// One POST ends once, whatever the other side does with the connection.

import { Agent } from "node:http";
import { createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { listening } from "../tests/sinks/http-target.ts";
import { systemClock } from "./clock.ts";
import { post } from "./http-post.ts";

const TIMEOUT_MS = 200;
const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const sockets = new Set<Socket>();
const server = createServer((socket) => {
  sockets.add(socket.on("error", () => undefined));
  socket.once("data", () => socket.write(answer));
});
let answer = "";
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server.close();
});

async function posted(headers: Record<string, string> = {}): Promise<ReturnType<typeof post>> {
  const url = new URL(`http://127.0.0.1:${await listening(server)}/`);
  return post({ url, headers, body: "x", agent, ca: undefined, timeoutMs: TIMEOUT_MS, clock: systemClock });
}

test("an answer that changes the protocol is an answer, and its connection is let go of", async () => {
  answer = SWITCH;
  expect(await (await posted()).answer).toMatchObject({ status: 101, body: "" });
  await expect.poll(() => [...sockets].every((socket) => socket.readableEnded || socket.destroyed)).toBe(true);
});

test.each([
  ["says nothing", ""],
  ["goes on before it begins", "HTTP/1.1 103 Early Hints\r\n\r\n"],
  ["never ends", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"],
])("one that %s is broken off at once when asked, and at its deadline else", async (_, text) => {
  answer = text;
  const late = await (await posted()).answer;
  expect(late).toEqual({ failure: `no answer in ${TIMEOUT_MS} ms`, timedOut: true });
  server.close();
  const call = await posted();
  call.break();
  expect(await call.answer).toEqual({ failure: "it is being stopped", timedOut: false });
});

test("a header that cannot be is a failure and not thrown", async () => {
  const call = await posted({ authorization: "Bearer two\nlines" });
  expect(await call.answer).toMatchObject({ failure: expect.stringContaining("authorization"), timedOut: false });
});
