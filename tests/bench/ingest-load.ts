// The generator of the ingest bench: raw sockets and packets made beforehand, so that it is never what is measured.
import { connect, type Socket } from "node:net";
import { encodeReport, mqttPassword, sealFrame, uplinkTopic } from "../../protocol/index.ts";
import { NOON_MS, report, sha256 } from "../fixtures.ts";

const KEYS = new Map<string, Uint8Array>();

export function benchName(index: number): string {
  return `bench-${String(index).padStart(4, "0")}`;
}

export function benchKey(deviceId: string): Uint8Array | undefined {
  if (!deviceId.startsWith("bench-")) return undefined;
  let key = KEYS.get(deviceId);
  if (key === undefined) {
    key = new Uint8Array(32).fill(Number(deviceId.slice(6)) & 255);
    KEYS.set(deviceId, key);
  }
  return key;
}

function field(text: string | Uint8Array): Buffer {
  const bytes = Buffer.from(text as string);
  const size = Buffer.alloc(2);
  size.writeUInt16BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

function packet(type: number, body: Buffer): Buffer {
  const length = body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7];
  return Buffer.concat([Buffer.from([type, ...length]), body]);
}

export interface Client {
  readonly latenciesMs: number[];
  acked: number;
  close(): void;
}

/** Connects one device that keeps `inFlight` publishes under way. `firstSequence` goes on where an earlier run ended. */
export function startClient(
  port: number,
  index: number,
  options: { inFlight: number; frames: readonly Buffer[] },
): Promise<Client> {
  const deviceId = benchName(index);
  const key = benchKey(deviceId) as Uint8Array;
  const login = [
    field("MQTT"),
    Buffer.from([4, 0xc2, 0, 60]),
    field(deviceId),
    field(deviceId),
    field(mqttPassword(sha256, key)),
  ];
  const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const sentAt = new Float64Array(65_536);
  const client: Client = { latenciesMs: [], acked: 0, close: () => socket.destroy() };
  let next = 0;
  const send = (count: number) => {
    const batch: Buffer[] = [];
    for (let i = 0; i < count; i++) {
      const frame = options.frames[next % options.frames.length] as Buffer;
      const id = (next % 65_535) + 1;
      frame.writeUInt16BE(id, frame.length - idFromEnd(frame));
      sentAt[id] = performance.now();
      batch.push(Buffer.from(frame));
      next++;
    }
    socket.write(Buffer.concat(batch));
  };
  socket.on("error", () => undefined);
  return new Promise((resolve) => {
    socket.once("connect", () => socket.write(packet(0x10, Buffer.concat(login))));
    let isIn = false;
    let held = Buffer.alloc(0);
    socket.on("data", (data) => {
      held = held.length === 0 ? data : Buffer.concat([held, data]);
      let acks = 0;
      let at = 0;
      const now = performance.now();
      for (; at + 4 <= held.length; at += 4) {
        if (held[at] === 0x20) {
          isIn = true;
          continue;
        }
        acks++;
        if (client.latenciesMs.length < 200_000)
          client.latenciesMs.push(now - (sentAt[held.readUInt16BE(at + 2)] as number));
      }
      held = held.subarray(at);
      client.acked += acks;
      if (acks > 0) send(acks);
      else if (isIn) {
        resolve(client);
        send(options.inFlight);
      }
    });
  });
}

/** Where the packet id stands, from the end: the payload behind it is a sealed frame of this size. */
function idFromEnd(frame: Buffer): number {
  return 2 + ((frame as Buffer & { payloadBytes?: number }).payloadBytes ?? 0);
}

/** Publish packets of one device, each a sealed report with a sequence of its own. */
export function makeFrames(index: number, first: number, count: number): Buffer[] {
  const deviceId = benchName(index);
  const key = benchKey(deviceId) as Uint8Array;
  const topic = field(uplinkTopic(deviceId));
  return Array.from({ length: count }, (_, i) => {
    const sequence = (first + i) & 0xffff;
    const payload = sealFrame(sha256, key, encodeReport(report({ sequence, time: NOON_MS / 1000 + first + i })));
    const made = packet(0x32, Buffer.concat([topic, Buffer.alloc(2), payload]));
    return Object.assign(made, { payloadBytes: payload.length });
  });
}
