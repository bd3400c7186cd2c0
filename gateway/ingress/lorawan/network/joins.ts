// Joins by radio (LoRaWAN 1.0.2 §6.2): checked, kept, answered, in this order. The session that was there goes on until the device speaks
// in the new one.
import type { Clock } from "../../../clock.ts";
import { airtimeOf } from "./answers.ts";
import { fromHex, isSameMic, joinMic } from "./crypto.ts";
import type { Copy } from "./dedupe.ts";
import { type Devices, type Held, NET_ID, tagOf } from "./devices.ts";
import type { Identities, Identity } from "./identities.ts";
import type { Ledger } from "./ledger.ts";
import type { Limit } from "./limits.ts";
import { takeNonce } from "./nonces.ts";
import { buildJoinAccept, type JoinRequest } from "./phy.ts";
import type { Refusal, Tally } from "./reasons.ts";
import type { Sender } from "./sender.ts";
import { openSession, type Session, withWaiting } from "./session.ts";
import { keep, type NetworkStore } from "./store.ts";
import { JOIN_SETTINGS, type WindowSettings, windowsOf } from "./windows.ts";

export interface JoinParts {
  readonly clock: Clock;
  readonly identities: Identities;
  readonly store: NetworkStore;
  readonly devices: Devices;
  readonly ledger: Ledger;
  readonly sender: Sender;
  readonly tally: Tally;
  readonly deviceJoins: Limit;
  /** What devices that join are told of their windows. */
  readonly settings: WindowSettings;
}

/** Who asks, before anything is computed; or why nobody does. */
export function judgeJoiner(identity: Identity | undefined): Refusal | undefined {
  if (identity === undefined) return "unknown-device";
  if (!identity.isEnabled) return "device-disabled";
  return identity.appKey === undefined ? "not-by-join" : undefined;
}

/** The same, and whether the frame was made with its key: what else is wrong with it is then the device's own, and nobody's guess. */
export function judgeJoin(identity: Identity | undefined, request: JoinRequest): Refusal | undefined {
  const why = judgeJoiner(identity);
  if (why !== undefined || identity?.appKey === undefined) return why ?? "not-by-join";
  if (!isSameMic(joinMic(fromHex(identity.appKey), request.message), request.mic)) return "bad-mic";
  return identity.joinEui !== undefined && identity.joinEui !== request.joinEui ? "join-eui" : undefined;
}

export async function takeJoin(
  parts: JoinParts,
  held: Held,
  request: JoinRequest,
  copies: readonly Copy[],
): Promise<void> {
  const { devices, identities, store, tally, sender, settings } = parts;
  const { devEui, devNonce } = request;
  const stationId = copies[0]?.reception.stationId as string;
  const refuse = (reason: Refusal) => tally.refuse({ reason, devEui, stationId });
  const identity = identities.byDevEui(devEui);
  const why = judgeJoin(identity, request);
  if (why !== undefined || identity?.appKey === undefined) return refuse(why ?? "not-by-join");
  const appKey = fromHex(identity.appKey);
  const keyTag = tagOf(identity);
  const nonces = takeNonce(held.nonces, { devNonce, keyTag, version: identity.version });
  if (typeof nonces === "string") return refuse(nonces);
  if (!parts.deviceJoins.take(devEui)) return refuse("too-many-joins");
  const devAddr = devices.freeAddress();
  const session = devAddr && openSession(held.state, { devAddr, devNonce, keyTag, ...settings });
  if (!session) return refuse("nonces-full");
  const state = withWaiting(held.state, session);
  const windows = windowsOf(copies, JOIN_SETTINGS);
  const chosen = sender.choose(windows, () => ({ what: undefined, bytes: 33 }), false);
  try {
    await keep(store, { devEui, state, nonces }, typeof chosen === "string" ? undefined : airtimeOf(parts, chosen));
  } catch {
    if (typeof chosen !== "string") sender.cancel(chosen);
    return refuse("not-kept");
  }
  devices.set(held, state);
  held.nonces = nonces;
  if (typeof chosen === "string") return refuse(chosen);
  answer(parts, session, { appKey, chosen, windows, refuse });
}

function answer(
  { sender, tally }: JoinParts,
  { devAddr, join, rxDelayS, rx2DataRate }: Session,
  send: {
    readonly appKey: Uint8Array;
    readonly chosen: Exclude<ReturnType<Sender["choose"]>, string>;
    readonly windows: ReturnType<typeof windowsOf>;
    readonly refuse: (reason: Refusal) => void;
  },
): void {
  const joinNonce = join?.joinNonce ?? 0;
  const phy = buildJoinAccept(send.appKey, { joinNonce, netId: NET_ID, devAddr, rx2DataRate, rxDelayS });
  void sender.send(send.chosen, phy, send.windows).then((outcome) => {
    if (outcome === "sent") tally.count("join-accepted");
    else send.refuse("downlink-not-sent");
  });
}
