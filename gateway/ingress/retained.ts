// Retained messages by their topic. The memory persistence of Aedes goes through all of them at every SUBSCRIBE: with twenty
// thousand topics, five hundred devices that come back at once would stop the broker for seconds. A device names its one topic
// exactly, and that is looked up here; only a filter with wildcards looks at all.
import { Readable } from "node:stream";
import memoryPersistence, { type AedesPersistence } from "aedes-persistence";

/** True when a topic name fits a filter (MQTT 3.1.1 §4.7). Neither has been checked for more than that. */
export function fitsFilter(filter: string, topic: string): boolean {
  const wanted = filter.split("/");
  const found = topic.split("/");
  // Topics of the server itself are not for filters that begin with a wildcard (MQTT-4.7.2-1).
  if (topic.startsWith("$") && (wanted[0] === "+" || wanted[0] === "#")) return false;
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === "#") return true;
    if (i >= found.length || (wanted[i] !== "+" && wanted[i] !== found[i])) return false;
  }
  return wanted.length === found.length;
}

function hasWildcard(filter: string): boolean {
  return filter.includes("+") || filter.includes("#");
}

interface Retained {
  readonly topic: string;
  readonly payload: { readonly length: number };
}

function* retainedFor(byTopic: ReadonlyMap<string, Retained>, filters: readonly string[]): Generator<Retained> {
  for (const filter of filters) {
    if (hasWildcard(filter)) {
      for (const [topic, packet] of byTopic) if (fitsFilter(filter, topic)) yield packet;
      continue;
    }
    const packet = byTopic.get(filter);
    if (packet !== undefined) yield packet;
  }
}

/** Persistence in memory, as Aedes 1.2 calls it: sessions, wills and queues are the library's, retained messages ours. */
export function createPersistence(): AedesPersistence {
  const byTopic = new Map<string, Retained>();
  const streamOf = (filters: readonly string[]) => Readable.from(retainedFor(byTopic, filters));
  // The package's types leave out that it is a function.
  const inMemory = memoryPersistence as unknown as () => AedesPersistence;
  return Object.assign(inMemory(), {
    storeRetained: async (packet: Retained) => {
      // A message without a payload clears its topic (MQTT-3.3.1-10).
      if (packet.payload.length === 0) byTopic.delete(packet.topic);
      else byTopic.set(packet.topic, { ...packet });
    },
    createRetainedStream: (filter: string) => streamOf([filter]),
    createRetainedStreamCombi: streamOf,
  });
}
