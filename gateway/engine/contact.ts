// Who is heard. Silence counts only while the path was up: durations run on the monotonic clock from the start of the
// gateway, so that neither a restart nor a clock that jumps makes a living point silent.
import type { PointState } from "../../protocol/index.ts";
import type { DeviceView } from "../domain/point.ts";
import type { Profile } from "../domain/profile.ts";

export interface Contacts {
  heard(deviceId: string): void;
  /** Of one device. `everHeard`: a record of it is known. */
  of(device: DeviceView, everHeard: boolean): "present" | "silent" | "never";
  /** Of a point: present when any of its devices is. */
  ofPoint(devices: readonly DeviceView[], everHeard: (deviceId: string) => boolean): PointState["contact"];
}

export function createContacts(
  monotonicMs: () => number,
  profile: () => Profile,
  silentAtStart: ReadonlySet<string>,
): Contacts {
  const startedMs = monotonicMs();
  const heardMs = new Map<string, number>();

  function of(device: DeviceView, everHeard: boolean): "present" | "silent" | "never" {
    const heard = heardMs.get(device.deviceId);
    if (heard === undefined && silentAtStart.has(device.deviceId)) return "silent";
    if (heard === undefined && !everHeard) return "never";
    const quietMs = monotonicMs() - (heard ?? startedMs);
    const { intervals, graceS } = profile().silence;
    return quietMs > (intervals * device.reportIntervalS + graceS) * 1000 ? "silent" : "present";
  }

  return {
    heard: (deviceId) => {
      heardMs.set(deviceId, monotonicMs());
    },
    of,
    ofPoint: (devices, everHeard) => {
      if (devices.length === 0) return "no-device";
      const each = devices.map((device) => of(device, everHeard(device.deviceId)));
      if (each.includes("present")) return "present";
      return each.includes("silent") ? "silent" : "never";
    },
  };
}
