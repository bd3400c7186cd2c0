// One data frame of one device: its counter is kept, its payload handed on and taken, and only then is it answered, each downlink with a
// counter that was kept before it goes on the air. A frame whose payload was kept as seen but not taken (the process died between) is
// handed on when the device repeats it.
import type { Clock } from "../../../clock.ts";
import type { Eui, NetworkDownlink, UplinkTaker } from "../interfaces.ts";
import { type AnswerParts, answerUplink } from "./answers.ts";
import { cipherPayload } from "./crypto.ts";
import type { Copy } from "./dedupe.ts";
import type { Candidate, Devices, Held } from "./devices.ts";
import { PORT_MAX } from "./downlink-queue.ts";
import { snrFloorDb } from "./eu868.ts";
import { deviceTimeAnswer, linkCheckAnswer, walkMacCommands } from "./mac.ts";
import type { DataUplink } from "./phy.ts";
import type { Refusal, Tally } from "./reasons.ts";
import {
  type DeviceState,
  judgeUplink,
  REPEATS_MAX,
  type Session,
  type UplinkVerdict,
  withPersonalised,
  withSession,
} from "./session.ts";
import { keep, type NetworkStore } from "./store.ts";

export interface UplinkParts extends AnswerParts {
  readonly clock: Clock;
  readonly store: NetworkStore;
  readonly taker: UplinkTaker;
  readonly devices: Devices;
  readonly tally: Tally;
  /** A new frame of a device was kept. */
  heard(devEui: Eui): void;
  isClockTrusted(): boolean;
}

export interface Judged {
  readonly candidate: Candidate;
  readonly verdict: UplinkVerdict;
}

/** Of all sessions with this address the one that the frame is of; else the one to which it was something of the past. */
export function judgeAll(candidates: readonly Candidate[], frame: DataUplink, nowMs: number): Judged | undefined {
  const judged = candidates.map((candidate) => {
    return { candidate, verdict: judgeUplink(candidate.session, candidate.keys, frame, nowMs) };
  });
  const rank = ({ verdict }: Judged) => (verdict.kind === "accepted" ? 2 : verdict.reason === "bad-mic" ? 0 : 1);
  return judged.sort((a, b) => rank(b) - rank(a))[0];
}

function stateAfter({ state }: Held, { isNew }: Candidate, session: Session): DeviceState {
  return isNew ? withPersonalised(session) : withSession(state, session);
}

export async function takeUplink(
  parts: UplinkParts,
  devEui: Eui,
  frame: DataUplink,
  copies: readonly Copy[],
): Promise<void> {
  const { devices, tally, clock, store } = parts;
  const stationId = copies[0]?.reception.stationId as string;
  const refuse = (reason: Refusal) => tally.refuse({ reason, devEui, devAddr: frame.devAddr, stationId });
  const found = devices.find(frame.devAddr);
  if (typeof found === "string") return refuse(found);
  const mine = found.filter((one) => one.devEui === devEui);
  const judged = judgeAll(mine, frame, clock.nowMs());
  if (judged === undefined) return refuse("unknown-address");
  const { candidate, verdict } = judged;
  if (verdict.kind === "refused") return refuse(verdict.reason);
  const held = devices.heldOf(devEui);
  if (verdict.isRepeat && verdict.isTaken) {
    held.repeats++;
    // Its acknowledgement was lost, or somebody sends it again: as often as a device does, and no more.
    if (!frame.isConfirmed || held.repeats >= REPEATS_MAX) return refuse("repeated");
  } else if (!verdict.isRepeat) {
    const state = stateAfter(held, candidate, verdict.session);
    try {
      await keep(store, { devEui, state });
    } catch {
      return refuse("not-kept");
    }
    devices.set(held, state);
    held.repeats = 0;
    parts.heard(devEui);
  }
  held.receptions = copies.map(({ reception }) => reception);
  held.dataRate = copies[0]?.dataRate;
  await handOn(parts, { held, candidate, verdict, frame, copies, refuse });
}

interface Accepted {
  readonly held: Held;
  readonly candidate: Candidate;
  readonly verdict: Extract<UplinkVerdict, { kind: "accepted" }>;
  readonly frame: DataUplink;
  readonly copies: readonly Copy[];
  readonly refuse: (reason: Refusal) => void;
}

async function handOn(parts: UplinkParts, accepted: Accepted): Promise<void> {
  const { verdict, refuse, frame, copies } = accepted;
  const payload = plainOf(accepted);
  let answers: readonly NetworkDownlink[] = [];
  if (!verdict.isTaken && frame.port !== undefined && frame.port > PORT_MAX) refuse("port-reserved");
  else if (!verdict.isTaken && frame.port) {
    const { devEui } = accepted.candidate;
    const { counter, session } = verdict;
    const receptions = copies.map(({ reception }) => reception);
    const dataRate = copies[0]?.dataRate ?? 0;
    const uplink = { network: "own", devEui, session: session.id, counter, port: frame.port, payload } as const;
    try {
      answers = await parts.taker.take({ ...uplink, dataRate, receptions });
    } catch {
      // It stays one that was not taken: the device repeats it, or sends the sample in a later frame.
      return refuse("not-taken");
    }
    parts.tally.count("uplink-taken");
  }
  const commands = frame.port === 0 ? payload : frame.options;
  await answerUplink(parts, {
    held: accepted.held,
    keys: accepted.candidate.keys,
    identity: accepted.candidate.identity,
    counter: verdict.counter,
    isAck: frame.isConfirmed,
    // A device that asks whether it is heard slows down until it is answered: any frame will do.
    mustAnswer: frame.adr && frame.adrAckReq,
    options: macAnswers(parts, commands, accepted),
    answers,
    copies,
    refuse,
  });
}

function plainOf({ candidate: { keys }, verdict, frame }: Accepted): Uint8Array {
  const { devAddr, port, payload } = frame;
  const key = port === 0 ? keys.nwkSKey : keys.appSKey;
  return cipherPayload(key, payload, { direction: "up", devAddr, counter: verdict.counter });
}

function macAnswers(
  { clock, isClockTrusted }: UplinkParts,
  commands: Uint8Array,
  { copies, refuse }: Accepted,
): Uint8Array {
  const { asksLinkCheck, asksTime, fault } = walkMacCommands(commands);
  if (fault !== undefined) refuse(fault);
  const best = copies[0] as Copy;
  const answers: Uint8Array[] = [];
  if (asksLinkCheck) answers.push(linkCheckAnswer(best.reception.snr - snrFloorDb(best.dataRate), copies.length));
  if (asksTime && isClockTrusted())
    answers.push(deviceTimeAnswer(clock.nowMs() - (clock.monotonicMs() - best.heardMs)));
  return new Uint8Array(Buffer.concat(answers));
}
