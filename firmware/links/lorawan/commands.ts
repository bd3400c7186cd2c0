// What is said to a Wio-E5, in its order, and bytes as it writes them.

export const IDENTITY = 2;
export const RADIO = 8;
export const RATE = 13;
export const JOIN = 14;
/** No commands of the list, but states behind it. */
export const SENDING = 15;
export const IDLE = 16;
export const PAUSED = 17;

export interface ModemKeys {
  /** Hex, upper case: 16, 16 and 32 digits. */
  readonly devEui: string;
  readonly appEui: string;
  readonly appKey: string;
}

/**
 * The command of a step. Who it is comes last of what is set: it says that the rest is there. Channels beyond the first three
 * and the second window's data rate come with the network's join accept.
 */
export function commandAt(step: number, keys: ModemKeys, rate: number, isSet: boolean): string {
  if (step < 1) return "VER";
  if (step < 2) return "UART=TIMEOUT,0";
  if (step < 3) return "ID=DevEui";
  if (step < 4) return `ID=AppEui,"${keys.appEui}"`;
  if (step < 5) return `KEY=APPKEY,"${keys.appKey}"`;
  if (step < 6) return "MODE=LWOTAA";
  if (step < 7) return "DR=EU868";
  if (step < 8) return `ID=DevEui,"${keys.devEui}"`;
  if (step < 9) return "ADR=OFF";
  if (step < 10) return "PORT=10";
  if (step < 11) return "RETRY=1";
  if (step < 12) return "LW=DC,ON";
  if (step < 13) return "LOWPOWER=AUTOON";
  if (step < 14) return `DR=DR${rate}`;
  return isSet ? "JOIN" : "JOIN=FORCE";
}

export function hexOf(bytes: Uint8Array, from: number, to: number): string {
  let hex = "";
  for (let i = from; i < to; i++) hex += ((bytes[i] as number) + 256).toString(16).substr(1).toUpperCase();
  return hex;
}
