// What goes back to a device after its uplink: one frame with an acknowledgement, answers to MAC commands and a payload, whatever of it
// there is. What says the time goes in these windows or not at all; the rest waits for later ones.
import type { Clock } from "../../../clock.ts";
import { invariant } from "../../../errors.ts";
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
import { type Airtime, keep, type NetworkStore } from "./store.ts";
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

/** Drops what is too old, and tells of it once. On the disk it goes with the next change. */
export function expire({ clock, onDownlink }: Pick<AnswerParts, "clock" | "onDownlink">, held: Held): void {
  const { queue, expired } = dropExpired(held.queue, clock.nowMs(), held.sending);
  held.queue = queue;
  for (const id of expired) onDownlink?.({ devEui: held.devEui, id, state: "expired" });
}

/** With what of the answers can wait. */
function queueAfter({ clock }: AnswerParts, { held, answers, refuse }: ToAnswer): Queue {
  let { queue } = held;
  for (const { port, payload, isTimely } of answers) {
    if (isTimely) continue;
    const added = addDownlink(queue, { port, payload, expiresMs: clock.nowMs() + KEEP_MS });
    if (typeof added === "string") refuse(added);
    else queue = added.queue;
  }
  return queue;
}

interface Plan {
  /** Undefined: nothing is sent now. */
  readonly chosen: Chosen<Candidate | undefined> | undefined;
  readonly windows: readonly Window[];
  readonly queue: Queue;
}

function planAnswer(parts: AnswerParts, asked: ToAnswer, session: Session): Plan {
  const { held, options, refuse } = asked;
  const queue = queueAfter(parts, asked);
  const timely = asked.answers.filter(({ isTimely }) => isTimely);
  const items = inOrder(queue, timely, held.sending);
  const windows = windowsOf(asked.copies, settingsOf(asked.identity, session));
  const hasFrame = asked.isAck || asked.mustAnswer || options.length > 0;
  if (!hasFrame && items.length === 0) return { chosen: undefined, windows, queue };
  const isAnswer = !asked.isAck && items[0]?.isTimely === true;
  const chosen = parts.sender.choose(windows, offerOf(items, options, hasFrame), isAnswer);
  if (typeof chosen !== "string")
    return { chosen, windows, queue: chosen.what?.isTimely === true ? passOver(queue) : queue };
  refuse(chosen);
  return { chosen: undefined, windows, queue };
}

/** The payload was taken: that is kept, with the counter of what goes back, before it goes. */
export async function answerUplink(parts: AnswerParts, asked: ToAnswer): Promise<void> {
  const { held, options, isAck, refuse, counter } = asked;
  const session = held.state.current;
  invariant(session !== undefined, "an uplink is answered in the session that it came in");
  expire(parts, held);
  const { chosen, windows, queue } = planAnswer(parts, asked, session);
  const nextTaken = Math.max(session.nextTaken, counter + 1);
  const nextDown = session.nextDown + (chosen === undefined ? 0 : 1);
  const state = { ...held.state, current: { ...session, nextTaken, nextDown } };
  const change = { devEui: held.devEui, state, queue: queue === held.queue ? undefined : queue };
  try {
    await keep(parts.store, change, chosen && airtimeOf(parts, chosen));
  } catch {
    if (chosen !== undefined) parts.sender.cancel(chosen);
    return refuse("not-kept");
  }
  parts.devices.set(held, state);
  held.queue = queue;
  if (chosen === undefined) return;
  const isPending = queue.items.some(({ id }) => id !== chosen.what?.id && !held.sending.has(id));
  const { devAddr, nextDown: down } = session;
  const frame = { devAddr, counter: down, isAck, isPending, options, data: chosen.what };
  transmit(parts, held, { chosen, phy: buildDownlink(asked.keys, frame), windows, refuse });
}

/** All that its base station has on the air, as it is to be kept. */
export function airtimeOf(
  { ledger, clock }: Pick<AnswerParts, "ledger" | "clock">,
  { window }: Chosen<unknown>,
): Airtime {
  return { stationId: window.stationId, text: ledger.text(window.stationId, clock.nowMs()) };
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
