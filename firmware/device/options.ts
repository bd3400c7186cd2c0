// What a board hands to its device.
import type { BacklogEncoder, BacklogRow } from "../../protocol/wire.ts";
import type { Delay, Link } from "../hal.ts";
import type { Ring } from "../store/ring.ts";
import type { Tell } from "./alarms.ts";
import type { Thinning } from "./history.ts";

/** One sensor of the board: fills its codes, and calls back exactly once. */
export interface Probe {
  /** Its codes in the sample's row: unknown until it has answered. */
  readonly from: number;
  readonly count: number;
  readonly start: (done: (codes: readonly number[]) => void) => void;
}

export interface DeviceOptions {
  /** The device's own moment of sampling: any whole number. */
  readonly phase: number;
  /** Code of BOARDS. */
  readonly board: number;
  /** Groups of a sample, and the row of their fields. */
  readonly groupBits: number;
  readonly row: BacklogRow;
  readonly probes: readonly Probe[];
  /** Bits of SENSORS. */
  readonly sensors: number;
  /** Events between two samples. */
  readonly changes: ((before: Uint16Array, now: Uint16Array, tell: Tell) => void) | undefined;
  /** Alarms that stand after a sample. */
  readonly alarms: (standing: number, codes: Uint16Array, settings: readonly number[], tell: Tell) => number;
  /** Of the bench, by number; the ring has those that a downlink has set. */
  readonly settings: readonly number[];
  readonly ring: Ring;
  readonly link: Link;
  readonly flightsMax: number;
  readonly encoder: BacklogEncoder;
  readonly thinning: Thinning | undefined;
  readonly open: (sealed: Uint8Array, done: (frame: Uint8Array | undefined) => void) => void;
  readonly crc32: (bytes: Uint8Array) => number;
  readonly delay: Delay;
  readonly uptime: () => number;
  readonly random: () => number;
  readonly kick: () => void;
  readonly reboot: () => void;
  readonly memoryFreePct: () => number;
  readonly faults: () => number;
  /** The program runs for the first time. */
  readonly isUpdated: boolean;
  /** Share of the device's own supply that is left before it cannot write any more, 0..1; below 0 it must not. */
  readonly ownSupply: () => number;
  readonly lamp: (isOn: boolean) => void;
  readonly buzzer: (isOn: boolean) => void;
  readonly seen: (isOn: boolean) => void;
  /** People inside, as somebody has counted them; false on a device that counts none. */
  readonly recount: (people: number) => boolean;
}
