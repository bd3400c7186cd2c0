// Who may speak for a base station. The protocol has no authentication, so a base station is pinned to the address it is heard from, and
// its downlinks to the port that asks for them: a PULL_DATA forged elsewhere gets nothing, unless the true one has long been silent.
import type { DatagramHeader } from "./gwmp.ts";

/** A forwarder asks every 5 to 30 s. One that is quiet for so long may come back from elsewhere: another lease, another port. */
export const REPIN_SILENCE_MS = 120_000;

export interface Source {
  readonly address: string;
  readonly port: number;
}

/** Times are monotonic milliseconds. */
export interface Pin {
  readonly address: string;
  readonly heardMs: number;
  /** Where its downlinks go. */
  readonly pull?: { readonly port: number; readonly heardMs: number };
}

export type PinReason = "first" | "same" | "moved" | "other-address" | "other-port";

export interface PinStep {
  readonly pin: Pin | undefined;
  readonly reason: PinReason;
}

export interface PinInput {
  readonly kind: DatagramHeader["kind"];
  readonly source: Source;
  readonly nowMs: number;
  /** Its address as configured: no other is ever believed. */
  readonly fixedAddress?: string | undefined;
}

/** Pure. What is refused leaves the pin as it was. */
export function stepPin(pin: Pin | undefined, input: PinInput): PinStep {
  const { kind, source, nowMs, fixedAddress } = input;
  const isSilent = (heardMs: number) => nowMs - heardMs >= REPIN_SILENCE_MS;
  if (fixedAddress !== undefined && source.address !== fixedAddress) return { pin, reason: "other-address" };
  const isMoved = pin !== undefined && pin.address !== source.address;
  if (isMoved && !isSilent(pin.heardMs)) return { pin, reason: "other-address" };
  const asked = isMoved ? undefined : pin?.pull;
  const isOtherPort = asked !== undefined && asked.port !== source.port;
  // Packets come from a socket of their own.
  if (kind !== "push-data" && isOtherPort && !(kind === "pull-data" && isSilent(asked.heardMs)))
    return { pin, reason: "other-port" };
  if (kind === "tx-ack" && asked === undefined) return { pin, reason: "other-port" };
  const pull = kind === "pull-data" ? { port: source.port, heardMs: nowMs } : asked;
  return {
    pin: { address: source.address, heardMs: nowMs, ...(pull === undefined ? {} : { pull }) },
    reason: pin === undefined ? "first" : isMoved || (kind === "pull-data" && isOtherPort) ? "moved" : "same",
  };
}

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Eight demodulators at SF7 hear 130 frames a second, eight a datagram; the rest is keep-alive and answers. */
export const STATION_RATE: Rate = { perSecond: 50, burst: 200 };
/** Base stations behind one address share it. */
export const SOURCE_RATE: Rate = { perSecond: 200, burst: 800 };
/** Sources that are told apart; those beyond share one allowance. */
export const SOURCES_MAX = 256;

/** True when one more may pass now. */
export type RateLimit = (key: string, nowMs: number) => boolean;

/** A bucket a key. Full buckets are forgotten when there are too many keys. */
export function createRateLimit(rate: Rate, keysMax: number): RateLimit {
  const buckets = new Map<string, { left: number; filledMs: number }>();
  const levelAt = (bucket: { left: number; filledMs: number }, nowMs: number) =>
    Math.min(rate.burst, bucket.left + ((nowMs - bucket.filledMs) / 1000) * rate.perSecond);

  function makeRoom(nowMs: number): boolean {
    for (const [key, bucket] of buckets) if (levelAt(bucket, nowMs) >= rate.burst) buckets.delete(key);
    return buckets.size < keysMax;
  }

  return (key, nowMs) => {
    const isKnown = buckets.has(key) || buckets.size < keysMax || makeRoom(nowMs);
    const mine = isKnown ? key : "";
    const bucket = buckets.get(mine) ?? { left: rate.burst, filledMs: nowMs };
    buckets.set(mine, bucket);
    bucket.left = levelAt(bucket, nowMs);
    bucket.filledMs = nowMs;
    if (bucket.left < 1) return false;
    bucket.left--;
    return true;
  };
}
