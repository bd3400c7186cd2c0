// What stands at the other end of a sink in contract and proof: it notes what it was given, and misbehaves as it is told.

export const FAULTS = [
  /** Overloaded, with the seconds to wait: 503, or CONNACK 3. */
  "refuse",
  /** 429. */
  "overload",
  /** 500. */
  "internal",
  /** The connection breaks before anything is taken. */
  "reset",
  /** All is taken, and then the connection breaks. */
  "ack-lost",
  /** All is taken, and the answer breaks off in its middle. */
  "half-answer",
  /** Nothing is taken; a refusal for good breaks off in its middle. */
  "half-refusal",
  /** Nothing is taken and nothing said. */
  "hang",
  /** Nothing is taken; an answer drips and never ends. */
  "trickle",
  /** Says that it went well, but took only the first row. */
  "partial",
  /** Nothing is taken; the connection is to speak another protocol from now on. */
  "switch",
  /** Nothing is taken; a refusal for good that fits no answer, and packed a small one. */
  "flood",
  /** A 400 of something that stands before the receiver. */
  "foreign",
  /** A page of a firewall, with status 200. */
  "page",
  /** Wrong token or password. */
  "wrong-key",
] as const;
export type Fault = (typeof FAULTS)[number];

/** What was taken: the identity by which a receiver counts a record once, and the row of the journal that it came from. */
export interface Taken {
  readonly identity: string;
  readonly row: number;
}

export interface SinkTarget {
  readonly url: string;
  /** Asked before each request, or connection and some of its messages. */
  fault: () => Fault | undefined;
  /** Rows that can never be taken. */
  isPoison: (row: number) => boolean;
  /** More rows than these at once are too large. */
  rowsMax: number;
  /** Row by identity: what came twice stands here once. */
  readonly taken: Map<string, number>;
  /** Also what came again. */
  readonly counts: { arrivals: number; readonly faults: Partial<Record<Fault, number>> };
  stop(): Promise<void>;
}

export function blankTarget(): Omit<SinkTarget, "url" | "stop"> & {
  take(one: Taken): void;
  draw(): Fault | undefined;
} {
  const target = {
    fault: (): Fault | undefined => undefined,
    isPoison: (_row: number) => false,
    rowsMax: Number.POSITIVE_INFINITY,
    taken: new Map<string, number>(),
    counts: { arrivals: 0, faults: {} as Partial<Record<Fault, number>> },
    take({ identity, row }: Taken) {
      target.taken.set(identity, row);
      target.counts.arrivals++;
    },
    draw() {
      const fault = target.fault();
      if (fault !== undefined) target.counts.faults[fault] = (target.counts.faults[fault] ?? 0) + 1;
      return fault;
    },
  };
  return target;
}
