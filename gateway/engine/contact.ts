// Who is heard, and which ways to here are open. Silence counts only while the path was up: durations run on the monotonic clock from
// the start of the gateway, and from when a path came back, so that neither a restart nor a clock that jumps nor a base station that
// was down makes a living point silent.
import type { PointState } from "../../protocol/index.ts";
import { isPathDown, type Loss, lossAfter, quietMsMax, worseLoss } from "../domain/alerts/silence.ts";
import type { DeviceView } from "../domain/point.ts";
import type { Profile } from "../domain/profile.ts";

/** A path that brings nobody any more. */
export interface DownPath {
  readonly pathId: string;
  readonly devices: readonly DeviceView[];
}

export interface Contacts {
  heard(device: DeviceView): void;
  /** Of one device. `everHeard`: a record of it is known. */
  of(device: DeviceView, everHeard: boolean): "present" | "silent" | "never";
  /** Of a point: present when any of its devices is. */
  ofPoint(devices: readonly DeviceView[], everHeard: (deviceId: string) => boolean): PointState["contact"];
  /** Looks which paths are down now; on every tick. `dead`: those that are by what they are made of. */
  lookAtPaths(
    devices: Iterable<DeviceView>,
    everHeard: (deviceId: string) => boolean,
    dead?: ReadonlySet<string>,
  ): readonly DownPath[];
}

interface Heard {
  readonly atMs: number;
  readonly loss: Loss | undefined;
}

export function pathOf(device: DeviceView): string {
  return device.path ?? device.link;
}

export function createContacts(
  monotonicMs: () => number,
  profile: () => Profile,
  silentAtStart: ReadonlySet<string>,
  /** Paths that were down when the gateway stopped: they are until one of their devices is heard. */
  downAtStart: ReadonlySet<string> = new Set(),
): Contacts {
  const startedMs = monotonicMs();
  const heards = new Map<string, Heard>();
  /** What gets lost on each path, of all its devices together: known within an hour, where one device takes a day. */
  const losses = new Map<string, Loss>();
  const down = new Set(downAtStart);
  /** When a path that was down brought somebody again. */
  const backMs = new Map<string, number>();

  function quietOf(device: DeviceView): number {
    const since = heards.get(device.deviceId)?.atMs ?? startedMs;
    return monotonicMs() - Math.max(since, down.has(pathOf(device)) ? 0 : (backMs.get(pathOf(device)) ?? 0));
  }

  function of(device: DeviceView, everHeard: boolean): "present" | "silent" | "never" {
    const heard = heards.get(device.deviceId);
    if (heard === undefined && silentAtStart.has(device.deviceId)) return "silent";
    if (heard === undefined && !everHeard) return "never";
    const most = quietMsMax(
      profile().silence,
      device.link,
      device.reportIntervalS,
      worseLoss(heard?.loss, losses.get(pathOf(device))),
    );
    return quietOf(device) > most ? "silent" : "present";
  }

  return {
    heard: (device) => {
      const atMs = monotonicMs();
      const before = heards.get(device.deviceId);
      const gapMs = before && atMs - before.atMs;
      const loss = gapMs === undefined ? undefined : lossAfter(before?.loss, gapMs, device.reportIntervalS);
      const path = pathOf(device);
      if (gapMs !== undefined) losses.set(path, lossAfter(losses.get(path), gapMs, device.reportIntervalS));
      heards.set(device.deviceId, { atMs, loss });
    },
    of,
    ofPoint: (devices, everHeard) => {
      if (devices.length === 0) return "no-device";
      const each = devices.map((device) => of(device, everHeard(device.deviceId)));
      if (each.includes("present")) return "present";
      return each.includes("silent") ? "silent" : "never";
    },
    lookAtPaths: (devices, everHeard, dead) => {
      const paths = new Map<string, DeviceView[]>();
      for (const device of devices) paths.set(pathOf(device), [...(paths.get(pathOf(device)) ?? []), device]);
      const found: DownPath[] = [];
      for (const [pathId, mine] of paths) {
        const facts = mine.map((device) => {
          const isKnown = everHeard(device.deviceId);
          const isSilent = of(device, isKnown) === "silent";
          return { intervalS: device.reportIntervalS, quietMs: isKnown ? quietOf(device) : undefined, isSilent };
        });
        const isUnheard = downAtStart.has(pathId) && mine.every((device) => !heards.has(device.deviceId));
        if (isUnheard || dead?.has(pathId) === true || isPathDown(facts)) {
          down.add(pathId);
          found.push({ pathId, devices: mine });
        } else if (down.delete(pathId)) backMs.set(pathId, monotonicMs());
      }
      return found;
    },
  };
}
