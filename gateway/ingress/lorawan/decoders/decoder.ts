// What every decoder answers: readings by channel, from any bytes. Never an exception; what cannot be read has a reason.
import type { Quantity } from "../../../../protocol/index.ts";

/** A number in the unit of the channel's name, or the reason why there is none. */
export type Channels = Readonly<Record<string, Quantity>>;

/** A reading that the device kept and sends later. */
export interface LogEntry {
  /** Unix seconds by the device's clock. */
  readonly timeS: number;
  readonly channels: Channels;
  /** The bytes that it was: two entries of one time are told apart by them. */
  readonly bytes: Uint8Array;
}

export type DecodeProblem = "wrong-port" | "truncated" | "unknown-channel";

export interface Decoded {
  /** Of now; empty when the uplink holds none. */
  readonly channels: Channels;
  readonly log: readonly LogEntry[];
  /** The device's own battery is nearly empty. */
  readonly isLowBattery: boolean;
  /** Where reading stopped: what came before it counts all the same. */
  readonly problem?: DecodeProblem;
}

/** Reads one payload of its device. */
export type Decoder = (port: number, payload: Uint8Array) => Decoded;

export const NOTHING_READ: Decoded = { channels: {}, log: [], isLowBattery: false };

export function refused(problem: DecodeProblem): Decoded {
  return { ...NOTHING_READ, problem };
}

/** A current loop by NAMUR NE 43: below 3.6 mA or above 21 mA the transmitter or its wire has failed. */
export function loopMa(milliamperes: number): Quantity {
  if (milliamperes < 3.6) return "open-circuit";
  return milliamperes > 21 ? "short-circuit" : milliamperes;
}
