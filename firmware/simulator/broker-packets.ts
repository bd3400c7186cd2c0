// The broker's side of the MQTT packets that a device speaks, for a gateway within the process.

export interface BrokerPackets {
  take(data: string): void;
  publish(topic: string, payload: Uint8Array): string;
}

function word(value: number): string {
  return String.fromCharCode((value >> 8) & 255, value & 255);
}

function packet(type: number, body: string): string {
  let length = "";
  let left = body.length;
  do {
    const byte = left & 127;
    left >>= 7;
    length += String.fromCharCode(left > 0 ? byte | 128 : byte);
  } while (left > 0);
  return String.fromCharCode(type) + length + body;
}

export function createPacketReaderOfBroker(options: {
  readonly reply: (data: string) => void;
  /** With its PUBACK. Who takes that sends it himself, when the payload is stored. */
  readonly published: (payload: Uint8Array, puback: string) => void;
  readonly holdsPuback?: boolean;
}): BrokerPackets {
  let held = "";

  function handle(type: number, body: string): void {
    const kind = type >> 4;
    if (kind === 1) options.reply(packet(0x20, "\0\0"));
    else if (kind === 8) options.reply(packet(0x90, `${body.slice(0, 2)}\0`));
    else if (kind === 12) options.reply(packet(0xd0, ""));
    else if (kind === 3) {
      const size = (body.charCodeAt(0) << 8) | body.charCodeAt(1);
      const puback = packet(0x40, body.slice(2 + size, 4 + size));
      if (options.holdsPuback !== true) options.reply(puback);
      options.published(
        Uint8Array.from(body.slice(4 + size), (char) => char.charCodeAt(0)),
        puback,
      );
    }
  }

  return {
    take: (data) => {
      held += data;
      for (;;) {
        if (held.length < 2) return;
        let size = 0;
        let at = 1;
        let byte = 128;
        while ((byte & 128) !== 0 && at < held.length) {
          byte = held.charCodeAt(at);
          size += (byte & 127) << (7 * (at - 1));
          at++;
        }
        if ((byte & 128) !== 0 || held.length < at + size) return;
        const type = held.charCodeAt(0);
        const body = held.slice(at, at + size);
        held = held.slice(at + size);
        handle(type, body);
      }
    },
    publish: (topic, payload) => packet(0x30, word(topic.length) + topic + String.fromCharCode(...payload)),
  };
}
