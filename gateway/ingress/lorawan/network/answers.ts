// What goes back to a device after its uplink: one frame with an acknowledgement, answers to MAC commands and a payload, whatever of it
// there is. What says the time goes in these windows or not at all; the rest waits for later ones.
import type { Clock } from "../../../clock.ts";
import type { Eui, NetworkDownlink } from "../interfaces.ts";
import type { SessionKeys } from "./crypto.ts";
import type { Copy } from "./dedupe.ts";
import { type Devices, type Held, settingsOf } from "./devices.ts";
import {
  addDownlink,
  type Candidate,
  dropExpired,
  inOrder,
  KEEP_MS,
  passOver,
  type Queue,
  withoutItem,
  withTry,
} from "./downlink-queue.ts";
import type { Identity } from "./identities.ts";
import type { Ledger } from "./ledger.ts";
import { buildDownlink, DATA_BYTES_MIN } from "./phy.ts";
import type { Refusal, Tally } from "./reasons.ts";
import type { Chosen, Offer, Sender } from "./sender.ts";
import type { Session } from "./session.ts";
import { keep, type NetworkStore } from "./store.ts";
import { type Window, windowsOf } from "./windows.ts";

/** What became of a downlink that was queued. `sent`: a base station had it on the air, which a device need not have heard. */
export interface DownlinkNote {
  readonly devEui: Eui;
  readonly id: string;
  readonly state: "sent" | "expired" | "refused";
  readonly reason?: Refusal;
}

export interface AnswerParts {
  readonly clock: Clock;
  readonly store: NetworkStore;
  readonly devices: Devices;
  readonly ledger: Ledger;
  readonly sender: Sender;
  readonly tally: Tally;
  onDownlink?: ((note: DownlinkNote) => void) | undefined;
}

export interface ToAnswer {
  readonly held: Held;
  readonly keys: SessionKeys;
  readonly identity: Identity;
  readonly counter: number;
  readonly isAck: boolean;
  /** Also when there is nothing to say. */
  readonly mustAnswer: boolean;
  readonly options: Uint8Array;
  readonly answers: readonly NetworkDownlink[];
  readonly copies: readonly Copy[];
  readonly refuse: (reason: Refusal) => void;
}

/** What waits for this device now, without what has expired. */
export function freshQueue({ clock, onDownlink }: AnswerParts, { devEui, queue }: Held): Queue {
  const { queue: fresh, expired } = dropExpired(queue, clock.nowMs());
  for (const id of expired) onDownlink?.({ devEui, id, state: "expired" });
  return fresh;
}

function queueAfter(parts: AnswerParts, { held, answers, refuse }: ToAnswer): Queue {
  let queue = freshQueue(parts, held);
  for (const { port, payload, isTimely } of answers) {
    if (isTimely) continue;
    const added = addDownlink(queue, { port, payload, expiresMs: parts.clock.nowMs() + KEEP_MS });
    if (typeof added === "string") refuse(added);
    else queue = added.queue;
  }
  return queue;
}

export async function answerUplink(parts: AnswerParts, asked: ToAnswer): Promise<void> {
  const { sender, devices, store, ledger, clock } = parts;
  const { held, identity, options, refuse } = asked;
  const session = held.state.current as Session;
  let queue = queueAfter(parts, asked);
  const timely = asked.answers.filter(({ isTimely }) => isTimely);
  const items = inOrder(queue, timely, held.sending);
  const windows = windowsOf(asked.copies, settingsOf(identity, session));
  const hasFrame = asked.isAck || asked.mustAnswer || options.length > 0;
  const isWanted = hasFrame || items.length > 0;
  const isAnswer = !asked.isAck && items[0]?.isTimely === true;
  const chosen = isWanted ? sender.choose(windows, offerOf(items, options, hasFrame), isAnswer) : undefined;
  if (typeof chosen === "string") refuse(chosen);
  const isSending = typeof chosen === "object";
  const item = isSending ? chosen.what : undefined;
  if (item?.isTimely === true) queue = passOver(queue);
  const state = {
    ...held.state,
    current: {
      ...session,
      nextTaken: Math.max(session.nextTaken, asked.counter + 1),
      nextDown: session.nextDown + (isSending ? 1 : 0),
    },
  };
  const stationId = isSending ? chosen.window.stationId : undefined;
  const airtime = stationId === undefined ? undefined : { stationId, text: ledger.text(stationId, clock.nowMs()) };
  try {
    await keep(store, { devEui: held.devEui, state, queue: queue === held.queue ? undefined : queue }, airtime);
  } catch {
    if (isSending) sender.cancel(chosen);
    return refuse("not-kept");
  }
  devices.set(held, state);
  held.queue = queue;
  if (!isSending) return;
  const data = item && { port: item.port, payload: item.payload };
  const isPending = queue.items.some(({ id }) => id !== item?.id && !held.sending.has(id));
  const { devAddr, nextDown: counter } = session;
  const phy = buildDownlink(asked.keys, { devAddr, counter, isAck: asked.isAck, isPending, options, data });
  transmit(parts, held, { chosen, phy, windows, refuse });
}

/** The first item that has room beside the options; else, where the frame is wanted anyway, none. */
function offerOf(items: readonly Candidate[], options: Uint8Array, hasFrame: boolean): Offer<Candidate | undefined> {
  return ({ payloadMax }) => {
    const item = items.find(({ payload }) => payload.length + options.length <= payloadMax);
    if (item === undefined && !hasFrame) return undefined;
    const bytes = DATA_BYTES_MIN + options.length + (item === undefined ? 0 : 1 + item.payload.length);
    return { what: item, bytes };
  };
}

interface Sending {
  readonly chosen: Chosen<Candidate | undefined>;
  readonly phy: Uint8Array;
  readonly windows: readonly Window[];
  readonly refuse: (reason: Refusal) => void;
}

/** Nobody waits for it: a base station may answer only when it has sent. */
function transmit(parts: AnswerParts, held: Held, { chosen, phy, windows, refuse }: Sending): void {
  const id = chosen.what?.id;
  if (id !== undefined) held.sending.add(id);
  void parts.sender.send(chosen, phy, windows).then((outcome) => {
    const isSent = outcome === "sent";
    if (isSent) parts.tally.count("downlink-sent");
    else refuse("downlink-not-sent");
    if (id === undefined) return;
    held.sending.delete(id);
    parts.devices.inTurn(held, () => settle(parts, held, id, isSent));
  });
}

/** It leaves the queue, or gets another try. */
async function settle(parts: AnswerParts, held: Held, id: string, isSent: boolean): Promise<void> {
  const { devEui } = held;
  const tried = isSent ? undefined : withTry(held.queue, id);
  const queue = tried ?? withoutItem(held.queue, id);
  if (queue === held.queue) return;
  held.queue = queue;
  if (isSent) parts.onDownlink?.({ devEui, id, state: "sent" });
  else if (tried === undefined) parts.onDownlink?.({ devEui, id, state: "refused", reason: "downlink-not-sent" });
  try {
    await keep(parts.store, { devEui, queue });
  } catch {
    // After a restart it is sent once more than needed: commands bear that, as they are counted.
    parts.tally.refuse({ reason: "not-kept", devEui });
  }
}
