// Of a read that holds several publishes of a device to its own topic, all but the last go past the broker's parser, which takes
// more of a core than tag, judgement and commit together. The last one, and whatever is not as plain as that, is the broker's: it
// keeps the connection alive, and it alone decides what is wrong with a packet.

/** PUBLISH at QoS 1, not retained, whether sent again or not (MQTT 3.1.1 §3.3.1). */
const PLAIN = 0x32;
const ANY_DUP = 0xf7;
const TOPIC_LENGTH_BYTES = 2;
const ID_BYTES = 2;

export interface ShortWayDeps {
  /** The one topic that this sender may publish to, as bytes; undefined while it is not known, or where there is none. */
  ownTopic(): Uint8Array | undefined;
  take(messageId: number, payload: Buffer): void;
}

/** Where a plain publish lies. */
interface Found {
  readonly messageId: number;
  readonly payloadAt: number;
  readonly end: number;
}

/** For what was read and begins with a packet: takes what it can, and gives what is left for the broker, which is never nothing. */
export function createShortWay({ ownTopic, take }: ShortWayDeps): (read: Buffer) => Buffer {
  return (read) => {
    const topic = ownTopic();
    if (topic === undefined) return read;
    let at = 0;
    let found = plainAt(read, at, topic);
    while (found !== undefined && found.end < read.length) {
      take(found.messageId, read.subarray(found.payloadAt, found.end));
      at = found.end;
      found = plainAt(read, at, topic);
    }
    return at === 0 ? read : read.subarray(at);
  };
}

/** The packet that begins at `start`, when it is a plain one; its end may not have come yet. */
function plainAt(bytes: Uint8Array, start: number, topic: Uint8Array): Found | undefined {
  if (((bytes[start] as number) & ANY_DUP) !== PLAIN) return undefined;
  let at = start + 1;
  let length = bytes[at++] ?? 0;
  if (length > 127) {
    const more = bytes[at++] ?? 0xff;
    // Neither longer nor longer than it need be.
    if (more > 127 || more === 0) return undefined;
    length = (length & 127) + more * 128;
  }
  const end = at + length;
  if (length < TOPIC_LENGTH_BYTES + topic.length + ID_BYTES) return undefined;
  if ((((bytes[at] as number) << 8) | (bytes[at + 1] as number)) !== topic.length) return undefined;
  at += TOPIC_LENGTH_BYTES;
  for (let i = 0; i < topic.length; i++) if (bytes[at + i] !== topic[i]) return undefined;
  at += topic.length;
  const messageId = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  // None is 0 [MQTT-2.3.1-1].
  return messageId === 0 ? undefined : { messageId, payloadAt: at + ID_BYTES, end };
}
