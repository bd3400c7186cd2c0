// A broker (Aedes) that notes what is published, behind a proxy that reads the packets and breaks the rules as told.
import { connect, createServer, type Socket } from "node:net";
import { Aedes } from "aedes";
import { generate, type Packet, parser } from "mqtt-packet";
import { listening } from "./http-target.ts";
import { blankTarget, type Fault, type SinkTarget } from "./target.ts";

/** After so many messages on one connection a fault is drawn again. */
const MESSAGES_BETWEEN = 20;
const RETURN_CODES: Partial<Record<Fault, number>> = { refuse: 3, "wrong-key": 5 };

export async function startMqttTarget(): Promise<SinkTarget> {
  const target = blankTarget();
  const broker = new Aedes({
    authorizePublish: (_client, packet, done) => {
      const event = JSON.parse(packet.payload.toString()) as { source: string; id: string; sequence: string };
      target.take({ identity: `${event.source} ${event.id}`, row: Number(event.sequence) });
      done(null);
    },
  });
  await broker.listen();
  const inside = createServer(broker.handle);
  const brokerPort = await listening(inside);
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(brokerPort, "127.0.0.1");
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    relay(client, server, target.draw);
  });
  const port = await listening(proxy);
  return Object.assign(target, {
    url: `mqtt://127.0.0.1:${port}`,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      inside.close();
      await new Promise<void>((resolve) => broker.close(() => resolve()));
    },
  });
}

function relay(client: Socket, server: Socket, draw: () => Fault | undefined): void {
  let fault: Fault | undefined;
  let messages = 0;
  const breakOff = () => {
    client.destroy();
    server.destroy();
  };
  const up = (packet: Packet) => {
    if (packet.cmd === "connect") {
      fault = draw();
      const returnCode = fault === undefined ? undefined : RETURN_CODES[fault];
      if (returnCode !== undefined) {
        client.end(generate({ cmd: "connack", returnCode, sessionPresent: false }));
        return;
      }
    }
    if (packet.cmd === "publish") {
      if (fault === undefined && ++messages % MESSAGES_BETWEEN === 0) fault = draw();
      if (fault === "hang") return;
      if (fault === "reset" || fault === "refuse") return breakOff();
    }
    server.write(generate(packet));
  };
  const down = (packet: Packet) => {
    if (packet.cmd === "puback" && fault === "ack-lost") return breakOff();
    const bytes = generate(packet);
    if (packet.cmd === "puback" && fault === "half-answer") {
      client.write(bytes.subarray(0, 1), breakOff);
      return;
    }
    client.write(bytes);
  };
  const [fromClient, fromServer] = [parser(), parser()];
  fromClient.on("packet", up);
  fromServer.on("packet", down);
  client.on("data", (data: Buffer) => void fromClient.parse(data));
  server.on("data", (data: Buffer) => void fromServer.parse(data));
}
