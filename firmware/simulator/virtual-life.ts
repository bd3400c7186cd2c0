// One boot of a virtual board: what all its parts share, and what of it ends with the power.
import type { BoardTable } from "../boards/table.ts";
import type { BoardParts } from "./board-parts.ts";
import type { VirtualFlash } from "./flash.ts";
import type { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";

export type Globals = Record<string, unknown>;

/** What the board's pins and lines are connected to. */
export interface Wiring {
  /** A share of the converter's reference. */
  analog(pin: string): number;
  digital(pin: string): boolean;
  /** Tells of edges of a pin until the board starts again. */
  watch(pin: string, edge: (isHigh: boolean) => void): void;
  /** Data that arrives on a serial line while it is open. */
  openSerial(port: string, baud: number, data: (text: string) => void): () => void;
  /** Data that the board writes to a line that it has open. */
  writeSerial?(port: string, text: string): void;
  /** The board sets a pin, or sends a pulse of so many milliseconds. */
  output?(pin: string, isHigh: boolean, pulseMs?: number): void;
}

export interface Socket {
  write(data: string): void;
  end(): void;
}

export interface Network {
  /** False while there is no WiFi. */
  isReachable(): boolean;
  connect(host: string, port: number, events: { opened(): void; data(text: string): void; closed(): void }): Socket;
}

export interface VirtualBoardOptions {
  readonly table: BoardTable;
  readonly flash: VirtualFlash;
  readonly schedule: Schedule;
  readonly wiring: Wiring;
  readonly network: Network;
  readonly random: Random;
  /** Turns what lies in flash into text that this machine can run. */
  readonly untokenise: (tokens: string) => string;
  /** Lines that the board prints. */
  readonly print?: (line: string) => void;
  /** Told when the board starts itself anew; without it the board just does so. */
  readonly rebooting?: (why: string) => void;
}

export interface Life {
  readonly options: VirtualBoardOptions;
  readonly parts: BoardParts;
  readonly globals: Globals;
  /** Things to close when the power goes. */
  readonly closing: Set<() => void>;
  /** Calls of consoles and radio since boot, with what was handed in. */
  readonly noted: string[];
  /** Runs what belongs to this boot only; an exception is printed, and the rest of the board goes on. */
  guarded(work: () => void): void;
  isOver(): boolean;
  /** Seconds as `getTime` tells them. */
  timeS(): number;
  reboot(why: string): void;
}

/** Seconds at which a board without a clock of its own begins to count. */
export const BOOT_TIME_S = 946_684_800;

export function noting(life: Life, name: string): (...given: unknown[]) => void {
  return (...given) => void life.noted.push(`${name} ${JSON.stringify(given)}`);
}

export function bytesOf(data: string | ArrayLike<number>): Uint8Array {
  return typeof data === "string" ? Buffer.from(data, "latin1") : Uint8Array.from(data);
}

export function textOf(data: string | ArrayLike<number>): string {
  return typeof data === "string" ? data : Buffer.from(bytesOf(data)).toString("latin1");
}

/** A value of the board's own world: its arrays are not this world's. */
export function bytesInside(life: Life, bytes: Uint8Array): Uint8Array {
  const Inside = life.globals["Uint8Array"] as Uint8ArrayConstructor;
  return new Inside(bytes);
}
