// A way to people: takes one message, and says what became of it.
import type { Channel, ChannelType, Notice } from "../../protocol/index.ts";
import type { Outcome } from "../domain/notify/delivery.ts";
import type { Part } from "../domain/notify/message.ts";

export interface Outgoing {
  readonly notice: Notice;
  readonly parts: readonly Part[];
  readonly language: "nl" | "en";
}

type Way<T extends ChannelType> = Extract<Channel, { readonly type: T }>;

/** Never rejects, and always ends within a time of its own. */
export interface Carrier<T extends ChannelType> {
  deliver(message: Outgoing, way: Way<T>): Promise<Outcome>;
  /** Looks whether it would work, and sends nothing: undefined when it would. Where nothing can be looked at it is left out. */
  look?(): Promise<string | undefined>;
  close?(): void;
}

/** Those that are set up; a way of another kind is refused. */
export type Carriers = { readonly [T in ChannelType]?: Carrier<T> };

export function deliverBy(carriers: Carriers, message: Outgoing, way: Channel): Promise<Outcome> {
  const carrier = carriers[way.type] as Carrier<ChannelType> | undefined;
  if (carrier === undefined) return Promise.resolve({ kind: "refused", reason: `${way.type} is not set up here` });
  return carrier.deliver(message, way);
}
