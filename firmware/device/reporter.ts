// Sends records: the newest first, history in what is left, each until an ack frame that checks names it. PUBACK only ends
// MQTT's own retry: what counts as delivered is what the gateway says is stored.
import { type Ack, decodeDownlink, HEADER_BYTES, openFrame, type Sha256, sealFrame } from "../../protocol/wire.ts";
import { NOWHERE, type Place, type Ring } from "../store/ring.ts";

/** Records sent and not yet acknowledged: an ack frame names 32 at once. */
export const UNACKED_MAX = 32;
/** Without an ack for so long a record is sent again. */
export const RESEND_S = 30;
const FLAGS_AT = HEADER_BYTES - 1;
const ACK_REQUESTED = 0x40;
const BACKLOG_PENDING = 0x20;

export interface ReporterLink {
  isUp(): boolean;
  room(): number;
  send(payload: Uint8Array, done: (taken: boolean) => void): void;
}

export interface ReporterOptions {
  readonly ring: Ring;
  readonly link: ReporterLink;
  readonly sha256: Sha256;
  readonly key: Uint8Array;
  readonly ackEvery: number;
  readonly uptime: () => number;
  /** An ack's time, and how long ago the frame it answers was sent. */
  readonly heard: (ack: Ack, answerS: number) => void;
}

interface Flight {
  readonly sequence: number;
  readonly place: Place;
  readonly sentS: number;
}

export interface Reporter {
  /** Stores a record and sends it as soon as it can. */
  add(frame: Uint8Array): void;
  /** Sends what can be sent now. Called on every change of the link, and regularly. */
  pump(): void;
  received(payload: Uint8Array): void;
  /** The link was lost: nothing is known of what was under way. */
  reset(): void;
  /** Downlinks that did not check, or that this version does not know, since boot. */
  ignored(): number;
}

function sequenceOf(frame: Uint8Array): number {
  return ((frame[1] as number) << 8) | (frame[2] as number);
}

export function createReporter(options: ReporterOptions): Reporter {
  const ring = options.ring;
  let flights: Flight[] = [];
  const fresh: { place: Place; frame: Uint8Array }[] = [];
  let tail: Place = NOWHERE;
  let cursor: Place = NOWHERE;
  let sent = 0;
  let ignored = 0;

  function isFlying(place: Place): boolean {
    for (let i = 0; i < flights.length; i++) if ((flights[i] as Flight).place === place) return true;
    return false;
  }

  function transmit(place: Place, frame: Uint8Array, more: boolean): void {
    const copy = new Uint8Array(frame);
    sent++;
    const asks = sent % options.ackEvery === 0 || more;
    copy[FLAGS_AT] = (copy[FLAGS_AT] as number) | (asks ? ACK_REQUESTED : 0) | (more ? BACKLOG_PENDING : 0);
    flights.push({ sequence: sequenceOf(frame), place: place, sentS: options.uptime() });
    options.link.send(sealFrame(options.sha256, options.key, copy), () => undefined);
  }

  /** Records that nobody acknowledged go back to where they are taken from. */
  function expire(): void {
    const now = options.uptime();
    const kept: Flight[] = [];
    for (let i = 0; i < flights.length; i++) {
      const flight = flights[i] as Flight;
      if (now - flight.sentS <= RESEND_S) kept.push(flight);
    }
    if (kept.length === flights.length) return;
    flights = kept;
    cursor = tail;
  }

  function nextLate(): { place: Place; frame: Uint8Array } | undefined {
    for (;;) {
      const record = ring.nextOpen(cursor);
      if (record === undefined) return undefined;
      cursor = ring.after(record.place);
      if (!isFlying(record.place)) return record;
    }
  }

  function pump(): void {
    expire();
    while (options.link.room() > 0 && flights.length < UNACKED_MAX) {
      const live = fresh.shift();
      if (live !== undefined) {
        transmit(live.place, live.frame, false);
        continue;
      }
      const late = nextLate();
      if (late === undefined) return;
      transmit(late.place, late.frame, true);
    }
  }

  function acknowledge(ack: Ack): void {
    const kept: Flight[] = [];
    let answerS = -1;
    for (let i = 0; i < flights.length; i++) {
      const flight = flights[i] as Flight;
      const at = (flight.sequence - ack.baseSequence) & 0xffff;
      if (at < 32 && ((ack.bitmap >>> (31 - at)) & 1) === 1) {
        ring.acknowledge(flight.place);
        const agoS = options.uptime() - flight.sentS;
        if (answerS < 0 || agoS < answerS) answerS = agoS;
      } else kept.push(flight);
    }
    flights = kept;
    const oldest = ring.nextOpen(tail);
    if (oldest !== undefined) tail = oldest.place;
    if (answerS >= 0) options.heard(ack, answerS);
  }

  return {
    add: (frame) => {
      const place = ring.append(frame);
      // Without a link the flash is the queue; only the newest waits here, to go first when the link is back.
      if (!options.link.isUp()) fresh.splice(0, fresh.length);
      if (fresh.length >= UNACKED_MAX) fresh.shift();
      fresh.push({ place: place, frame: frame });
      pump();
    },
    pump: pump,
    received: (payload) => {
      const frame = openFrame(options.sha256, options.key, payload);
      const downlink = frame === undefined ? undefined : decodeDownlink(frame);
      if (downlink === undefined || downlink.kind !== "ack") {
        ignored++;
        return;
      }
      acknowledge(downlink.value);
      pump();
    },
    reset: () => {
      flights = [];
      cursor = tail;
    },
    ignored: () => ignored,
  };
}
