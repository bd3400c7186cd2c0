// Who is connected. At most one connection of a client identifier lives on [MQTT-3.1.4-2], and all can be ended at once,
// whatever they are in the middle of. Aedes knows only clients that signed in, one by each identifier.
import type { Socket } from "node:net";
import type { Client } from "aedes";
import type { Answerable } from "./answers.ts";
import type { Flow } from "./flow.ts";
import { createHold } from "./hold.ts";

export interface Connections {
  /** A connection as the system gave it: before its TLS handshake, when there is one. */
  accept(socket: Socket): void;
  add(client: Client, flow: Flow<Answerable>): void;
  /** It signed in and may publish: whoever else has its identifier is closed. */
  isReady(client: Client): void;
  flowOf(client: Client): Flow<Answerable> | undefined;
  /** Bytes of a publish have come and are not read yet. */
  publishCame(client: Client): void;
  /** Whether who publishes is read. */
  hold(held: boolean): void;
  clients(): Iterable<Client>;
  count(): number;
  closeClient(clientId: string): void;
  closeAll(): void;
}

export function createConnections(): Connections {
  const sockets = new Set<Socket>();
  const flows = new Map<Client, Flow<Answerable>>();
  const ready = new Map<string, Client>();
  const hold = createHold();
  return {
    accept(socket) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    },
    add(client, flow) {
      flows.set(client, flow);
      client.conn.once("close", () => {
        flow.close();
        hold.left(flow);
        flows.delete(client);
        if (ready.get(client.id) === client) ready.delete(client.id);
      });
    },
    isReady(client) {
      // One that was closed in the middle of its sign-in may still come to the end of it.
      if (client.closed || !flows.has(client)) return;
      // Aedes closes whom it finds by the identifier: of two that sign in at the same time one finds the other's forerunner.
      const other = ready.get(client.id);
      ready.set(client.id, client);
      if (other !== client) other?.close();
    },
    flowOf: (client) => flows.get(client),
    publishCame(client) {
      const flow = flows.get(client);
      if (flow !== undefined) hold.publishCame(flow);
    },
    hold: (held) => hold.set(held, flows.values()),
    clients: () => flows.keys(),
    count: () => flows.size,
    closeClient(clientId) {
      for (const client of flows.keys()) if (client.id === clientId) client.close();
    },
    closeAll() {
      for (const client of flows.keys()) client.close();
      // What is left: a handshake that never ended.
      for (const socket of sockets) socket.destroy();
    },
  };
}
