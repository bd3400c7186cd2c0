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
 * and the second window's data rate come with the network's join accept. The list is made anew each time: kept, it would take
 * a hundred variables.
 */
export function commandAt(step: number, keys: ModemKeys, rate: number, isSet: boolean): string {
  const devEui = "ID=DevEui";
  return (
    `VER|UART=TIMEOUT,0|${devEui}|ID=AppEui,"${keys.appEui}"|KEY=APPKEY,"${keys.appKey}"|MODE=LWOTAA|DR=EU868|` +
    `${devEui},"${keys.devEui}"|ADR=OFF|PORT=10|RETRY=1|LW=DC,ON|LOWPOWER=AUTOON|DR=DR${rate}|JOIN${isSet ? "" : "=FORCE"}`
  ).split("|")[step] as string;
}

export function hexOf(bytes: Uint8Array, from: number, to: number): string {
  let hex = "";
  for (let i = from; i < to; i++) hex += ((bytes[i] as number) + 256).toString(16).substr(1);
  return hex.toUpperCase();
}
