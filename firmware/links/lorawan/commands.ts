// What is said to a Wio-E5, in its order, and bytes as it writes them.

export const IDENTITY = 2;
export const RADIO = 13;
export const RATE = 18;
export const JOIN = 19;
/** No commands of the list, but states behind it. */
export const SENDING = 20;
export const IDLE = 21;
export const PAUSED = 22;

export interface ModemKeys {
  /** Hex, upper case: 16, 16 and 32 digits. */
  readonly devEui: string;
  readonly appEui: string;
  readonly appKey: string;
}

/** The command of a step. Who it is comes last of what is set: it says that the rest is there. */
export function commandAt(step: number, keys: ModemKeys, rate: number, isSet: boolean): string {
  if (step < 1) return "VER";
  if (step < 2) return "UART=TIMEOUT,0";
  if (step < 3) return "ID=DevEui";
  if (step < 4) return `ID=AppEui,"${keys.appEui}"`;
  if (step < 5) return `KEY=APPKEY,"${keys.appKey}"`;
  if (step < 6) return "MODE=LWOTAA";
  if (step < 7) return "DR=EU868";
  if (step < 12) return `CH=${step - 4},867.${2 * step - 13},0,5`;
  if (step < 13) return `ID=DevEui,"${keys.devEui}"`;
  if (step < 14) return "ADR=OFF";
  if (step < 15) return "PORT=10";
  if (step < 16) return "RETRY=1";
  if (step < 17) return "LW=DC,ON";
  if (step < 18) return "LOWPOWER=AUTOON";
  if (step < 19) return `DR=DR${rate}`;
  return isSet ? "JOIN" : "JOIN=FORCE";
}

/** Bytes of a text in hex, or undefined when a digit is missing or is none. */
export function bytesOf(hex: string): Uint8Array | undefined {
  const bytes = new Uint8Array(hex.length >> 1);
  for (let i = 0; i < hex.length; i++) {
    const digit = parseInt(hex.charAt(i), 16);
    if (!(digit >= 0)) return undefined;
    bytes[i >> 1] = ((bytes[i >> 1] as number) << 4) | digit;
  }
  return hex.length & 1 ? undefined : bytes;
}

export function hexOf(bytes: Uint8Array, from: number, to: number): string {
  let hex = "";
  for (let i = from; i < to; i++) hex += ((bytes[i] as number) + 256).toString(16).substr(1).toUpperCase();
  return hex;
}
