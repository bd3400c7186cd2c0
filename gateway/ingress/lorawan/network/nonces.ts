// The DevNonces of one device under one key: each joins once, ever (LoRaWAN 1.0.2 §6.2.4; 1.0.4 §6.2.4: they count up). A list that
// is full refuses, because forgetting one would let whoever recorded it join with it; an operator flushes it.
import type { MacVersion } from "./identities.ts";

/** A join a day for eleven years. */
export const NONCES_MAX = 4_096;

export interface Nonces {
  /** Of the key that they were used with. */
  readonly keyTag: string;
  readonly used: readonly number[];
}

export type NonceRefusal = "nonce-used" | "nonce-too-small" | "nonces-full";

/** With this one, or why not. A new key makes all of them free again: what was recorded fails its MIC. */
export function takeNonce(
  nonces: Nonces | undefined,
  { devNonce, keyTag, version }: { readonly devNonce: number; readonly keyTag: string; readonly version: MacVersion },
): Nonces | NonceRefusal {
  const used = nonces?.keyTag === keyTag ? nonces.used : [];
  if (version === "1.0.4") {
    const last = used.at(-1);
    if (last !== undefined && devNonce <= last) return devNonce === last ? "nonce-used" : "nonce-too-small";
    return { keyTag, used: [devNonce] };
  }
  if (used.includes(devNonce)) return "nonce-used";
  if (used.length >= NONCES_MAX) return "nonces-full";
  return { keyTag, used: [...used, devNonce] };
}

export function nonceText({ keyTag, used }: Nonces): string {
  return JSON.stringify({ keyTag, used: Buffer.from(Uint16Array.from(used).buffer).toString("base64") });
}

export function readNonces(text: string): Nonces {
  const { keyTag, used } = JSON.parse(text) as { keyTag: string; used: string };
  const bytes = Buffer.from(used, "base64");
  return { keyTag, used: Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readUInt16LE(2 * i)) };
}
