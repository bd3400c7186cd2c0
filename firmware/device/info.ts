// The info frame: at boot, daily and on request. It is not in the ring; it goes again until it is acknowledged.
import type { Delay } from "../hal.ts";
import { putU16, putU32, u16 } from "../store/bytes.ts";
import type { Ring } from "../store/ring.ts";
import { INFO } from "./frames.ts";
import { REPORT_INTERVAL, settingRows } from "./settings.ts";
import { STATE_BOOT } from "./state.ts";

/** Major, minor, patch. */
const VERSION = [0, 1, 0];
export const FIRMWARE_VERSION = /* @__PURE__ */ VERSION.join(".");
const INFO_S = 86400;
const TURN_MS = 1;

export interface InfoOptions {
  readonly ring: Ring;
  readonly uptime: () => number;
  readonly delay: Delay;
  /** Writes a header with the present time. */
  readonly stamp: (out: Uint8Array, kind: number, sequence: number, isUptime: boolean) => void;
  readonly settings: () => readonly number[];
  readonly crc32: (bytes: Uint8Array) => number;
  readonly resetCause: () => number;
  /** Code of BOARDS, bits of SENSORS. */
  readonly board: number;
  readonly sensors: number;
  readonly memoryFreePct: () => number;
  readonly faults: () => number;
}

export interface InfoFrame {
  /** Makes it anew; it may go after so many seconds. */
  make(withinS: number): void;
  /** A day has passed since the last one was made, or there was none. One that nobody acknowledged has grown old: the new one goes instead. */
  isDue(): boolean;
  /** The one that waits for its acknowledgement, if one does. */
  open(): Uint8Array | undefined;
  stored(sequence: number): void;
}

export function createInfo(options: InfoOptions): InfoFrame {
  const ring = options.ring;
  const uptime = options.uptime;
  const info = new Uint8Array(27);
  let isOpen = false;
  let fromS = -INFO_S;

  return {
    make: (withinS) => {
      const settings = options.settings();
      info.set(VERSION, 8);
      putU16(info, 15, u16(ring.state, STATE_BOOT));
      info[17] = options.resetCause();
      putU16(info, 18, settings[REPORT_INTERVAL] as number);
      info[20] = options.board;
      putU16(info, 21, options.sensors);
      info[23] = ring.usedPct();
      info[24] = options.memoryFreePct();
      putU16(info, 25, Math.min(options.faults(), 65535));
      isOpen = false;
      fromS = uptime() + withinS;
      options.delay(TURN_MS, () => options.stamp(info, INFO, ring.use(), false));
      options.delay(2 * TURN_MS, () => {
        putU32(info, 11, options.crc32(settingRows(settings)));
        isOpen = true;
      });
    },
    isDue: () => uptime() - fromS >= INFO_S,
    open: () => (isOpen && uptime() >= fromS ? info : undefined),
    stored: (sequence) => {
      if (sequence === u16(info, 1)) isOpen = false;
    },
  };
}
