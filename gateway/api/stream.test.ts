import { createServer, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { Alert, GatewayState, PointState } from "../../protocol/index.ts";
import { NOON_MS, waitFor } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import type { EngineNews } from "./interfaces.ts";
import {
  BEHIND_MS_MAX,
  createStreamHub,
  eventText,
  FLUSH_MS,
  HEARTBEAT_MS,
  STREAMS_MAX,
  type StreamResponse,
  WAITING_BYTES_MAX,
} from "./stream.ts";

const point = (pointId: string, name = "") => ({ pointId, name }) as PointState;
const alert = (alertId: string, state: Alert["state"] = "unacknowledged") => ({ alertId, state }) as Alert;

function start(size = 0) {
  const clock = virtualClock(NOON_MS);
  const listeners = new Set<(news: EngineNews) => void>();
  const points = Array.from({ length: size }, (_, i) => point(`p-${i}`, "x".repeat(2_000)));
  const gateway = () => ({ gatewayId: "test", asOf: new Date(clock.nowMs()).toISOString() }) as GatewayState;
  const engine = {
    gateway,
    overview: () => ({ gateway: gateway(), points, alerts: [] }),
    onChange: (listener: (news: EngineNews) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const tell = (news: Partial<EngineNews>) => {
    for (const listener of listeners) listener({ points: [], alerts: [], ...news });
  };
  return { clock, tell, listeners, points, hub: createStreamHub(engine, clock) };
}

/** A response that notes what is written; `waiting` is what the line has not taken yet. */
function paper() {
  const seen = { text: "", ended: false, destroyed: false, waiting: 0, isAllowed: true };
  const response = {
    writeHead: () => response,
    write: (text: string) => {
      seen.text += text;
      return true;
    },
    end: () => {
      seen.ended = true;
      return response;
    },
    destroy: () => {
      seen.destroyed = true;
      return response;
    },
    on: () => response,
    get writableLength() {
      return seen.waiting;
    },
    destroyed: false,
  } as unknown as StreamResponse;
  return { seen, client: { response, isAllowed: () => seen.isAllowed } };
}

function eventsIn(text: string): { event: string; data: Record<string, unknown> }[] {
  return [...text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map((match) => ({
    event: match[1] as string,
    data: JSON.parse(match[2] as string) as Record<string, unknown>,
  }));
}

describe("a stream", () => {
  test("begins with how soon to come back, and the whole picture", () => {
    const { hub } = start(2);
    const { seen, client } = paper();
    hub.open(client);
    expect(seen.text.startsWith("retry: 2000\n\nevent: overview\n")).toBe(true);
    expect(eventsIn(seen.text)[0]?.data["points"]).toHaveLength(2);
  });

  test("tells of each point and alert once a second at most, and of the newest", async () => {
    const { hub, clock, tell } = start();
    const { seen, client } = paper();
    hub.open(client);
    tell({ points: [point("a", "old"), point("b")] });
    tell({ points: [point("a", "new")], alerts: [alert("x")] });
    tell({ alerts: [alert("x", "normal")] });
    await clock.advance(FLUSH_MS - 1);
    expect(eventsIn(seen.text)).toHaveLength(1);
    await clock.advance(1);
    expect(eventsIn(seen.text).slice(1)).toEqual([
      { event: "point", data: { pointId: "a", name: "new" } },
      { event: "point", data: { pointId: "b", name: "" } },
      { event: "alert", data: { alertId: "x", state: "normal" } },
    ]);
    await clock.advance(FLUSH_MS);
    expect(eventsIn(seen.text)).toHaveLength(4);
  });

  test("tells the whole picture anew when a point is gone, and then only what changes", async () => {
    const { hub, tell, clock, points } = start(2);
    const { seen, client } = paper();
    hub.open(client);
    points.pop();
    tell({ gone: ["p-1"] });
    await clock.advance(FLUSH_MS);
    tell({ points: [point("p-0")] });
    await clock.advance(FLUSH_MS);
    const events = eventsIn(seen.text);
    expect(events.map(({ event }) => event)).toEqual(["overview", "overview", "point"]);
    expect(events[1]?.data["points"]).toHaveLength(1);
  });

  test("beats with the gateway's own state, silent otherwise", async () => {
    const { hub, clock } = start();
    const { seen, client } = paper();
    hub.open(client);
    await clock.advance(3 * HEARTBEAT_MS);
    expect(eventsIn(seen.text).map((one) => one.event)).toEqual(["overview", "gateway", "gateway", "gateway"]);
    expect(eventsIn(seen.text)[1]?.data["asOf"]).toBe("2026-11-24T12:00:05.000Z");
  });

  test("ends within a heartbeat when its session has ended, the others go on", async () => {
    const { hub, clock } = start();
    const [ends, stays] = [paper(), paper()];
    hub.open(ends.client);
    hub.open(stays.client);
    ends.seen.isAllowed = false;
    await clock.advance(HEARTBEAT_MS);
    expect(ends.seen.ended).toBe(true);
    expect(eventsIn(ends.seen.text)).toHaveLength(1);
    expect(eventsIn(stays.seen.text)).toHaveLength(2);
    expect(hub.size()).toBe(1);
  });

  test("that has too much waiting is let go, one byte less is not", async () => {
    const { hub, clock } = start();
    const [full, nearly] = [paper(), paper()];
    full.seen.waiting = WAITING_BYTES_MAX + 1;
    nearly.seen.waiting = WAITING_BYTES_MAX;
    hub.open(full.client);
    hub.open(nearly.client);
    await clock.advance(HEARTBEAT_MS);
    expect([full.seen.destroyed, nearly.seen.destroyed]).toEqual([true, false]);
  });

  test("that has something waiting for too long is let go, one that catches up in between is not", async () => {
    const { hub, clock, tell } = start();
    const [stuck, slow] = [paper(), paper()];
    hub.open(stuck.client);
    hub.open(slow.client);
    for (let ms = 0; ms <= BEHIND_MS_MAX; ms += FLUSH_MS) {
      stuck.seen.waiting = 10;
      slow.seen.waiting = ms % 5_000 === 0 ? 0 : 10;
      tell({ points: [point("a")] });
      expect(stuck.seen.destroyed).toBe(false);
      await clock.advance(FLUSH_MS);
    }
    expect([stuck.seen.destroyed, slow.seen.destroyed, hub.size()]).toEqual([true, false, 1]);
  });

  test("is one of a bounded number", () => {
    const { hub } = start();
    for (let i = 0; i < STREAMS_MAX; i++) {
      expect(hub.isFull()).toBe(false);
      hub.open(paper().client);
    }
    expect(hub.isFull()).toBe(true);
  });

  test("ends with the gateway, which listens to nobody any more", async () => {
    const { hub, clock, tell, listeners } = start();
    const { seen, client } = paper();
    hub.open(client);
    tell({ points: [point("a")] });
    hub.close();
    expect([seen.ended, hub.size(), listeners.size]).toEqual([true, 0, 0]);
    await clock.advance(2 * HEARTBEAT_MS);
    expect(eventsIn(seen.text)).toHaveLength(1);
  });

  test("never breaks an event in two, whatever a name holds", () => {
    expect(eventText("point", { name: "a\n\ndata: b\r" })).toBe('event: point\ndata: {"name":"a\\n\\ndata: b\\r"}\n\n');
  });
});

describe("a stream over a real socket", () => {
  let server: Server | undefined;
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
  });

  test("a screen that stops reading is dropped, and one that reads gets everything", async () => {
    const { hub, clock, tell, points } = start(1_000);
    const responses: ServerResponse[] = [];
    server = createServer((_request, response) => {
      responses.push(response);
      hub.open({ response, isAllowed: () => true });
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const open = () => {
      const socket = connect(port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
      sockets.push(socket);
      return socket;
    };
    let got = 0;
    open().on("data", (chunk) => {
      got += chunk.toString("latin1").split("event: point").length - 1;
    });
    await waitFor("the reader", () => hub.size() === 1);
    const deaf = open();
    deaf.pause();
    await waitFor("both", () => hub.size() === 2);

    let rounds = 0;
    while (hub.size() === 2 && rounds < 60) {
      rounds++;
      tell({ points });
      await clock.advance(FLUSH_MS);
      // The virtual clock runs ahead of the line: a screen that reads has taken all before it goes on.
      await waitFor("the reader's line to be empty", () => responses[0]?.writableLength === 0);
    }
    expect(hub.size()).toBe(1);
    expect(responses.map((one) => one.destroyed)).toEqual([false, true]);
    await waitFor("all that was sent", () => got >= (rounds - 1) * points.length);
  });
});
